//! Calls about logs: reading, following, clearing.

use camino::{Utf8Path, Utf8PathBuf};
use host::files;

use super::outcome;
use super::parameters::{nothing, number, text};
use crate::supervisor::daemon::{Daemon, log_text};
use crate::supervisor::xml_rpc::{Fault, Value, code};

impl Daemon {
    pub(super) fn dispatch_log(&mut self, name: &str, parameters: &[Value]) -> Result<Value, Fault> {
        match name {
            "readLog" | "readMainLog" => {
                let path = self.settings.log.clone();
                log_text::read(Some(&path), number(parameters, 0, 2)?, number(parameters, 1, 2)?)
            }
            "clearLog" => {
                nothing(parameters, Value::Nil)?;
                self.log.clear().map(|()| true.into()).map_err(|_| Fault::new(code::FAILED, ""))
            }
            "clearProcessLog" | "clearProcessLogs" => self.clear_log(text(parameters, 0, 1)?),
            "clearAllProcessLogs" => {
                let cleared = self.keys().into_iter().map(|key| {
                    let answer = self.clear_log(&key.full());
                    outcome(&key, answer.err())
                });
                Ok(Value::Array(cleared.collect()))
            }
            "readProcessLog" | "readProcessStdoutLog" | "readProcessStderrLog" => {
                let path = self.log_path(text(parameters, 0, 3)?, name.contains("Stderr"))?;
                log_text::read(path.as_deref(), number(parameters, 1, 3)?, number(parameters, 2, 3)?)
            }
            "tailProcessLog" | "tailProcessStdoutLog" | "tailProcessStderrLog" => {
                let path = self.log_path(text(parameters, 0, 3)?, name.contains("Stderr"))?;
                Ok(log_text::tail(path.as_deref(), number(parameters, 1, 3)?, number(parameters, 2, 3)?))
            }
            _ => Err(Fault::new(code::UNKNOWN_METHOD, "")),
        }
    }

    fn log_path(&self, name: &str, is_error: bool) -> Result<Option<Utf8PathBuf>, Fault> {
        let key = self.one(name)?;
        Ok(self.process(&key).and_then(|process| process.log_path(usize::from(is_error)).cloned()))
    }

    fn clear_log(&mut self, name: &str) -> Result<Value, Fault> {
        let key = self.one(name)?;
        let Some(process) = self.process(&key) else { return Err(Fault::new(code::BAD_NAME, name)) };
        for (output, log) in process.logs.iter().enumerate() {
            let cleared = match (log, process.log_path(output)) {
                (Some(log), _) => log.borrow_mut().clear(),
                (None, Some(path)) => files::remove_if_present(Utf8Path::new(path)),
                (None, None) => Ok(()),
            };
            cleared.map_err(|_| Fault::new(code::FAILED, name))?;
        }
        Ok(true.into())
    }
}
