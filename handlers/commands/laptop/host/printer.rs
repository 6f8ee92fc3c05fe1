//! Prints events on a thread of its own, so that a slow reader never holds up the host, and a reader that goes away
//! ends it.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use functions_host_stand_in::{FunctionSummary, HostEvent, LogLevel, LogSource};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::Output;
use super::view::View;
use crate::commands::terminal_size::complaint_width;
use crate::commands::terminal_size::terminal_width;
use crate::visible;

/// Lines of log that may wait for a slow reader of stderr. Beyond that the printer leaves out what the handler prints.
const MOST_WAITING: usize = 4096;
/// How long the table of functions may take after the host is ready.
const TABLE: Duration = Duration::from_secs(5);

/// The thread that prints.
pub struct Printer {
    functions: Sender<Vec<FunctionSummary>>,
    stopped: Option<oneshot::Receiver<()>>,
}

impl Printer {
    /// Prints until there are no more events or the reader has gone away.
    pub fn start(events: UnboundedReceiver<HostEvent>, output: Output) -> Self {
        let (functions, table) = channel();
        let (guard, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            // When the reader goes away this thread ends and drops the guard, which tells the command.
            let _ = match output {
                Output::Table => print_lines(events, &table),
                Output::Json => print_json(events),
            };
            drop(guard);
        });
        Self { functions, stopped: Some(stopped) }
    }

    /// Prints the table of functions before the event that says that the host is ready.
    pub fn show(&self, functions: Vec<FunctionSummary>) {
        let _ = self.functions.send(functions);
    }

    /// Waits until the thread has ended: the reader has gone away, or every event is printed.
    pub async fn stopped(&mut self) {
        if let Some(stopped) = self.stopped.as_mut() {
            let _ = stopped.await;
            self.stopped = None;
        }
    }
}

fn print_lines(
    mut events: UnboundedReceiver<HostEvent>,
    table: &Receiver<Vec<FunctionSummary>>,
) -> io::Result<()> {
    let mut view = View::new(anstream::stdout(), terminal_width);
    while let Some(event) = events.blocking_recv() {
        if let HostEvent::Ready { url } = &event
            && let Ok(functions) = table.recv_timeout(TABLE)
        {
            view.functions(&functions, url)?;
        }
        view.event(&event)?;
    }
    Ok(())
}

/// One JSON object per line on stdout; the lines of log, which are no events of the contract, on stderr.
fn print_json(mut events: UnboundedReceiver<HostEvent>) -> io::Result<()> {
    let mut logs = Logs::start();
    while let Some(event) = events.blocking_recv() {
        if let HostEvent::Log { source, .. } = event {
            logs.take(event, source);
            continue;
        }
        let mut line = visible::json(&serde_json::to_string(&event)?);
        line.push('\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        stdout.flush()?;
    }
    logs.finish();
    Ok(())
}

/// Lines of log on their way to stderr, on a thread of their own: a program that reads stdout only stops nothing.
struct Logs {
    lines: Sender<HostEvent>,
    waiting: Arc<AtomicUsize>,
    left_out: usize,
    thread: JoinHandle<()>,
}

impl Logs {
    fn start() -> Self {
        let (lines, receiver) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&waiting);
        let thread = std::thread::spawn(move || {
            let mut view = View::new(anstream::stderr(), complaint_width);
            for event in receiver {
                count.fetch_sub(1, Ordering::Relaxed);
                // Without a reader of stderr the events on stdout still count.
                let _ = view.event(&event);
            }
        });
        Self { lines, waiting, left_out: 0, thread }
    }

    /// Passes a line on. While too many lines wait it leaves out those of the handler, and never those of the host.
    fn take(&mut self, event: HostEvent, source: LogSource) {
        let is_full = self.waiting.load(Ordering::Relaxed) >= MOST_WAITING;
        if is_full && source != LogSource::Host {
            self.left_out += 1;
            return;
        }
        self.tell_left_out();
        self.send(event);
    }

    fn tell_left_out(&mut self) {
        if self.left_out > 0 {
            let message = format!(
                "stderr is read more slowly than the handler prints: {} lines are left out",
                self.left_out
            );
            self.left_out = 0;
            self.send(HostEvent::Log { source: LogSource::Host, level: LogLevel::Warning, message });
        }
    }

    fn send(&self, event: HostEvent) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.lines.send(event);
    }

    /// Waits until all lines are written. The caller sets a limit to that.
    fn finish(mut self) {
        self.tell_left_out();
        drop(self.lines);
        let _ = self.thread.join();
    }
}
