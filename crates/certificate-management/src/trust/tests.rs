//! Judgements by example, for every combination of what policy and certificate show, and beside certificates of others.

use super::*;
use crate::model::{IssuingCa, ProvisioningState};
use proptest::prelude::*;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);

fn policy() -> Policy {
    let id = ArmId::parse("/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n/credentials/default/policies/p").unwrap();
    Policy {
        name: "p".into(),
        id,
        provisioning_state: ProvisioningState::Succeeded,
        issuing_ca: IssuingCa {
            id: None,
            subject: Some("CN=07b5".into()),
            not_before: Some(datetime!(2026-01-01 00:00 UTC)),
            not_after: Some(datetime!(2031-01-01 00:00:00.741 UTC)),
            thumbprint: None,
        },
        leaf_validity_days: Some(30),
        bring_your_own_root: None,
    }
}

fn certificate(name: &str) -> HubCertificate {
    HubCertificate {
        name: name.into(),
        issuer_id: Some(ArmId::parse(&policy().id.as_str().to_uppercase()).unwrap()),
        subject: Some("CN = 07B5".into()),
        thumbprint: Some("AB".into()),
        expiry: Some(datetime!(2031-01-01 00:00 UTC)),
        is_verified: Some(true),
    }
}

fn older(name: &str) -> HubCertificate {
    HubCertificate {
        subject: Some("CN=old".into()),
        expiry: Some(datetime!(2030-01-01 00:00 UTC)),
        ..certificate(name)
    }
}

#[test]
fn the_current_ca_is_found_across_case_fraction_and_subject_form() {
    let assessment = assess(&policy(), &[certificate("c1")], NOW);
    assert_eq!(assessment.trust, Trust::Trusted);
    assert_eq!(assessment.evidence.unwrap().thumbprint.as_deref(), Some("AB"));
}

/// "No end" is written as the last second of the year 9999 (RFC 5280, section 4.1.2.5), and at an offset west of UTC that is no
/// date in UTC any more.
#[test]
fn a_time_after_the_last_one_in_utc_is_told_as_it_is_written() {
    let last = datetime!(9999-12-31 23:59:59 -1);
    let ends = HubCertificate { expiry: Some(last), ..certificate("c1") };
    let assessment = assess(&policy(), &[ends], NOW);
    assert_eq!(assessment.trust, Trust::Stale);
    assert!(assessment.why.contains("ends 9999-12-31 23:59:59"), "{}", assessment.why);
    let mut later = policy();
    later.issuing_ca.not_before = Some(last);
    let assessment = assess(&later, &[certificate("c1")], NOW);
    assert_eq!(assessment.trust, Trust::Unreadable);
    assert!(assessment.why.contains("not valid before 9999-12-31 23:59:59"), "{}", assessment.why);
}

#[test]
fn states_follow_the_certificates() {
    let foreign = HubCertificate { issuer_id: None, ..certificate("uploaded") };
    for (certificates, expected) in [
        (vec![], Trust::Missing),
        (vec![foreign.clone()], Trust::Missing),
        (vec![older("c0")], Trust::Stale),
        (vec![older("c0"), certificate("c1")], Trust::Leftover),
        (vec![foreign, certificate("c1")], Trust::Trusted),
    ] {
        assert_eq!(assess(&policy(), &certificates, NOW).trust, expected);
    }
}

#[test]
fn a_renewal_one_second_later_is_another_ca_even_with_the_same_subject() {
    let renewed = HubCertificate { expiry: Some(datetime!(2031-01-01 00:00:01 UTC)), ..certificate("c1") };
    assert_eq!(assess(&policy(), &[renewed], NOW).trust, Trust::Stale);
}

/// The next CA is pushed to hubs before the policy shows it. No text may say to delete it.
#[test]
fn the_next_ca_beside_the_current_one_is_no_leftover() {
    let next = HubCertificate { expiry: Some(datetime!(2036-01-01 00:00 UTC)), ..older("c2") };
    let assessment = assess(&policy(), &[next.clone(), certificate("c1")], NOW);
    assert_eq!(assessment.trust, Trust::Trusted);
    assert_eq!(assessment.evidence.unwrap().certificate_name, "c1");
    assert_eq!(
        assess(&policy(), &[next.clone(), certificate("c1"), older("c0")], NOW).trust,
        Trust::Leftover
    );
    assert_eq!(assess(&policy(), &[next], NOW).trust, Trust::Stale, "it lacks the current one");
}

#[test]
fn thumbprints_of_different_hashes_are_not_compared() {
    let mut policy = policy();
    policy.issuing_ca.thumbprint = Some("C".repeat(64));
    let seen = HubCertificate { thumbprint: Some("A".repeat(40)), ..certificate("c1") };
    assert_eq!(
        assess(&policy, std::slice::from_ref(&seen), NOW).trust,
        Trust::Trusted,
        "by the end of validity"
    );
    policy.issuing_ca.not_after = None;
    assert_eq!(assess(&policy, &[seen], NOW).trust, Trust::Unreadable, "nothing is left to compare");
}

#[test]
fn an_expired_ca_is_not_trusted() {
    let assessment = assess(&policy(), &[certificate("c1")], datetime!(2031-01-01 00:00:01 UTC));
    assert_eq!(assessment.trust, Trust::Stale);
    assert!(assessment.why.contains("ended"), "{}", assessment.why);
}

#[test]
fn a_thumbprint_decides_where_the_policy_shows_one() {
    let mut policy = policy();
    policy.issuing_ca.thumbprint = Some("cd".into());
    assert_eq!(assess(&policy, &[certificate("c1")], NOW).trust, Trust::Stale);
    policy.issuing_ca.thumbprint = Some("ab".into());
    assert_eq!(assess(&policy, &[certificate("c1")], NOW).trust, Trust::Trusted);
}

#[test]
fn nothing_to_compare_is_unreadable_and_never_trusted() {
    let mut policy = policy();
    policy.issuing_ca = IssuingCa::default();
    assert_eq!(assess(&policy, &[certificate("c1")], NOW).trust, Trust::Unreadable);
}

#[test]
fn a_ca_that_is_not_valid_yet_is_no_trust_and_no_reason_to_sync() {
    let mut policy = policy();
    for (start, trust) in [
        (NOW - time::Duration::SECOND, Trust::Trusted),
        (NOW, Trust::Trusted),
        (NOW + time::Duration::SECOND, Trust::Unreadable),
    ] {
        policy.issuing_ca.not_before = Some(start);
        let assessment = assess(&policy, &[certificate("c1")], NOW);
        assert_eq!(assessment.trust, trust, "{start}");
        assert!(trust == Trust::Trusted || assessment.why.contains("not valid before"), "{assessment:?}");
    }
}

#[test]
fn a_name_alone_proves_nothing() {
    let mut policy = policy();
    policy.issuing_ca.not_after = None;
    assert_eq!(assess(&policy, &[certificate("c1")], NOW).trust, Trust::Unreadable);
    let undated = HubCertificate { expiry: None, ..certificate("c1") };
    assert_eq!(assess(&super::tests::policy(), std::slice::from_ref(&undated), NOW).trust, Trust::Unreadable);
    policy.issuing_ca.thumbprint = Some("ab".into());
    assert_eq!(assess(&policy, &[certificate("c1")], NOW).trust, Trust::Trusted, "a thumbprint is proof");
    assert_eq!(assess(&policy, &[undated], NOW).trust, Trust::Unreadable, "nothing says when it ends");
}

/// Every combination of what policy and certificate can show: trust needs proof that they are the same CA, an end that
/// has not come, and a start that has.
#[test]
fn trust_has_a_proof_and_a_time_whatever_is_shown() {
    let (past, soon, later) =
        (NOW - time::Duration::DAY, NOW + time::Duration::DAY, NOW + time::Duration::days(2));
    let dates = [None, Some(past), Some(NOW), Some(soon), Some(later)];
    let texts = |a: &str, b: &str| [None, Some(a.to_owned()), Some(b.to_owned())];
    let mut trusting = 0;
    for not_before in dates {
        for not_after in dates {
            for expiry in dates {
                for own in texts("AB", "CD") {
                    for print in texts("ab", "cd") {
                        for subject in texts("CN=x", "CN=y") {
                            for name in texts("x", "y") {
                                let ca = IssuingCa {
                                    id: None,
                                    subject: subject.clone(),
                                    not_before,
                                    not_after,
                                    thumbprint: own.clone(),
                                };
                                let policy = Policy { issuing_ca: ca, ..policy() };
                                let thumbprint = print.clone();
                                let seen =
                                    HubCertificate { subject: name, thumbprint, expiry, ..certificate("c") };
                                let trust = assess(&policy, &[seen], NOW).trust;
                                let is_same_print =
                                    own.is_some() && own == print.as_ref().map(|print| print.to_uppercase());
                                let is_same_end = not_after.is_some() && not_after == expiry;
                                let has_time = expiry.or(not_after).is_some_and(|end| end > NOW);
                                if trust.admits_current() {
                                    trusting += 1;
                                    assert!(is_same_print || is_same_end);
                                    assert!(has_time && not_before.is_none_or(|start| start <= NOW));
                                }
                                // A sync makes no CA valid.
                                let is_same = is_same_print && is_same_end && subject.is_none();
                                assert!(!(is_same && has_time && trust.lacks_current()), "{trust}");
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(trusting > 0);
}

proptest! {
    /// Adding certificates of others never changes a judgement.
    #[test]
    fn certificates_of_others_change_nothing(current in any::<bool>(), old in any::<bool>(), foreign in 0usize..5) {
        let mut certificates = Vec::new();
        if current { certificates.push(certificate("c1")); }
        if old { certificates.push(older("c0")); }
        let alone = assess(&policy(), &certificates, NOW);
        for n in 0..foreign {
            certificates.insert(0, HubCertificate { issuer_id: None, ..certificate(&format!("f{n}")) });
        }
        prop_assert_eq!(assess(&policy(), &certificates, NOW), alone);
    }
}
