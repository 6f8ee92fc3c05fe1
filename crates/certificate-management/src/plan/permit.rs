//! The one guard of every write: who may write what, where and when. Functions and people at a command line ask it, right before
//! they write.
//!
//! Nothing wins over the kill switch. Below it each obstacle has a way past it for a person who insists, but a hold: that is released
//! first, so that its end is on record.

use std::fmt;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::hindrance::Hindrance;
use crate::configuration::{Mode, NamespaceConfiguration};
use crate::hold::Hold;

/// Who wants to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A function.
    Function,
    /// A person with a command, who has read the plan.
    Person(Insistence),
}

/// The obstacles that a person writes in spite of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Insistence {
    /// The configuration says `audit`: `--even-in-audit`.
    pub even_in_audit: bool,
    /// The namespace or the group is frozen: `--break-freeze`, with a reason.
    pub break_freeze: bool,
    /// There is no place for records, so what is held is not known: `--without-records`.
    pub without_records: bool,
}

/// What is known of the hold of a group, read after the group itself was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held<'a> {
    /// There is none in force.
    No,
    /// It is held.
    By(&'a Hold),
    /// The records could not be read, and this says why: so it may be held.
    Unknown(&'a str),
    /// There is no place for records: so it may be held.
    NoRecords,
}

/// A group that is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// Tags of its initial twin.
    pub tags: &'a Map<String, Value>,
    /// Its hold.
    pub held: Held<'a>,
    /// The run that the writer takes back: a hold of the same revert does not stop it.
    pub reverts: Option<&'a str>,
}

/// The circumstances of a write.
#[derive(Debug, Clone, Copy)]
pub struct Guard<'a> {
    /// The namespace.
    pub configuration: &'a NamespaceConfiguration,
    /// Whether `POLICYSYNC_MODE=audit` is set.
    pub kill_switch: bool,
    /// Who writes.
    pub writer: Writer,
    /// The time on this instance's clock.
    pub now: OffsetDateTime,
}

/// Why nothing may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// What keeps it from being written.
    pub hindrance: Hindrance,
    /// With the particulars, and the way past it where there is one.
    pub why: String,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// The text for a person whom the kill switch stops.
pub const KILL_SWITCH: &str =
    "POLICYSYNC_MODE=audit is set, so nothing is written, whatever the configuration says";

/// Whether the mode of a namespace and the kill switch let anything be written there; what is frozen or held is not asked.
///
/// # Errors
/// What forbids it.
pub fn mode(
    configuration: &NamespaceConfiguration,
    kill_switch: bool,
    writer: Writer,
) -> Result<(), Forbidden> {
    let forbidden = |why| Err(Forbidden { hindrance: Hindrance::Audit, why });
    if kill_switch {
        return forbidden(format!("{KILL_SWITCH}; unset it to write"));
    }
    let name = configuration.id.name();
    match writer {
        _ if configuration.mode == Mode::Enforce => Ok(()),
        Writer::Function => forbidden(format!("namespace {name} is in audit mode")),
        Writer::Person(Insistence { even_in_audit: true, .. }) => Ok(()),
        Writer::Person(_) => forbidden(format!(
            "policysync.toml has namespace {name} in audit mode; `--even-in-audit` writes there all the same"
        )),
    }
}

impl Guard<'_> {
    /// Whether a group may be written.
    ///
    /// # Errors
    /// What forbids it.
    pub fn group(&self, group: Group<'_>) -> Result<(), Forbidden> {
        self.mode()?;
        self.thawed(Some(group.tags))?;
        let held = |why: String| Err(Forbidden { hindrance: Hindrance::Held, why });
        let unknown = |why: String| Err(Forbidden { hindrance: Hindrance::HoldUnknown, why });
        match group.held {
            Held::No => Ok(()),
            Held::By(hold) if hold.reverts.is_some() && hold.reverts.as_deref() == group.reverts => Ok(()),
            Held::By(hold) => held(format!(
                "it is held: {}; `policysync holds release` ends that",
                hold.why()
            )),
            Held::Unknown(why) => {
                unknown(format!("whether it is held is not known, so it is not written: {why}"))
            }
            Held::NoRecords if self.insists(|insistence| insistence.without_records) => Ok(()),
            Held::NoRecords => unknown(
                "whether it is held is not known, since there is no place for records; `--without-records` writes all the same"
                    .to_owned(),
            ),
        }
    }

    /// Whether an authority or a policy that the file declares may be written: by a function only where the file says `manage = true`.
    ///
    /// # Errors
    /// What forbids it.
    pub fn declared(&self) -> Result<(), Forbidden> {
        self.mode()?;
        if self.writer == Writer::Function && !self.configuration.manage {
            let name = self.configuration.id.name();
            let why = format!("policysync.toml does not say `manage = true` of namespace {name}");
            return Err(Forbidden { hindrance: Hindrance::Audit, why });
        }
        self.thawed(None)
    }

    /// Whether a sync may be sent. It is sent by a function; `break_freeze`: for a request that insists.
    ///
    /// # Errors
    /// What forbids it.
    pub fn sync(&self, break_freeze: bool) -> Result<(), Forbidden> {
        self.mode()?;
        if break_freeze { Ok(()) } else { self.thawed(None) }
    }

    /// Whether a person may hand the service the chain of an authority of their own.
    ///
    /// # Errors
    /// What forbids it.
    pub fn activation(&self) -> Result<(), Forbidden> {
        self.mode()?;
        self.thawed(None)
    }

    fn insists(&self, on: impl Fn(Insistence) -> bool) -> bool {
        match self.writer {
            Writer::Function => false,
            Writer::Person(insistence) => on(insistence),
        }
    }

    fn mode(&self) -> Result<(), Forbidden> {
        mode(self.configuration, self.kill_switch, self.writer)
    }

    /// Whether no window is open: of the whole namespace, and of a group's tags.
    fn thawed(&self, tags: Option<&Map<String, Value>>) -> Result<(), Forbidden> {
        let Some(freeze) = self.configuration.frozen(tags, self.now) else { return Ok(()) };
        let name = self.configuration.id.name();
        let what = if freeze.is_whole() {
            format!("namespace {name} is")
        } else {
            "groups of its tags are".to_owned()
        };
        let forbidden = |more| {
            Err(Forbidden { hindrance: Hindrance::Frozen, why: format!("{what} {}{more}", freeze.why()) })
        };
        match self.writer {
            Writer::Person(Insistence { break_freeze: true, .. }) => Ok(()),
            Writer::Person(_) => {
                forbidden("; `--break-freeze` with a `--reason` writes all the same, in an emergency")
            }
            Writer::Function => forbidden(""),
        }
    }
}

#[cfg(test)]
mod tests;
