//! `init`: reads what exists in Azure with the caller's login, writes a first `policysync.toml` for it, and checks that file. It
//! writes nothing to Azure, and over no file.
//!
//! - `reading`: the reads; [`print`](mod@print): what a person sees. The guess itself is `certificate_management::proposal`.

mod print;
mod reading;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ambient::Ambient;
use azure::Azure;
use certificate_management::proposal::seen::Seen;
use certificate_management::proposal::{Proposal, propose};
use clap::Args;
use serde_json::json;

use crate::commands::operator::check::{self, Checked};
use crate::commands::operator::progress::Progress;
use crate::commands::operator::reader;
use crate::commands::table::{self, Output};
use crate::commands::terminal::{complain, fail};
use crate::fleet;
use crate::settings::{CONFIGURATION_FILE, FleetSettings};

#[derive(Args)]
#[command(
    after_help = "The rules are guesses from the policies that enrollment groups have: read the file before you use it.\n\
    An existing file is never overwritten."
)]
pub struct Arguments {
    /// A subscription to look at; every one that your login can see without it.
    #[arg(long = "subscription", value_name = "ID")]
    subscriptions: Vec<String>,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = CONFIGURATION_FILE)]
    out: PathBuf,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// What `init` has done.
struct Done {
    seen: Seen,
    proposal: Proposal,
    /// The checks of the file; none where no file was written.
    checks: Vec<Checked>,
}

impl Done {
    fn is_whole(&self) -> bool {
        self.proposal.text.is_some() && self.proposal.unread.is_empty() && check::passed(&self.checks)
    }
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match done(&arguments).await {
        Ok(done) => {
            match arguments.output {
                Output::Json => say!("{}", table::json(&document(&done, &arguments.out))),
                Output::Table => print::screen(&done, &arguments.out, print::is_used(&arguments.out)).print(),
            }
            if done.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => fail(&message),
    }
}

async fn done(arguments: &Arguments) -> Result<Done, String> {
    let settings = reader::settings().map_err(|error| error.to_string())?;
    // Said before the long read; whether it is so when the file is written, the file system says.
    if arguments.out.symlink_metadata().is_ok() {
        return Err(taken(&arguments.out));
    }
    let azure = fleet::clients(&settings, &Ambient::of_system()).map_err(|error| error.to_string())?;
    let seen = read(&azure, arguments).await?;
    let proposal = propose(&seen);
    let checks = match &proposal.text {
        Some(text) => {
            create(&arguments.out, text)?;
            checks(&settings, &arguments.out, text, arguments.output).await
        }
        None => Vec::new(),
    };
    Ok(Done { seen, proposal, checks })
}

async fn read(azure: &Azure, arguments: &Arguments) -> Result<Seen, String> {
    let mut progress = Progress::start(arguments.output);
    progress.show("reading the subscriptions");
    let subscriptions = match arguments.subscriptions.as_slice() {
        [] => azure.subscriptions().visible().await.map_err(|error| {
            format!("the subscriptions of your login cannot be listed: {error}\nName one with --subscription ID, or log in with `az login`.")
        })?,
        named => named.iter().map(|id| id.trim_start_matches("/subscriptions/").to_owned()).collect(),
    };
    if subscriptions.is_empty() {
        return Err(
            "your login can see no subscription. Ask for the role Reader in the one that has your hubs."
                .to_owned(),
        );
    }
    Ok(reading::seen(azure, subscriptions, &mut progress).await)
}

async fn checks(settings: &FleetSettings, path: &Path, text: &str, output: Output) -> Vec<Checked> {
    let mut progress = Progress::start(output);
    progress.show("checking the file");
    check::rows_of(settings, &path.display().to_string(), text, false, None).await
}

/// Writes a file that is not there yet. Of two that try, one does.
fn create(path: &Path, text: &str) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(path),
        _ => format!("cannot write {}: {error}", path.display()),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a file would be in the way of the next attempt. It is ours: it was made a moment ago.
        if let Err(left) = std::fs::remove_file(path) {
            complain(format_args!("{} is incomplete and could not be removed: {left}", path.display()));
        }
        format!("cannot write {}: {error}", path.display())
    })
}

fn taken(path: &Path) -> String {
    format!(
        "{} exists, and init overwrites nothing. Name another file with --out FILE, and compare the two.",
        path.display()
    )
}

fn document(done: &Done, path: &Path) -> serde_json::Value {
    let Proposal { text, namespaces, unread, create } = &done.proposal;
    json!({
        "schema": "policysync-init/v1",
        "file": text.as_ref().map(|_| path),
        "configuration": text,
        "subscriptions": done.seen.subscriptions,
        "namespaces": namespaces,
        "unread": unread,
        "create": create,
        "check": text.as_ref().map(|_| check::document(&done.checks)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_stays_as_it_is_and_so_does_what_a_link_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policysync.toml");
        create(&path, "first").unwrap();
        let error = create(&path, "second").unwrap_err();
        assert!(error.contains("overwrites nothing") && error.contains("--out"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        #[cfg(unix)]
        {
            let (link, target) = (folder.path().join("link.toml"), folder.path().join("target.toml"));
            std::os::unix::fs::symlink(&target, &link).unwrap();
            assert!(create(&link, "third").is_err() && !target.exists());
        }
        assert!(
            create(&folder.path().join("absent/policysync.toml"), "x").unwrap_err().contains("cannot write")
        );
    }

    #[test]
    fn of_many_that_write_at_once_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().join("policysync.toml");
        let written: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|n| scope.spawn(move || create(path, &format!("by {n}")).is_ok())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(written.iter().filter(|done| **done).count(), 1);
        let winner = written.iter().position(|done| *done).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), format!("by {winner}"));
    }
}
