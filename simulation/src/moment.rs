//! What the syncs of a play are doing when a fault strikes: the same fault means another thing in each phase of a sync.

use std::fmt;

use certificate_management::sync::Phase;

/// The furthest phase of any sync on record that is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// None is open.
    #[default]
    Idle,
    /// Requests join one.
    Gathering,
    /// One waits for hubs without having sent anything.
    Watching,
    /// The POST of one is about to be sent, or on its way, or its answer was lost.
    Claimed,
    /// The service works on one.
    Started,
}

impl Moment {
    /// Every moment, in the order of a sync.
    pub const ALL: [Self; 5] = [Self::Idle, Self::Gathering, Self::Watching, Self::Claimed, Self::Started];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Gathering => "gathering",
            Self::Watching => "watching",
            Self::Claimed => "claimed",
            Self::Started => "started",
        }
    }
}

impl From<Phase> for Moment {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Gathering => Self::Gathering,
            Phase::Watching => Self::Watching,
            Phase::Claimed => Self::Claimed,
            Phase::Started => Self::Started,
            Phase::Ended => Self::Idle,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
