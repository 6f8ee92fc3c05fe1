//! chromedriver as a child process, on a port of its own choice.
//!
//! Killing chromedriver alone would leave Chromium behind, so both are in a process group of their own, which ends as a
//! whole.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::Error;

/// How long it may take until it listens; a second when all is well.
const PATIENCE: Duration = Duration::from_secs(30);
/// The text that it prints then, before its port and a full stop.
const LISTENING: &str = "started successfully on port ";

pub struct Driver {
    port: u16,
    _group: Group,
    // chromedriver would end at its next line if the pipe were closed.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    pub async fn start(program: &Path) -> Result<Self, Error> {
        let mut command = Command::new(program);
        // Quiet, since Chromium's complaints about the missing buses of a desktop are of no use here.
        command.args(["--port=0", "--log-level=SEVERE"]).stdin(Stdio::null()).stderr(Stdio::null());
        command.stdout(Stdio::piped()).process_group(0);
        // `cargo xtask calendar` moves the clock with libfaketime, under which Chromium starts no page. So Chromium
        // keeps the real clock.
        command.env_remove("LD_PRELOAD");
        let named = |error: std::io::Error| Error::Start(format!("{}: {error}", program.display()));
        let mut group = Group(command.spawn().map_err(named)?);
        let stdout = group.0.stdout.take();
        let stdout = stdout.ok_or_else(|| Error::Start("chromedriver has no stdout".to_owned()))?;
        let mut lines = BufReader::new(stdout).lines();
        let port = tokio::time::timeout(PATIENCE, listening(&mut lines)).await;
        let port = port.map_err(|_| Error::Start("chromedriver does not say its port".to_owned()))??;
        Ok(Self { port, _group: group, _stdout: lines })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// A child and all that it starts.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Without an id the child has ended and was waited for, and its number may belong to another process by now.
        let leader = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(leader) = leader {
            // The group may be gone already.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

async fn listening(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<u16, Error> {
    while let Some(line) = lines.next_line().await.map_err(|error| Error::Start(error.to_string()))? {
        let port = line.split_once(LISTENING).and_then(|(_, rest)| rest.trim_end_matches('.').parse().ok());
        if let Some(port) = port {
            return Ok(port);
        }
    }
    Err(Error::Start("chromedriver ended before it listened".to_owned()))
}
