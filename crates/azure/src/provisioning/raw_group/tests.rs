use proptest::prelude::*;
use serde_json::json;

use super::arbitrary::{any_group, any_json, any_reference, object};
use super::*;

/// A group as generation A writes it, with every member that the service knows.
const COMPLETE: &str = r#"{
  "enrollmentGroupId": "line-7",
  "attestation": {"type": "x509", "x509": {"clientCertificates": null,
    "signingCertificates": {"primary": {"certificate": "", "info": {"subjectName": "CN=contoso", "version": 3,
      "sha1Thumbprint": "0A1B", "sha256Thumbprint": "2C3D", "issuerName": "CN=contoso", "serialNumber": "01",
      "notBeforeUtc": "2026-01-01T00:00:00.333Z", "notAfterUtc": "2036-01-01T00:00:00Z"}}, "secondary": null},
    "caReferences": null}},
  "capabilities": {"iotEdge": false},
  "iotHubHostName": null,
  "credentialPolicyName": "default",
  "initialTwin": {"tags": {"site": "a", "line": 7}, "properties": {"desired": {"rate": 1.50}}},
  "etag": "\"4600c1f1-0000-0300-0000-6901b1d10000\"",
  "provisioningStatus": "enabled",
  "reprovisionPolicy": {"updateHubAssignment": true, "migrateDeviceData": true},
  "createdDateTimeUtc": "2026-10-01T17:51:10.279Z",
  "lastUpdatedDateTimeUtc": "2026-10-01T17:51:10.279Z",
  "allocationPolicy": "hashed",
  "iotHubs": ["one.azure-devices.net", "two.azure-devices.net"],
  "customAllocationDefinition": {"webhookUrl": "https://contoso.com/allocate", "apiVersion": "2021-10-01"}
}"#;

fn view(json: Value) -> EnrollmentGroup {
    RawGroup::parse(&json.to_string()).unwrap().view().unwrap()
}

#[test]
fn a_group_is_read() {
    let group = RawGroup::parse(COMPLETE).unwrap();
    let view = group.view().unwrap();
    assert_eq!((view.id.as_str(), view.policy.as_deref()), ("line-7", Some("default")));
    assert_eq!(view.etag.as_deref(), Some("\"4600c1f1-0000-0300-0000-6901b1d10000\""));
    assert_eq!(group.etag(), view.etag);
    assert_eq!(view.attestation, Attestation::X509SigningCertificate);
    assert_eq!(view.hubs, ["one.azure-devices.net", "two.azure-devices.net"]);
    assert!(view.enabled);
    assert_eq!(view.created_at, Some(time::macros::datetime!(2026-10-01 17:51:10.279 UTC)));
    assert_eq!(Value::Object(view.tags), json!({"site": "a", "line": 7}));
}

/// The reference of one generation replaces that of the other as a whole, in its own place where the group has the
/// member.
#[test]
fn a_reference_is_moved_from_one_generation_to_the_other_and_back() {
    let of = |text: &str| RawGroup::parse(text).unwrap();
    let three =
        r#""namespaceName":"contoso","certificateAuthorityName":"ica","certificatePolicyName":"short""#;
    let old = of(r#"{"enrollmentGroupId":"g","CredentialPolicyName":"short","later":1.00}"#);
    let new = old.with_policy("contoso/ica/short").unwrap();
    assert_eq!(new.to_json(), format!(r#"{{"enrollmentGroupId":"g","later":1.00,{three}}}"#));
    assert_eq!(new.view().unwrap().policy.as_deref(), Some("contoso/ica/short"));
    assert_eq!(old.differences(&new), [Difference::Policy]);
    let other = new.with_policy("contoso/other/short").unwrap();
    assert_eq!(other.to_json(), new.to_json().replace("\"ica\"", "\"other\""));
    let back = new.with_policy("short").unwrap();
    assert_eq!(back.to_json(), r#"{"enrollmentGroupId":"g","later":1.00,"credentialPolicyName":"short"}"#);
    assert_eq!(new.without_policy().to_json(), r#"{"enrollmentGroupId":"g","later":1.00}"#);
}

/// The client never writes a part of a reference: the service refuses it, and it names nothing.
#[test]
fn what_is_no_whole_reference_is_not_written() {
    let group = RawGroup::parse(r#"{"enrollmentGroupId":"g"}"#).unwrap();
    for text in ["", "ica/short", "contoso//short", "a b", "short and contoso/ica/short"] {
        assert!(group.with_policy(text).is_none(), "{text}");
    }
}

#[test]
fn each_attestation_is_told_apart() {
    for (attestation, expected) in [
        (
            json!({"type": "x509", "x509": {"caReferences": {"primary": "ca", "secondary": null}}}),
            Attestation::X509CaReference,
        ),
        (
            json!({"type": "X509", "x509": {"signingCertificates": {"primary": {}}}}),
            Attestation::X509SigningCertificate,
        ),
        (json!({"type": "x509", "x509": {"clientCertificates": {}}}), Attestation::Other),
        (json!({"type": "symmetricKey"}), Attestation::SymmetricKey),
        (json!({"type": "tpm", "tpm": {"endorsementKey": "e"}}), Attestation::Tpm),
        (json!({"type": "none"}), Attestation::Other),
        (json!(null), Attestation::Other),
    ] {
        let read = view(json!({"enrollmentGroupId": "g", "attestation": attestation}));
        assert_eq!(read.attestation, expected, "{attestation}");
    }
}

#[test]
fn a_group_with_an_id_alone_has_defaults_and_one_without_is_no_group() {
    let read = view(
        json!({"enrollmentGroupId": "g", "iotHubs": null, "initialTwin": null, "credentialPolicyName": null}),
    );
    assert_eq!((read.policy, read.etag, read.enabled, read.hubs.len()), (None, None, true, 0));
    let read =
        view(json!({"enrollmentGroupId": "g", "iotHubHostName": "one", "provisioningStatus": "disabled"}));
    assert_eq!((read.hubs, read.enabled), (vec!["one".to_owned()], false));
    for text in ["{}", r#"{"enrollmentGroupId":""}"#, r#"{"enrollmentGroupId":7}"#] {
        assert!(RawGroup::parse(text).unwrap().view().is_none());
    }
}

#[test]
fn what_is_no_object_and_what_names_a_member_twice_is_refused() {
    for text in ["", "[]", "null", r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#, r#"{"a":1"#] {
        assert!(RawGroup::parse(text).is_err(), "{text}");
    }
    let error = RawGroup::parse("[]").unwrap_err().to_string();
    assert!(error.contains("an enrollment group"), "{error}");
}

#[test]
fn a_policy_takes_the_place_and_the_spelling_of_the_one_before() {
    for (text, expected) in [
        (
            r#"{"a":1.0,"credentialPolicyName":null,"b":[ 1 ]}"#,
            r#"{"a":1.0,"credentialPolicyName":"p","b":[ 1 ]}"#,
        ),
        (r#"{"CredentialPolicyName":"old"}"#, r#"{"CredentialPolicyName":"p"}"#),
        (r#"{"a":1e5}"#, r#"{"a":1e5,"credentialPolicyName":"p"}"#),
        ("{}", r#"{"credentialPolicyName":"p"}"#),
    ] {
        assert_eq!(RawGroup::parse(text).unwrap().with_policy("p").unwrap().to_json(), expected);
    }
}

#[test]
fn debug_shows_names_only() {
    let group = RawGroup::parse(r#"{"attestation":{"symmetricKey":{"primaryKey":"a2V5"}}}"#).unwrap();
    assert_eq!(format!("{group:?}"), r#"["attestation"]"#);
}

#[test]
fn differences_name_what_moved() {
    let before = RawGroup::parse(r#"{"a":1,"attestation":{},"b":2}"#).unwrap();
    for (after, expected) in [
        (r#"{"a":1,"attestation":{},"b":2}"#, vec![]),
        (r#"{"a":1,"attestation":{},"b":2,"credentialPolicyName":"p"}"#, vec![Difference::Policy]),
        (r#"{"a":1,"attestation":{ },"b":2}"#, vec![Difference::Attestation]),
        (r#"{"a":1.0,"attestation":{},"b":2}"#, vec![Difference::Member("a".to_owned())]),
        (r#"{"a":1,"attestation":{},"b":2,"c":3}"#, vec![Difference::Member("c".to_owned())]),
        (r#"{"a":1,"b":2}"#, vec![Difference::Order]),
        (r#"{"a":1,"attestation":{}}"#, vec![Difference::Order]),
        (r#"{"b":2,"attestation":{},"a":1}"#, vec![Difference::Order]),
    ] {
        assert_eq!(before.differences(&RawGroup::parse(after).unwrap()), expected, "{after}");
    }
}

#[test]
fn a_removed_policy_is_the_only_member_that_may_be_missing() {
    let before = RawGroup::parse(r#"{"a":1,"CredentialPolicyName":"p","b":2}"#).unwrap();
    for (after, expected) in [
        (r#"{"a":1,"b":2}"#, vec![Difference::Policy]),
        (r#"{"a":1,"b":3}"#, vec![Difference::Member("b".to_owned()), Difference::Policy]),
        (r#"{"b":2,"a":1}"#, vec![Difference::Order]),
        (r#"{"a":1}"#, vec![Difference::Order]),
    ] {
        assert_eq!(before.differences(&RawGroup::parse(after).unwrap()), expected, "{after}");
    }
    assert_eq!(before.without_policy().to_json(), r#"{"a":1,"b":2}"#);
    let none = RawGroup::parse(r#"{"a":1}"#).unwrap();
    assert_eq!(none.differences(&none.without_policy()), vec![]);
}

proptest! {
    #[test]
    fn an_edit_changes_the_reference_and_nothing_else(members in any_group(), policy in any_reference()) {
        let before = RawGroup::parse(&object(&members)).unwrap();
        let edited = before.with_policy(&policy).unwrap();

        let others = |group: &RawGroup| -> Vec<(String, String)> {
            let own = |(name, _): &&(String, Box<RawValue>)| !reference::is_reference(name);
            group.members.iter().filter(own).map(|(name, value)| (name.clone(), value.get().to_owned())).collect()
        };
        let untouched: Vec<_> =
            members.iter().filter(|(name, _)| !reference::is_reference(name)).cloned().collect();
        prop_assert_eq!(&others(&edited), &untouched);

        // The members of one generation are there, all of them, and none of the other.
        let own = if policy.contains('/') { &CERTIFICATE_POLICY[..] } else { &[CREDENTIAL_POLICY][..] };
        prop_assert_eq!(edited.members.len(), untouched.len() + own.len());
        let read: Value = serde_json::from_str(&edited.to_json()).unwrap();
        let names: Vec<String> = own.iter().filter_map(|member| owned(&read, &[member])).collect();
        prop_assert_eq!(names.join("/"), policy.clone());
        prop_assert_eq!(reference::read(&read), Some(policy.clone()));

        let differences = before.differences(&edited);
        prop_assert!(differences.iter().all(|difference| *difference == Difference::Policy));

        let removed = before.without_policy();
        prop_assert_eq!(&others(&removed), &untouched);
        prop_assert_eq!(removed.members.len(), untouched.len());
        prop_assert_eq!(reference::read(&serde_json::from_str(&removed.to_json()).unwrap()), None);
        let had_reference = members.len() > untouched.len();
        prop_assert_eq!(before.differences(&removed), vec![Difference::Policy; usize::from(had_reference)]);
        // The way there and back is the group as it was, but for the place of a policy that was there before.
        prop_assert_eq!(others(&edited.without_policy()), others(&before));
        let sent = RawGroup::parse(&edited.to_json()).unwrap();
        prop_assert_eq!(edited.differences(&sent), vec![]);
    }

    /// `differences` sees every other change of an edit.
    #[test]
    fn a_change_of_anything_else_is_a_difference(
        members in any_group(), policy in any_reference(), value in any_json(), place in any::<proptest::sample::Index>()
    ) {
        let text: Vec<_> =
            members.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
        let before = RawGroup::parse(&format!("{{{}}}", text.join(","))).unwrap();
        let mut edited = before.with_policy(&policy).unwrap();
        let others: Vec<usize> = (0..edited.members.len())
            .filter(|index| !reference::is_reference(&edited.members[*index].0))
            .collect();
        prop_assume!(!others.is_empty());
        let index = others[place.index(others.len())];
        prop_assume!(edited.members[index].1.get() != value);
        edited.members[index].1 = RawValue::from_string(value).unwrap();
        prop_assert!(before.differences(&edited).iter().any(|difference| *difference != Difference::Policy));
        let mut shorter = before.with_policy(&policy).unwrap();
        shorter.members.remove(index);
        prop_assert!(before.differences(&shorter).iter().any(|difference| *difference != Difference::Policy));
    }
}
