//! A group's JSON through the write guard. The first part of an input is the policy that the group is to name, or nothing for
//! none; the second is the group as the service writes it; the third, where there is one, is the attestation with the keys that
//! a read of the group hides.

use std::sync::{Arc, Mutex, PoisonError};

use azure::http::transport::Outgoing;
use certificate_management::generation::NamespaceGeneration;
use http::StatusCode;
use indexmap::IndexMap;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cloud::{Answer, HOST, Service, clients, wait};
use crate::input::{parts, text};

/// The members that name a policy, of both generations (`azure-wire-facts.md` §3).
const REFERENCES: [&str; 4] =
    ["credentialPolicyName", "namespaceName", "certificateAuthorityName", "certificatePolicyName"];
const ATTESTATION: &str = "attestation";
const KEYS: [&str; 2] = ["primaryKey", "secondaryKey"];

/// Whatever a group looks like: a PUT is sent only for the version that was read, and what it holds differs from what was read
/// in the members that name the policy alone, text by text and in the same order; keys that a read hides are put back as the
/// service has them; and an assignment that ends well is one after which the group names the policy.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Adds a member to what is sent.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let parts = parts(input);
    let [policy, group, rest @ ..] = parts.as_slice() else { return };
    let policy = text(policy);
    let policy = Some(policy.as_ref()).filter(|policy| !policy.is_empty());
    let dps = Dps::default();
    *dps.lock() = Stored {
        group: text(group).into_owned(),
        keys: rest.first().map(|keys| text(keys).into_owned()),
        ..Stored::default()
    };
    for generation in [NamespaceGeneration::Credentials, NamespaceGeneration::Migrating] {
        dps.lock().group = text(group).into_owned();
        dps.lock().puts.clear();
        let (azure, _) = clients(dps.clone());
        let groups = azure.enrollment_groups(generation);
        let assigned = wait(async {
            let Ok(Some(read)) = groups.get(HOST, "line-7").await else { return None };
            Some(groups.set_policy(HOST, &read, policy).await)
        });
        let Some(assigned) = assigned else { continue };
        let stored = dps.lock().clone();
        for put in &stored.puts {
            let sent = if is_broken { put.sent.replacen('{', "{\"added\":1,", 1) } else { put.sent.clone() };
            differs_in_the_policy_alone(&put.before, &sent, stored.keys.as_deref());
            assert_eq!(put.if_match, etag(&put.before), "a write that would hold for another version");
        }
        if let Ok(assigned) = assigned {
            assert_eq!(assigned.after.as_deref(), policy, "the group names another policy");
        }
    }
}

/// A DPS with one group, which it keeps as the text of the last PUT.
#[derive(Clone, Default)]
struct Dps(Arc<Mutex<Stored>>);

#[derive(Clone, Default)]
struct Stored {
    group: String,
    /// The attestation with its keys; `None`: the caller may not read it.
    keys: Option<String>,
    puts: Vec<Put>,
}

#[derive(Clone)]
struct Put {
    before: String,
    sent: String,
    if_match: Option<String>,
}

impl Dps {
    fn lock(&self) -> std::sync::MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Dps {
    fn answer(&self, call: &Outgoing) -> Answer {
        let mut locked = self.lock();
        let stored = &mut *locked;
        match (call.method.as_str(), &stored.keys) {
            ("PUT", _) => {
                let sent = text(&call.body).into_owned();
                let if_match = call.headers.get("if-match").map(|value| text(value.as_bytes()).into_owned());
                let before = std::mem::replace(&mut stored.group, sent.clone());
                stored.puts.push(Put { before, sent, if_match });
                Answer::ok(stored.group.as_bytes())
            }
            ("POST", Some(keys)) => Answer::ok(keys.as_bytes()),
            ("POST", None) => Answer::status(StatusCode::FORBIDDEN),
            _ => Answer::ok(stored.group.as_bytes()),
        }
    }
}

/// The members of an object as they are written, in their order.
fn members(text: &str) -> IndexMap<String, Box<RawValue>> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("what is sent is no object: {error}: {text}"))
}

fn is_reference(name: &str) -> bool {
    REFERENCES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The version that a group is of, in whatever spelling the member is.
fn etag(group: &str) -> Option<String> {
    let members = members(group);
    let exact = members.get("etag");
    let found = exact.or_else(|| Some(members.iter().find(|(name, _)| name.eq_ignore_ascii_case("etag"))?.1));
    serde_json::from_str(found?.get()).ok()
}

fn differs_in_the_policy_alone(before: &str, sent: &str, keys: Option<&str>) {
    let kept = |group: &str| -> Vec<(String, String)> {
        let others = members(group).into_iter().filter(|(name, _)| !is_reference(name));
        others.map(|(name, value)| (name, value.get().to_owned())).collect()
    };
    let (mut before, mut sent) = (kept(before), kept(sent));
    let place = |group: &[(String, String)]| {
        let exact = group.iter().position(|(name, _)| name == ATTESTATION);
        exact.or_else(|| group.iter().position(|(name, _)| name.eq_ignore_ascii_case(ATTESTATION)))
    };
    if let (Some(one), Some(other)) = (place(&before), place(&sent)) {
        let (own, theirs) = (&before[one].1, &sent[other].1);
        if own != theirs {
            puts_keys_back(own, theirs, keys);
        }
        (before[one].1, sent[other].1) = (String::new(), String::new());
    }
    assert_eq!(before, sent, "a write changes more than the policy");
}

fn puts_keys_back(before: &str, sent: &str, keys: Option<&str>) {
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (before, sent) = (value(before), value(sent));
    assert_eq!(keys.map(value), Some(sent.clone()), "an attestation that the service does not have");
    assert_eq!(
        without_keys(before.clone()),
        without_keys(sent.clone()),
        "more of an attestation moves than its keys"
    );
    for key in KEYS {
        let of =
            |attestation: &Value| attestation["symmetricKey"][key].as_str().map(str::trim).map(str::to_owned);
        assert!(
            of(&sent).is_some_and(|key| !key.is_empty()),
            "a write without {key} makes the service draw another"
        );
        let shown = of(&before).filter(|key| !key.is_empty());
        assert!(shown.is_none() || shown == of(&sent), "a write changes {key}");
    }
}

/// An attestation without its keys, and without what stands for nothing: `null` and empty objects.
fn without_keys(attestation: Value) -> Value {
    fn cleaned(value: Value, is_inner: bool) -> Option<Value> {
        match value {
            Value::Null => None,
            Value::Object(members) => {
                let members =
                    members.into_iter().filter(|(name, _)| !is_inner || !KEYS.contains(&name.as_str()));
                let kept = members.filter_map(|(name, value)| {
                    let is_inner = name == "symmetricKey";
                    Some((name, cleaned(value, is_inner)?))
                });
                let kept: serde_json::Map<_, _> = kept.collect();
                (!kept.is_empty()).then_some(Value::Object(kept))
            }
            other => Some(other),
        }
    }
    cleaned(attestation, false).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str =
        r#"{"enrollmentGroupId":"g","etag":"\"1\"","other":1.0,"attestation":{"type":"x509"}}"#;

    #[test]
    fn a_write_may_change_the_policy_and_nothing_beside_it() {
        differs_in_the_policy_alone(
            GROUP,
            &GROUP.replace("\"other\"", "\"credentialPolicyName\":\"p\",\"other\""),
            None,
        );
        for wrong in [
            GROUP.replace("1.0", "1"),
            GROUP.replace("\"other\":1.0,", ""),
            GROUP.replace("x509", "tpm"),
            GROUP.replace("\"etag\":\"\\\"1\\\"\",\"other\":1.0", "\"other\":1.0,\"etag\":\"\\\"1\\\"\""),
        ] {
            let judged = std::panic::catch_unwind(|| differs_in_the_policy_alone(GROUP, &wrong, None));
            assert!(judged.is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_put_back_as_the_service_has_them() {
        let hidden = r#"{"type":"symmetricKey","symmetricKey":{},"tpm":null}"#;
        let keys = r#"{"type":"symmetricKey","symmetricKey":{"primaryKey":"a","secondaryKey":"b"}}"#;
        puts_keys_back(hidden, keys, Some(keys));
        let other = keys.replace("\"b\"", "\"c\"");
        for (sent, has) in [(other.as_str(), Some(keys)), (hidden, Some(hidden)), (keys, None)] {
            let judged = std::panic::catch_unwind(|| puts_keys_back(hidden, sent, has));
            assert!(judged.is_err(), "{sent}");
        }
        let judged = std::panic::catch_unwind(|| puts_keys_back(&other, keys, Some(keys)));
        assert!(judged.is_err(), "a key was changed");
    }
}
