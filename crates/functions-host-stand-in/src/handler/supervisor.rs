//! Keeps one handler process running, as the real host does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::command::HandlerCommand;
use super::output::{self, LastLines};
use super::process::Process;
use super::ready;
use super::restarts::{Consequence, Restarts};
use crate::events::{Events, HandlerAction, HostEvent, LogLevel, LogSource};
use crate::exchange;
use crate::wire::Client;

/// Least time between two starts of a handler that asks for a restart (exit code 200). The real host restarts at once,
/// however often.
const BRIEF: Duration = Duration::from_millis(500);

/// How long a ping waits for an answer.
const PING: Duration = Duration::from_secs(5);

/// How the handler is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Its process runs but has not answered yet.
    Starting,
    /// It answers.
    Ready {
        /// Its process id.
        pid: u32,
    },
    /// It will not come back; why, in words.
    Gone {
        /// The reason.
        why: String,
        /// Whether the host ended with it (it does not after exit code 0).
        host_ended: bool,
    },
}

enum Command {
    /// Kill the process if it was started before that time, and start another one.
    Kill { started_before: Instant, done: oneshot::Sender<()> },
    /// Kill the process and end.
    Stop { done: oneshot::Sender<()> },
}

/// A handler that is kept running. Dropping it kills the process.
#[derive(Debug)]
pub struct Handler {
    client: Arc<Client>,
    status: watch::Receiver<Status>,
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Handler {
    /// Starts the handler on `port`. It has `limit` to answer after each start.
    #[must_use]
    pub fn start(command: HandlerCommand, port: u16, limit: Duration, events: Events) -> Self {
        let client = Arc::new(Client::new(format!("127.0.0.1:{port}")));
        let (status_sender, status) = watch::channel(Status::Starting);
        let (commands, receiver) = mpsc::channel(16);
        let keeper = Keeper {
            command,
            port,
            limit,
            events,
            client: client.clone(),
            status: status_sender,
            commands: receiver,
            restarts: Restarts::default(),
        };
        Self { client, status, commands, task: tokio::spawn(keeper.run()) }
    }

    /// A handler that the caller runs at `address`; kills are acknowledged and do nothing.
    #[cfg(test)]
    pub fn attached(address: String) -> Self {
        let (sender, status) = watch::channel(Status::Ready { pid: 0 });
        let (commands, mut receiver) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            while let Some(Command::Kill { done, .. } | Command::Stop { done }) = receiver.recv().await {
                let _ = done.send(());
            }
            drop(sender);
        });
        Self { client: Arc::new(Client::new(address)), status, commands, task }
    }

    /// Connections to it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How it is now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until it answers, at most for `limit`.
    ///
    /// # Errors
    /// It will never answer, or has not within the limit; in words.
    pub async fn wait_ready(&self, limit: Duration) -> Result<(), String> {
        if matches!(*self.status.borrow(), Status::Ready { .. }) {
            return Ok(());
        }
        let mut status = self.status.clone();
        let settled = status.wait_for(|status| *status != Status::Starting);
        match tokio::time::timeout(limit, settled).await {
            Ok(Ok(status)) => match &*status {
                Status::Gone { why, .. } => Err(why.clone()),
                _ => Ok(()),
            },
            Ok(Err(_)) => Err("the host has stopped".to_owned()),
            Err(_) => Err(format!("the handler has not become ready within {} s", limit.as_secs())),
        }
    }

    /// After a connection broke: gives the host a moment to notice that the process ended, if it did, so that the next
    /// invocation waits for the new process instead of knocking at the old one's port.
    pub async fn notice(&self) {
        let mut status = self.status.clone();
        status.mark_unchanged();
        if matches!(*status.borrow(), Status::Ready { .. }) {
            let _ = tokio::time::timeout(Duration::from_millis(50), status.changed()).await;
        }
    }

    /// Sends it `GET /`, as the real host does on a scale controller's health ping, and ignores the answer. A handler
    /// that does not answer delays this by [`PING`] at most.
    pub async fn ping(&self) {
        let request = exchange::poll(self.client.address());
        let _ = tokio::time::timeout(PING, self.client.send(&request)).await;
    }

    /// Waits until the handler will never come back; why, in words, and whether the host ended with it.
    pub async fn gone(&self) -> (String, bool) {
        let mut status = self.status.clone();
        match status.wait_for(|status| matches!(status, Status::Gone { .. })).await {
            Ok(status) => match &*status {
                Status::Gone { why, host_ended } => (why.clone(), *host_ended),
                _ => (String::new(), true),
            },
            Err(_) => ("the host has stopped".to_owned(), true),
        }
    }

    /// Kills the process if it was started before `started_before`, and starts another one. Not counted as an error.
    pub async fn kill(&self, started_before: Instant) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Kill { started_before, done }).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// Kills the process without waiting for it.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Kills the process and waits until it is gone.
    pub async fn stop(&self) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Stop { done }).await.is_ok() {
            let _ = wait.await;
        }
    }
}

struct Keeper {
    command: HandlerCommand,
    port: u16,
    limit: Duration,
    events: Events,
    client: Arc<Client>,
    status: watch::Sender<Status>,
    commands: mpsc::Receiver<Command>,
    restarts: Restarts,
}

/// Why a process is no more.
enum End {
    Exited(i32),
    NeverReady(String),
    Killed(oneshot::Sender<()>),
    Stopped(Option<oneshot::Sender<()>>),
}

impl Keeper {
    async fn run(mut self) {
        loop {
            self.client.forget();
            self.status.send_replace(Status::Starting);
            let started = Process::start(&self.command, self.port);
            let (process, stdout, stderr) = match started {
                Ok(started) => started,
                Err(error) => {
                    let why = format!("{} cannot be started: {error}", self.command.program.display());
                    return self.end(why, true).await;
                }
            };
            let last = LastLines::default();
            let outputs = [
                tokio::spawn(output::forward(
                    stdout,
                    LogSource::HandlerStdout,
                    self.events.clone(),
                    last.clone(),
                )),
                tokio::spawn(output::forward(
                    stderr,
                    LogSource::HandlerStderr,
                    self.events.clone(),
                    last.clone(),
                )),
            ];
            let born = Instant::now();
            let end = self.watch(process).await;
            // From now on invocations wait for the next process.
            self.status.send_replace(Status::Starting);
            let asks_for_restart = matches!(end, End::Exited(200));
            let (consequence, what) = match end {
                End::Killed(done) => {
                    let _ = done.send(());
                    continue;
                }
                End::Stopped(done) => {
                    let why = "the host has stopped".to_owned();
                    self.status.send_replace(Status::Gone { why, host_ended: true });
                    done.map(|done| done.send(()));
                    return;
                }
                End::Exited(code) => {
                    drain(outputs).await;
                    (self.restarts.exited(code, Instant::now()), describe(code, &last))
                }
                End::NeverReady(words) => (self.restarts.error(Instant::now()), words),
            };
            match consequence {
                Consequence::Again => {
                    self.events.log(LogLevel::Warning, format!("{what}; it is started again"));
                    if asks_for_restart {
                        tokio::time::sleep(BRIEF.saturating_sub(born.elapsed())).await;
                    }
                }
                Consequence::Never => {
                    let why = format!(
                        "{what}; after exit code 0 the host never starts a handler again: a handler must not end by itself"
                    );
                    return self.end(why, false).await;
                }
                Consequence::ShutDown => {
                    let why = format!(
                        "{what}; this is the third error within 30 minutes, at which the host shuts down (\"Exceeded http worker restart retry count\")"
                    );
                    return self.end(why, true).await;
                }
            }
        }
    }

    /// Watches one process to its end.
    async fn watch(&mut self, mut process: Process) -> End {
        let pid = process.pid();
        let born = Instant::now();
        self.tell(HandlerAction::Started, pid, None);
        let client = self.client.clone();
        let events = self.events.clone();
        let ready = ready::wait(&client, self.limit, &events);
        tokio::pin!(ready);
        let mut waiting = true;
        loop {
            let end = tokio::select! {
                code = process.wait() => {
                    self.tell(HandlerAction::Exited, pid, Some(code));
                    return End::Exited(code);
                }
                answered = &mut ready, if waiting => {
                    waiting = false;
                    match answered {
                        Ok(()) => {
                            self.status.send_replace(Status::Ready { pid });
                            continue;
                        }
                        Err(words) => End::NeverReady(words),
                    }
                }
                command = self.commands.recv() => match command {
                    Some(Command::Kill { started_before, done }) if born > started_before => {
                        let _ = done.send(());
                        continue;
                    }
                    Some(Command::Kill { done, .. }) => End::Killed(done),
                    Some(Command::Stop { done }) => End::Stopped(Some(done)),
                    None => End::Stopped(None),
                },
            };
            let code = process.kill().await;
            self.tell(HandlerAction::Killed, pid, Some(code));
            return end;
        }
    }

    /// Tells that no handler will come, and answers commands until the host stops.
    async fn end(mut self, why: String, host_ended: bool) {
        self.events.log(LogLevel::Error, why.clone());
        self.status.send_replace(Status::Gone { why, host_ended });
        while let Some(command) = self.commands.recv().await {
            match command {
                Command::Kill { done, .. } => {
                    let _ = done.send(());
                }
                Command::Stop { done } => {
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    fn tell(&self, action: HandlerAction, pid: u32, code: Option<i32>) {
        self.events.tell(HostEvent::Handler { action, pid, code });
    }
}

/// Waits for the last lines of output. The group is dead, so both streams end; a stream that another process holds open
/// does not hold up the restart.
async fn drain(outputs: [JoinHandle<()>; 2]) {
    for output in outputs {
        let _ = tokio::time::timeout(Duration::from_secs(1), output).await;
    }
}

fn describe(code: i32, last: &LastLines) -> String {
    let quoted = last.quote();
    let words =
        if quoted.is_empty() { String::new() } else { format!("; its last words on stderr: {quoted}") };
    format!("the handler ended with exit code {code}{words}")
}
