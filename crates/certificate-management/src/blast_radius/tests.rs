//! Each step alone, and every combination of what is read and what is not.

mod search;

use time::macros::datetime;

use super::facts::{Group, Individuals, Service, Wire};
use super::radius::{Basis, Holds};
use super::target::{Kind, named};
use super::*;
use crate::ArmId;
use crate::authority::{Authority, AuthorityType, Issuer};
use crate::generation::{Generation, Link, LinkState, NamespaceGeneration};
use crate::model::{
    Attestation, BringYourOwnRoot, EnrollmentGroup, Hub, HubCertificate, IssuingCa, Namespace, Policy,
    ProvisioningState, ReadFailure,
};
use crate::plan::ObservedHub;

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
const DEVICES: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices";

fn id(text: &str) -> ArmId {
    ArmId::parse(text).unwrap()
}

fn namespace() -> ArmId {
    id(NAMESPACE)
}

fn authority(name: &str, kind: AuthorityType, issuer: Issuer) -> Authority {
    Authority {
        id: namespace().child("certificateAuthorities", name),
        name: name.to_owned(),
        kind,
        issuer,
        provisioning_state: ProvisioningState::Succeeded,
        status: (issuer == Issuer::External).then(|| "Active".to_owned()),
        subject: None,
        not_after: Some(datetime!(2027-11-01 00:00 UTC)),
    }
}

fn issuing(name: &str) -> Authority {
    authority(name, AuthorityType::Issuing, Issuer::Microsoft)
}

/// A policy; below an authority in the second generation.
fn policy(name: &str, below: Option<&Authority>) -> Policy {
    let (id, full_name) = match below {
        Some(below) => (below.id.child("certificatePolicies", name), format!("{}/{name}", below.name)),
        None => (namespace().child("credentials", "default").child("policies", name), name.to_owned()),
    };
    Policy {
        id,
        name: full_name,
        provisioning_state: ProvisioningState::Succeeded,
        issuing_ca: IssuingCa {
            id: below.map(|below| below.id.clone()),
            not_after: Some(datetime!(2027-11-01 00:00 UTC)),
            ..IssuingCa::default()
        },
        leaf_validity_days: Some(30),
        bring_your_own_root: below
            .and_then(|below| below.status.clone())
            .map(|status| BringYourOwnRoot { status }),
    }
}

fn hub(name: &str) -> Hub {
    Hub {
        id: id(&format!("{DEVICES}/IotHubs/{name}")),
        name: name.to_owned(),
        host_name: format!("{name}.azure-devices.net"),
        namespace_id: Some(namespace()),
    }
}

/// A hub with a certificate of each origin.
fn observed(name: &str, origins: &[&ArmId]) -> ObservedHub {
    let certificate = |(place, origin): (usize, &&ArmId)| HubCertificate {
        name: format!("ca-{place}"),
        issuer_id: Some((*origin).clone()),
        subject: None,
        thumbprint: None,
        expiry: None,
        is_verified: Some(true),
    };
    ObservedHub { hub: hub(name), certificates: Ok(origins.iter().enumerate().map(certificate).collect()) }
}

fn group(id: &str, policy: Option<&str>, devices: Count) -> Group {
    let group = EnrollmentGroup {
        id: id.to_owned(),
        etag: None,
        policy: policy.map(str::to_owned),
        attestation: Attestation::SymmetricKey,
        hubs: Vec::new(),
        enabled: true,
        created_at: None,
        tags: serde_json::Map::new(),
    };
    Group { group, devices }
}

fn service(name: &str, groups: Vec<Group>) -> Service {
    Service {
        name: name.to_owned(),
        id: Some(id(&format!("{DEVICES}/provisioningServices/{name}"))),
        groups: Ok(groups),
        individuals: Ok(Individuals::default()),
    }
}

fn failure() -> ReadFailure {
    ReadFailure::other("it cannot be read")
}

/// A namespace of the first generation with the policy `short`, which a hub holds and a group of three devices names.
fn first(action: Action) -> Facts {
    let short = policy("short", None);
    Facts {
        action,
        namespace: Namespace {
            id: namespace(),
            location: "westeurope".to_owned(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: NamespaceGeneration::Credentials,
            links: Vec::new(),
        },
        authorities: Vec::new(),
        hubs: Ok(vec![observed("north", &[&short.id]), observed("south", &[])]),
        services: Ok(vec![service(
            "dps",
            vec![
                group("line-1", Some("SHORT"), Count::exactly(3)),
                group("other", Some("long"), Count::exactly(9)),
            ],
        )]),
        wire: Wire {
            registry: "2026-03-01-preview".to_owned(),
            hub: "2025-08-01-preview".to_owned(),
            hub_link: "deviceRegistry",
            provisioning_service: "2025-02-01-preview".to_owned(),
            provisioning_service_link: "deviceRegistryNamespace",
        },
        now: datetime!(2026-11-29 12:00 UTC),
        policies: vec![short.clone(), policy("long", None)],
        target: Target::Policy(short),
    }
}

/// The same in the second: a root, the authority `lines` with the policy `short`, and `own` under a root of the customer's.
fn second(action: Action, target: &str) -> Facts {
    let (root, lines) = (authority("root", AuthorityType::Root, Issuer::Microsoft), issuing("lines"));
    let own = authority("own", AuthorityType::Issuing, Issuer::External);
    let links = [format!("{DEVICES}/IotHubs/north"), format!("{DEVICES}/provisioningServices/dps")];
    let link = |resource: &String| Link {
        resource: id(resource),
        state: Some(LinkState::Succeeded),
        error: None,
        host_names: Vec::new(),
    };
    let short = policy("short", Some(&lines));
    let target = match target {
        "north" => Target::Hub(hub("north")),
        "dps" => Target::ProvisioningService {
            name: "dps".to_owned(),
            id: Some(id(&format!("{DEVICES}/provisioningServices/dps"))),
        },
        "short" => Target::Policy(short.clone()),
        name => {
            let all = [&root, &lines, &own];
            Target::Authority((*all.iter().find(|one| one.name == name).unwrap()).clone())
        }
    };
    let mut facts = first(action);
    facts.namespace.generation = NamespaceGeneration::CertificateAuthorities;
    facts.namespace.links = links.iter().map(link).collect();
    facts.hubs = Ok(vec![observed("north", &[&lines.id, &own.id])]);
    facts.services = Ok(vec![service(
        "dps",
        vec![
            group("line-1", Some("contoso/lines/short"), Count::exactly(3)),
            group("bare", None, Count::exactly(9)),
        ],
    )]);
    facts.wire.registry = "2026-11-01".to_owned();
    facts.policies = vec![short, policy("welders", Some(&own))];
    facts.authorities = vec![root, lines, own];
    facts.target = target;
    facts
}

fn texts(radius: &Radius) -> Vec<String> {
    radius.commands.iter().map(|command| command.text.clone()).collect()
}

#[test]
fn a_revoked_policy_stops_every_device_of_its_hubs() {
    let radius = assess(&first(Action::Revoke));
    assert_eq!(radius.verdict, Verdict::Stops);
    assert_eq!(radius.devices, Count::exactly(3), "the other group's devices are not counted");
    assert_eq!(radius.groups.len(), 1);
    assert_eq!(radius.hubs[0].holds, Holds::Yes { certificates: vec!["ca-0".to_owned()] });
    assert_eq!(radius.hubs[1].holds, Holds::No);
    assert!(radius.at_once[0].text.starts_with("1 of 2 linked hubs stop trusting"), "{:?}", radius.at_once);
    let leaves = &radius.leaves[0];
    assert_eq!(leaves.issued_today_end, Some(datetime!(2026-12-29 12:00 UTC)));
    assert_eq!(
        leaves.none_after,
        Some(datetime!(2027-02-27 12:00 UTC)),
        "its validity may have been 90 days"
    );
    assert_eq!(
        texts(&radius),
        [format!(
            "az rest --method post --url \\\n  '{NAMESPACE}/credentials/default/policies/short/revokeIssuer?api-version=2026-03-01-preview'"
        )]
    );
    assert_eq!(
        assess(&first(Action::Rotate)).verdict,
        Verdict::Stops,
        "there is no rotation without a revocation"
    );
}

#[test]
fn a_policy_that_no_enrollment_names_and_no_hub_holds_stops_nothing() {
    let mut facts = first(Action::Revoke);
    facts.hubs = Ok(vec![observed("north", &[])]);
    facts.services = Ok(vec![service("dps", vec![group("other", Some("long"), Count::exactly(9))])]);
    for action in [Action::Revoke, Action::Rotate, Action::Delete] {
        facts.action = action;
        assert_eq!(assess(&facts).verdict, Verdict::NothingStops, "{action}");
    }
    // An individual enrollment is enough.
    let individuals = Individuals { policies: vec![None, Some("short".to_owned())], cut: None };
    facts.services.as_mut().unwrap()[0].individuals = Ok(individuals);
    let radius = assess(&facts);
    assert_eq!((radius.verdict, radius.individual_enrollments), (Verdict::Stops, Count::exactly(1)));
}

#[test]
fn a_certificate_without_an_origin_counts_by_its_subject_or_its_thumbprint() {
    let mut facts = first(Action::Revoke);
    facts.services = Ok(vec![service("dps", Vec::new())]);
    facts.policies[0].issuing_ca.subject = Some("CN=short-ca".to_owned());
    facts.policies[0].issuing_ca.thumbprint = Some("AB".to_owned());
    let uploaded = |subject: &str, thumbprint: &str| {
        let mut hub = observed("north", &[&namespace()]);
        let certificate = &mut hub.certificates.as_mut().unwrap()[0];
        certificate.issuer_id = None;
        certificate.subject = Some(subject.to_owned());
        certificate.thumbprint = Some(thumbprint.to_owned());
        Ok(vec![hub])
    };
    for (subject, thumbprint, verdict) in [
        ("CN = Short-CA", "CD", Verdict::Stops),
        ("CN=other", "ab", Verdict::Stops),
        ("CN=other", "CD", Verdict::NothingStops),
    ] {
        facts.hubs = uploaded(subject, thumbprint);
        assert_eq!(assess(&facts).verdict, verdict, "{subject} {thumbprint}");
    }
}

#[test]
fn an_empty_list_of_the_first_generation_proves_nothing() {
    let mut facts = first(Action::Delete);
    facts.services = Ok(Vec::new());
    let radius = assess(&facts);
    assert_eq!(radius.verdict, Verdict::MayStop);
    assert!(radius.unknown[0].text.starts_with("A provisioning service of the namespace"), "{radius:?}");
    facts.services = Ok(vec![service("dps", Vec::new())]);
    facts.hubs = Ok(Vec::new());
    assert_eq!(assess(&facts).verdict, Verdict::MayStop);
}

#[test]
fn a_linked_service_that_the_file_does_not_name_is_unknown() {
    let mut facts = second(Action::Delete, "short");
    facts.services = Ok(vec![service("another", Vec::new())]);
    let radius = assess(&facts);
    assert_eq!(radius.verdict, Verdict::MayStop);
    assert!(
        radius.unknown.iter().any(|one| one.text.contains("service dps could not")),
        "{:?}",
        radius.unknown
    );
}

#[test]
fn what_is_revoked_of_a_certificate_policy_is_its_authority() {
    let facts = second(Action::Revoke, "lines");
    let radius = assess(&facts);
    assert_eq!((radius.verdict, &radius.devices), (Verdict::Stops, &Count::exactly(3)));
    assert_eq!(
        texts(&radius),
        [format!(
            "az rest --method post --url \\\n  '{NAMESPACE}/certificateAuthorities/lines/revokeAndRotate?api-version=2026-11-01'"
        )]
    );
    let all = || facts.policies.iter().cloned().map(Target::Policy);
    let found = named("short", Action::Revoke, None, all(), &facts.authorities);
    assert_eq!(found, [Target::Authority(issuing("lines"))]);
    let found = named("short", Action::Delete, None, all(), &facts.authorities);
    assert_eq!(found[0].kind(), Kind::Policy);
}

#[test]
fn the_service_refuses_to_revoke_a_root_and_a_ca_of_another_root() {
    for target in ["root", "own"] {
        let radius = assess(&second(Action::Revoke, target));
        assert_eq!(radius.verdict, Verdict::Refused, "{target}");
        assert!(radius.at_once.is_empty() && radius.unknown.is_empty());
    }
    let mut facts = first(Action::Revoke);
    let Target::Policy(policy) = &mut facts.target else { panic!() };
    policy.bring_your_own_root = Some(BringYourOwnRoot { status: "Active".to_owned() });
    assert_eq!(assess(&facts).verdict, Verdict::MayStop, "there the refusal is called a temporary one");
}

#[test]
fn a_renewal_under_an_own_root_may_stop_what_the_old_ca_signed() {
    let radius = assess(&second(Action::Rotate, "own"));
    assert_eq!(radius.verdict, Verdict::MayStop);
    assert!(radius.later.iter().any(|one| one.text.starts_with("There is nothing to sign yet")));
    assert!(texts(&radius)[1].ends_with("/certificateAuthorities/own/activate?api-version=2026-11-01'"));
}

#[test]
fn what_no_source_says_of_a_deletion_may_stop_and_the_policy_goes_first() {
    let radius = assess(&second(Action::Delete, "lines"));
    assert_eq!(radius.verdict, Verdict::MayStop);
    assert!(radius.at_once.iter().all(|one| one.basis == Basis::Unknown), "{:?}", radius.at_once);
    let texts = texts(&radius);
    assert!(
        texts[0].contains("/certificatePolicies/short?")
            && texts[1].contains("/certificateAuthorities/lines?")
    );
    assert_eq!(assess(&second(Action::Delete, "root")).verdict, Verdict::MayStop);
    let mut alone = second(Action::Delete, "root");
    alone.authorities.retain(|one| one.kind == AuthorityType::Root);
    alone.policies.clear();
    alone.hubs = Ok(vec![observed("north", &[])]);
    assert_eq!(assess(&alone).verdict, Verdict::NothingStops);
}

#[test]
fn a_link_of_the_newer_generation_ends_with_the_resource() {
    let radius = assess(&second(Action::Unlink, "north"));
    assert_eq!((radius.verdict, radius.generation), (Verdict::Stops, Generation::CertificateAuthorities));
    assert_eq!(radius.devices, Count::exactly(12), "each group can allocate to it");
    let texts = texts(&radius);
    assert_eq!(texts[0], format!("az resource delete --ids \\\n  '{DEVICES}/IotHubs/north'"));
    assert!(texts[3].contains("--method put"), "{texts:?}");
    let radius = assess(&second(Action::Unlink, "dps"));
    assert_eq!((radius.verdict, radius.groups.len()), (Verdict::Stops, 2));
}

#[test]
fn unlinking_in_the_older_generation_is_marked_as_inferred() {
    let mut facts = first(Action::Unlink);
    facts.target = Target::Hub(hub("north"));
    let radius = assess(&facts);
    assert_eq!(radius.verdict, Verdict::MayStop);
    assert_eq!(radius.commands[0].basis, Basis::Inferred);
    assert!(texts(&radius)[0].contains("--remove properties.deviceRegistry --ids"), "{:?}", radius.commands);
}

#[test]
fn two_things_of_one_name_are_both_found_and_the_kind_decides() {
    let lines = issuing("lines");
    let all = || [Target::Policy(policy("lines", Some(&lines))), Target::Authority(lines.clone())];
    assert_eq!(named("LINES", Action::Delete, None, all(), &[]).len(), 2);
    let found = named("lines", Action::Delete, Some(Kind::Authority), all(), &[]);
    assert_eq!(found, [Target::Authority(lines.clone())]);
    // To revoke the one is to revoke the other.
    assert_eq!(named("lines", Action::Revoke, None, all(), std::slice::from_ref(&lines)).len(), 1);
    assert!(named("lines", Action::Unlink, None, all(), &[]).is_empty(), "neither is a link");
}

#[test]
fn a_count_is_exact_only_where_each_part_is() {
    let at_least = |number| Count::AtLeast { number, why: "w".to_owned() };
    assert_eq!(Count::exactly(2).and(Count::exactly(3)), Count::exactly(5));
    assert_eq!(Count::exactly(2).and(Count::unknown("w")), at_least(2));
    assert_eq!(Count::unknown("w").and(Count::exactly(0)), Count::unknown("w"));
    assert_eq!(Count::unknown("w").and(Count::unknown("v")), Count::unknown("w"));
    assert_eq!(at_least(4).and(Count::unknown("v")), at_least(4));
    assert_eq!([at_least(4), Count::unknown("w")].map(|count| count.to_string()), ["at least 4", "unknown"]);
}
