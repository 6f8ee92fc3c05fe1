//! A namespace of each generation that is ready, and everything that can be wrong with it.

use time::macros::datetime;

use super::roles::needed;
use super::seen::{Caller, Endpoint, Grant, Grants, Identities, Kind, Linked, LinkedSide, NamespaceSide};
use super::*;
use crate::ArmId;
use crate::authority::{Authority, AuthorityType, Issuer};
use crate::declared::Inventory;
use crate::generation::{Link, LinkError, LinkState, NamespaceGeneration};
use crate::model::{IssuingCa, Namespace, Policy, ProvisioningState};

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
const DEVICES: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices";

type Change = fn(&mut LinkedSide);

fn id(text: &str) -> ArmId {
    ArmId::parse(text).unwrap()
}

fn side(of: &str) -> LinkedSide {
    let user = format!("/uami/{of}");
    LinkedSide {
        location: "West Europe".to_owned(),
        sku: Some("S1".to_owned()),
        provisioning_state: Some("Succeeded".to_owned()),
        state: Some("Active".to_owned()),
        is_public: Some(true),
        identities: Identities {
            system: Some(format!("{of}-system")),
            user: vec![(user.clone(), Some(format!("{of}-user")))],
        },
        caller: Some(Caller::UserAssigned(user)),
        namespace_id: Some(id(NAMESPACE)),
        namespace_uuid: Some("u".to_owned()),
        link_state: Some("Success".to_owned()),
        link_error: None,
    }
}

fn linked(kind: Kind, name: &str) -> Linked {
    let resource_type = match kind {
        Kind::Hub => "IotHubs",
        Kind::ProvisioningService => "provisioningServices",
    };
    Linked {
        id: id(&format!("{DEVICES}/{resource_type}/{name}")),
        kind,
        side: Ok(side(name)),
        certificates: (kind == Kind::Hub).then_some(Ok(2)),
    }
}

fn policy(below: Option<&Authority>) -> Policy {
    let id = match below {
        Some(below) => below.id.child("certificatePolicies", "short"),
        None => id(NAMESPACE).child("credentials", "default").child("policies", "short"),
    };
    Policy {
        id,
        name: "short".to_owned(),
        provisioning_state: ProvisioningState::Succeeded,
        issuing_ca: IssuingCa { id: below.map(|below| below.id.clone()), ..IssuingCa::default() },
        leaf_validity_days: Some(30),
        bring_your_own_root: None,
    }
}

fn authority(name: &str, kind: AuthorityType) -> Authority {
    Authority {
        id: id(NAMESPACE).child("certificateAuthorities", name),
        name: name.to_owned(),
        kind,
        issuer: Issuer::Microsoft,
        provisioning_state: ProvisioningState::Succeeded,
        status: None,
        subject: None,
        not_after: None,
    }
}

/// A namespace in which all is ready, with each grant that is needed.
fn ready(generation: NamespaceGeneration) -> Seen {
    let all = vec![linked(Kind::Hub, "north"), linked(Kind::ProvisioningService, "dps")];
    let is_newer = generation == NamespaceGeneration::CertificateAuthorities;
    let link = |linked: &Linked| Link {
        resource: linked.id.clone(),
        state: Some(LinkState::Succeeded),
        error: None,
        host_names: Vec::new(),
    };
    let namespace = Namespace {
        id: id(NAMESPACE),
        location: "westeurope".to_owned(),
        provisioning_state: ProvisioningState::Succeeded,
        generation,
        links: if is_newer { all.iter().map(link).collect() } else { Vec::new() },
    };
    let lines = authority("lines", AuthorityType::Issuing);
    let endpoint =
        |linked: &Linked| Endpoint { resource: linked.id.clone(), inbound: Some(Caller::SystemAssigned) };
    let mut seen = Seen {
        sides: Sides {
            side: Ok(NamespaceSide {
                location: "westeurope".to_owned(),
                uuid: Some("U".to_owned()),
                identities: Identities { system: Some("namespace".to_owned()), user: Vec::new() },
                outbound: None,
                endpoints: all.iter().map(endpoint).collect(),
                modified_at: Some(datetime!(2026-11-29 11:50 UTC)),
            }),
            linked: all,
            grants: Vec::new(),
        },
        inventory: Ok(Inventory {
            namespace: namespace.clone(),
            credential: (!is_newer).then_some(ProvisioningState::Succeeded),
            policies: vec![policy(is_newer.then_some(&lines))],
            authorities: if is_newer {
                vec![authority("root", AuthorityType::Root), lines]
            } else {
                Vec::new()
            },
        }),
        namespace,
        certificate_limit: (25, 3),
        now: datetime!(2026-11-29 12:00 UTC),
    };
    seen.sides.grants = needed(&seen.namespace, &seen.sides)
        .into_iter()
        .map(|need| Grants {
            scope: need.scope,
            principal: need.principal.to_uppercase(),
            found: Ok(vec![Grant { role: need.role.id.to_uppercase(), is_conditional: false }]),
        })
        .collect();
    // Several roles of one identity at one scope come in one list.
    let mut together: Vec<Grants> = Vec::new();
    for grants in seen.sides.grants.drain(..) {
        match together
            .iter_mut()
            .find(|one| (&one.scope, &one.principal) == (&grants.scope, &grants.principal))
        {
            Some(known) => known.found.as_mut().unwrap().extend(grants.found.unwrap()),
            None => together.push(grants),
        }
    }
    seen.sides.grants = together;
    seen
}

const BOTH: [NamespaceGeneration; 2] =
    [NamespaceGeneration::Credentials, NamespaceGeneration::CertificateAuthorities];

fn newer() -> Seen {
    ready(NamespaceGeneration::CertificateAuthorities)
}

fn of_aspect(seen: &Seen, aspect: Aspect) -> Vec<Judged> {
    judge(seen).into_iter().filter(|judged| judged.aspect == aspect).collect()
}

/// The only problem of an aspect.
#[track_caller]
fn only(seen: &Seen, aspect: Aspect) -> Judged {
    let found = of_aspect(seen, aspect);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

fn first_side(seen: &mut Seen) -> &mut LinkedSide {
    seen.sides.linked[0].side.as_mut().unwrap()
}

#[test]
fn what_is_ready_is_one_row_of_each_aspect() {
    for generation in BOTH {
        let judged = judge(&ready(generation));
        let outcomes: Vec<_> = judged.iter().map(|one| (one.aspect, one.outcome)).collect();
        assert_eq!(outcomes, Aspect::ALL.map(|aspect| (aspect, Outcome::Ready)), "{judged:#?}");
        assert!(judged.iter().all(|one| one.next_step.is_none() && one.missing.is_none()));
    }
}

#[test]
fn the_matrix_is_that_of_its_generation() {
    let needs = |generation| -> Vec<String> {
        let seen = ready(generation);
        let needs = needed(&seen.namespace, &seen.sides);
        needs
            .iter()
            .map(|need| format!("{} {} {}", need.principal, need.role.name, need.scope.name()))
            .collect()
    };
    assert_eq!(
        needs(NamespaceGeneration::CertificateAuthorities),
        [
            "namespace Contributor north",
            "namespace IoT Hub Data Contributor north",
            "north-system Contributor contoso",
            "namespace Contributor dps",
            "namespace Azure Device Registry Administrator contoso",
            "dps-system Contributor contoso",
        ]
    );
    assert_eq!(
        needs(NamespaceGeneration::Credentials),
        [
            "namespace Contributor north",
            "namespace IoT Hub Registry Contributor north",
            "north-user Azure Device Registry Contributor contoso",
            "north-user Azure Device Registry Onboarding contoso",
            "dps-user Azure Device Registry Contributor contoso",
            "dps-user Azure Device Registry Onboarding contoso",
        ]
    );
}

#[test]
fn a_role_that_is_missing_comes_with_what_grants_it() {
    let mut seen = newer();
    let all = seen.sides.grants.clone();
    // The grants of each identity at each scope, one list after the other.
    for (place, grants) in all.iter().enumerate() {
        seen.sides.grants.clone_from(&all);
        seen.sides.grants[place].found = Ok(Vec::new());
        for judged in of_aspect(&seen, Aspect::LinkRoles) {
            let missing = judged.missing.unwrap();
            assert_eq!(
                (&missing.scope, missing.principal.to_uppercase()),
                (&grants.scope, grants.principal.clone())
            );
            let is_unconfirmed = missing.role.name == "IoT Hub Data Contributor";
            let expected = if is_unconfirmed { Outcome::Doubtful } else { Outcome::Wrong };
            assert_eq!((judged.outcome, judged.message.contains("inferred")), (expected, is_unconfirmed));
        }
    }
}

#[test]
fn a_grant_counts_when_it_is_whole_and_a_broader_one_perhaps() {
    let mut seen = newer();
    let place = seen.sides.grants.iter().position(|grants| grants.principal == "DPS-SYSTEM").unwrap();
    let mut outcome = |role: &str, is_conditional| {
        seen.sides.grants[place].found = Ok(vec![Grant { role: role.to_owned(), is_conditional }]);
        only(&seen, Aspect::LinkRoles).outcome
    };
    assert_eq!(outcome("b24988ac-6180-42a0-ab88-20f7382dd24c", true), Outcome::Wrong, "it has a condition");
    assert_eq!(outcome("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", false), Outcome::Ready, "Owner is more");
    assert_eq!(outcome("00000000-0000-0000-0000-000000000000", false), Outcome::Wrong);
    let mut seen = ready(NamespaceGeneration::Credentials);
    let place = seen.sides.grants.iter().position(|grants| grants.principal == "DPS-USER").unwrap();
    let owner = Grant { role: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635".to_owned(), is_conditional: false };
    seen.sides.grants[place].found = Ok(vec![owner]);
    let judged = of_aspect(&seen, Aspect::LinkRoles);
    assert!(judged.len() == 2 && judged.iter().all(|one| one.outcome == Outcome::Doubtful), "{judged:?}");
}

#[test]
fn an_identity_that_is_named_and_not_attached_is_wrong() {
    let mut seen = newer();
    first_side(&mut seen).identities.system = None;
    let judged = only(&seen, Aspect::LinkRoles);
    assert!(judged.outcome == Outcome::Wrong && judged.message.contains("is not attached"), "{judged:?}");
    let mut seen = ready(NamespaceGeneration::Credentials);
    first_side(&mut seen).identities.user[0].1 = None;
    assert_eq!(only(&seen, Aspect::LinkRoles).outcome, Outcome::Unchecked);
}

#[test]
fn what_is_linked_is_in_the_region_of_the_namespace() {
    let mut seen = newer();
    first_side(&mut seen).location = "northeurope".to_owned();
    let judged = only(&seen, Aspect::LinkRegion);
    assert_eq!((judged.outcome, judged.subject.as_str()), (Outcome::Wrong, "north"));
    let mut seen = ready(NamespaceGeneration::Credentials);
    first_side(&mut seen).location = "northeurope".to_owned();
    let judged = only(&seen, Aspect::LinkRegion);
    assert!(judged.outcome == Outcome::Doubtful && judged.message.contains("inferred"), "{judged:?}");
    first_side(&mut seen).location.clear();
    assert_eq!(only(&seen, Aspect::LinkRegion).outcome, Outcome::Unchecked);
}

#[test]
fn only_a_standard_tier_is_without_doubt() {
    for (generation, sku, expected) in [
        (BOTH[1], Some("S3"), Outcome::Ready),
        (BOTH[1], Some("B1"), Outcome::Doubtful),
        (BOTH[1], Some("F1"), Outcome::Doubtful),
        (BOTH[1], None, Outcome::Unchecked),
        (BOTH[0], Some("GEN2"), Outcome::Ready),
        (BOTH[0], Some("F1"), Outcome::Ready),
        (BOTH[0], Some("B2"), Outcome::Doubtful),
    ] {
        let mut seen = ready(generation);
        first_side(&mut seen).sku = sku.map(str::to_owned);
        assert_eq!(only(&seen, Aspect::LinkTier).outcome, expected, "{generation} {sku:?}");
    }
    let mut seen = newer();
    first_side(&mut seen).is_public = Some(false);
    assert_eq!(only(&seen, Aspect::LinkTier).outcome, Outcome::Doubtful);
}

#[test]
fn a_limit_that_is_passed_is_told_and_one_that_is_reached_is_not() {
    let mut seen = newer();
    let inventory = seen.inventory.as_mut().unwrap();
    for name in ["a", "b"] {
        inventory.authorities.push(authority(name, AuthorityType::Issuing));
    }
    seen.sides.linked.extend(["a", "b"].map(|name| linked(Kind::Hub, name)));
    assert_eq!(only(&seen, Aspect::LinkLimits).outcome, Outcome::Ready);
    let inventory = seen.inventory.as_mut().unwrap();
    inventory.authorities.push(authority("c", AuthorityType::Issuing));
    let second = inventory.policies[0].clone();
    inventory.policies.push(second);
    seen.sides.linked.push(linked(Kind::Hub, "c"));
    seen.sides.linked.push(linked(Kind::ProvisioningService, "second"));
    let judged = of_aspect(&seen, Aspect::LinkLimits);
    assert!(judged.len() == 4 && judged.iter().all(|one| one.outcome == Outcome::Doubtful), "{judged:#?}");
    for (number, expected) in [(21, Outcome::Ready), (22, Outcome::Doubtful), (25, Outcome::Wrong)] {
        let mut seen = newer();
        seen.sides.linked[0].certificates = Some(Ok(number));
        assert_eq!(only(&seen, Aspect::LinkLimits).outcome, expected, "{number}");
    }
}

#[test]
fn each_thing_comes_after_what_it_needs() {
    let mut seen = ready(NamespaceGeneration::Credentials);
    seen.inventory.as_mut().unwrap().credential = None;
    assert_eq!(only(&seen, Aspect::LinkOrder).outcome, Outcome::Wrong);
    let inventory = seen.inventory.as_mut().unwrap();
    inventory.credential = Some(ProvisioningState::Succeeded);
    inventory.policies.clear();
    assert_eq!(only(&seen, Aspect::LinkOrder).outcome, Outcome::Doubtful);
    let mut seen = newer();
    seen.sides.linked.remove(0);
    let judged = only(&seen, Aspect::LinkOrder);
    assert!(judged.outcome == Outcome::Wrong && judged.next_step.unwrap().starts_with("Link the hubs first"));
    let mut seen = newer();
    seen.sides.linked.remove(1);
    assert_eq!(only(&seen, Aspect::LinkOrder).outcome, Outcome::Doubtful);
    let mut seen = newer();
    seen.inventory.as_mut().unwrap().policies.clear();
    assert!(only(&seen, Aspect::LinkOrder).message.ends_with("without a policy: lines"));
}

#[test]
fn a_link_that_fails_or_hangs_is_told_with_its_next_step() {
    let mut seen = newer();
    seen.namespace.links[0].state = Some(LinkState::Failed);
    seen.namespace.links[0].error = Some(LinkError { code: "AdrMiNotAuthorized".to_owned(), message: None });
    let judged = only(&seen, Aspect::LinkState);
    assert_eq!(judged.outcome, Outcome::Wrong);
    assert_eq!(judged.needs, []);
    assert!(judged.next_step.unwrap().contains("is granted by now: link it again"));
    // What was not read is not said to be granted, and what was seen to be missing comes with what grants it.
    let all = std::mem::take(&mut seen.sides.grants);
    let judged = only(&seen, Aspect::LinkState);
    assert!(judged.next_step.unwrap().starts_with("Grant the namespace's identity Contributor"));
    seen.sides.grants = all.clone();
    let hub = seen.sides.linked[0].id.clone();
    let of_hub = seen.sides.grants.iter_mut().filter(|grants| grants.scope == hub);
    of_hub.for_each(|grants| grants.found = Ok(Vec::new()));
    let judged = only(&seen, Aspect::LinkState);
    assert!(!judged.needs.is_empty() && judged.needs.iter().all(|need| need.scope == hub), "{judged:?}");
    assert!(
        judged.next_step.unwrap().contains("below; role assignments take minutes to arrive. Then link again")
    );
    seen.sides.grants = all;
    seen.namespace.links[0].state = Some(LinkState::InProgress);
    assert_eq!(only(&seen, Aspect::LinkState).outcome, Outcome::Doubtful);
    seen.sides.side.as_mut().unwrap().modified_at = Some(datetime!(2026-11-29 11:29 UTC));
    let judged = only(&seen, Aspect::LinkState);
    assert!(judged.outcome == Outcome::Wrong && judged.message.contains("last written 2026-11-29"));
}

#[test]
fn both_sides_of_a_link_must_say_the_same() {
    let changes: [(&str, Change, Outcome); 7] = [
        ("orphaned", |side| side.link_state = Some("Orphaned".to_owned()), Outcome::Wrong),
        ("orphaned", |side| side.namespace_uuid = Some("older".to_owned()), Outcome::Wrong),
        ("another namespace", |side| side.namespace_id = Some(id(&format!("{NAMESPACE}-2"))), Outcome::Wrong),
        ("link has failed", |side| side.link_state = Some("Failed".to_owned()), Outcome::Wrong),
        ("NotLinked", |side| side.link_state = Some("NotLinked".to_owned()), Outcome::Doubtful),
        ("does not name the namespace", |side| side.namespace_id = None, Outcome::Doubtful),
        ("not Active", |side| side.state = Some("Suspended".to_owned()), Outcome::Doubtful),
    ];
    for (message, change, expected) in changes {
        let mut seen = newer();
        change(first_side(&mut seen));
        let judged = only(&seen, Aspect::LinkState);
        assert_eq!(judged.outcome, expected, "{judged:?}");
        assert!(judged.message.contains(message), "{judged:?}");
    }
}

#[test]
fn a_namespace_that_failed_although_its_links_stand_is_healed_by_a_write_of_its_tags() {
    let mut seen = newer();
    seen.namespace.provisioning_state = ProvisioningState::Failed;
    let judged = only(&seen, Aspect::LinkState);
    assert!(judged.next_step.unwrap().contains("az rest --method patch"), "it is healed by its tags");
    seen.namespace.provisioning_state = ProvisioningState::Accepted;
    assert_eq!(only(&seen, Aspect::LinkState).outcome, Outcome::Doubtful);
}

/// Whatever is not read makes at least one aspect unchecked, and no aspect that needed it ready.
#[test]
fn what_is_not_read_is_never_ready() {
    let unread = || ReadFailure::other("403");
    for generation in BOTH {
        let mut worlds: Vec<(Seen, Vec<Aspect>)> = Vec::new();
        let all = ready(generation);
        let mut seen = all.clone();
        seen.sides.side = Err(unread());
        worlds.push((seen, vec![Aspect::LinkRegion, Aspect::LinkRoles]));
        let mut seen = all.clone();
        seen.inventory = Err(unread());
        worlds.push((seen, vec![Aspect::LinkOrder, Aspect::LinkLimits]));
        for (place, linked) in all.sides.linked.iter().enumerate() {
            let mut seen = all.clone();
            seen.sides.linked[place].side = Err(unread());
            let mut aspects = vec![Aspect::LinkRegion, Aspect::LinkState, Aspect::LinkRoles];
            aspects.extend((linked.kind == Kind::Hub).then_some(Aspect::LinkTier));
            worlds.push((seen, aspects));
        }
        let mut seen = all.clone();
        seen.sides.linked[0].certificates = Some(Err(unread()));
        worlds.push((seen, vec![Aspect::LinkLimits]));
        for place in 0..all.sides.grants.len() {
            let mut seen = all.clone();
            seen.sides.grants[place].found = Err(unread());
            worlds.push((seen.clone(), vec![Aspect::LinkRoles]));
            seen.sides.grants.remove(place);
            worlds.push((seen, vec![Aspect::LinkRoles]));
        }
        for (seen, aspects) in worlds {
            for aspect in aspects {
                let judged = of_aspect(&seen, aspect);
                assert!(judged.iter().any(|one| one.outcome == Outcome::Unchecked), "{aspect:?}: {judged:?}");
                assert!(judged.iter().all(|one| one.outcome != Outcome::Ready), "{aspect:?}: {judged:?}");
                let whys = judged.iter().filter(|one| one.outcome == Outcome::Unchecked);
                assert!(whys.into_iter().all(|one| one.message.starts_with("could not be checked")));
            }
        }
    }
}
