//! Limits how much of bodies the handler holds at once.
//!
//! The host sends bodies in chunks without a length, and any number of them at a time. So the handler reserves room for
//! the largest body of its kind before it reads the first byte, and gives back what it does not need once it knows the
//! body. No invocation waits for more room while it holds some, so none can wait for ever. Batches have a share of
//! their own: a page does not wait for one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::definition::Trigger;
use crate::unsuccessful::Unsuccessful;

const MIB: usize = 1024 * 1024;
/// The size of one permit of a semaphore, in bytes.
const UNIT: usize = 1024;
/// How long an invocation waits for room before the handler refuses it, so that the host or the client tries again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much of a body that is too large the handler reads and throws away, in bytes, so that a caller that writes first
/// and reads afterwards gets to see the answer. More than the host itself takes from a client unless told otherwise
/// (100 MB).
const DRAINED: usize = 128 * MIB;

/// The largest bodies that a handler takes, in bytes of the envelope that the host sends: a text in it is quoted, often
/// twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// The largest request to an HTTP function. The host writes its body twice, once quoted. A larger request gets 413.
    pub http: usize,
    /// The largest firing of a timer or Event Grid event (a megabyte at the most, and the host writes its data twice).
    pub event: usize,
    /// The largest batch of messages or events. A failed batch comes back as it is, so this has to be more than the host can
    /// make: most messages of a batch × the largest message × 7 (a control character is seven bytes when quoted twice).
    pub batch: usize,
    /// All HTTP requests, events and timers that are being read or handled.
    pub singles_in_flight: usize,
    /// All batches that are being read or handled.
    pub batches_in_flight: usize,
}

impl Default for BodyLimits {
    /// 2 MiB, 4 MiB and 36 MiB (16 messages of 256 KB, each character quoted twice); 16 MiB and 48 MiB together.
    fn default() -> Self {
        Self {
            http: 2 * MIB,
            event: 4 * MIB,
            batch: DEFAULT_BODY_LIMIT,
            singles_in_flight: 16 * MIB,
            batches_in_flight: 48 * MIB,
        }
    }
}

/// How large the body of a batch may be unless said otherwise, in bytes.
pub const DEFAULT_BODY_LIMIT: usize = 36 * MIB;

impl BodyLimits {
    /// The largest body of a trigger.
    #[must_use]
    pub const fn of(&self, trigger: &Trigger) -> usize {
        match trigger {
            Trigger::Http { .. } => self.http,
            Trigger::ServiceBus { .. } | Trigger::EventHub { .. } => self.batch,
            Trigger::EventGrid { .. } | Trigger::Timer { .. } => self.event,
        }
    }
}

/// The room for bodies.
pub(crate) struct Intake {
    limits: BodyLimits,
    singles: Arc<Semaphore>,
    batches: Arc<Semaphore>,
}

impl Intake {
    pub(crate) fn new(limits: BodyLimits) -> Self {
        // The largest body of a kind always fits, or it could never be read.
        let singles = limits.singles_in_flight.max(limits.http).max(limits.event);
        let batches = limits.batches_in_flight.max(limits.batch);
        let room = |bytes| Arc::new(Semaphore::new(units(bytes) as usize));
        Self { limits, singles: room(singles), batches: room(batches) }
    }

    pub(crate) fn limits(&self) -> &BodyLimits {
        &self.limits
    }

    /// Waits for room, and reads a whole body into it.
    pub(crate) async fn read(&self, trigger: &Trigger, body: Body) -> Result<Taken, Unsuccessful> {
        let limit = self.limits.of(trigger);
        let pool = match trigger {
            Trigger::ServiceBus { .. } | Trigger::EventHub { .. } => &self.batches,
            _ => &self.singles,
        };
        let waiting = Arc::clone(pool).acquire_many_owned(units(limit));
        let share = match tokio::time::timeout(PATIENCE, waiting).await {
            // It is never closed.
            Ok(Ok(permit)) => Share(permit),
            Ok(Err(_)) | Err(_) => return Err(Unsuccessful::Busy),
        };
        Ok(Taken { bytes: read(body, limit).await?, share })
    }
}

/// A body, and the room that it takes.
pub(crate) struct Taken {
    pub(crate) bytes: Vec<u8>,
    pub(crate) share: Share,
}

/// Room that is held until this is dropped.
pub(crate) struct Share(OwnedSemaphorePermit);

impl Share {
    /// Gives back what is more than `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.0.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.0.split(surplus));
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// Reads a whole body, and throws away what is past the limit.
async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Unsuccessful> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut length: usize = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Unsuccessful::BodyUnreadable { cause: error.to_string() })?;
        length = length.saturating_add(chunk.len());
        if length <= limit {
            bytes.extend_from_slice(&chunk);
        } else if length > limit.saturating_add(DRAINED) {
            break;
        } else {
            bytes = Vec::new();
        }
    }
    if length > limit { Err(Unsuccessful::BodyTooLarge { limit }) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTP: Trigger = Trigger::Http { binding: "req", response: "res", methods: &[], route: None };
    const BATCH: Trigger = Trigger::ServiceBus { binding: "m", many: true, data_type: None };

    fn small() -> Intake {
        let limit = 4 * UNIT;
        Intake::new(BodyLimits {
            http: limit,
            event: limit,
            batch: limit,
            singles_in_flight: limit,
            batches_in_flight: limit,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_read_than_there_is_room_for() {
        let intake = small();
        let mut first = intake.read(&HTTP, Body::from("x".repeat(2 * UNIT))).await.unwrap();
        assert_eq!(first.bytes.len(), 2 * UNIT);
        // The first body could be the largest one, so there is no room until it is known to be smaller; and even then
        // not enough.
        first.share.shrink_to(first.bytes.len());
        let second = intake.read(&HTTP, Body::from("y"));
        assert!(matches!(second.await, Err(Unsuccessful::Busy)));
        // A batch has its own room, and an invocation that is done gives its room back.
        assert!(intake.read(&BATCH, Body::from("z")).await.is_ok());
        drop(first);
        assert!(intake.read(&HTTP, Body::from("y")).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_not_kept_and_gives_its_room_back() {
        let intake = small();
        for _ in 0..3 {
            let taken = intake.read(&HTTP, Body::from("x".repeat(4 * UNIT + 1))).await;
            assert!(matches!(taken, Err(Unsuccessful::BodyTooLarge { limit }) if limit == 4 * UNIT));
        }
        assert!(intake.read(&HTTP, Body::from("x".repeat(4 * UNIT))).await.is_ok());
    }
}
