//! Runs a stand-alone master: `serve DATABASE PORT [COMPUTER]`. It stops when it is interrupted.

use std::process::ExitCode;

use master::{MasterConfiguration, serve};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, port, rest @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let mut configuration = MasterConfiguration::new(database.into(), port.parse().unwrap_or(0));
    if let Some(Ok(computer)) = rest.first().map(|text| text.parse()) {
        configuration.default_computer = computer;
    }
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    match serve(configuration, interrupted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("error: {error}\nhint: {}\n", error.hint().unwrap_or_default());
            let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
            ExitCode::FAILURE
        }
    }
}
