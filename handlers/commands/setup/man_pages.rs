//! `man-pages`: a page for each command, made of what its `--help` says.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::commands::{self, terminal};

#[derive(Args)]
#[command(after_help = "Read one with: man DIR/policysync-status.1")]
pub struct Arguments {
    /// The folder for the pages; it is made where it is missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let folder = &arguments.out;
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(commands::command(), folder));
    match written {
        Ok(()) => {
            say!("The pages are in {}.", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => terminal::fail(&format!("cannot write the pages to {}: {error}", folder.display())),
    }
}
