//! Assigns a policy to an enrollment group and proves that nothing else of it changes.
//!
//! It follows the order of `azure-wire-facts.md` §10a: takes the group as read, puts its keys back where the service
//! hides them, changes one member, compares the texts, sends a PUT that holds only for the version that was read, and
//! reads the group again. A PUT without the keys would make the service generate new ones and cut off every device of
//! the group.

use certificate_management::generation::Generation;
use certificate_management::model::Attestation;
use certificate_management::reference::Reference;
use serde_json::Value;
use serde_json::value::RawValue;

use super::groups::{EnrollmentGroups, Group};
use super::keys::{KEYS, texts_of_keys};
use super::raw_group::{Difference, RawGroup};
use crate::error::{Error, ErrorKind, Sent};
use crate::members::text;

/// What an assignment changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The policy that the group named before.
    pub before: Option<String>,
    /// The policy that it names now, as read back.
    pub after: Option<String>,
    /// Its version now.
    pub etag: Option<String>,
}

/// Why a policy was not assigned.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AssignError {
    /// The group was changed or deleted since it was read; nothing was written. Read it and decide again.
    #[error("enrollment group `{0}` was changed since it was read; nothing was written")]
    Moved(String),
    /// Reason `write-would-change-more`: the write would change something that we do not own; nothing was written.
    #[error("write-would-change-more: writing enrollment group `{group}` would also change {}", .members.join(", "))]
    WouldChangeMore {
        /// Id of the group.
        group: String,
        /// What would change besides the policy.
        members: Vec<String>,
    },
    /// Reason `symmetric-keys-unreadable`: the group's devices have symmetric keys, and the caller may not read them. A write
    /// without them would make the service generate new ones; nothing was written.
    #[error(
        "symmetric-keys-unreadable: the symmetric keys of enrollment group `{group}` may not be read, so it was not written: {error}"
    )]
    KeysUnreadable {
        /// Id of the group.
        group: String,
        /// The refusal of the service.
        error: Error,
    },
    /// The write was accepted, but the group names another policy afterwards.
    #[error("enrollment group `{group}` was written, but names {} afterwards", .found.as_deref().unwrap_or("no policy"))]
    NotVerified {
        /// Id of the group.
        group: String,
        /// The policy that it names.
        found: Option<String>,
    },
    /// The first of two writes took the reference to a certificate policy away, and the second one was not done.
    #[error(
        "the certificate policy of enrollment group `{group}` was taken away, and the next write was not done: {error}"
    )]
    Halfway {
        /// Id of the group.
        group: String,
        /// Why the second write was not done.
        error: Box<AssignError>,
    },
    /// A call failed. [`Error::may_have_taken_effect`] tells whether the write may have happened.
    #[error(transparent)]
    Service(#[from] Error),
}

impl AssignError {
    /// Whether it is certain that nothing was written: the write was never sent, or the service refused it. A service that says that
    /// another was faster (412) may have done it: an earlier attempt, whose answer was lost on the way.
    #[must_use]
    pub fn wrote_nothing(&self) -> bool {
        match self {
            Self::WouldChangeMore { .. } | Self::KeysUnreadable { .. } => true,
            Self::Moved(_) | Self::NotVerified { .. } | Self::Halfway { .. } => false,
            Self::Service(error) => {
                error.kind() != ErrorKind::PreconditionFailed && !error.may_have_taken_effect()
            }
        }
    }
}

impl EnrollmentGroups {
    /// Makes `group`, as `list` or `get` gave it, name `policy`, and changes nothing else. It does not write a group
    /// that names it already.
    ///
    /// # Errors See [`AssignError`]. When the answer of the write is lost, it reads the group before it reports a
    /// failure.
    pub async fn assign(&self, endpoint: &str, group: &Group, policy: &str) -> Result<Assigned, AssignError> {
        self.set_policy(endpoint, group, Some(policy)).await
    }

    /// Makes `group` name `policy`, or no policy at all, and changes nothing else. It does not write a group that is
    /// like that already.
    ///
    /// # Errors
    /// As [`EnrollmentGroups::assign`].
    pub async fn set_policy(
        &self,
        endpoint: &str,
        group: &Group,
        policy: Option<&str>,
    ) -> Result<Assigned, AssignError> {
        let before = group.view.policy.clone();
        let target = policy.map(Reference::parse);
        if target == Some(Reference::Unclear) {
            return Err(
                Error::invalid("assigning a policy", "the text is no whole reference to a policy").into()
            );
        }
        let mut current = group.clone();
        // One write, or two where a reference of the second generation gives way to one of the first: a version never sees
        // the other's members, so it could not take them away.
        for number in 0..2 {
            if current.view.policy.as_deref() == policy {
                break;
            }
            let names_certificate = matches!(
                current.view.policy.as_deref().map(Reference::parse),
                Some(Reference::Certificate { .. })
            );
            let wants_certificate = matches!(target, Some(Reference::Certificate { .. }));
            let is_newer = wants_certificate || names_certificate;
            let is_last = wants_certificate || !names_certificate;
            let generation = match is_newer {
                true => Generation::CertificateAuthorities,
                false if current.text(Generation::Credentials).is_some() => Generation::Credentials,
                false => current.read_as,
            };
            let policy = policy.filter(|_| is_last);
            let written = self.write(endpoint, &current, policy, generation, is_last).await;
            current = written.map_err(|error| match number {
                0 => error,
                _ => AssignError::Halfway { group: group.view.id.clone(), error: Box::new(error) },
            })?;
        }
        if current.view.policy.as_deref() != policy {
            let found = current.view.policy;
            return Err(AssignError::NotVerified { group: group.view.id.clone(), found });
        }
        Ok(Assigned { before, after: current.view.policy, etag: current.view.etag })
    }

    /// Asks whether a write of `group` could keep its keys, so that the app does not even record a write that could
    /// not. One call for a group with symmetric keys, none for any other.
    ///
    /// # Errors
    /// [`AssignError::KeysUnreadable`] where the caller may not read them, [`AssignError::Service`] for any other failure.
    pub async fn check_keys(&self, endpoint: &str, group: &Group) -> Result<(), AssignError> {
        if group.view.attestation != Attestation::SymmetricKey {
            return Ok(());
        }
        self.keys(endpoint, &group.view.id, group.read_as).await.map(|_| ())
    }

    /// The attestation of a group with its keys.
    async fn keys(
        &self,
        endpoint: &str,
        id: &str,
        generation: Generation,
    ) -> Result<Box<RawValue>, AssignError> {
        self.attestation(endpoint, id, generation).await.map_err(|error| match error.kind() {
            // The same token could read the group itself, so only the right to its keys is missing.
            ErrorKind::Forbidden | ErrorKind::Unauthorized => {
                AssignError::KeysUnreadable { group: id.to_owned(), error }
            }
            _ => error.into(),
        })
    }

    /// One PUT with its proofs, and what is there afterwards. `is_last`: it is read back to name `policy`.
    async fn write(
        &self,
        endpoint: &str,
        group: &Group,
        policy: Option<&str>,
        generation: Generation,
        is_last: bool,
    ) -> Result<Group, AssignError> {
        let id = group.view.id.as_str();
        let would_change_more =
            |members: Vec<String>| AssignError::WouldChangeMore { group: id.to_owned(), members };
        let Some(raw) = group.text(generation) else {
            let problem = format!("it was not read by the version of generation `{generation}`");
            return Err(Error::invalid(format!("assigning a policy to `{id}`"), problem).into());
        };
        if raw.etag().as_deref().is_none_or(str::is_empty) {
            return Err(would_change_more(vec![
                "a version that was not read: the group has no etag".to_owned(),
            ]));
        }
        // The older version was read after the newer one: a decision from the newer reading may not hold for it.
        if group.older.is_some() && raw.etag() != group.view.etag {
            return Err(AssignError::Moved(id.to_owned()));
        }
        let edited = match policy {
            Some(policy) => raw.with_policy(policy),
            None => Some(raw.without_policy()),
        };
        let Some(mut edited) = edited else {
            return Err(
                Error::invalid("assigning a policy", "the text is no whole reference to a policy").into()
            );
        };
        let mut keys = Vec::new();
        if group.view.attestation == Attestation::SymmetricKey {
            let mechanism = self.keys(endpoint, id, generation).await?;
            edited = edited.with_attestation(mechanism);
            keys = texts_of_keys(&edited.attestation_value());
        }
        let excess = excess(raw, &edited, group.view.attestation);
        if !excess.is_empty() {
            return Err(would_change_more(excess));
        }
        let doubt = match self.put(endpoint, id, &edited, generation).await {
            Ok(_) => None,
            // First: an attempt whose answer was lost may be what the next attempt takes for another's write.
            Err(error) if error.may_have_taken_effect() => Some(error.without(&keys)),
            Err(error) if error.kind() == ErrorKind::PreconditionFailed => {
                return Err(AssignError::Moved(id.to_owned()));
            }
            Err(error) => return Err(error.without(&keys).into()),
        };
        let is_written = |found: &Group| {
            let found = found.view.policy.as_deref();
            if is_last {
                found == policy
            } else {
                !matches!(found.map(Reference::parse), Some(Reference::Certificate { .. }))
            }
        };
        match (self.get(endpoint, id).await, doubt) {
            // The reading counts; a lost answer would have said the same.
            (Ok(Some(found)), _) if is_written(&found) => Ok(found),
            (Ok(found), None) => Err(AssignError::NotVerified {
                group: id.to_owned(),
                found: found.and_then(|found| found.view.policy),
            }),
            (_, Some(error)) => Err(error.into()),
            (Err(error), None) => Err(error.with_sent(Sent::Maybe).into()),
        }
    }
}

/// What an edit changes besides the policy. Keys that were hidden may be put back; nothing else of an attestation may move.
fn excess(before: &RawGroup, after: &RawGroup, attestation: Attestation) -> Vec<String> {
    let mut excess = Vec::new();
    for difference in before.differences(after) {
        match difference {
            Difference::Policy => {}
            Difference::Attestation
                if attestation == Attestation::SymmetricKey
                    && only_puts_keys_back(&before.attestation_value(), &after.attestation_value()) => {}
            Difference::Attestation => excess.push("attestation".to_owned()),
            Difference::Order => excess.push("the order of its members".to_owned()),
            Difference::Member(name) => excess.push(name),
        }
    }
    excess
}

/// Whether `after` is `before` with both keys filled in. Empty and `null` parts are how a service writes "none".
fn only_puts_keys_back(before: &Value, after: &Value) -> bool {
    let complete = KEYS.iter().all(|key| text(after, &["symmetricKey", key]).is_some());
    let kept = KEYS.iter().all(|key| {
        let shown = text(before, &["symmetricKey", key]);
        shown.is_none() || shown == text(after, &["symmetricKey", key])
    });
    complete && kept && without_keys(before) == without_keys(after)
}

fn without_keys(attestation: &Value) -> Value {
    let mut attestation = attestation.clone();
    if let Some(keys) = attestation.get_mut("symmetricKey").and_then(Value::as_object_mut) {
        keys.retain(|name, _| !KEYS.contains(&name.as_str()));
    }
    without_nothing(attestation).unwrap_or_default()
}

/// The value without members that are `null` or an empty object.
fn without_nothing(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(members) => {
            let kept: serde_json::Map<_, _> = members
                .into_iter()
                .filter_map(|(name, value)| Some((name, without_nothing(value)?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod certainty;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod read_back;
#[cfg(test)]
mod tests;
