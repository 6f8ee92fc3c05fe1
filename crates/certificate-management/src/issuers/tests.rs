//! What is remembered of looks, in whatever order they come, and what follows from it.

use proptest::prelude::*;

use super::*;
use time::macros::datetime;

use crate::model::{IssuingCa, Namespace, ProvisioningState};

const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);
const FAR: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);

/// A look in this minute that sees the CA of this number, with leaves of so many days.
fn look(minute: i64, ca: i64, days: u32) -> Observation {
    let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    let id = ArmId::parse(id).unwrap();
    let not_after = Some(FAR + Duration::days(ca));
    Observation {
        policies: vec![Policy {
            id: id.child("credentials", "default").child("policies", "short"),
            name: "short".into(),
            provisioning_state: ProvisioningState::Succeeded,
            issuing_ca: IssuingCa { not_after, ..IssuingCa::default() },
            leaf_validity_days: Some(days),
            bring_your_own_root: None,
        }],
        hubs: Vec::new(),
        namespace: Namespace {
            id,
            location: "westeurope".into(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: Default::default(),
            links: Vec::new(),
        },
        seen_at: NOW + Duration::minutes(minute),
    }
}

fn together(looks: &[Observation]) -> SeenIssuers {
    let mut seen = SeenIssuers::default();
    for look in looks {
        let mut one = SeenIssuers::default();
        one.note(look);
        seen.take(one);
    }
    seen
}

proptest! {
    #[test]
    fn in_whatever_order_looks_come_the_same_is_remembered(
        (looks, written) in prop::collection::vec((0..4_i64, 1..90_u32), 1..12)
            .prop_map(|cas| cas.into_iter().zip(0..).map(|((ca, days), minute)| look(minute, ca, days)).collect::<Vec<_>>())
            .prop_flat_map(|looks| (Just(looks.clone()), Just(looks).prop_shuffle())),
    ) {
        let seen = together(&looks);
        prop_assert_eq!(&seen, &together(&written));
        let mut twice = seen.clone();
        twice.take(seen.clone());
        prop_assert_eq!(twice, seen);
    }
}

#[test]
fn leaves_of_the_one_before_end_one_validity_after_another_was_seen() {
    let looks = [look(0, 0, 7), look(10, 0, 30), look(25, 1, 7), look(40, 1, 7)];
    let seen = together(&looks);
    let policy = &looks[3].policies[0];
    let current = seen.current(policy).unwrap();
    assert_eq!((current.first_seen_at, current.last_seen_at), (looks[2].seen_at, looks[3].seen_at));
    let [previous] = seen.previous(policy).try_into().unwrap();
    assert_eq!(previous.issuer.last_seen_at, looks[1].seen_at);
    assert_eq!(
        previous.leaves_end_by,
        looks[2].seen_at + Duration::days(30),
        "it may have signed one until then"
    );
    // None outlives its CA, and a number that is no length of time changes nothing of that.
    let long = [look(0, 0, u32::MAX), look(1, 1, 7)];
    let seen = together(&long);
    assert_eq!(seen.previous(&long[1].policies[0])[0].leaves_end_by, FAR);
}

#[test]
fn a_subject_that_one_look_does_not_show_is_no_rotation() {
    let (mut named, bare) = (look(0, 0, 7), look(1, 0, 7));
    named.policies[0].issuing_ca.subject = Some("CN=07b5".to_owned());
    let seen = together(&[named.clone(), bare.clone()]);
    assert!(seen.previous(&named.policies[0]).is_empty() && seen.previous(&bare.policies[0]).is_empty());
    assert_eq!(seen.current(&bare.policies[0]).unwrap().subject.as_deref(), Some("CN=07b5"));
}

#[test]
fn however_often_a_ca_is_rotated_the_last_ones_are_remembered() {
    let looks: Vec<Observation> = (0..100).map(|n| look(n, n, 7)).collect();
    let seen = together(&looks);
    assert_eq!(seen.0.len(), OF_A_POLICY);
    assert_eq!(seen.previous(&looks[99].policies[0])[0].issuer.last_seen_at, looks[98].seen_at);
}
