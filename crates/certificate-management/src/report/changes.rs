//! The difference between two reports: what came, what went, what changed. It follows from the two alone, whatever the order of
//! what they list.
//!
//! What one of the two does not know is no change: a namespace that could not be read has lost no hub, and a finding that a snapshot
//! had no room for may have been there.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::known_groups::{GroupStanding, KnownGroup};
use super::snapshot::{KnownFinding, KnownPolicy, Seen, Snapshot, Standing};
use super::summary::GroupCounts;
use crate::ArmId;

#[cfg(test)]
mod tests;

/// Version of the JSON.
pub const CHANGES_SCHEMA: &str = "policy-status-changes/v1";

/// What changed from one report to a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Always [`CHANGES_SCHEMA`].
    pub schema: String,
    /// When the earlier report was made.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub from: OffsetDateTime,
    /// When the later one was made.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub to: OffsetDateTime,
    /// Findings that the later one alone has, the worst first.
    pub came: Vec<KnownFinding>,
    /// Findings that the earlier one alone has, the worst first.
    pub went: Vec<KnownFinding>,
    /// Findings that both have and that are worse or better now, or have another reason.
    pub changed: Vec<ChangedFinding>,
    /// How many findings could not be compared: of each report the worst 1,000 are kept.
    pub not_compared: usize,
    /// The namespaces of which something changed, in the order of their ids.
    pub namespaces: Vec<NamespaceChanges>,
}

/// A finding as it was and as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangedFinding {
    /// As it was.
    pub before: KnownFinding,
    /// As it is.
    pub now: KnownFinding,
}

/// What changed of one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NamespaceChanges {
    /// Its ARM id.
    pub namespace_id: ArmId,
    /// Its name.
    pub namespace: String,
    /// What became of it as a whole; `null`: both reports have it and could read it, or neither could.
    pub whole: Option<Whole>,
    /// Hubs that are linked since.
    pub hubs_came: Vec<String>,
    /// Hubs that are not seen any more.
    pub hubs_went: Vec<String>,
    /// Policies that are new.
    pub policies_came: Vec<String>,
    /// Policies that are not seen any more.
    pub policies_went: Vec<String>,
    /// Policies whose issuing CA ends at another time, since it was renewed or rotated.
    pub renewed: Vec<Renewed>,
    /// How many pairs of an active policy and a linked hub trust, of how many; `null`: the same as before.
    pub trust: Option<Moved<Coverage>>,
    /// Where its enrollment groups stand; `null`: as before.
    pub groups: Option<Moved<GroupCounts>>,
    /// Whether both reports have all of its groups by name, so that the next three lists are whole; else they are empty.
    pub are_groups_named: bool,
    /// Enrollment groups that are new, each as `dps/group`.
    pub groups_came: Vec<String>,
    /// Enrollment groups that are not seen any more.
    pub groups_went: Vec<String>,
    /// Enrollment groups that stand elsewhere, or name another policy.
    pub groups_moved: Vec<MovedGroup>,
}

/// An enrollment group that stands elsewhere, or names another policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MovedGroup {
    /// As `dps/group`.
    pub group: String,
    /// Where it stood.
    pub before: GroupStanding,
    /// Where it stands.
    pub now: GroupStanding,
}

/// What became of a namespace as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Whole {
    /// The configuration names it since.
    Came,
    /// The configuration does not name it any more.
    Went,
    /// It could be read, and now it cannot.
    BecameUnreadable,
    /// It can be read again.
    BecameReadable,
}

/// A policy whose issuing CA ends at another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Renewed {
    /// Its name.
    pub policy: String,
    /// The end of the CA that it had; `null`: it was not known.
    #[serde(with = "time::serde::rfc3339::option")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub before: Option<OffsetDateTime>,
    /// The end of the CA that it has.
    #[serde(with = "time::serde::rfc3339::option")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub now: Option<OffsetDateTime>,
}

/// Something as it was and as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Moved<T> {
    /// As it was.
    pub before: T,
    /// As it is.
    pub now: T,
}

/// How many pairs trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Pairs of an active policy and a linked hub.
    pub pairs: usize,
    /// Those of them whose hub admits devices of the policy's current CA.
    pub trusting: usize,
}

impl Changes {
    /// What changed from `before` to `now`.
    #[must_use]
    pub fn between(before: &Snapshot, now: &Snapshot) -> Self {
        let mut changes = Self {
            schema: CHANGES_SCHEMA.to_owned(),
            from: before.generated_at,
            to: now.generated_at,
            came: Vec::new(),
            went: Vec::new(),
            changed: Vec::new(),
            not_compared: 0,
            namespaces: Vec::new(),
        };
        changes.compare_findings(before, now);
        changes.compare_namespaces(&before.namespaces, &now.namespaces);
        changes
    }

    /// Whether nothing changed, as far as it could be compared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.came.is_empty() && self.went.is_empty() && self.changed.is_empty() && self.namespaces.is_empty()
    }

    fn compare_findings(&mut self, before: &Snapshot, now: &Snapshot) {
        let by_id = |snapshot: &Snapshot| -> BTreeMap<String, KnownFinding> {
            let findings = snapshot.findings.iter();
            findings.map(|finding| (finding.id.clone(), finding.clone())).collect()
        };
        let (mut earlier, later) = (by_id(before), by_id(now));
        for (id, finding) in later {
            match earlier.remove(&id) {
                Some(known) if (known.severity, known.reason) != (finding.severity, finding.reason) => {
                    self.changed.push(ChangedFinding { before: known, now: finding });
                }
                Some(_) => {}
                None if before.knows_all_of(finding.severity) => self.came.push(finding),
                None => self.not_compared += 1,
            }
        }
        for finding in earlier.into_values() {
            match now.knows_all_of(finding.severity) {
                true => self.went.push(finding),
                false => self.not_compared += 1,
            }
        }
        self.came.sort_by(|a, b| rank(a).cmp(&rank(b)));
        self.went.sort_by(|a, b| rank(a).cmp(&rank(b)));
        self.changed.sort_by(|a, b| rank(&a.now).cmp(&rank(&b.now)));
    }

    fn compare_namespaces(&mut self, before: &[Standing], now: &[Standing]) {
        let by_id = |standings: &[Standing]| -> BTreeMap<String, Standing> {
            standings.iter().map(|standing| (standing.id.key(), standing.clone())).collect()
        };
        let (mut earlier, later) = (by_id(before), by_id(now));
        let mut found: Vec<NamespaceChanges> = Vec::new();
        for (id, standing) in later {
            found.push(match earlier.remove(&id) {
                Some(known) => NamespaceChanges::between(&known, &standing),
                None => NamespaceChanges { whole: Some(Whole::Came), ..NamespaceChanges::none(&standing.id) },
            });
        }
        let went = earlier.into_values().map(|standing| NamespaceChanges {
            whole: Some(Whole::Went),
            ..NamespaceChanges::none(&standing.id)
        });
        found.extend(went);
        found.retain(|changes| !changes.is_empty());
        found.sort_by_key(|changes| changes.namespace_id.key());
        self.namespaces = found;
    }
}

/// The worst first; the rest makes the order the same each time.
fn rank(finding: &KnownFinding) -> impl Ord + '_ {
    (Reverse(finding.severity), finding.check, &finding.subject, &finding.id)
}

impl NamespaceChanges {
    /// That nothing changed.
    fn none(id: &ArmId) -> Self {
        Self {
            namespace_id: id.clone(),
            namespace: id.name().to_owned(),
            whole: None,
            hubs_came: Vec::new(),
            hubs_went: Vec::new(),
            policies_came: Vec::new(),
            policies_went: Vec::new(),
            renewed: Vec::new(),
            trust: None,
            groups: None,
            are_groups_named: false,
            groups_came: Vec::new(),
            groups_went: Vec::new(),
            groups_moved: Vec::new(),
        }
    }

    fn between(before: &Standing, now: &Standing) -> Self {
        let mut changes = Self::none(&now.id);
        match (&before.seen, &now.seen) {
            (Some(before), Some(now)) => changes.compare(before, now),
            (Some(_), None) => changes.whole = Some(Whole::BecameUnreadable),
            (None, Some(_)) => changes.whole = Some(Whole::BecameReadable),
            (None, None) => {}
        }
        if let (Some(before), Some(now)) = (&before.groups, &now.groups) {
            changes.groups = (before != now).then(|| Moved { before: before.clone(), now: now.clone() });
        }
        if let (Some(before), Some(now)) = (&before.known_groups, &now.known_groups) {
            changes.compare_groups(before, now);
        }
        changes
    }

    fn compare(&mut self, before: &Seen, now: &Seen) {
        (self.hubs_came, self.hubs_went) = names(before.hubs.iter(), now.hubs.iter());
        let of_policies = |seen: &'_ Seen| -> Vec<String> {
            seen.policies.iter().map(|policy| policy.name.clone()).collect()
        };
        let (known, current) = (of_policies(before), of_policies(now));
        (self.policies_came, self.policies_went) = names(known.iter(), current.iter());
        let earlier: BTreeMap<String, &KnownPolicy> =
            before.policies.iter().map(|policy| (key(&policy.name), policy)).collect();
        let renewed = now.policies.iter().filter_map(|policy| {
            let known = earlier.get(&key(&policy.name))?;
            // Shown to the second by some looks and more exactly by others.
            let second = |end: Option<OffsetDateTime>| end.map(OffsetDateTime::unix_timestamp);
            (second(known.ends) != second(policy.ends)).then(|| Renewed {
                policy: policy.name.clone(),
                before: known.ends,
                now: policy.ends,
            })
        });
        self.renewed = renewed.collect();
        self.renewed.sort_by(|a, b| a.policy.cmp(&b.policy));
        let coverage = |seen: &Seen| Coverage { pairs: seen.pairs, trusting: seen.trusting };
        let (before, now) = (coverage(before), coverage(now));
        self.trust = (before != now).then_some(Moved { before, now });
    }

    fn compare_groups(&mut self, before: &[KnownGroup], now: &[KnownGroup]) {
        self.are_groups_named = true;
        (self.groups_came, self.groups_went) =
            names(before.iter().map(|group| &group.name), now.iter().map(|group| &group.name));
        let earlier: BTreeMap<String, &GroupStanding> =
            before.iter().map(|group| (key(&group.name), &group.standing)).collect();
        let moved = now.iter().filter_map(|group| {
            let known = earlier.get(&key(&group.name)).filter(|known| **known != &group.standing)?;
            Some(MovedGroup {
                group: group.name.clone(),
                before: (*known).clone(),
                now: group.standing.clone(),
            })
        });
        self.groups_moved = moved.collect();
        self.groups_moved.sort_by_key(|moved| key(&moved.group));
    }

    /// Whether nothing changed.
    fn is_empty(&self) -> bool {
        let are_groups_named = self.are_groups_named;
        *self == Self { are_groups_named, ..Self::none(&self.namespace_id) }
    }
}

/// The names that only the second has, and those that only the first has, each in their order. Names are compared in any case.
fn names<'n>(
    before: impl Iterator<Item = &'n String>,
    now: impl Iterator<Item = &'n String>,
) -> (Vec<String>, Vec<String>) {
    let mut earlier: BTreeMap<String, &String> = before.map(|name| (key(name), name)).collect();
    let later: BTreeMap<String, &String> = now.map(|name| (key(name), name)).collect();
    let mut came = Vec::new();
    for (key, name) in later {
        if earlier.remove(&key).is_none() {
            came.push(name.clone());
        }
    }
    (came, earlier.into_values().cloned().collect())
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}
