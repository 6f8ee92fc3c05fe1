use std::sync::{Arc, Mutex};

use certificate_management::generation::NamespaceGeneration;
use serde_json::json;

use super::*;
use crate::fake::{Fake, Reply, Seen};
use crate::provisioning::reference::{is_certificate, is_credential};

const ID: &str = "line-7";
pub(super) const X509: &str = r#"{"enrollmentGroupId":"line-7","attestation":{"type":"x509","x509":{"caReferences":{"primary":"ca"}}},"etag":"\"v1\"","later":{"n":1.00},"credentialPolicyName":"old"}"#;
const SYMMETRIC: &str = r#"{"enrollmentGroupId":"line-7","attestation":{"type":"symmetricKey","tpm":null,"symmetricKey":{}},"etag":"\"v1\"","later":{"n":1.00}}"#;
const PRIMARY: &str = "cHJpbWFyeS1rZXk=";
const SECONDARY: &str = "c2Vjb25kYXJ5LWtleQ==";

pub(super) fn group(text: &str) -> Group {
    Group::of(RawGroup::parse(text).unwrap()).unwrap()
}

fn keys() -> Value {
    json!({"type": "symmetricKey", "symmetricKey": {"primaryKey": PRIMARY, "secondaryKey": SECONDARY}})
}

/// A DPS with one group: keeps what is PUT under a new version, and hides keys when the group is read.
pub(super) fn dps(mechanism: Value) -> impl Fn(&Seen, &str) -> Reply {
    let stored = Arc::new(Mutex::new(json!(null)));
    move |seen, _| match seen.method.as_str() {
        "PUT" => {
            let mut body: Value = serde_json::from_str(&seen.body).unwrap();
            body["etag"] = json!("\"v2\"");
            if let Some(attestation) = body["attestation"].as_object_mut() {
                attestation.remove("symmetricKey");
            }
            *stored.lock().unwrap() = body.clone();
            Reply::json(200, body)
        }
        "GET" => Reply::json(200, stored.lock().unwrap().clone()),
        _ => Reply::json(200, mechanism.clone()),
    }
}

pub(super) async fn assign(fake: &Fake, group: &Group, policy: &str) -> Result<Assigned, AssignError> {
    fake.azure().enrollment_groups(NamespaceGeneration::Credentials).assign(&fake.origin, group, policy).await
}

fn excess_of(result: Result<Assigned, AssignError>) -> Vec<String> {
    match result {
        Err(AssignError::WouldChangeMore { members, .. }) => members,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_policy_changes_and_every_other_byte_of_a_member_stays() {
    let fake = Fake::start(dps(json!(null))).await;
    let assigned = assign(&fake, &group(X509), "new").await.unwrap();
    assert_eq!(
        assigned,
        Assigned {
            before: Some("old".to_owned()),
            after: Some("new".to_owned()),
            etag: Some("\"v2\"".to_owned())
        }
    );
    assert_eq!(fake.calls(), ["PUT /enrollmentGroups/line-7", "GET /enrollmentGroups/line-7"]);
    let put = &fake.seen()[0];
    assert_eq!(put.header("if-match"), Some("\"v1\""));
    assert_eq!(put.body, X509.replace("\"old\"", "\"new\""));
}

#[tokio::test]
async fn a_policy_that_was_not_there_before_is_removed_and_nothing_else() {
    let fake = Fake::start(dps(keys())).await;
    let named = SYMMETRIC.replace(r#","later""#, r#","credentialPolicyName":"old","later""#);
    let assigned = fake
        .azure()
        .enrollment_groups(NamespaceGeneration::Credentials)
        .set_policy(&fake.origin, &group(&named), None)
        .await;
    let assigned = assigned.unwrap();
    assert_eq!((assigned.before.as_deref(), assigned.after), (Some("old"), None));
    let put = fake.seen()[1].body.clone();
    let expected =
        SYMMETRIC.replace(r#"{"type":"symmetricKey","tpm":null,"symmetricKey":{}}"#, &keys().to_string());
    assert_eq!(put, expected);
}

#[tokio::test]
async fn the_hidden_keys_of_a_group_are_written_back() {
    let fake = Fake::start(dps(keys())).await;
    let assigned = assign(&fake, &group(SYMMETRIC), "new").await.unwrap();
    assert_eq!(assigned.before, None);
    assert_eq!(
        fake.calls(),
        [
            "POST /enrollmentGroups/line-7/attestationmechanism",
            "PUT /enrollmentGroups/line-7",
            "GET /enrollmentGroups/line-7"
        ]
    );
    let put = fake.seen()[1].body.clone();
    let body: Value = serde_json::from_str(&put).unwrap();
    assert_eq!(body["attestation"], keys());
    assert_eq!(body["credentialPolicyName"], json!("new"));
    assert!(put.contains(r#""later":{"n":1.00}"#), "{put}");
}

#[tokio::test]
async fn a_group_whose_keys_may_not_be_read_is_not_written() {
    for status in [401, 403] {
        let refuses = move |seen: &Seen, _: &str| match seen.method.as_str() {
            "POST" => Reply::json(status, json!({"errorCode": i64::from(status) * 1_000, "message": "no"})),
            _ => Reply::status(500),
        };
        let fake = Fake::start(refuses).await;
        let refused = assign(&fake, &group(SYMMETRIC), "new").await;
        assert!(
            matches!(&refused, Err(AssignError::KeysUnreadable { group, .. }) if group == ID),
            "{refused:?}"
        );
        let asked = fake
            .azure()
            .enrollment_groups(NamespaceGeneration::Credentials)
            .check_keys(&fake.origin, &group(SYMMETRIC))
            .await;
        assert!(matches!(&asked, Err(AssignError::KeysUnreadable { .. })), "{asked:?}");
        assert_eq!(fake.calls(), ["POST /enrollmentGroups/line-7/attestationmechanism"; 2], "{status}");
        fake.azure()
            .enrollment_groups(NamespaceGeneration::Credentials)
            .check_keys(&fake.origin, &group(X509))
            .await
            .unwrap();
        assert_eq!(fake.seen().len(), 2, "a group without symmetric keys needs none");
    }
}

#[tokio::test]
async fn a_service_that_fails_is_no_refusal_of_keys() {
    let fake = Fake::start(|_, _| Reply::json(404, json!({"errorCode": 404_201}))).await;
    assert!(matches!(assign(&fake, &group(SYMMETRIC), "new").await, Err(AssignError::Service(_))));
}

#[tokio::test]
async fn a_group_that_names_the_policy_already_is_not_written() {
    let fake = Fake::start(|_, _| Reply::status(500)).await;
    let assigned = assign(&fake, &group(X509), "old").await.unwrap();
    assert_eq!((assigned.before.as_deref(), assigned.after.as_deref()), (Some("old"), Some("old")));
    assert_eq!(fake.seen().len(), 0);
}

#[tokio::test]
async fn a_group_that_was_changed_since_it_was_read_is_left_alone() {
    let fake = Fake::start(|_, _| Reply::json(412, json!({"errorCode": 412_001}))).await;
    assert!(matches!(assign(&fake, &group(X509), "new").await, Err(AssignError::Moved(id)) if id == ID));
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_write_that_would_change_more_is_not_done() {
    for mechanism in [
        json!({"type": "symmetricKey", "symmetricKey": {"primaryKey": PRIMARY}}),
        json!({"type": "symmetricKey", "symmetricKey": {"primaryKey": PRIMARY, "secondaryKey": ""}}),
        json!({"type": "symmetricKey"}),
        json!({"type": "tpm", "symmetricKey": {"primaryKey": PRIMARY, "secondaryKey": SECONDARY}}),
        json!({"type": "symmetricKey", "symmetricKey": {"primaryKey": PRIMARY, "secondaryKey": SECONDARY}, "x509": {"a": 1}}),
        json!(null),
    ] {
        let fake = Fake::start(dps(mechanism.clone())).await;
        assert_eq!(excess_of(assign(&fake, &group(SYMMETRIC), "new").await), ["attestation"], "{mechanism}");
        assert_eq!(fake.seen().len(), 1, "nothing was written");
    }
    let other_key = SYMMETRIC.replace(r#""symmetricKey":{}"#, r#""symmetricKey":{"primaryKey":"b3RoZXI="}"#);
    let fake = Fake::start(dps(keys())).await;
    assert_eq!(excess_of(assign(&fake, &group(&other_key), "new").await), ["attestation"]);
    let without_version = X509.replace(r#""etag":"\"v1\"","#, "");
    assert!(excess_of(assign(&fake, &group(&without_version), "new").await)[0].contains("etag"));
    assert_eq!(fake.seen().len(), 1);
}

#[test]
fn an_attestation_without_hidden_keys_may_not_move() {
    let before = RawGroup::parse(X509).unwrap();
    let moved = before
        .with_attestation(serde_json::value::to_raw_value(&keys()).unwrap())
        .with_policy("new")
        .unwrap();
    assert_eq!(excess(&before, &moved, Attestation::X509CaReference), ["attestation"]);
    let more = RawGroup::parse(&X509.replace("1.00", "1.0")).unwrap().with_policy("new").unwrap();
    assert_eq!(excess(&before, &more, Attestation::X509CaReference), ["later"]);
}

#[tokio::test]
async fn keys_that_the_service_repeats_in_an_error_are_removed() {
    let fake = Fake::start(|seen, _| match seen.method.as_str() {
        "PUT" => {
            Reply::json(400, json!({"errorCode": 400_000, "message": format!("cannot use {}", seen.body)}))
        }
        _ => Reply::json(200, keys()),
    })
    .await;
    let error = assign(&fake, &group(SYMMETRIC), "new").await.unwrap_err();
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(
            shown.contains("[redacted]") && !shown.contains(PRIMARY) && !shown.contains(SECONDARY),
            "{shown}"
        );
    }
}

const CERTIFICATE: &str = "contoso/lines/short";

/// A DPS as the specs have it: each version shows and takes the members of its own generation only. `keeps`: whether a
/// version keeps members that it does not know when it replaces a group.
pub(super) fn both_versions(stored: Value, keeps: bool) -> impl Fn(&Seen, &str) -> Reply {
    let stored = Arc::new(Mutex::new((stored, 1)));
    move |seen, _| {
        let (group, version) = &mut *stored.lock().unwrap();
        let is_newer = seen.query.contains("2026-11-01");
        let hidden = |name: &str| if is_newer { is_credential(name) } else { is_certificate(name) };
        if seen.method == "PUT" {
            assert_eq!(seen.header("if-match"), group["etag"].as_str());
            let mut body: Value = serde_json::from_str(&seen.body).unwrap();
            let members = body.as_object_mut().unwrap();
            members.retain(|name, _| !hidden(name));
            for (name, value) in group.as_object().unwrap().iter().filter(|(name, _)| keeps && hidden(name)) {
                members.insert(name.clone(), value.clone());
            }
            *version += 1;
            body["etag"] = json!(format!("\"v{version}\""));
            *group = body;
        }
        let mut shown = group.clone();
        shown.as_object_mut().unwrap().retain(|name, _| !hidden(name));
        match seen.path.ends_with("/query") {
            true => Reply::json(200, json!([shown])),
            false => Reply::json(200, shown),
        }
    }
}

pub(super) fn stored(policy: Value) -> Value {
    let mut group = json!({"enrollmentGroupId": ID, "etag": "\"v1\"", "later": {"n": 1.5}});
    group.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
    group
}

pub(super) fn three() -> Value {
    json!({"namespaceName": "contoso", "certificateAuthorityName": "lines", "certificatePolicyName": "short"})
}

#[tokio::test]
async fn a_group_is_migrated_and_taken_back_whatever_the_service_does_with_hidden_members() {
    for keeps in [true, false] {
        let fake = Fake::start(both_versions(stored(json!({"credentialPolicyName": "old"})), keeps)).await;
        let azure = fake.azure();
        let groups = azure.enrollment_groups(NamespaceGeneration::Migrating);
        let seen = groups.list(&fake.origin).await.unwrap().remove(0);
        assert_eq!(seen.view.policy.as_deref(), Some("old"));
        let moved = groups.assign(&fake.origin, &seen, CERTIFICATE).await.unwrap();
        assert_eq!((moved.before.as_deref(), moved.after.as_deref()), (Some("old"), Some(CERTIFICATE)));
        let puts: Vec<Seen> = fake.seen().into_iter().filter(|seen| seen.method == "PUT").collect();
        assert_eq!(puts.len(), 1);
        assert_eq!(puts[0].query, "api-version=2026-11-01");
        assert!(!puts[0].body.contains("credentialPolicyName"), "{}", puts[0].body);

        let seen = groups.get(&fake.origin, ID).await.unwrap().unwrap();
        let again = groups.assign(&fake.origin, &seen, CERTIFICATE).await.unwrap();
        assert_eq!(again.before, again.after);
        assert_eq!(fake.seen().iter().filter(|seen| seen.method == "PUT").count(), 1);

        let back = groups.set_policy(&fake.origin, &seen, Some("old")).await.unwrap();
        assert_eq!(back.after.as_deref(), Some("old"));
        let none = groups.get(&fake.origin, ID).await.unwrap().unwrap();
        let none = groups.set_policy(&fake.origin, &none, None).await.unwrap();
        assert_eq!(none.after, None);
    }
}

#[tokio::test]
async fn an_older_version_that_is_gone_is_asked_for_once() {
    let newer = both_versions(stored(three()), false);
    let fake = Fake::start(move |seen, origin| match seen.query.contains("2025-07-01-preview") {
        true => {
            Reply::json(400, json!({"errorCode": 400_000, "message": "The api-version is not supported."}))
        }
        false => newer(seen, origin),
    })
    .await;
    let azure = fake.azure();
    for _ in 0..3 {
        let groups = azure
            .enrollment_groups(NamespaceGeneration::CertificateAuthorities)
            .list(&fake.origin)
            .await
            .unwrap();
        assert_eq!(groups[0].view.policy.as_deref(), Some(CERTIFICATE));
    }
    assert_eq!(fake.seen().len(), 4);
}

#[tokio::test]
async fn a_group_that_was_read_by_the_older_version_alone_is_not_written_by_the_newer() {
    let fake = Fake::start(dps(json!(null))).await;
    match assign(&fake, &group(X509), CERTIFICATE).await {
        Err(AssignError::Service(error)) => assert_eq!(error.kind(), ErrorKind::Invalid),
        other => panic!("{other:?}"),
    }
    assert_eq!(fake.calls().len(), 0);
}
