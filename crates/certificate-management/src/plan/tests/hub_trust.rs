//! No policy is written while a hub of the group was not seen: tried in every combination of what a group names, what
//! its provisioning service names, and what each hub shows.

use super::*;
use crate::plan::saved::{Place, SavedPlan, Step, Wish};

/// What a hub shows of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The list of hubs does not have it.
    Absent,
    /// Its certificates cannot be read.
    Unreadable,
    /// A certificate that is known by name alone.
    Undated,
    /// No certificate.
    Nothing,
    /// An older certificate.
    Older,
    /// The current one.
    Current,
}

const SHOWN: [Shown; 6] =
    [Shown::Absent, Shown::Unreadable, Shown::Undated, Shown::Nothing, Shown::Older, Shown::Current];

impl Shown {
    fn is_known(self) -> bool {
        !matches!(self, Self::Absent | Self::Unreadable | Self::Undated)
    }

    fn hub(self, name: &str) -> Option<ObservedHub> {
        let current = certificate("short", END);
        let certificates = match self {
            Self::Absent => return None,
            Self::Unreadable => Err(ReadFailure::other("503")),
            Self::Undated => Ok(vec![HubCertificate { expiry: None, thumbprint: None, ..current }]),
            Self::Nothing => Ok(Vec::new()),
            Self::Older => Ok(vec![certificate("short", END - time::Duration::DAY)]),
            Self::Current => Ok(vec![current]),
        };
        Some(ObservedHub { certificates, ..hub(name, Vec::new()) })
    }
}

#[test]
fn nothing_is_assigned_without_seeing_each_hub_of_the_group() {
    let named: [&[&str]; 5] = [&[], &["h1"], &["h1", "h2"], &["elsewhere"], &["h1", "elsewhere"]];
    let (mut written, mut waiting) = (0, 0);
    for own in named {
        for of_service in named {
            let service: Vec<String> = of_service.iter().map(|name| host(name)).collect();
            let allocated = if own.is_empty() { of_service } else { own };
            for h1 in SHOWN {
                for h2 in SHOWN {
                    for before_trust in [false, true] {
                        let mut observation = world(&[], &[]);
                        observation.hubs = [h1.hub("h1"), h2.hub("h2")].into_iter().flatten().collect();
                        let mut configuration = configuration("short", false);
                        configuration.assign_before_trust = before_trust;
                        let shown = |name: &&str| match *name {
                            "h1" => h1,
                            "h2" => h2,
                            _ => Shown::Absent,
                        };
                        let is_known =
                            !allocated.is_empty() && allocated.iter().all(|name| shown(name).is_known());
                        let trusts = allocated.iter().all(|name| shown(name) == Shown::Current);
                        let reason = match (is_known, trusts || before_trust) {
                            (false, _) => Reason::HubsUnknown,
                            (true, false) => Reason::WaitingForTrust,
                            (true, true) => Reason::Assigned,
                        };
                        let group = group(None, own);
                        let plan = plan_assignment(&group, &service, &configuration, &observation);
                        let what = format!("{own:?} {of_service:?} {h1:?} {h2:?} {before_trust}: {plan:?}");
                        assert_eq!(plan.reason, reason, "{what}");
                        assert_eq!(plan.write.is_some(), reason == Reason::Assigned, "{what}");
                        // `untrusting_hubs` names the hubs that a sync can cure, and no others.
                        let lacks = |name: &&&str| matches!(shown(name), Shown::Nothing | Shown::Older);
                        assert_eq!(
                            plan.untrusting_hubs.len(),
                            allocated.iter().filter(lacks).count(),
                            "{what}"
                        );

                        let place = Place {
                            configuration: &configuration,
                            provisioning_service: "dps",
                            hubs: &service,
                        };
                        let wish = Wish { policy: Some("short"), origin: "a person" };
                        let mut saved = SavedPlan::empty("1", NOW);
                        saved.add_by_wish(place, &group, wish, &observation);
                        saved.add_by_rules(place, &group, &observation);
                        let entries = saved.assignments.iter().chain(&saved.left_alone);
                        assert!(entries.clone().all(|entry| entry.reason == reason), "{what}");
                        assert_eq!(saved.assignments.is_empty(), plan.write.is_none(), "{what}");
                        // A plan that was made when every hub was seen is not performed once one is not.
                        for entry in entries {
                            let step = entry.recheck(Some(&group), place, &observation);
                            assert_eq!(step == Step::Write, reason == Reason::Assigned, "{what}: {step:?}");
                        }
                        match reason {
                            Reason::Assigned => written += 1,
                            _ => waiting += 1,
                        }
                    }
                }
            }
        }
    }
    assert!(written > 0 && waiting > 0, "{written} {waiting}");
}

#[test]
fn what_is_not_known_of_the_hubs_is_told_with_what_to_look_at() {
    let plan = |group: &EnrollmentGroup, hubs: &[String], observation: &Observation| {
        plan_assignment(group, hubs, &configuration("short", false), observation)
    };
    let half = world(&["short"], &[]);
    let unnamed = plan(&group(None, &[]), &[], &half);
    assert!(unnamed.detail.contains("names a hub") && unnamed.detail.contains("`scopes`"), "{unnamed:?}");
    let unseen = plan(&group(None, &["h2", "elsewhere"]), &[], &half);
    for part in ["elsewhere.azure-devices.net", "not linked", "not trusted by h2"] {
        assert!(unseen.detail.contains(part), "{unseen:?}");
    }
    let mut unread = half.clone();
    unread.hubs[0].certificates = Err(ReadFailure::other("it answered 503"));
    let unread = plan(&group(None, &["h1"]), &[], &unread);
    assert!(unread.detail.contains("h1: it answered 503"), "{unread:?}");
}

#[test]
fn a_group_of_an_unknown_attestation_is_never_written() {
    let observation = world(&["short", "long"], &["short", "long"]);
    for attestation in [
        Attestation::X509CaReference,
        Attestation::X509SigningCertificate,
        Attestation::SymmetricKey,
        Attestation::Tpm,
        Attestation::Other,
    ] {
        let may = attestation != Attestation::Other;
        let configuration = configuration("short", true);
        let place = Place { configuration: &configuration, provisioning_service: "dps", hubs: &*BOTH };
        let group = EnrollmentGroup { attestation, ..group(Some("long"), &[]) };
        let plan = plan_assignment(&group, place.hubs, &configuration, &observation);
        let expected = if may { Reason::Assigned } else { Reason::AttestationUnknown };
        assert_eq!((plan.write.is_some(), plan.reason), (may, expected), "{attestation}");
        // Neither another policy nor none at all.
        for policy in [Some("short"), None] {
            let mut saved = SavedPlan::empty("1", NOW);
            saved.add_by_wish(place, &group, Wish { policy, origin: "a person" }, &observation);
            let entries: Vec<_> = saved.assignments.iter().chain(&saved.left_alone).collect();
            assert_eq!(entries[0].reason, expected, "{attestation}");
            let step = entries[0].recheck(Some(&group), place, &observation);
            assert_eq!(step == Step::Write, may, "{attestation}: {step:?}");
        }
    }
}

#[test]
fn a_write_in_audit_mode_is_marked() {
    let observation = world(&["short"], &["short"]);
    for mode in [Mode::Enforce, Mode::Audit] {
        let configuration = NamespaceConfiguration { mode, ..configuration("short", false) };
        let place = Place { configuration: &configuration, provisioning_service: "dps", hubs: &*BOTH };
        let mut saved = SavedPlan::empty("1", NOW);
        saved.add_by_rules(place, &group(None, &[]), &observation);
        let entry = &saved.assignments[0];
        assert!(!entry.detail.contains("audit"), "it is so until the write alone: {entry:?}");
        let told = condition::told(&entry.detail, &entry.conditions);
        assert_eq!(told.contains("--even-in-audit"), mode == Mode::Audit, "{told}");
    }
}
