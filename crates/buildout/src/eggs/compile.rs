//! Byte code of installed eggs: made in the background while the build goes on, because it costs more than everything
//! else that is done with them, and because who runs them later often may not write it.

use std::thread::JoinHandle;
use std::time::Duration;

use camino::Utf8PathBuf;
use host::python::Interpreter;

/// How long one set of eggs may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Sources that do not compile are of another Python and stay as they are.
const SCRIPT: &str = "
import compileall, os, sys
os.nice(5)
os.umask(0o022)
for directory in sys.argv[1:]:
    compileall.compile_dir(directory, quiet=2)
";

/// What is being compiled; dropping it waits for the end.
#[derive(Debug, Default)]
pub(super) struct Compiling(Vec<JoinHandle<()>>);

impl Compiling {
    /// Begins to compile the modules of these eggs.
    pub(super) fn start(&mut self, python: &Interpreter, eggs: Vec<Utf8PathBuf>) {
        let python = python.clone();
        let work = move || {
            let arguments: Vec<&str> = eggs.iter().map(|egg| egg.as_str()).collect();
            if let Err(error) = python.run(SCRIPT, &arguments, LIMIT) {
                tracing::debug!(%error, "eggs stay without byte code");
            }
        };
        match std::thread::Builder::new().name("byte code".to_owned()).spawn(work) {
            Ok(thread) => self.0.push(thread),
            Err(error) => tracing::debug!(%error, "eggs stay without byte code"),
        }
    }
}

impl Drop for Compiling {
    fn drop(&mut self) {
        for thread in self.0.drain(..) {
            // It ends by itself or at its limit; how it ends makes no difference to the build.
            let _ = thread.join();
        }
    }
}
