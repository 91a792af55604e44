//! The command `slapos`: argv, configuration, output and exit codes. Everything else is in the libraries.
#![forbid(unsafe_code)]

mod application;
mod arguments;
mod cloud;
mod command;
mod config;
mod context;
mod env;
mod failure;
mod help;
mod logging;
mod master_process;
mod node_pass;
mod output;
mod serialisation;
mod supervisor_control;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(application::run(&env::Environment::read(), std::env::args_os().collect()))
}
