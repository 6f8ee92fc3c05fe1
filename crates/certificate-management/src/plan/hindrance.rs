//! The one table, for functions and commands, of what can keep a group from being written and what follows from it.

use crate::reason::Reason;
use crate::reason::failure::{About, CallFailure};

/// What kept a group from being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hindrance {
    /// The kill switch is set, or the configuration has the namespace in audit mode.
    Audit,
    /// A window of `freeze` is open, of the namespace or of the group's tags.
    Frozen,
    /// A hold of the group is in force.
    Held,
    /// Whether the group is held could not be learnt.
    HoldUnknown,
    /// Its devices prove who they are in a way that this version does not know.
    AttestationUnknown,
    /// It was changed or deleted between the look at it and the write.
    Moved,
    /// The write would have changed something that we do not own.
    WouldChangeMore,
    /// Its symmetric keys may not be read.
    KeysUnreadable,
    /// It was to be made, and exists.
    Exists,
    /// It was written, and names another policy afterwards.
    NotVerified,
    /// The write could not be recorded, so it was not sent.
    Unrecorded,
    /// A call failed.
    Call(CallFailure),
}

/// What the app does next about a group that was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Next {
    /// Look at the group again and decide again.
    DecideAgain,
    /// Try later. The service has refused nothing, so nothing is recorded.
    TryLater,
    /// Record the refusal. It stays until a person does something, so another try now is of no use.
    Refuse,
    /// Record the refusal, and try later all the same: roles and links take minutes to arrive.
    RefuseAndTryLater,
}

/// What follows from a hindrance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Consequence {
    /// The reason that a person is told.
    pub reason: Reason,
    /// What the app does next.
    pub next: Next,
}

impl Next {
    /// Whether the app records the refusal, unless it decides again.
    #[must_use]
    pub const fn is_recorded(self) -> bool {
        matches!(self, Self::Refuse | Self::RefuseAndTryLater)
    }

    /// Whether the same write may succeed later without a decision of a person.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::TryLater | Self::RefuseAndTryLater)
    }
}

impl Hindrance {
    /// The reason and the next action of each hindrance.
    #[must_use]
    pub const fn consequence(self) -> Consequence {
        let (reason, next) = match self {
            Self::Audit => (Reason::AuditMode, Next::Refuse),
            Self::Frozen => (Reason::Frozen, Next::Refuse),
            Self::Held => (Reason::Held, Next::Refuse),
            Self::HoldUnknown => (Reason::HoldUnknown, Next::TryLater),
            Self::AttestationUnknown => (Reason::AttestationUnknown, Next::Refuse),
            Self::Moved => (Reason::GroupMoved, Next::DecideAgain),
            Self::WouldChangeMore => (Reason::WriteWouldChangeMore, Next::Refuse),
            Self::KeysUnreadable => (Reason::SymmetricKeysUnreadable, Next::Refuse),
            Self::Exists => (Reason::GroupExists, Next::Refuse),
            Self::NotVerified => (Reason::ServiceRejected, Next::RefuseAndTryLater),
            Self::Unrecorded => (Reason::ServiceUnavailable, Next::TryLater),
            Self::Call(failure) => (failure.reason(About::EnrollmentGroup), after(failure)),
        };
        Consequence { reason, next }
    }
}

/// What the app does next when a call failed.
const fn after(failure: CallFailure) -> Next {
    match failure {
        CallFailure::NotFound | CallFailure::Moved => Next::DecideAgain,
        CallFailure::Unavailable => Next::TryLater,
        CallFailure::Conflict
        | CallFailure::Unauthorized
        | CallFailure::Forbidden
        | CallFailure::ApiVersionRejected
        | CallFailure::LinkNotReady
        | CallFailure::OutsideCloud
        | CallFailure::Rejected => Next::RefuseAndTryLater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Hindrance> {
        let own = [
            Hindrance::Audit,
            Hindrance::Frozen,
            Hindrance::Held,
            Hindrance::HoldUnknown,
            Hindrance::AttestationUnknown,
            Hindrance::Moved,
            Hindrance::WouldChangeMore,
            Hindrance::KeysUnreadable,
            Hindrance::Exists,
            Hindrance::NotVerified,
            Hindrance::Unrecorded,
        ];
        // The compiler asks for each new variant in this match. Add it to `own` too.
        for hindrance in own {
            match hindrance {
                Hindrance::Audit
                | Hindrance::Frozen
                | Hindrance::Held
                | Hindrance::HoldUnknown
                | Hindrance::AttestationUnknown
                | Hindrance::Moved
                | Hindrance::WouldChangeMore
                | Hindrance::KeysUnreadable
                | Hindrance::Exists
                | Hindrance::NotVerified
                | Hindrance::Unrecorded
                | Hindrance::Call(_) => {}
            }
        }
        own.into_iter().chain(CallFailure::ALL.iter().copied().map(Hindrance::Call))
    }

    /// The whole table. The app tests play each row.
    #[test]
    fn every_hindrance_has_its_reason_and_what_is_done_next() {
        let table: Vec<String> = all()
            .map(|hindrance| {
                let Consequence { reason, next } = hindrance.consequence();
                format!("{hindrance:?}: {reason}, {next:?}")
            })
            .collect();
        let expected = [
            "Audit: audit-mode, Refuse",
            "Frozen: frozen, Refuse",
            "Held: held, Refuse",
            "HoldUnknown: hold-unknown, TryLater",
            "AttestationUnknown: attestation-unknown, Refuse",
            "Moved: group-moved, DecideAgain",
            "WouldChangeMore: write-would-change-more, Refuse",
            "KeysUnreadable: symmetric-keys-unreadable, Refuse",
            "Exists: group-exists, Refuse",
            "NotVerified: service-rejected, RefuseAndTryLater",
            "Unrecorded: service-unavailable, TryLater",
            "Call(Unavailable): service-unavailable, TryLater",
            "Call(Conflict): service-rejected, RefuseAndTryLater",
            "Call(Unauthorized): not-permitted, RefuseAndTryLater",
            "Call(Forbidden): not-permitted, RefuseAndTryLater",
            "Call(NotFound): group-gone, DecideAgain",
            "Call(Moved): group-moved, DecideAgain",
            "Call(ApiVersionRejected): api-version-rejected, RefuseAndTryLater",
            "Call(LinkNotReady): link-not-ready, RefuseAndTryLater",
            "Call(OutsideCloud): address-outside-cloud, RefuseAndTryLater",
            "Call(Rejected): service-rejected, RefuseAndTryLater",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn what_passes_by_itself_is_told_so_and_what_does_not_is_recorded() {
        for hindrance in all() {
            let Consequence { reason, next } = hindrance.consequence();
            assert_eq!(
                next == Next::TryLater,
                matches!(reason, Reason::ServiceUnavailable | Reason::HoldUnknown),
                "{hindrance:?}"
            );
            assert_eq!(
                next == Next::DecideAgain,
                matches!(reason, Reason::GroupMoved | Reason::GroupGone),
                "{hindrance:?}"
            );
        }
    }
}
