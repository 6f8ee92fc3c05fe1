//! Waiting until the handler answers `GET /` (`functions-host-protocol.md` §3.3).

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::events::{Events, LogLevel};
use crate::exchange;
use crate::wire::{Client, WireError};

/// How often the real host asks.
const PAUSE: Duration = Duration::from_millis(25);
/// After this long the host says what it waits for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks until anything answers: any status, garbage and a closed connection all count.
///
/// The real host looks at its limit only between two polls, so there a handler that accepts and does not answer blocks
/// the start for a function timeout and a minute. Here the limit ends that wait too, with a word about it.
///
/// # Errors
/// The limit is over; in words.
pub async fn wait(client: &Client, limit: Duration, events: &Events) -> Result<(), String> {
    let start = Instant::now();
    let request = exchange::poll(client.address());
    let mut told = false;
    let mut accepted = false;
    loop {
        let now = Instant::now();
        if now >= start + limit {
            return Err(missing(client.address(), accepted, limit));
        }
        if !told && now >= start + PATIENCE {
            told = true;
            events.log(LogLevel::Warning, missing(client.address(), accepted, now - start));
        }
        let pause = if told { start + limit } else { (start + PATIENCE).min(start + limit) };
        match timeout_at(pause, client.send(&request)).await {
            Ok(Err(WireError::Connect { .. })) => sleep(PAUSE).await,
            Ok(_) => return Ok(()),
            Err(_) => accepted = true,
        }
    }
}

fn missing(address: &str, accepted: bool, waited: Duration) -> String {
    let waited = waited.as_secs_f64();
    if accepted {
        format!(
            "the handler accepts connections on {address} but has not answered GET / for {waited:.1} s; it must answer that before anything else, with any status (the real host waits without its limit here)"
        )
    } else {
        format!(
            "nothing has accepted connections on {address} for {waited:.1} s; the handler must listen on 127.0.0.1, at the port that FUNCTIONS_CUSTOMHANDLER_PORT names"
        )
    }
}
