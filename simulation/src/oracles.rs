//! What must never happen, a file for each promise. An oracle sees everything in its order and says what broke the promise.
//!
//! `sabotage` shows of each that it can fail.

mod bounded;
mod budget;
mod converged;
mod evidence;
mod final_requests;
mod group_members;
mod handshake;
mod left_alone;
mod losses;
mod mode;
mod on_record;
mod one_post;
mod panics;
mod pauses;
mod silence;
mod told_once;
mod trust_first;
mod turns;

use azure_simulator::{Admission, GroupTruth, NamespaceTruth};
use http::Method;
use serde_json::Value;

use crate::site::Site;
use crate::world::Drawn;

/// A call of an instance to Azure.
#[derive(Debug, Clone)]
pub struct Call {
    /// Calls are numbered in the order in which they are sent.
    pub number: u64,
    /// The instance, from 0.
    pub instance: usize,
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// Where it goes.
    pub site: Site,
    /// Whether the configuration that is in force for its invocation lets functions write there.
    pub is_permitted: bool,
}

/// How a request that was taken stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestState {
    /// Its id.
    pub id: String,
    /// The outcome on record; `None` when there is no record.
    pub outcome: Option<String>,
    /// Whether that is the last one.
    pub is_final: bool,
    /// Whether its message is among the dead letters, where a person sees it and sends it again.
    pub is_dead_letter: bool,
}

/// A record as it is stored.
#[derive(Debug, Clone)]
pub struct StoredRecord {
    /// Its key.
    pub key: String,
    /// How large it is as it is stored.
    pub bytes: usize,
    /// What it says.
    pub value: Value,
}

/// Something that an oracle can see. Times are those since the beginning of the play.
pub enum Event<'a> {
    /// The play begins.
    Began {
        /// What is true at its beginning.
        truth: &'a [NamespaceTruth],
    },
    /// From now on nothing goes wrong, and no person does anything.
    Calm,
    /// An instance sends a call.
    Sent {
        /// The call.
        call: &'a Call,
        /// What is true then; empty unless the call may write.
        truth: &'a [NamespaceTruth],
    },
    /// The service has worked on a call that may write. The truth right before and right after it.
    Served {
        /// The call.
        call: &'a Call,
        /// What the service answers, whether or not that arrives.
        status: u16,
        /// Before.
        before: &'a [NamespaceTruth],
        /// After.
        after: &'a [NamespaceTruth],
    },
    /// A read was answered with what was true some time ago, at the most [`STALEST`](crate::answers::STALEST).
    AnsweredOld {
        /// The call.
        call: &'a Call,
    },
    /// The caller has its answer, or knows that there is none; `None`: no status.
    Answered {
        /// The call.
        call: &'a Call,
        /// The status that arrived.
        status: Option<u16>,
        /// Whether the request can have left the machine.
        is_sent: bool,
    },
    /// A write of the app has given a group a policy.
    Assigned {
        /// The call.
        call: &'a Call,
        /// ARM id of the namespace.
        namespace: &'a str,
        /// The group as it is now.
        group: &'a GroupTruth,
        /// What the hubs of the group say to a new device of it.
        admissions: &'a [Admission],
    },
    /// The queue has taken a message and lost it, so it never comes.
    Vanished {
        /// Its text.
        text: &'a [u8],
    },
    /// A report was handed over with what subscribers are told.
    Told {
        /// The events.
        events: &'a [Value],
        /// What is true then.
        truth: &'a [NamespaceTruth],
    },
    /// The service renews a CA by itself: from now on the hubs of a namespace lack something that they had.
    TrustLost {
        /// ARM id of the namespace.
        namespace: &'a str,
        /// What was true before.
        before: &'a [NamespaceTruth],
        /// What is true now.
        after: &'a [NamespaceTruth],
    },
    /// People want something else of the app from now on.
    Configured {
        /// The namespaces that are named.
        namespaces: &'a [Drawn],
        /// Whether the kill switch is set.
        kill_switch: bool,
    },
    /// What the app may do and can read has changed.
    Access {
        /// Whether it has every role.
        is_whole: bool,
        /// Host names of hubs whose certificates it cannot read.
        hidden: &'a [String],
    },
    /// An invocation failed.
    Failed {
        /// The function.
        function: &'a str,
        /// The short reason that the host is told.
        reason: &'a str,
    },
    /// Faults have stopped for the stated number of rounds.
    Recovered {
        /// What is true now.
        truth: &'a [NamespaceTruth],
        /// Every request that was taken.
        requests: &'a [RequestState],
    },
    /// The last round is over, and nothing has changed since the one before it.
    LastRound {
        /// Calls of it that could write.
        writes: &'a [Call],
        /// Messages that were sent in it.
        messages: u64,
    },
    /// Right after that: everything as it is in the end.
    Ended {
        /// What is true.
        truth: &'a [NamespaceTruth],
        /// Every record.
        records: &'a [StoredRecord],
        /// What the hubs of each group with a policy say to a new device of it.
        admissions: &'a [Admission],
    },
    /// Two days later, in which nothing has happened. In some plays only.
    Later {
        /// Every record.
        records: &'a [StoredRecord],
    },
}

/// Watches one promise.
pub trait Oracle: Send {
    /// A short name, also that of its file.
    fn name(&self) -> &'static str;
    /// The promise, as a sentence.
    fn promise(&self) -> &'static str;
    /// Looks at an event; answers what broke the promise, a sentence each.
    fn see(&mut self, event: &Event<'_>, at: std::time::Duration) -> Vec<String>;
}

/// All oracles of a play.
#[must_use]
pub fn all() -> Vec<Box<dyn Oracle>> {
    vec![
        Box::new(one_post::OnePost::default()),
        Box::new(mode::ModeHolds),
        Box::new(trust_first::TrustFirst::default()),
        Box::new(group_members::GroupMembers),
        Box::new(left_alone::LeftAlone),
        Box::new(panics::Panics),
        Box::new(final_requests::FinalRequests::default()),
        Box::new(converged::Converged::default()),
        Box::new(silence::Silence::default()),
        Box::new(told_once::ToldOnce::default()),
        Box::new(turns::Turns::default()),
        Box::new(budget::Budget::default()),
        Box::new(pauses::Pauses::default()),
        Box::new(bounded::Bounded::default()),
        Box::new(on_record::OnRecord::default()),
        Box::new(evidence::EvidenceHolds::default()),
        Box::new(handshake::Handshake::default()),
    ]
}

/// Whether a call can change something in Resource Manager or in a DPS. Some reads are POSTs.
#[must_use]
pub fn may_write(call: &Call) -> bool {
    let is_read = call.method == Method::GET
        || ["/query", "/attestationmechanism"]
            .iter()
            .any(|end| call.path.to_ascii_lowercase().ends_with(end));
    !is_read && !is_of_queue(call)
}

fn is_of_queue(call: &Call) -> bool {
    call.path.starts_with("/servicebus/")
}

/// Whether a call sends a message. One to the head of a queue locks a message, as the count of dead letters does.
#[must_use]
pub fn is_message(call: &Call) -> bool {
    is_of_queue(call) && call.method == Method::POST && call.path.ends_with("/messages")
}

/// The namespace of a `synchronize`, in lower case.
fn synchronized(call: &Call) -> Option<String> {
    let path = call.path.to_ascii_lowercase();
    let namespace = path.strip_suffix("/credentials/default/synchronize")?;
    (call.method == Method::POST).then(|| namespace.to_owned())
}

/// The groups that have a policy now and had another one, or none, before; each with its namespace.
pub(crate) fn given<'a>(
    before: &'a [NamespaceTruth],
    after: &'a [NamespaceTruth],
) -> impl Iterator<Item = (&'a NamespaceTruth, &'a GroupTruth)> {
    let policy_before = move |group: &GroupTruth| {
        let mut groups = before.iter().flat_map(|namespace| &namespace.groups);
        let same = groups.find(|known| known.service == group.service && known.id == group.id);
        same.and_then(|known| known.policy.clone())
    };
    let groups =
        after.iter().flat_map(|namespace| namespace.groups.iter().map(move |group| (namespace, group)));
    groups.filter(move |(_, group)| group.policy.is_some() && group.policy != policy_before(group))
}
