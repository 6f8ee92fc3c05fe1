//! Single messages of a queue with sessions: few sessions at a time, each in order
//! (`functions-host-protocol.md` §2.6).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::service_bus::handle;
use super::{WAIT, pause};
use crate::app::{Function, ServiceBusTrigger};
use crate::engine::Engine;
use trigger_sources::{LockedMessage, Pending, QueueSource};

/// How many messages are locked ahead, as a multiple of those that may run at a time: enough to find another session
/// behind a few messages of a busy one, few enough that their locks last.
const AHEAD: usize = 4;

/// Messages that wait for their session, and the sessions that are being worked on.
#[derive(Debug)]
struct Sessions {
    waiting: VecDeque<LockedMessage>,
    running: HashMap<String, usize>,
    most_sessions: usize,
    most_calls: usize,
}

impl Sessions {
    fn new(most_sessions: usize, most_calls: usize) -> Self {
        Self { waiting: VecDeque::new(), running: HashMap::new(), most_sessions, most_calls }
    }

    /// How many more messages may be received.
    fn room(&self) -> usize {
        let most = self.most_sessions.saturating_mul(self.most_calls).saturating_mul(AHEAD).min(1000);
        most.saturating_sub(self.waiting.len() + self.running.values().sum::<usize>())
    }

    /// The first message whose session may be worked on; the session is taken.
    fn take(&mut self) -> Option<LockedMessage> {
        let free = self.running.len() < self.most_sessions;
        let index = self.waiting.iter().position(|message| {
            self.running.get(session(message)).map_or(free, |calls| *calls < self.most_calls)
        })?;
        let message = self.waiting.remove(index)?;
        *self.running.entry(session(&message).to_owned()).or_default() += 1;
        Some(message)
    }

    /// A call for a session has ended.
    fn ended(&mut self, session: &str) {
        if let Some(calls) = self.running.get_mut(session) {
            *calls -= 1;
            if *calls == 0 {
                self.running.remove(session);
            }
        }
    }
}

/// Messages without a session count as one.
fn session(message: &LockedMessage) -> &str {
    message.session_id.as_deref().unwrap_or_default()
}

/// Receives single messages, up to `maxConcurrentSessions` sessions at a time and `maxConcurrentCallsPerSession` calls
/// for each.
pub async fn run(
    engine: Arc<Engine>,
    function: Arc<Function>,
    trigger: ServiceBusTrigger,
    source: Arc<dyn QueueSource>,
) {
    let settings = &engine.app.host.service_bus;
    let mut sessions =
        Sessions::new(settings.max_concurrent_sessions, settings.max_concurrent_calls_per_session);
    let mut calls: JoinSet<String> = JoinSet::new();
    // Kept from round to round: a receive that is dropped halfway would leave its messages locked.
    let mut receive: Option<(Instant, Pending<'_, Vec<LockedMessage>>)> = None;
    loop {
        while let Some(message) = sessions.take() {
            let (engine, function) = (engine.clone(), function.clone());
            let (trigger, source) = (trigger.clone(), source.clone());
            calls.spawn(async move {
                let session = session(&message).to_owned();
                handle(&engine, &function, &trigger, source.as_ref(), message).await;
                session
            });
        }
        let room = sessions.room();
        if receive.is_none() && room > 0 {
            receive = Some((Instant::now(), source.receive(&trigger.entity, room, WAIT)));
        }
        let messages = async {
            match receive.as_mut() {
                Some((since, receive)) => (*since, receive.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(ended) = calls.join_next(), if !calls.is_empty() => {
                if let Ok(session) = ended {
                    sessions.ended(&session);
                }
            }
            (since, messages) = messages => {
                receive = None;
                if messages.is_empty() {
                    pause(since).await;
                }
                sessions.waiting.extend(messages);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::made_up;

    fn message(session: &str, number: i64) -> LockedMessage {
        LockedMessage {
            session_id: Some(session.to_owned()),
            sequence_number: number,
            ..made_up::message("x", time::OffsetDateTime::UNIX_EPOCH, true)
        }
    }

    fn taken(sessions: &mut Sessions) -> Vec<i64> {
        std::iter::from_fn(|| sessions.take()).map(|message| message.sequence_number).collect()
    }

    #[test]
    fn each_session_runs_in_order_and_few_run_at_a_time() {
        let mut sessions = Sessions::new(2, 1);
        let messages = [("a", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5)];
        sessions.waiting.extend(messages.map(|(session, number)| message(session, number)));
        assert_eq!(taken(&mut sessions), [1, 3]);
        assert_eq!(taken(&mut sessions), Vec::<i64>::new());
        sessions.ended("a");
        assert_eq!(taken(&mut sessions), [2]);
        sessions.ended("b");
        assert_eq!(taken(&mut sessions), [4]);
        sessions.ended("c");
        sessions.ended("a");
        assert_eq!(taken(&mut sessions), [5]);
    }

    #[test]
    fn a_session_may_have_several_calls() {
        let mut sessions = Sessions::new(1, 2);
        sessions.waiting.extend([message("a", 1), message("a", 2), message("a", 3), message("b", 4)]);
        assert_eq!(taken(&mut sessions), [1, 2]);
        assert_eq!(sessions.room(), 2 * AHEAD - 4);
        sessions.ended("a");
        assert_eq!(taken(&mut sessions), [3]);
    }
}
