//! The binary: reads the command line, and gives the command a runtime.

use std::process::ExitCode;

use clap::Parser;
use tidegate::cli::output::{Failure, Output};
use tidegate::cli::{self, Cli, Command};
use tidegate::serve;

/// Requests are many small allocations on several threads, which this one hands out quicker than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { json, command } = Cli::parse();
    let output = Output::new(json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::Usage(format!("this system gives no threads: {error}"));
            output.failure(&failure);
            return failure.exit().into();
        }
    };
    let exit = runtime.block_on(async {
        match command {
            Command::Serve(raw) => serve::serve(*raw, output).await,
            Command::Demo(args) => serve::demo(args, output).await,
            Command::Client(command) => cli::run(command, output).await,
        }
    });
    exit.into()
}
