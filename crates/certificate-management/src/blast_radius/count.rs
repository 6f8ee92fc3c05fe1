//! Numbers that may be known in part.

use serde::{Deserialize, Serialize};

/// A number that was counted as far as the bound on calls let it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "known", rename_all = "kebab-case")]
pub enum Count {
    /// All of them were counted.
    Exactly {
        /// How many there are.
        number: u64,
    },
    /// Some were counted.
    AtLeast {
        /// How many were.
        number: u64,
        /// Why not the others.
        why: String,
    },
    /// None was counted. That is not 0.
    Unknown {
        /// Why not.
        why: String,
    },
}

impl Count {
    /// All of them.
    #[must_use]
    pub const fn exactly(number: u64) -> Self {
        Self::Exactly { number }
    }

    /// None, and why.
    #[must_use]
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }

    /// Whether it is known that there is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::Exactly { number: 0 })
    }

    /// The count of both together: what is unknown of one leaves at least the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exactly { number: a }, Self::Exactly { number: b }) => Self::exactly(a.saturating_add(b)),
            (Self::Unknown { why }, Self::Unknown { .. }) => Self::Unknown { why },
            (a, b) => {
                let (number, why) = (a.seen().saturating_add(b.seen()), a.why().or(b.why()));
                let why = why.unwrap_or_default().to_owned();
                match number {
                    0 => Self::Unknown { why },
                    number => Self::AtLeast { number, why },
                }
            }
        }
    }

    const fn seen(&self) -> u64 {
        match self {
            Self::Exactly { number } | Self::AtLeast { number, .. } => *number,
            Self::Unknown { .. } => 0,
        }
    }

    /// Why it is not exact.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Exactly { .. } => None,
            Self::AtLeast { why, .. } | Self::Unknown { why } => Some(why),
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly { number } => f.pad(&number.to_string()),
            Self::AtLeast { number, .. } => f.pad(&format!("at least {number}")),
            Self::Unknown { .. } => f.pad("unknown"),
        }
    }
}
