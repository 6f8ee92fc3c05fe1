//! Whether what a namespace needs for its links is there: roles of the identities, regions, tiers, limits, order, and
//! states that do not move. Judged from reads alone (`ca-lifecycle-facts.md` §4, `azure-wire-facts.md` §6).
//!
//! - [`seen`]: what was read.
//! - [`roles`]: the matrix of roles.
//! - [`of_report`]: what a report says, which looks at the links more seldom than at the rest.
//!
//! What was not read is [`Outcome::Unchecked`], never ready. A grant that was seen is needed and does not suffice: it may not
//! have reached every place yet, and a deny assignment is not visible.

mod kept;
mod limits;
mod order;
mod resources;
pub mod roles;
pub mod seen;
mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::kept::{Found, of_report};
pub use self::seen::{Seen, Sides};
pub use self::state::of_link;

use crate::ArmId;
use crate::read_failure::ReadFailure;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The identities have the roles that a link needs.
    LinkRoles,
    /// What is linked is in the region of the namespace.
    LinkRegion,
    /// The tier of each hub supports it.
    LinkTier,
    /// How much of what a namespace can have is there.
    LinkLimits,
    /// Each thing was made after what it needs.
    LinkOrder,
    /// No link and no linked resource has failed, hangs, or is orphaned.
    LinkState,
}

impl Aspect {
    /// Every aspect, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Self::LinkOrder,
        Self::LinkState,
        Self::LinkRegion,
        Self::LinkTier,
        Self::LinkLimits,
        Self::LinkRoles,
    ];

    /// Its stable code, e.g. `link-roles`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LinkRoles => "link-roles",
            Self::LinkRegion => "link-region",
            Self::LinkTier => "link-tier",
            Self::LinkLimits => "link-limits",
            Self::LinkOrder => "link-order",
            Self::LinkState => "link-state",
        }
    }
}

/// What came out of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is as it must be.
    Ready,
    /// Sources contradict each other, or it may come right by itself.
    Doubtful,
    /// It is not as it must be.
    Wrong,
    /// It could not be read.
    Unchecked,
}

/// One check of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What was checked.
    pub aspect: Aspect,
    /// The resource beside the namespace; empty for the namespace itself.
    pub subject: String,
    /// What came out.
    pub outcome: Outcome,
    /// What was seen.
    pub message: String,
    /// What to do; none where it is ready.
    pub next_step: Option<String>,
    /// The role that is missing, where that is all there is to do.
    pub missing: Option<roles::Need>,
    /// The roles that were seen to be missing where the link has failed.
    pub needs: Vec<roles::Need>,
    /// Of [`Outcome::Unchecked`]: what could not be read, and why.
    pub unread: Option<Unread>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its ARM id, or that of what it belongs to.
    pub scope: ArmId,
    /// Why.
    pub failure: ReadFailure,
}

impl Judged {
    fn new(aspect: Aspect, subject: &str, outcome: Outcome, message: String, next_step: String) -> Self {
        Self {
            aspect,
            subject: subject.to_owned(),
            outcome,
            message,
            next_step: Some(next_step),
            missing: None,
            needs: Vec::new(),
            unread: None,
        }
    }

    fn ready(aspect: Aspect, message: String) -> Self {
        Self { next_step: None, ..Self::new(aspect, "", Outcome::Ready, message, String::new()) }
    }

    /// What a person does about it depends on who reads: ask [`crate::next_step::of_unread`].
    fn unread(aspect: Aspect, subject: &str, what: &str, scope: &ArmId, why: &ReadFailure) -> Self {
        let message = format!("could not be checked: {what} could not be read: {why}");
        let next_step = "Look at it in Azure.".to_owned();
        let unread = Unread { scope: scope.clone(), failure: why.clone() };
        Self { unread: Some(unread), ..Self::new(aspect, subject, Outcome::Unchecked, message, next_step) }
    }
}

/// At how many namespaces' links one run of the report looks: a hundredth of them, so that a run costs a few reads more in each
/// hundred, and four of a small fleet. A run each quarter of an hour comes to all of a large fleet in a day.
#[must_use]
pub fn looks_of_a_run(namespaces: usize) -> usize {
    namespaces.div_ceil(100).max(4)
}

/// Every check of a namespace: of each aspect what is not ready, or one that says that all is.
#[must_use]
pub fn judge(seen: &Seen) -> Vec<Judged> {
    let of = |aspect: Aspect| match aspect {
        Aspect::LinkRoles => roles::judge(seen),
        Aspect::LinkRegion => resources::regions(seen),
        Aspect::LinkTier => resources::tiers(seen),
        Aspect::LinkLimits => limits::judge(seen),
        Aspect::LinkOrder => order::judge(seen),
        Aspect::LinkState => state::judge(seen),
    };
    Aspect::ALL.into_iter().flat_map(of).collect()
}

/// The problems, or else what says that there is none; nothing where there was nothing to look at.
fn all_or(
    problems: Vec<Judged>,
    aspect: Aspect,
    looked_at: usize,
    ready: impl FnOnce() -> String,
) -> Vec<Judged> {
    match (problems.is_empty(), looked_at) {
        (false, _) => problems,
        (true, 0) => Vec::new(),
        (true, _) => vec![Judged::ready(aspect, ready())],
    }
}
