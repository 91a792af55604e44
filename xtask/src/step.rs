//! One step of a task: a program that is started, followed, and must succeed.

use std::time::Instant;

use camino::Utf8Path;
use host::process::Program;

/// Why a task ended early: one message for the person who started it.
pub(crate) type Failure = String;

/// The top of the tree.
pub(crate) fn top() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the task runner lies in the tree")
}

/// A program that runs at the top of the tree with this process's environment.
pub(crate) fn program(path: &str) -> Program {
    Program::new(path).directory(top()).inherit_env()
}

/// The cargo that built this task runner.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Program {
    program(env!("CARGO")).args(arguments)
}

/// Says what is done, does it on this terminal, and says how long it took.
pub(crate) fn step(title: &str, program: &Program) -> Result<(), Failure> {
    println!("── {title}");
    let start = Instant::now();
    let status =
        program.run_attached().map_err(|error| format!("{} cannot be started: {error}", program.path()))?;
    if !status.success() {
        return Err(format!("{title}: {} ended with {status}", program.command_line()));
    }
    println!("   {} s", start.elapsed().as_secs());
    Ok(())
}
