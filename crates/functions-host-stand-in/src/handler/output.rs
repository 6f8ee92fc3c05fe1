//! Turns the handler's output into log lines, and bounds them, so that a handler that prints too much floods neither
//! memory nor receivers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use crate::events::{Events, HostEvent, LogLevel, LogSource};

/// Longest line that is passed on, bytes.
const MOST_LINE: usize = 16 * 1024;
/// Most bytes that are passed on in one second.
const MOST_PER_SECOND: usize = 2 * 1024 * 1024;
/// Last lines of standard error that are quoted when the handler ends.
const QUOTED: usize = 3;

/// The last lines of standard error.
#[derive(Debug, Clone, Default)]
pub struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == QUOTED {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// Them, in one line.
    #[must_use]
    pub fn quote(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect::<Vec<_>>().join(" | ")
    }
}

/// Reads until the end of the stream and passes lines on.
pub async fn forward<R: AsyncRead + Unpin>(
    mut stream: R,
    source: LogSource,
    events: Events,
    last: LastLines,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut sink = Sink { source, events, last, window: Instant::now(), budget: MOST_PER_SECOND, dropped: 0 };
    let mut line = Vec::new();
    let mut cut = false;
    loop {
        let count = match timeout(Duration::from_secs(1), stream.read(&mut buffer)).await {
            Ok(Ok(count @ 1..)) => count,
            Ok(_) => break,
            Err(_) => {
                sink.report_dropped();
                continue;
            }
        };
        let mut rest = &buffer[..count];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            append(&mut line, &rest[..end], &mut cut);
            sink.take(&line, cut);
            line.clear();
            cut = false;
            rest = &rest[end + 1..];
        }
        append(&mut line, rest, &mut cut);
    }
    if !line.is_empty() {
        sink.take(&line, cut);
    }
    sink.report_dropped();
}

fn append(line: &mut Vec<u8>, bytes: &[u8], cut: &mut bool) {
    let room = MOST_LINE - line.len();
    *cut |= bytes.len() > room;
    line.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

struct Sink {
    source: LogSource,
    events: Events,
    last: LastLines,
    window: Instant,
    budget: usize,
    dropped: usize,
}

impl Sink {
    fn take(&mut self, line: &[u8], cut: bool) {
        if self.window.elapsed() >= Duration::from_secs(1) {
            self.report_dropped();
            self.window = Instant::now();
            self.budget = MOST_PER_SECOND;
        }
        // A line costs at least as much as the event around it.
        let cost = line.len() + 128;
        if cost > self.budget {
            self.budget = 0;
            self.dropped += 1;
            return;
        }
        self.budget -= cost;
        let mut message = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
        if cut {
            message.push_str(" ... (the rest of this line is left out)");
        }
        if self.source == LogSource::HandlerStderr {
            self.last.push(&message);
        }
        let level = level(self.source, &message);
        // These lines are meant for the host's own log.
        let source =
            if message.starts_with("LanguageWorkerConsoleLog") { LogSource::Host } else { self.source };
        self.events.tell(HostEvent::Log { source, level, message });
    }

    fn report_dropped(&mut self) {
        if self.dropped > 0 {
            let message = format!(
                "the handler prints faster than {MOST_PER_SECOND} bytes a second: {} lines are left out",
                self.dropped
            );
            self.events.log(LogLevel::Warning, message);
            self.dropped = 0;
        }
    }
}

/// Standard output is information; standard error is an error unless it says that it warns.
fn level(source: LogSource, line: &str) -> LogLevel {
    match source {
        LogSource::HandlerStderr if line.to_ascii_lowercase().contains("warn") => LogLevel::Warning,
        LogSource::HandlerStderr => LogLevel::Error,
        _ => LogLevel::Information,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &[u8], source: LogSource) -> Vec<(LogLevel, String)> {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        forward(text, source, Events(Some(sender)), LastLines::default()).await;
        let mut lines = Vec::new();
        while let Some(HostEvent::Log { level, message, .. }) = receiver.recv().await {
            lines.push((level, message));
        }
        lines
    }

    #[tokio::test]
    async fn levels_follow_the_stream_and_the_word_warn() {
        let stdout = lines(b"error\r\nlast", LogSource::HandlerStdout).await;
        assert_eq!(
            stdout,
            [(LogLevel::Information, "error".to_owned()), (LogLevel::Information, "last".to_owned())]
        );
        let stderr = lines(b"{\"level\":\"WARN\"}\n{\"level\":\"INFO\"}\n", LogSource::HandlerStderr).await;
        assert_eq!(
            stderr.iter().map(|line| line.0).collect::<Vec<_>>(),
            [LogLevel::Warning, LogLevel::Error]
        );
    }

    #[tokio::test]
    async fn a_hundred_megabytes_cost_a_few() {
        let endless = vec![b'x'; 50_000_000];
        let cut = lines(&endless, LogSource::HandlerStdout).await;
        assert_eq!(cut.len(), 1);
        assert!(cut[0].1.len() < MOST_LINE + 100);
        let many = b"0123456789\n".repeat(5_000_000);
        let passed = lines(&many, LogSource::HandlerStdout).await;
        let size: usize = passed.iter().map(|line| line.1.len() + 128).sum();
        assert!(size < 40 * MOST_PER_SECOND, "{size}");
        assert!(passed.last().unwrap().1.contains("left out"));
    }
}
