//! For any group, a write changes its policy and nothing else, and its keys survive.

use certificate_management::generation::NamespaceGeneration;
use std::cell::Cell;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;

use super::*;
use crate::fake::{Fake, Reply};
use crate::provisioning::raw_group::arbitrary::{any_group, object};

const X509: &str =
    r#"{ "type":"x509", "x509":{"caReferences":{"primary":"ca","secondary":null}}, "later":1.00 }"#;
const HIDDEN: &str = r#"{"type" : "symmetricKey","tpm":null,"symmetricKey":{ }}"#;
/// Enough to meet every kind of member; the edit itself is tried far more often beside `raw_group`.
const CASES: u32 = 96;

/// A DPS with one group, which it keeps as the text of the last PUT. It hides the keys in a read of the group.
#[derive(Default)]
struct Stored {
    group: String,
    keys: Value,
    puts: Vec<String>,
}

/// A group of the first generation as it is read, and the keys that it hides.
fn any_stored() -> impl Strategy<Value = (Vec<(String, String)>, Option<Value>)> {
    let key = "[A-Za-z0-9+/]{22,86}==";
    let keys = proptest::option::of((key, key).prop_map(|(primary, secondary)| {
        json!({"type": "symmetricKey", "symmetricKey": {"primaryKey": primary, "secondaryKey": secondary}})
    }));
    (any_group(), keys, any::<prop::sample::Index>()).prop_map(|(mut members, keys, place)| {
        let own = ["enrollmentgroupid", "etag", "attestation"];
        let newer = ["namespacename", "certificateauthorityname", "certificatepolicyname"];
        members.retain(|(name, _)| {
            let name = name.to_ascii_lowercase();
            !own.contains(&name.as_str()) && !newer.contains(&name.as_str())
        });
        let attestation = if keys.is_some() { HIDDEN } else { X509 };
        for (name, value) in
            [("enrollmentGroupId", r#""g""#), ("etag", r#""\"v1\"""#), ("attestation", attestation)]
        {
            let place = place.index(members.len() + 1);
            members.insert(place, (name.to_owned(), value.to_owned()));
        }
        (members, keys)
    })
}

/// Tries a write, and checks that a group it wrote is right and that a group it refused was not written. Answers
/// whether it wrote.
async fn a_write(
    fake: &Fake,
    dps: &Mutex<Stored>,
    members: &[(String, String)],
    keys: Option<Value>,
    policy: &str,
) -> Result<bool, TestCaseError> {
    let text = object(members);
    let group = Group::of(RawGroup::parse(&text).unwrap()).unwrap();
    *dps.lock().unwrap() = Stored { group: text, keys: keys.clone().unwrap_or_default(), puts: Vec::new() };
    let azure = fake.azure();
    let assigned =
        azure.enrollment_groups(NamespaceGeneration::Credentials).assign(&fake.origin, &group, policy).await;
    let puts = std::mem::take(&mut dps.lock().unwrap().puts);
    if assigned.is_err() || group.view.policy.as_deref() == Some(policy) {
        prop_assert!(puts.is_empty(), "{assigned:?}");
        return Ok(false);
    }
    prop_assert_eq!(puts.len(), 1);
    let written = RawGroup::parse(&puts[0]).unwrap();
    let named = written.view().and_then(|view| view.policy);
    prop_assert_eq!(named.as_deref(), Some(policy));
    match keys {
        Some(keys) => prop_assert_eq!(written.attestation_value(), keys),
        None => prop_assert!(puts[0].contains(X509)),
    }
    let moved = group.raw.differences(&written);
    let expected = |difference: &Difference| match difference {
        Difference::Policy => true,
        Difference::Attestation => group.view.attestation == Attestation::SymmetricKey,
        Difference::Order | Difference::Member(_) => false,
    };
    prop_assert!(moved.iter().all(expected), "{moved:?}");
    // Checks without our own comparison: each member's text stands in the PUT as it stood in the reading.
    for (name, value) in members {
        if name != "attestation" && !crate::provisioning::reference::is_reference(name) {
            let member = format!("{}:{value}", Value::from(name.as_str()));
            prop_assert!(puts[0].contains(&member), "{member} is not in {}", puts[0]);
        }
    }
    Ok(true)
}

#[test]
fn a_write_changes_the_policy_and_nothing_else_and_keys_survive() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dps = Arc::new(Mutex::new(Stored::default()));
    let shared = Arc::clone(&dps);
    let fake = runtime.block_on(Fake::start(move |seen, _| {
        let mut stored = shared.lock().unwrap();
        match seen.method.as_str() {
            "PUT" if seen.header("if-match") != Some("\"v1\"") => Reply::status(412),
            "PUT" => {
                stored.group.clone_from(&seen.body);
                stored.puts.push(seen.body.clone());
                Reply::text(200, seen.body.clone())
            }
            "GET" => Reply::text(200, stored.group.clone()),
            _ => Reply::json(200, stored.keys.clone()),
        }
    }));
    let writes = Cell::new(0);
    let cases = (any_stored(), "[a-z][a-z0-9-]{2,20}");
    TestRunner::new(Config::with_cases(CASES))
        .run(&cases, |((members, keys), policy)| {
            let written = runtime.block_on(a_write(&fake, &dps, &members, keys, &policy))?;
            writes.set(writes.get() + u32::from(written));
            Ok(())
        })
        .unwrap();
    // A property that refuses to write anything would hold too.
    assert!(writes.get() > CASES / 2, "{} of {CASES} wrote", writes.get());
}
