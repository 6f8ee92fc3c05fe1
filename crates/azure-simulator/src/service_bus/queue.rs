//! One queue as data: keeps every promise of Service Bus about a queue, with the time passed in.
//!
//! Semantics from `messaging-and-state.md` §2: a lock lasts a minute; lock expiry and abandon both count as a delivery;
//! after the last allowed delivery the message goes to the dead letters, and so does one that lived too long where the
//! queue's settings say so; dead letters never expire and are never dead-lettered again; the queue takes and drops a
//! second message with the same id within the window, and scheduled messages count.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::Value;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::message::{Message, NewMessage};

/// The properties of a queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How long a receiver may hold a message.
    pub lock_duration: Duration,
    /// Deliveries before a message becomes a dead letter.
    pub max_delivery_count: u32,
    /// How long the queue remembers a message id; zero for no duplicate detection.
    pub duplicate_window: Duration,
    /// Longest life of a message, and its life when the sender does not say.
    pub time_to_live: Duration,
    /// Whether a message that lived too long becomes a dead letter; else it is dropped.
    pub dead_letters_expired: bool,
    /// The most bytes of one message or of one batch, properties included.
    pub size_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lock_duration: Duration::seconds(60),
            max_delivery_count: 10,
            duplicate_window: Duration::minutes(10),
            time_to_live: Duration::days(14),
            dead_letters_expired: false,
            size_limit: 256 * 1024,
        }
    }
}

/// One of the two halves of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The queue proper.
    Main,
    /// `$deadletterqueue`.
    DeadLetters,
}

/// A message and the lock on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Locked {
    /// The message; its delivery count includes this delivery.
    pub message: Message,
    /// Names the lock.
    pub token: String,
    /// When the lock is lost.
    pub until: OffsetDateTime,
}

/// How many messages are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Waiting for a receiver.
    pub active: usize,
    /// Not due yet.
    pub scheduled: usize,
    /// Dead letters, locked or not.
    pub dead_lettered: usize,
    /// Held by a receiver.
    pub locked: usize,
}

#[derive(Debug, Default)]
struct Shelf {
    available: BTreeMap<i64, Message>,
    locked: HashMap<String, Locked>,
}

/// One queue with its dead letters.
#[derive(Debug)]
pub struct Queue {
    settings: Settings,
    next_sequence_number: i64,
    main: Shelf,
    dead: Shelf,
    scheduled: BTreeMap<(OffsetDateTime, i64), Message>,
    seen: HashMap<String, OffsetDateTime>,
    seen_in_order: VecDeque<(OffsetDateTime, String)>,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            next_sequence_number: 1,
            main: Shelf::default(),
            dead: Shelf::default(),
            scheduled: BTreeMap::new(),
            seen: HashMap::new(),
            seen_in_order: VecDeque::new(),
        }
    }

    /// The properties of the queue.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Takes a message in. `false` for a duplicate, which the sender is not told.
    pub fn send(&mut self, content: NewMessage, now: OffsetDateTime) -> bool {
        self.settle_time(now);
        if let Some(id) = &content.properties.message_id
            && !self.first_of_its_id(id.clone(), now)
        {
            return false;
        }
        let sequence_number = self.take_sequence_number();
        // The service draws a GUID then. Of the same shape, and the same in each play of a seed.
        let made_up = || format!("{:016x}{sequence_number:016x}", now.unix_timestamp());
        let message_id = content.properties.message_id.clone().unwrap_or_else(made_up);
        let due = content.scheduled_for.filter(|due| *due > now);
        let message = Message {
            message_id,
            sequence_number,
            enqueued_time: now,
            expires_at: now,
            delivery_count: 0,
            content,
        };
        match due {
            Some(due) => {
                self.scheduled.insert((due, message.sequence_number), message);
            }
            None => self.enqueue(message, now),
        }
        true
    }

    /// Locks up to `most` messages, oldest first.
    pub fn lock(&mut self, half: Half, most: usize, now: OffsetDateTime) -> Vec<Locked> {
        self.settle_time(now);
        if half == Half::DeadLetters {
            self.expire(now);
        }
        let until = now + self.settings.lock_duration;
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some((_, mut message)) = self.shelf(half).available.pop_first() else { break };
            if half == Half::Main && message.expires_at <= now {
                self.end_life(message);
                continue;
            }
            message.delivery_count += 1;
            let token = Uuid::new_v4().to_string();
            let locked = Locked { message, token: token.clone(), until };
            self.shelf(half).locked.insert(token, locked.clone());
            taken.push(locked);
        }
        taken
    }

    /// Removes a locked message. `false` when the lock was lost.
    pub fn complete(&mut self, half: Half, token: &str, now: OffsetDateTime) -> bool {
        self.settle_time(now);
        self.shelf(half).locked.remove(token).is_some()
    }

    /// Gives a locked message back. `false` when the lock was lost.
    pub fn abandon(&mut self, half: Half, token: &str, now: OffsetDateTime) -> bool {
        self.settle_time(now);
        let Some(locked) = self.shelf(half).locked.remove(token) else { return false };
        self.release(half, locked.message);
        true
    }

    /// Holds a message for another lock duration. `false` when the lock was lost.
    pub fn renew(&mut self, half: Half, token: &str, now: OffsetDateTime) -> Option<Locked> {
        self.settle_time(now);
        let until = now + self.settings.lock_duration;
        let locked = self.shelf(half).locked.get_mut(token)?;
        locked.until = until;
        Some(locked.clone())
    }

    /// The message that a receiver holds under a lock.
    #[must_use]
    pub fn held(&self, half: Half, token: &str) -> Option<&Locked> {
        match half {
            Half::Main => self.main.locked.get(token),
            Half::DeadLetters => self.dead.locked.get(token),
        }
    }

    /// When the next message becomes available by time alone: a scheduled one, or one whose lock runs out.
    #[must_use]
    pub fn next_change(&self) -> Option<OffsetDateTime> {
        let due = self.scheduled.keys().next().map(|(due, _)| *due);
        let locks =
            self.main.locked.values().chain(self.dead.locked.values()).map(|locked| locked.until).min();
        due.into_iter().chain(locks).min()
    }

    /// How many messages are where.
    pub fn counts(&mut self, now: OffsetDateTime) -> Counts {
        self.settle_time(now);
        self.expire(now);
        Counts {
            active: self.main.available.len(),
            scheduled: self.scheduled.len(),
            dead_lettered: self.dead.available.len() + self.dead.locked.len(),
            locked: self.main.locked.len(),
        }
    }

    /// Every message and what it is: `active`, `locked`, `scheduled` or `dead-lettered`, each kind oldest first.
    pub fn peek(&mut self, now: OffsetDateTime) -> Vec<(&'static str, &Message)> {
        self.counts(now);
        let mut locked: Vec<&Message> = self.main.locked.values().map(|locked| &locked.message).collect();
        locked.sort_by_key(|message| message.sequence_number);
        let held_dead = self.dead.locked.values().map(|locked| &locked.message);
        let mut dead: Vec<&Message> = self.dead.available.values().chain(held_dead).collect();
        dead.sort_by_key(|message| message.sequence_number);
        let active = self.main.available.values().map(|message| ("active", message));
        active
            .chain(locked.into_iter().map(|message| ("locked", message)))
            .chain(self.scheduled.values().map(|message| ("scheduled", message)))
            .chain(dead.into_iter().map(|message| ("dead-lettered", message)))
            .collect()
    }

    /// Makes the changes that are due by time alone.
    fn settle_time(&mut self, now: OffsetDateTime) {
        while let Some(entry) = self.scheduled.first_entry() {
            let due = entry.key().0;
            if due > now {
                break;
            }
            let mut message = entry.remove();
            message.sequence_number = self.take_sequence_number();
            self.enqueue(message, due);
        }
        for half in [Half::Main, Half::DeadLetters] {
            let shelf = self.shelf(half);
            let lost: Vec<Locked> =
                shelf.locked.extract_if(|_, locked| locked.until <= now).map(|(_, lost)| lost).collect();
            for locked in lost {
                self.release(half, locked.message);
            }
        }
        while let Some((seen, _)) = self.seen_in_order.front()
            && *seen + self.settings.duplicate_window <= now
            && let Some((_, id)) = self.seen_in_order.pop_front()
        {
            self.seen.remove(&id);
        }
    }

    fn enqueue(&mut self, mut message: Message, at: OffsetDateTime) {
        let longest = self.settings.time_to_live;
        let life = message.content.time_to_live.map_or(longest, |asked| asked.min(longest));
        message.enqueued_time = at;
        message.expires_at = at + life;
        self.main.available.insert(message.sequence_number, message);
    }

    /// Ends the life of every available message that has lived too long. A full pass, so only where it shows: a receiver of
    /// the queue proper meets the oldest first.
    fn expire(&mut self, now: OffsetDateTime) {
        let expired = self.main.available.extract_if(.., |_, message| message.expires_at <= now);
        let expired: Vec<Message> = expired.map(|(_, message)| message).collect();
        expired.into_iter().for_each(|message| self.end_life(message));
    }

    fn end_life(&mut self, message: Message) {
        if self.settings.dead_letters_expired {
            self.bury(message, "TTLExpiredException", "The message expired and was dead lettered.");
        }
    }

    /// Ends a delivery without success: the message is available again in its old place, or becomes a dead letter.
    fn release(&mut self, half: Half, message: Message) {
        if half == Half::Main && message.delivery_count >= self.settings.max_delivery_count {
            let deliveries = message.delivery_count;
            let description = format!("Message could not be consumed after {deliveries} delivery attempts.");
            self.bury(message, "MaxDeliveryCountExceeded", &description);
        } else {
            self.shelf(half).available.insert(message.sequence_number, message);
        }
    }

    /// Makes a message a dead letter, with the two properties that the broker adds. They replace properties of the
    /// sender with the same names in any case: over REST a name has no case.
    fn bury(&mut self, mut message: Message, reason: &str, description: &str) {
        let properties = &mut message.content.application_properties;
        for (name, text) in [("DeadLetterReason", reason), ("DeadLetterErrorDescription", description)] {
            properties.retain(|own, _| !own.eq_ignore_ascii_case(name));
            properties.insert(name.into(), Value::String(text.into()));
        }
        self.dead.available.insert(message.sequence_number, message);
    }

    fn first_of_its_id(&mut self, id: String, now: OffsetDateTime) -> bool {
        if self.settings.duplicate_window <= Duration::ZERO {
            return true;
        }
        if self.seen.contains_key(&id) {
            return false;
        }
        self.seen.insert(id.clone(), now);
        self.seen_in_order.push_back((now, id));
        true
    }

    fn take_sequence_number(&mut self) -> i64 {
        let number = self.next_sequence_number;
        self.next_sequence_number += 1;
        number
    }

    fn shelf(&mut self, half: Half) -> &mut Shelf {
        match half {
            Half::Main => &mut self.main,
            Half::DeadLetters => &mut self.dead,
        }
    }
}

#[cfg(test)]
mod tests;
