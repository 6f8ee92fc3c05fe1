//! All queues of the namespace, and waiting for messages.
//!
//! A receiver that finds nothing sleeps until a client sends a message or gives one back, or until the queue knows that
//! a message becomes available. The simulated clock can jump: the code that pushes it calls [`Queues::wake`], and
//! receivers notice a jump without that call within [`NOTICE_JUMP`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::message::NewMessage;
use super::queue::{Counts, Half, Locked, Queue, Settings};
use crate::clock::Clock;
use trigger_sources::{LockedMessage, Pending, QueueSource};

/// The queues of an installation unless told otherwise.
pub const DEFAULT_QUEUES: [&str; 2] = ["sync-requests", "sync-requests-parked"];

/// The longest sleep while a message is going to become available by time alone.
const NOTICE_JUMP: Duration = Duration::from_secs(1);

/// A name ends with this, in any case, when the dead letters are meant.
const DEAD_LETTERS: &str = "/$deadletterqueue";

/// The queues of one Service Bus namespace; names are read in any case.
#[derive(Debug)]
pub struct Queues {
    clock: Clock,
    queues: HashMap<String, Entry>,
    names: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    queue: Mutex<Queue>,
    changed: Notify,
}

impl Entry {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One half of a queue that exists.
#[derive(Debug, Clone, Copy)]
pub struct Handle<'a> {
    entry: &'a Entry,
    half: Half,
    clock: &'a Clock,
}

impl Queues {
    /// Empty queues with these names.
    #[must_use]
    pub fn new<N: AsRef<str>>(names: &[N], settings: Settings, clock: Clock) -> Arc<Self> {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        let entry = || Entry { queue: Mutex::new(Queue::new(settings)), changed: Notify::new() };
        let queues = names.iter().map(|name| (name.to_ascii_lowercase(), entry())).collect();
        Arc::new(Self { clock, queues, names })
    }

    /// The queue of this name, or its dead letters when `/$deadletterqueue` follows.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Handle<'_>> {
        let name = name.to_ascii_lowercase();
        let (name, half) = match name.strip_suffix(DEAD_LETTERS) {
            Some(name) => (name, Half::DeadLetters),
            None => (name.as_str(), Half::Main),
        };
        self.queues.get(name).map(|entry| Handle { entry, half, clock: &self.clock })
    }

    /// The queues in the order in which they were named.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Lets every waiting receiver look again, because the clock was pushed.
    pub fn wake(&self) {
        for entry in self.queues.values() {
            entry.changed.notify_waiters();
        }
    }
}

impl Handle<'_> {
    /// Which half it is.
    #[must_use]
    pub fn half(&self) -> Half {
        self.half
    }

    /// The properties of the queue.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.entry.queue().settings()
    }

    /// Sends messages, all at once. It adds the time by which the clock is ahead of the sender's to each scheduled time
    /// (`contracts.md` §4).
    pub fn send(&self, messages: Vec<NewMessage>) {
        let ahead = self.clock.ahead_of_callers();
        let now = self.clock.now();
        let mut queue = self.entry.queue();
        for mut message in messages {
            message.scheduled_for = message.scheduled_for.and_then(|due| due.checked_add(ahead));
            queue.send(message, now);
        }
        drop(queue);
        self.entry.changed.notify_waiters();
    }

    /// Locks up to `most` messages; waits up to `wait` for the first one.
    pub async fn lock(&self, most: usize, wait: Duration) -> Vec<Locked> {
        let deadline = Instant::now() + wait;
        loop {
            let changed = self.entry.changed.notified();
            tokio::pin!(changed);
            // From here on a send is not missed, even if it comes before we sleep.
            changed.as_mut().enable();
            let now = self.clock.now();
            let (locked, next) = {
                let mut queue = self.entry.queue();
                (queue.lock(self.half, most, now), queue.next_change())
            };
            if !locked.is_empty() || most == 0 || Instant::now() >= deadline {
                return locked;
            }
            let wake_at = next.map_or(deadline, |next| {
                let ahead = Duration::try_from(next - now).unwrap_or(Duration::ZERO);
                deadline.min(Instant::now() + ahead.min(NOTICE_JUMP))
            });
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }

    /// Removes a locked message. `false` when the lock was lost.
    #[must_use]
    pub fn complete(&self, token: &str) -> bool {
        self.entry.queue().complete(self.half, token, self.clock.now())
    }

    /// Gives a locked message back. `false` when the lock was lost.
    #[must_use]
    pub fn abandon(&self, token: &str) -> bool {
        let given_back = self.entry.queue().abandon(self.half, token, self.clock.now());
        self.entry.changed.notify_waiters();
        given_back
    }

    /// Holds a message for another lock duration. Nothing when the lock was lost.
    #[must_use]
    pub fn renew(&self, token: &str) -> Option<Locked> {
        self.entry.queue().renew(self.half, token, self.clock.now())
    }

    /// The message under a lock that has not been lost.
    #[must_use]
    pub fn held(&self, token: &str) -> Option<Locked> {
        self.entry.queue().held(self.half, token).cloned()
    }

    /// How many messages are where.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.entry.queue().counts(self.clock.now())
    }

    /// Calls `show` with each message and what it is, without touching any.
    pub fn peek<T>(&self, mut show: impl FnMut(&'static str, &super::message::Message) -> T) -> Vec<T> {
        let mut queue = self.entry.queue();
        queue.peek(self.clock.now()).into_iter().map(|(kind, message)| show(kind, message)).collect()
    }
}

impl QueueSource for Queues {
    fn receive<'a>(&'a self, queue: &'a str, most: usize, wait: Duration) -> Pending<'a, Vec<LockedMessage>> {
        Box::pin(async move {
            let Some(found) = self.find(queue) else {
                tracing::warn!(queue, "a receiver waits on a queue that does not exist");
                tokio::time::sleep(wait).await;
                return Vec::new();
            };
            found.lock(most, wait).await.into_iter().map(received).collect()
        })
    }

    fn complete<'a>(&'a self, queue: &'a str, lock_token: &'a str) -> Pending<'a, bool> {
        Box::pin(async move { self.find(queue).is_some_and(|found| found.complete(lock_token)) })
    }

    fn abandon<'a>(&'a self, queue: &'a str, lock_token: &'a str) -> Pending<'a, bool> {
        Box::pin(async move { self.find(queue).is_some_and(|found| found.abandon(lock_token)) })
    }
}

fn received(locked: Locked) -> LockedMessage {
    let Locked { message, token, .. } = locked;
    let properties = message.content.properties;
    LockedMessage {
        body: message.content.body.to_vec(),
        message_id: message.message_id,
        lock_token: token,
        delivery_count: message.delivery_count,
        sequence_number: message.sequence_number,
        enqueued_time: message.enqueued_time,
        expires_at: message.expires_at,
        content_type: properties.content_type,
        correlation_id: properties.correlation_id,
        subject: properties.label,
        session_id: properties.session_id,
        partition_key: properties.partition_key,
        application_properties: message.content.application_properties,
    }
}
