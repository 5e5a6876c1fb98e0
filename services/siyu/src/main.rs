//! The program `siyu`; everything it does is in the library of the same name.

use std::process::ExitCode;

use clap::Parser;
use siyu::{cli::Cli, exit::Exit, output, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(siyu::exit::Failure::failed(error)),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::failure(&failure);
            Exit::into(failure.exit)
        }
    }
}
