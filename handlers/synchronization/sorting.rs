//! Sorts the messages of a batch by namespace, and picks out those that cannot be parsed.

use std::collections::BTreeMap;

use certificate_management::ArmId;
use certificate_management::request::{Message, NamespaceLook, SyncRequest, SyncVerification, Unreadable};

use super::received::Received;
use crate::telemetry;

/// The figures of a batch, for the log line of the invocation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Handled {
    /// Requests handled.
    pub requests: usize,
    /// Follow-ups handled.
    pub follow_ups: usize,
    /// Looks after a resource event.
    pub looks: usize,
    /// Messages that come again later.
    pub held: usize,
    /// Messages parked.
    pub parked: usize,
}

/// The messages of a batch for one namespace.
#[derive(Default)]
pub(super) struct Work {
    pub messages: Vec<Received>,
    pub requests: Vec<(SyncRequest, Received)>,
    pub follow_ups: Vec<SyncVerification>,
    pub looks: Vec<NamespaceLook>,
}

/// The messages by namespace, and those that cannot be parsed.
pub(super) fn sorted(
    messages: Vec<Received>,
    done: &mut Handled,
) -> (BTreeMap<ArmId, Work>, Vec<(Received, Unreadable)>) {
    let mut by_namespace: BTreeMap<ArmId, Work> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for message in messages {
        match Message::parse(&message.text) {
            Ok(Message::Request(request)) => {
                done.requests += 1;
                telemetry::link_to(request.traceparent.as_deref());
                let work = by_namespace.entry(request.namespace_id.clone()).or_default();
                work.requests.push((request, message.clone()));
                work.messages.push(message);
            }
            Ok(Message::Verification(follow_up)) => {
                done.follow_ups += 1;
                telemetry::link_to(follow_up.traceparent.as_deref());
                let work = by_namespace.entry(follow_up.namespace_id.clone()).or_default();
                if !work.follow_ups.contains(&follow_up) {
                    work.follow_ups.push(follow_up);
                }
                work.messages.push(message);
            }
            Ok(Message::Look(look)) => {
                done.looks += 1;
                telemetry::link_to(look.traceparent.as_deref());
                let work = by_namespace.entry(look.namespace_id.clone()).or_default();
                if work.looks.is_empty() {
                    work.looks.push(look);
                }
                work.messages.push(message);
            }
            Err(why) => unreadable.push((message, why)),
        }
    }
    (by_namespace, unreadable)
}
