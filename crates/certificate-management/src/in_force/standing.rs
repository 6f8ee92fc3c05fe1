//! What is told of the configuration in force: which version it is, and what is wrong with a newer one.

use time::OffsetDateTime;

use super::{FLEETING, Failure, Knowledge, Origin, Version};

/// The configuration that an invocation works with, and what a person should know of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionInForce {
    /// The version in force.
    pub version: Version,
    /// Where it was read.
    pub source: Source,
    /// What is wrong.
    pub troubles: Vec<Trouble>,
}

/// Where the version in force was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// In the blob, when it was the newest.
    Newest,
    /// In the blob, as an earlier version than the newest.
    Earlier,
    /// In the records. No function writes by it.
    Records,
}

/// Why a newer version may not be in force.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The newest version cannot be used.
    Refused {
        /// It.
        version: Version,
        /// What is wrong with it.
        problem: String,
    },
    /// The blob cannot be read.
    Unreadable {
        /// Why not.
        failure: Failure,
        /// Since when.
        since: OffsetDateTime,
    },
}

impl<C> Knowledge<C> {
    /// What is told at this time; `None`: nothing is in force.
    #[must_use]
    pub fn standing(&self, now: OffsetDateTime) -> Option<VersionInForce> {
        let in_force = self.in_force.as_ref()?;
        let source = match in_force.origin {
            Origin::Read | Origin::Kept(_) => Source::Newest,
            Origin::Earlier => Source::Earlier,
            Origin::Records => Source::Records,
        };
        let refused = self.refused.iter().map(|(version, problem)| Trouble::Refused {
            version: version.clone(),
            problem: problem.clone(),
        });
        let is_told = |(failure, since): &&(Failure, OffsetDateTime)| {
            source != Source::Newest || !failure.is_fleeting || now - *since >= FLEETING
        };
        let unreadable = self
            .failure
            .iter()
            .filter(is_told)
            .map(|(failure, since)| Trouble::Unreadable { failure: failure.clone(), since: *since });
        Some(VersionInForce {
            version: in_force.version.clone(),
            source,
            troubles: refused.chain(unreadable).collect(),
        })
    }

    /// Why nothing is in force, as sentences for a person.
    #[must_use]
    pub fn why_none(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(
            self.refused
                .iter()
                .map(|(version, problem)| format!("its newest {version} cannot be used: {problem}")),
        );
        parts.extend(
            self.failure.iter().map(|(failure, _)| format!("it cannot be read: {}", failure.message)),
        );
        parts.extend(self.unrecalled.iter().map(|why| format!("the records have no earlier one: {why}")));
        match parts.is_empty() {
            true => "it was not read yet".to_owned(),
            false => parts.join(". "),
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused { version, problem } => write!(f, "{version} cannot be used: {problem}"),
            Self::Unreadable { failure, .. } => f.write_str(&failure.message),
        }
    }
}
