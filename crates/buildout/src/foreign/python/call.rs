//! One request to the worker on behalf of a part: what the worker asks meanwhile is answered, and what it says of an
//! exception becomes an error of the part.

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use super::{Shared, locked};
use crate::engine::Engine;
use crate::foreign::WORKER_LOST;
use crate::foreign::channel::{Channel, WorkerError};
use crate::foreign::serve::{self, Collected};
use crate::{Event, RecipeError};

/// One request to the worker on behalf of a part.
pub(super) struct Call<'a> {
    pub(super) shared: &'a Shared,
    pub(super) channel: &'a Channel,
    pub(super) specification: &'a str,
    pub(super) subject: &'a str,
}

impl Call<'_> {
    /// Asks, and answers what the worker asks meanwhile. Also gives the paths that the recipe created, whatever came
    /// of it.
    pub(super) fn ask(
        &self,
        mut engine: Option<&mut Engine>,
        mut request: Value,
    ) -> (Result<Value, RecipeError>, Vec<Utf8PathBuf>) {
        if let Some(engine) = &engine {
            request["environment"] = self.channel.environment_changes(&engine.environment);
        }
        let mut collected = Collected::default();
        let answer = self.converse(&mut engine, &request, &mut collected);
        locked(&self.shared.downloads).append(&mut collected.downloads);
        (answer, collected.created)
    }

    fn converse(
        &self,
        engine: &mut Option<&mut Engine>,
        request: &Value,
        collected: &mut Collected,
    ) -> Result<Value, RecipeError> {
        self.channel.send(request).map_err(|error| self.lost(error))?;
        loop {
            let message = self
                .channel
                .receive(&mut |line| self.print(engine.as_deref(), line))
                .map_err(|error| self.lost(error))?;
            if let (Some(engine), Some(changes)) = (engine.as_deref_mut(), message.get("environment")) {
                self.channel.take_environment(changes, &mut engine.environment);
            }
            if message.get("ask").is_some() {
                let reply = self.serve(engine, &message, collected);
                self.channel.send(&reply).map_err(|error| self.lost(error))?;
                continue;
            }
            return match message.get("error") {
                Some(error) => Err(self.failed(error)),
                None => Ok(message.get("answer").cloned().unwrap_or_default()),
            };
        }
    }

    /// Passes on a line that a recipe, or a program that it has started, wrote.
    fn print(&self, engine: Option<&Engine>, line: &str) {
        match engine {
            Some(engine) => {
                let (part, line) = (self.subject.to_owned(), line.to_owned());
                engine.sink().event(Event::PartOutput { part, line });
            }
            // An option that is worked out when somebody asks has no listener of its own.
            None => tracing::info!(part = self.subject, line, "a recipe printed"),
        }
    }

    fn serve(&self, engine: &mut Option<&mut Engine>, question: &Value, collected: &mut Collected) -> Value {
        let Some(engine) = engine else {
            // While a part is removed there is no section to ask about; a log line is all that may come.
            return json!({"answer": null});
        };
        match serve::answer(engine, question, collected) {
            Ok(answer) => json!({"answer": answer}),
            Err(refusal) => {
                let mut error = json!({"type": refusal.class(), "arguments": refusal.arguments()});
                if let serve::Refusal::Engine(own) = refusal {
                    error["number"] = json!(self.channel.keep_error(own));
                }
                json!({"error": error})
            }
        }
    }

    /// What the worker says of an exception, as an error of the part.
    fn failed(&self, error: &Value) -> RecipeError {
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let number =
            error.get("number").and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        if let Some(own) = number.and_then(|number| self.channel.take_error(number)) {
            return own.into();
        }
        if error.get("user").and_then(Value::as_bool).unwrap_or_default() {
            return RecipeError::new(text("text"));
        }
        let mut failure = RecipeError::new(format!(
            "recipe `{}` of [{}] failed with {}: {}",
            self.specification,
            self.subject,
            text("type"),
            text("text")
        ));
        if !text("place").is_empty() {
            failure = failure.because(format!("it was raised at {}", text("place")));
        }
        failure.trace(text("traceback")).code("E-recipe-python")
    }

    fn lost(&self, error: WorkerError) -> RecipeError {
        RecipeError::new(format!(
            "the Python worker was lost while it ran recipe `{}` of [{}]",
            self.specification, self.subject
        ))
        .because(error)
        .code(WORKER_LOST)
        .hint("a recipe that ends its process or exhausts the memory does this; look at the lines above")
    }
}
