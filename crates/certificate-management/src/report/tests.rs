//! The report of a small world, with one thing wrong at a time.

use time::macros::datetime;

use super::*;
use crate::configuration::Configuration;
use crate::model::{Attestation, Hub, HubCertificate, IssuingCa, Namespace};
use crate::plan::ObservedHub;

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);

fn configuration() -> NamespaceConfiguration {
    let text = format!(
        "[[namespace]]\nid = \"{NAMESPACE}\"\n[[namespace.rule]]\nname = \"none\"\nenrollment_groups = [\"test-*\"]\n\
         policy = \"none\"\n[[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\"]\npolicy = \"short\""
    );
    Configuration::parse(&text).unwrap().namespaces.remove(0)
}

fn observation(end: OffsetDateTime, on_hub: Option<OffsetDateTime>) -> Observation {
    let id = ArmId::parse(NAMESPACE).unwrap();
    let policy_id = id.child("credentials", "default").child("policies", "short");
    let certificate = |expiry| HubCertificate {
        name: "c".into(),
        issuer_id: Some(policy_id.clone()),
        subject: None,
        thumbprint: Some("AB".into()),
        expiry: Some(expiry),
        is_verified: Some(true),
    };
    Observation {
        policies: vec![Policy {
            id: policy_id.clone(),
            name: "short".into(),
            provisioning_state: ProvisioningState::Succeeded,
            issuing_ca: IssuingCa { not_after: Some(end), ..IssuingCa::default() },
            leaf_validity_days: Some(30),
            bring_your_own_root: None,
        }],
        hubs: vec![ObservedHub {
            hub: Hub {
                id: ArmId::parse("/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/h1")
                    .unwrap(),
                name: "h1".into(),
                host_name: "h1.azure-devices.net".into(),
                namespace_id: Some(id.clone()),
            },
            certificates: Ok(on_hub.into_iter().map(certificate).collect()),
        }],
        namespace: Namespace {
            id,
            location: "westeurope".into(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: Default::default(),
            links: Vec::new(),
        },
        seen_at: NOW,
    }
}

fn group(id: &str, policy: Option<&str>) -> EnrollmentGroup {
    EnrollmentGroup {
        id: id.into(),
        etag: None,
        policy: policy.map(str::to_owned),
        attestation: Attestation::SymmetricKey,
        hubs: Vec::new(),
        enabled: true,
        tags: serde_json::Map::new(),
    }
}

fn report(observation: Result<Observation, String>, groups: Vec<EnrollmentGroup>) -> Report {
    let configuration = configuration();
    let input = NamespaceInput {
        configuration: &configuration,
        observation,
        provisioning_services: vec![ProvisioningServiceInput {
            endpoint: "https://contoso-dps.azure-devices-provisioning.net".into(),
            hubs: vec!["h1.azure-devices.net".into()],
            enrollment_groups: Ok(groups),
        }],
    };
    build(&[input], false, NOW)
}

fn reasons(report: &Report) -> Vec<Reason> {
    report.findings.iter().map(|finding| finding.reason).collect()
}

const FAR: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);

#[test]
fn a_healthy_namespace_has_no_findings() {
    let report =
        report(Ok(observation(FAR, Some(FAR))), vec![group("line-1", Some("short")), group("test-1", None)]);
    assert_eq!(reasons(&report), []);
    assert!(report.is_all_trusted());
    assert_eq!(report.namespaces[0].trust[0].evidence.as_ref().unwrap().thumbprint.as_deref(), Some("AB"));
}

#[test]
fn each_thing_that_is_wrong_is_one_finding() {
    let soon = datetime!(2026-12-01 00:00 UTC);
    let past = datetime!(2026-11-01 00:00 UTC);
    let trusted = || Ok(observation(FAR, Some(FAR)));
    for (report, expected) in [
        (report(Ok(observation(FAR, None)), vec![]), vec![Reason::PolicyMissing]),
        (report(Ok(observation(FAR, Some(soon))), vec![]), vec![Reason::PolicyStale]),
        (report(Ok(observation(soon, Some(soon))), vec![]), vec![Reason::CaExpiring]),
        (report(Ok(observation(past, Some(past))), vec![]), vec![Reason::CaExpired, Reason::PolicyStale]),
        (report(Err("403".into()), vec![]), vec![Reason::NamespaceUnreadable]),
        (report(trusted(), vec![group("line-1", None)]), vec![Reason::GroupUnassigned]),
        (report(trusted(), vec![group("dock-1", None)]), vec![Reason::NoRuleMatches]),
        (report(trusted(), vec![group("line-1", Some("gone"))]), vec![Reason::PolicyNotFound]),
    ] {
        assert_eq!(reasons(&report), expected);
        assert!(report.findings.iter().all(|finding| !finding.next_step.is_empty()));
    }
}

#[test]
fn where_the_operator_wants_to_be_asked_the_finding_names_the_command() {
    let asking = NamespaceConfiguration { sync: Sync::Ask, ..configuration() };
    let input = NamespaceInput {
        configuration: &asking,
        observation: Ok(observation(FAR, None)),
        provisioning_services: vec![],
    };
    let report = build(&[input], false, NOW);
    assert_eq!(report.findings[0].next_step, format!("Run `policysync submit --namespace {NAMESPACE}`."));
}

#[test]
fn the_report_is_read_back_as_it_was_written() {
    let report = report(Ok(observation(FAR, None)), vec![group("line-1", None)]);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}
