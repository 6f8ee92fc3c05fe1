//! The searches: each allows some of the faults, since all of them at once make too many states.

use crate::sync::tests::model::Fault::{self, *};
use crate::sync::tests::world::{Way, Ways};

/// Where a search begins.
#[derive(Clone, Copy)]
pub(in crate::sync::tests) enum From {
    /// Nothing has happened.
    Start,
    /// The first request is in a sync that was claimed a moment ago; its POST is not sent yet.
    Claim,
    /// The service has accepted the POST.
    Operation,
}

/// The extent of a request.
#[derive(Clone, Copy)]
pub(in crate::sync::tests) enum Ask {
    /// The whole namespace.
    Whole,
    /// One hub, with leave for the rest.
    HubOrMore,
    /// One hub, and nothing else may be synced.
    HubAlone,
    /// One policy, with leave for the rest.
    PolicyOrMore,
    /// The other policy, and nothing else may be synced.
    PolicyAlone,
}

impl Ask {
    /// Its members beside the namespace, as JSON.
    pub fn rest(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::HubOrMore => r#","hubs":["h1"],"allowWholeNamespace":true"#,
            Self::HubAlone => r#","hubs":["h2"]"#,
            Self::PolicyOrMore => r#","policies":["short"],"allowWholeNamespace":true"#,
            Self::PolicyAlone => r#","policies":["long"]"#,
        }
    }
}

/// The world, the requests and the faults of a search.
pub(in crate::sync::tests) struct Plan {
    pub name: &'static str,
    pub from: From,
    /// The requests, in the order in which they come.
    pub asked: &'static [Ask],
    /// By how many minutes the second worker's clock is ahead.
    pub ahead: i64,
    pub policies: Ways,
    /// Most messages that the host delivers together.
    pub batch: usize,
    /// Most requests that a sync knows.
    pub most_requests: usize,
    /// The faults, and how often each may happen.
    pub faults: &'static [(Fault, u8)],
}

const ONE: &[Ask] = &[Ask::Whole];
const TWO: &[Ask] = &[Ask::Whole, Ask::HubOrMore];
const THREE: &[Ask] = &[Ask::Whole, Ask::HubOrMore, Ask::HubAlone];
const ONE_HUB_FIRST: &[Ask] = &[Ask::HubAlone, Ask::Whole];
const ONE_POLICY_FIRST: &[Ask] = &[Ask::PolicyAlone, Ask::Whole];
const ONE_POLICY_LAST: &[Ask] = &[Ask::Whole, Ask::PolicyOrMore];

/// One request, one policy that is synced, one message at a time, clocks that agree, room for all, and no faults.
const BASE: Plan = Plan {
    name: "",
    from: From::Start,
    asked: ONE,
    ahead: 0,
    policies: [Some(Way::Synced), None],
    batch: 1,
    most_requests: usize::MAX,
    faults: &[],
};

pub(in crate::sync::tests) const ALL: [Plan; 37] = [
    Plan { name: "nothing goes wrong", ..BASE },
    Plan { name: "two requests join at any instant", asked: TWO, ..BASE },
    Plan { name: "three requests join at any instant", asked: THREE, ..BASE },
    Plan { name: "kills before the claim", ahead: 2, faults: &[(Kill, 2)], ..BASE },
    Plan {
        name: "kills after the claim",
        from: From::Claim,
        asked: TWO,
        ahead: -2,
        faults: &[(Kill, 2)],
        ..BASE
    },
    Plan {
        name: "kills after the POST",
        from: From::Operation,
        asked: TWO,
        ahead: 2,
        faults: &[(Kill, 2)],
        ..BASE
    },
    Plan { name: "locks that are lost before the claim", faults: &[(LockLost, 2)], ..BASE },
    Plan {
        name: "locks that are lost after the claim",
        from: From::Claim,
        asked: TWO,
        ahead: 2,
        faults: &[(LockLost, 2), (Kill, 1)],
        ..BASE
    },
    Plan {
        name: "duplicates and repeats",
        faults: &[(Duplicate, 1), (SubmittedAgain, 1), (WindowOver, 1)],
        ..BASE
    },
    Plan {
        name: "follow-ups that are lost",
        ahead: 2,
        faults: &[(DeadLettered, 2), (ReportedEarly, 1)],
        ..BASE
    },
    Plan { name: "follow-ups that are forged", faults: &[(Forged, 2)], ..BASE },
    Plan {
        name: "follow-ups that are forged after the claim",
        from: From::Claim,
        ahead: 2,
        faults: &[(Forged, 2), (WindowOver, 1)],
        ..BASE
    },
    Plan {
        name: "runs that stand still after the claim",
        from: From::Claim,
        ahead: 2,
        faults: &[(Stalled, 2), (LockLost, 1)],
        ..BASE
    },
    Plan {
        name: "a clock behind, and a run that stands still",
        from: From::Claim,
        ahead: -2,
        faults: &[(Stalled, 2), (Kill, 1)],
        ..BASE
    },
    Plan { name: "the mode is switched", asked: TWO, faults: &[(ModeSwitched, 2), (OldMode, 1)], ..BASE },
    Plan {
        name: "the mode is switched after the claim",
        from: From::Claim,
        asked: TWO,
        faults: &[(ModeSwitched, 2), (AnswerLost, 1)],
        ..BASE
    },
    Plan {
        name: "the namespace leaves the configuration",
        faults: &[(Configured, 2), (ModeSwitched, 1)],
        ..BASE
    },
    Plan {
        name: "CAs are renewed under way",
        from: From::Claim,
        asked: TWO,
        faults: &[(Renewed, 2), (PushedByOthers, 1), (LockLost, 1)],
        ..BASE
    },
    Plan { name: "hubs do not answer", asked: TWO, faults: &[(Unreadable, 2), (Unobservable, 1)], ..BASE },
    Plan {
        name: "POSTs are refused",
        from: From::Claim,
        asked: TWO,
        faults: &[(PostRefused, 2), (Kill, 1)],
        ..BASE
    },
    Plan {
        name: "answers are lost",
        from: From::Claim,
        asked: TWO,
        ahead: 2,
        faults: &[(AnswerLost, 2), (Kill, 1)],
        ..BASE
    },
    Plan {
        name: "operations fail",
        from: From::Claim,
        asked: TWO,
        faults: &[(OperationFailed, 2), (Renewed, 1)],
        ..BASE
    },
    Plan { name: "batches of messages", asked: TWO, batch: 3, faults: &[(Kill, 1)], ..BASE },
    Plan {
        name: "batches with duplicates",
        batch: 3,
        faults: &[(Duplicate, 1), (SubmittedAgain, 1)],
        ..BASE
    },
    Plan {
        name: "batches after the claim",
        from: From::Claim,
        asked: TWO,
        ahead: 2,
        batch: 2,
        faults: &[(LockLost, 1), (Kill, 1)],
        ..BASE
    },
    Plan {
        name: "batches with follow-ups that are forged",
        from: From::Operation,
        asked: TWO,
        batch: 2,
        faults: &[(Forged, 2)],
        ..BASE
    },
    Plan { name: "a sync that is full", asked: THREE, most_requests: 1, faults: &[(Kill, 1)], ..BASE },
    Plan {
        name: "a sync that is full, and batches",
        asked: THREE,
        batch: 3,
        most_requests: 2,
        faults: &[(SubmittedAgain, 1)],
        ..BASE
    },
    Plan {
        name: "a sync that is full after the claim",
        from: From::Claim,
        asked: THREE,
        ahead: 2,
        most_requests: 2,
        faults: &[(LockLost, 1), (Kill, 1)],
        ..BASE
    },
    Plan {
        name: "two policies",
        from: From::Claim,
        asked: ONE_POLICY_LAST,
        policies: [Some(Way::Synced), Some(Way::Synced)],
        faults: &[(Renewed, 1), (LockLost, 1)],
        ..BASE
    },
    Plan {
        name: "two policies, and hubs do not answer",
        asked: ONE_POLICY_FIRST,
        policies: [Some(Way::Synced), Some(Way::Synced)],
        faults: &[(Unreadable, 1), (PushedByOthers, 1)],
        ..BASE
    },
    Plan {
        name: "a policy that the service pushes",
        asked: TWO,
        policies: [Some(Way::Pushed), None],
        faults: &[(Renewed, 1), (Unreadable, 1), (Kill, 1)],
        ..BASE
    },
    Plan {
        name: "a policy that is pushed beside one that is synced",
        asked: ONE_POLICY_FIRST,
        policies: [Some(Way::Pushed), Some(Way::Synced)],
        faults: &[(Renewed, 1), (LockLost, 1)],
        ..BASE
    },
    Plan {
        name: "links that fail",
        asked: ONE_POLICY_LAST,
        policies: [Some(Way::Synced), Some(Way::Pushed)],
        faults: &[(LinkFailed, 1), (Kill, 1)],
        ..BASE
    },
    Plan {
        name: "a hub beside does not answer",
        asked: ONE_HUB_FIRST,
        faults: &[(Unreadable, 2), (PushedByOthers, 1)],
        ..BASE
    },
    Plan {
        name: "records of requests are lost",
        asked: TWO,
        faults: &[(RecordLost, 2), (Duplicate, 1)],
        ..BASE
    },
    Plan {
        name: "records of requests are lost after the claim",
        from: From::Claim,
        asked: TWO,
        faults: &[(RecordLost, 1), (Kill, 1)],
        ..BASE
    },
];
