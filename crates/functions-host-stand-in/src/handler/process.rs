//! One process of the handler. Dropping it kills the process and everything that the process has started.

use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use uuid::Uuid;

use super::command::HandlerCommand;

/// A running process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: u32,
}

impl Process {
    /// Starts the handler in a process group of its own, so that Ctrl-C on a terminal reaches only the host, which
    /// then ends the whole group.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(command: &HandlerCommand, port: u16) -> std::io::Result<(Self, ChildStdout, ChildStderr)> {
        let mut builder = Command::new(&command.program);
        if command.clear_environment {
            builder.env_clear();
        }
        builder
            .args(&command.arguments)
            .envs(command.environment(port, Uuid::new_v4()))
            .current_dir(&command.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        builder.process_group(0);
        let mut child = builder.spawn()?;
        let missing = || std::io::Error::other("the process has no output");
        let (stdout, stderr) =
            (child.stdout.take().ok_or_else(missing)?, child.stderr.take().ok_or_else(missing)?);
        let pid = child.id().ok_or_else(missing)?;
        Ok((Self { child, pid }, stdout, stderr))
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until it ends by itself or is killed; gives its exit code, 128 + n after signal n.
    pub async fn wait(&mut self) -> i32 {
        let status = self.child.wait().await;
        // The children of the handler must not outlive it. The system cannot have given its id to another process yet.
        self.kill_group();
        status.map_or(-1, exit_code)
    }

    /// Kills it at once (SIGKILL, as the real host does) and waits until it is gone.
    pub async fn kill(&mut self) -> i32 {
        self.kill_group();
        let _ = self.child.start_kill();
        self.wait().await
    }

    #[cfg(unix)]
    fn kill_group(&self) {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // An error means that the group has no process left.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    fn kill_group(&self) {}
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.id().is_some() {
            self.kill_group();
        }
    }
}

#[cfg(unix)]
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}
