//! The kinds of faults, and which call sites each of them can strike.

use crate::site::{NEXT_PAGE, Service, Site};

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// No connection: the service never sees it.
    Refused,
    /// The service answers 500 or 503 and does nothing.
    Broken,
    /// 429, saying when to come again.
    Throttled,
    /// 429, saying nothing more.
    ThrottledInSilence,
    /// 401 and nothing done; in the middle of a list, too.
    Unauthorized,
    /// Everything takes seconds.
    Slow,
    /// The service gets it, does it and answers when the caller has most likely stopped waiting. At the host: a batch waits until its locks
    /// have run out, a timer fires late.
    Late,
    /// The service does it, and the connection breaks before the answer.
    LostAnswer,
    /// The service does it, and half of the body arrives.
    CutBody,
    /// No answer ever; whether the service does it is open.
    Hanging,
    /// A read answers what was true some time ago, at the most [`STALEST`](crate::answers::STALEST).
    Stale,
    /// A hub that exists is not in the list of the hubs, as one that is new.
    Unlisted,
    /// Entries came or went while a list was read page by page: the next page leaves one out, or repeats one.
    MovedPages,
    /// The service begins a sync, which fails or is canceled at its end; only its status says so.
    OperationFails,
    /// The service begins a sync that runs for up to three quarters of an hour. Half of these have no effect even then.
    OperationLasts,
    /// The service begins a sync and does it, and knows nothing of it when it is asked.
    OperationForgotten,
    /// A conditional write is done, and the answer says that its condition did not hold.
    DoneAndDenied,
    /// A conditional write is not done, and the answer says that another was faster, which is not so.
    Denied,
    /// The queue takes a message, which never comes.
    Vanished,
    /// A message that is to come at a time comes up to a minute before it: the clock of the queue is ahead.
    Early,
    /// A message comes up to twenty minutes after its time.
    Delayed,
    /// The messages of a batch come in another order, and some of them in a later one.
    Reordered,
    /// The host wakes the app twice at once.
    Twice,
    /// What the host wanted to say to the queue is lost; a timer does not fire; diagnostic records do not come.
    Lost,
    /// A second host has the same timer, which fires up to ten minutes later.
    OtherHost,
    /// An instance is taken away for up to 25 minutes.
    Away,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 26] = [
        Self::Refused,
        Self::Broken,
        Self::Throttled,
        Self::ThrottledInSilence,
        Self::Unauthorized,
        Self::Slow,
        Self::Late,
        Self::LostAnswer,
        Self::CutBody,
        Self::Hanging,
        Self::Stale,
        Self::Unlisted,
        Self::MovedPages,
        Self::OperationFails,
        Self::OperationLasts,
        Self::OperationForgotten,
        Self::DoneAndDenied,
        Self::Denied,
        Self::Vanished,
        Self::Early,
        Self::Delayed,
        Self::Reordered,
        Self::Twice,
        Self::Lost,
        Self::OtherHost,
        Self::Away,
    ];

    /// The kinds that a call site can have.
    #[must_use]
    pub fn at(site: &Site) -> Vec<Self> {
        Self::ALL.into_iter().filter(|fault| fault.can_strike(site)).collect()
    }

    /// The kinds that some call site of a service can have.
    #[must_use]
    pub fn of(service: Service) -> Vec<Self> {
        let sites = TARGETS.iter().map(|site| Site::named(site)).filter(|site| site.service() == service);
        let sites: Vec<Site> = sites.collect();
        Self::ALL.into_iter().filter(|fault| sites.iter().any(|site| fault.can_strike(site))).collect()
    }

    /// Whether a call site can have it.
    #[must_use]
    pub fn can_strike(self, site: &Site) -> bool {
        let (service, place) = (site.service(), site.as_str());
        let is_of_network = !matches!(service, Service::Records | Service::Host);
        let is_timer =
            service == Service::Host && (place.contains("reconcile-") || place.contains("report-"));
        let is_read = place.starts_with("GET ") || place.contains("enrollmentgroups/query");
        match self {
            // The library beneath the interface of the records, which repeats calls and reads statuses, is not in a play.
            Self::Throttled
            | Self::ThrottledInSilence
            | Self::Unauthorized
            | Self::CutBody
            | Self::Hanging => is_of_network,
            Self::Refused | Self::Broken | Self::Slow | Self::LostAnswer => service != Service::Host,
            Self::Late => place != INSTANCES,
            Self::Stale => is_read && is_of_network && service != Service::Queue,
            Self::Unlisted => place.starts_with("GET iothubs") && !place.contains('*'),
            Self::MovedPages => place.ends_with(NEXT_PAGE),
            Self::OperationFails | Self::OperationLasts | Self::OperationForgotten => place == SYNCHRONIZE,
            Self::DoneAndDenied | Self::Denied => {
                place == WRITE_GROUP
                    || (place.starts_with("records: put ") && !UNCONDITIONAL.contains(&place))
            }
            Self::Vanished | Self::Early | Self::Delayed => place == SEND,
            Self::Reordered => place == MESSAGES,
            Self::Twice | Self::Lost => service == Service::Host && place != INSTANCES,
            Self::OtherHost => is_timer,
            Self::Away => place == INSTANCES,
        }
    }

    /// Whether only the answer, or what the service knows, shows that it struck: a read that would be stale, of what did not change,
    /// is none. The network counts these when they have struck.
    #[must_use]
    pub fn shows_in_answer(self) -> bool {
        matches!(
            self,
            Self::Stale
                | Self::Unlisted
                | Self::MovedPages
                | Self::OperationFails
                | Self::OperationLasts
                | Self::OperationForgotten
                | Self::DoneAndDenied
        )
    }

    /// Whether few calls of a play can have it: one that begins a sync, a read of what has just changed, a batch of several messages.
    #[must_use]
    pub fn is_rare(self) -> bool {
        matches!(
            self,
            Self::OperationFails
                | Self::OperationLasts
                | Self::OperationForgotten
                | Self::Stale
                | Self::Reordered
        )
    }

    /// Its name in traces and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Broken => "broken",
            Self::Throttled => "throttled",
            Self::ThrottledInSilence => "throttled-in-silence",
            Self::Unauthorized => "unauthorized",
            Self::Slow => "slow",
            Self::Late => "late",
            Self::LostAnswer => "lost-answer",
            Self::CutBody => "cut-body",
            Self::Hanging => "hanging",
            Self::Stale => "stale",
            Self::Unlisted => "unlisted",
            Self::MovedPages => "moved-pages",
            Self::OperationFails => "operation-fails",
            Self::OperationLasts => "operation-lasts",
            Self::OperationForgotten => "operation-forgotten",
            Self::DoneAndDenied => "done-and-denied",
            Self::Denied => "denied",
            Self::Vanished => "vanished",
            Self::Early => "early",
            Self::Delayed => "delayed",
            Self::Reordered => "reordered",
            Self::Twice => "twice",
            Self::Lost => "lost",
            Self::OtherHost => "other-host",
            Self::Away => "away",
        }
    }
}

/// The POST of a sync.
pub const SYNCHRONIZE: &str = "POST namespaces/*/credentials/*/synchronize";
/// The write of an enrollment group.
pub const WRITE_GROUP: &str = "PUT dps/enrollmentgroups/*";
/// The sending of a request or of a follow-up.
pub const SEND: &str = "POST servicebus/sync-requests";
/// The batches of the queue.
pub const MESSAGES: &str = "host: messages";
/// The places of instances.
pub const INSTANCES: &str = "host: instances";
/// The records that are written whatever was there, so that no condition can fail.
const UNCONDITIONAL: [&str; 4] =
    ["records: put reports", "records: put history", "records: put findings", "records: put taken"];

/// The call sites that a storm can have for itself: those that matter most.
pub const TARGETS: [&str; 16] = [
    SYNCHRONIZE,
    WRITE_GROUP,
    SEND,
    "records: put syncs",
    "records: put requests",
    "GET locations/*/operationstatuses/*",
    "GET iothubs/*/certificates",
    "GET namespaces/*/credentials/*/policies",
    "GET iothubs",
    "GET iothubs, next page",
    "POST dps/enrollmentgroups/query",
    "POST dps/enrollmentgroups/query, next page",
    MESSAGES,
    INSTANCES,
    "host: reconcile-assignments",
    "host: report-policy-status",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_strike_one_of_the_targets_and_is_named_once() {
        let names: std::collections::BTreeSet<&str> = Fault::ALL.into_iter().map(Fault::name).collect();
        assert_eq!(names.len(), Fault::ALL.len());
        for fault in Fault::ALL {
            assert!(TARGETS.iter().any(|site| fault.can_strike(&Site::named(site))), "{fault:?}");
        }
    }

    #[test]
    fn a_call_site_has_the_faults_of_its_kind() {
        let at = |site: &str| Fault::at(&Site::named(site));
        assert!(!at("records: put reports").contains(&Fault::Denied));
        assert!(at("records: put syncs").contains(&Fault::Denied));
        assert!(at("GET iothubs").contains(&Fault::Unlisted));
        assert!(!at("GET iothubs/*/certificates").contains(&Fault::Unlisted));
        assert!(!at("GET servicebus/sync-requests").contains(&Fault::Stale));
        assert_eq!(at(INSTANCES), [Fault::Away]);
        assert_eq!(at(MESSAGES), [Fault::Late, Fault::Reordered, Fault::Twice, Fault::Lost]);
    }
}
