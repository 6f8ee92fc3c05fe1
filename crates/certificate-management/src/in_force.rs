//! Which version of `policysync.toml` is in force, where it is a blob that a process reads again while it runs.
//!
//! Every decision about it is here, as a pure machine: [`Knowledge::step`] takes in what a look at the blob, or at the records, has
//! told, and says what to do next. The rules:
//!
//! - A version that passes its checks is in force from the look that finds it; everything else keeps the one before.
//! - What is in force is written down. A process which starts while the newest version cannot be used reads in the blob the earlier version
//!   that the record names.
//! - Where that cannot be read either, the text in the record is good enough to look at the fleet, and no function writes by it: who can
//!   write records must not decide what the app does.
//! - A process that has nothing of it serves nothing, and goes on looking.

mod standing;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

pub use self::standing::{Source, Trouble, VersionInForce};
use crate::configuration::Configuration;
use crate::model::{ReadFailure, ReadFailureKind};

/// Largest version that is taken, in bytes: a thousand namespaces with ten rules each are a quarter of it.
pub const LARGEST: u64 = 4 * 1024 * 1024;
/// How old the last look may be when an invocation begins. A look is one request, which has no body while nothing has changed. So a
/// change arrives as soon as a person looks for it, and two instances differ for a minute and not for the length of a deployment.
pub const AGE: Duration = Duration::seconds(60);
/// The same while nothing is in force: work waits then.
pub const AGE_WITHOUT: Duration = Duration::seconds(10);
/// How long the blob may be unreachable before that is told, where this process has read it before: the service is away for
/// moments now and then, and the version in force is the newest one that is known.
pub const FLEETING: Duration = Duration::minutes(10);
/// After this time the record of the version in force is written again. Storage removes records that were not changed for 30 days at
/// the least (`recordRetentionDays` of the templates).
pub const KEPT_FOR: Duration = Duration::days(7);

/// A version of the blob, as its storage account names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Its `ETag`.
    pub e_tag: String,
    /// Its version id; `None`: the account keeps no versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// When it was uploaded, by the clock of the service.
    #[serde(with = "time::serde::rfc3339")]
    pub modified_at: OffsetDateTime,
}

impl Version {
    /// The shortest text that names it: its version id, or else its `ETag` without the quotes.
    #[must_use]
    pub fn name(&self) -> &str {
        self.version_id.as_deref().unwrap_or_else(|| self.e_tag.trim_matches('"'))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version_id {
            Some(_) => write!(f, "version {}", self.name()),
            None => write!(f, "version {} of {}", self.name(), self.modified_at),
        }
    }
}

/// What has been learnt. `C` is the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event<C> {
    /// The blob was read, and passes its checks or does not.
    Read {
        /// The version that was read.
        version: Version,
        /// The configuration, or why it cannot be used.
        judged: Result<C, String>,
    },
    /// The blob is as it was when it was read last.
    Unchanged,
    /// The blob could not be read, or is gone.
    Failed(Failure),
    /// What has become of recalling the last good version, or why there is none.
    Recalled(Result<Recalled<C>, String>),
    /// The version in force is written down.
    Remembered,
}

/// The last good version, which the records name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recalled<C> {
    /// The version.
    pub version: Version,
    /// What it says.
    pub configuration: C,
    /// Whether it was read in the blob, as an earlier version of it, and not in the record.
    pub is_of_blob: bool,
}

/// Why a look at the blob failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failure {
    /// Whether it passes by itself.
    pub is_fleeting: bool,
    /// Whether the identity may not read it.
    pub is_denied: bool,
    /// What was tried, and what the service said.
    pub message: String,
}

impl From<ReadFailure> for Failure {
    fn from(failure: ReadFailure) -> Self {
        Self {
            is_fleeting: failure.kind == ReadFailureKind::Unavailable,
            is_denied: failure.kind.is_denied(),
            message: failure.message,
        }
    }
}

/// What to do next. What is done is told by another event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Read the last good version: which one it was in the records, and its text in the blob if possible.
    Recall,
    /// Write the version in force down.
    Remember,
}

/// A version that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InForce<C> {
    /// The version.
    pub version: Version,
    /// What it says.
    pub configuration: C,
    /// Where it is from.
    pub origin: Origin,
}

/// Where a version in force is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Read in the blob, and not written down yet.
    Read,
    /// Read in the blob, and written down then.
    Kept(OffsetDateTime),
    /// An earlier version of the blob, since the newest cannot be used.
    Earlier,
    /// The text in the records, since the blob has none that can be used.
    Records,
}

/// What one process knows of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Knowledge<C> {
    in_force: Option<InForce<C>>,
    /// The newest version that was seen in the blob, where it cannot be used.
    refused: Option<(Version, String)>,
    /// Why the last look failed, and since when looks fail.
    failure: Option<(Failure, OffsetDateTime)>,
    /// Why the records have no version; `None`: they were not asked, or have one.
    unrecalled: Option<String>,
    looked_at: Option<OffsetDateTime>,
}

impl<C> Default for Knowledge<C> {
    /// Of a process that has just started.
    fn default() -> Self {
        Self { in_force: None, refused: None, failure: None, unrecalled: None, looked_at: None }
    }
}

impl<C> Knowledge<C> {
    /// What is in force.
    #[must_use]
    pub fn in_force(&self) -> Option<&InForce<C>> {
        self.in_force.as_ref()
    }

    /// The `ETag` of the version that was read last, whether or not it can be used: a look asks for another one only.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match (&self.refused, &self.in_force) {
            (Some((version, _)), _) => Some(&version.e_tag),
            // The newest version of the blob was not read by this process.
            (None, Some(InForce { origin: Origin::Earlier | Origin::Records, .. }) | None) => None,
            (None, Some(in_force)) => Some(&in_force.version.e_tag),
        }
    }

    /// Whether an invocation that begins now looks first. A clock that was set back counts as late.
    #[must_use]
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        let age = if self.in_force.is_some() { AGE } else { AGE_WITHOUT };
        self.looked_at.is_none_or(|at| now - at >= age || now < at)
    }

    /// What follows from an event at this time.
    #[must_use]
    pub fn step(mut self, event: Event<C>, now: OffsetDateTime) -> (Self, Option<Effect>) {
        match event {
            Event::Recalled(recalled) => {
                match recalled {
                    Err(why) => self.unrecalled = Some(why),
                    Ok(recalled) if self.is_improved_by(&recalled) => {
                        let Recalled { version, configuration, is_of_blob } = recalled;
                        let origin = if is_of_blob { Origin::Earlier } else { Origin::Records };
                        self.unrecalled = None;
                        self.in_force = Some(InForce { version, configuration, origin });
                    }
                    // What the blob has told in the meantime is newer.
                    Ok(_) => {}
                }
                return (self, None);
            }
            Event::Remembered => {
                if let Some(in_force) = &mut self.in_force {
                    in_force.origin = Origin::Kept(now);
                }
                return (self, None);
            }
            Event::Read { version, judged: Ok(configuration) } => {
                self.in_force = Some(InForce { version, configuration, origin: Origin::Read });
                (self.refused, self.failure, self.unrecalled) = (None, None, None);
            }
            Event::Read { version, judged: Err(problem) } => {
                (self.refused, self.failure) = (Some((version, problem)), None);
            }
            Event::Unchanged => self.failure = None,
            Event::Failed(failure) => {
                let since = self.failure.as_ref().map_or(now, |(_, since)| *since);
                self.failure = Some((failure, since));
            }
        }
        self.looked_at = Some(now);
        let effect = match self.in_force.as_ref().map(|in_force| in_force.origin) {
            None => Some(Effect::Recall),
            Some(Origin::Read) => Some(Effect::Remember),
            Some(Origin::Kept(at)) => (now - at >= KEPT_FOR).then_some(Effect::Remember),
            Some(Origin::Earlier) => None,
            // The blob may have become readable.
            Some(Origin::Records) => Some(Effect::Recall),
        };
        (self, effect)
    }

    fn is_improved_by(&self, recalled: &Recalled<C>) -> bool {
        self.in_force.as_ref().is_none_or(|known| known.origin == Origin::Records && recalled.is_of_blob)
    }
}

/// The configuration of a version, as its bytes are read.
///
/// # Errors
/// Why it cannot be used, for a person. A file that names no namespace is refused, as everywhere: an upload that was cut off would
/// take every namespace out of the app's care in silence.
pub fn judge(bytes: &[u8]) -> Result<Configuration, String> {
    if bytes.len() as u64 > LARGEST {
        return Err(too_large(bytes.len() as u64));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    Configuration::parse(text).map_err(|error| error.to_string())
}

/// What is wrong with a version of so many bytes.
#[must_use]
pub fn too_large(bytes: u64) -> String {
    format!("it has {bytes} bytes, and at most {LARGEST} are taken")
}

#[cfg(test)]
mod tests;
