//! How a play differs from what its seed draws: an app that is broken on purpose, or parts that are left out to see which ones a failure needs.

use std::collections::BTreeSet;
use std::fmt;

use crate::sabotage::Sabotage;

/// A variation of a play. What is left out is drawn all the same, so that the rest stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variation {
    /// How the app is broken.
    pub sabotage: Option<Sabotage>,
    /// What is left out.
    pub without: BTreeSet<Part>,
}

/// A part of a play that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Single faults outside of storms.
    Drizzle,
    /// Lives that end by themselves.
    Deaths,
    /// The storm of this number.
    Storm(usize),
    /// The deed of this number.
    Deed(usize),
}

impl Variation {
    /// With an app that is broken so.
    #[must_use]
    pub fn broken(sabotage: Sabotage) -> Self {
        Self { sabotage: Some(sabotage), ..Self::default() }
    }

    /// Whether a part is played.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }

    /// The same without one more part.
    #[must_use]
    pub fn and_without(&self, part: Part) -> Self {
        let mut less = self.clone();
        less.without.insert(part);
        less
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drizzle => f.write_str("single faults"),
            Self::Deaths => f.write_str("deaths"),
            Self::Storm(number) => write!(f, "storm {number}"),
            Self::Deed(number) => write!(f, "deed {number}"),
        }
    }
}
