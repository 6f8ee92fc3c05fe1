//! The way of a group to its policy: what it waits for is what keeps the plan from writing.

use super::*;
use crate::generation::{Link, LinkState, NamespaceGeneration};
use crate::milestones::{Milestone, State, Step, milestones, waits_for};
use crate::model::{BringYourOwnRoot, ReadFailure};

/// What varies.
#[derive(Debug, Clone)]
struct Case {
    /// Whether the policy is of the second generation.
    is_pushed: bool,
    /// 0: it is not there; 1: it is being made; 2: it waits for a signature; 3: it failed; then: it signs.
    policy: u8,
    /// Of each hub: 0 not seen, 1 unreadable, 2 lacks it, 3 has an older one, 4 has one that is not valid yet, then: trusts.
    hubs: [u8; 2],
    /// What the group names: 0 nothing, 1 the policy, then: another one.
    group: u8,
    before_trust: bool,
    mode: Mode,
    reassign: bool,
    /// Whether a window of `freeze` is open for the namespace.
    is_frozen: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let hubs = prop::array::uniform2(0..9_u8);
    let mode = prop_oneof![Just(Mode::Enforce), Just(Mode::Audit)];
    let flags = prop::array::uniform3(prop::bool::ANY);
    (prop::bool::ANY, 0..9_u8, hubs, 0..3_u8, mode, flags).prop_map(
        |(is_pushed, policy, hubs, group, mode, [before_trust, reassign, is_frozen])| Case {
            is_pushed,
            policy,
            hubs,
            group,
            before_trust,
            mode,
            reassign,
            is_frozen,
        },
    )
}

struct Judged {
    plan: AssignmentPlan,
    way: Vec<Milestone>,
}

fn judged(case: &Case) -> Judged {
    let name = if case.is_pushed { "lines/short" } else { "short" };
    let freeze = match case.is_frozen {
        true => {
            "freeze = [{ from = 2020-01-01T00:00:00Z, to = 2100-01-01T00:00:00Z, reason = \"peak season\" }]\n"
        }
        false => "",
    };
    let mut configuration = Configuration::parse(&format!(
        "[[namespace]]\nid = \"{NAMESPACE}\"\n{freeze}assign_before_trust = {}\n\
         [[namespace.rule]]\nname = \"all\"\nenrollment_groups = [\"*\"]\npolicy = \"{name}\"\nreassign = {}\n",
        case.before_trust, case.reassign
    ))
    .unwrap()
    .namespaces
    .remove(0);
    configuration.mode = case.mode;
    let mut observation = world(&[], &[]);
    let mut wanted = policy("short");
    if case.is_pushed {
        let authority = ArmId::parse(NAMESPACE).unwrap().child("certificateAuthorities", "lines");
        wanted.id = authority.child("certificatePolicies", "short");
        wanted.name = name.to_owned();
        wanted.issuing_ca.id = Some(authority);
        observation.namespace.generation = NamespaceGeneration::CertificateAuthorities;
    }
    match case.policy {
        1 => wanted.provisioning_state = ProvisioningState::Accepted,
        2 => wanted.bring_your_own_root = Some(BringYourOwnRoot { status: "PendingActivation".to_owned() }),
        3 => wanted.provisioning_state = ProvisioningState::Failed,
        _ => {}
    }
    observation.policies = vec![policy("long")];
    for (place, state) in case.hubs.into_iter().enumerate().rev() {
        let seen = &mut observation.hubs[place];
        observation.namespace.links.push(Link {
            resource: seen.hub.id.clone(),
            state: Some(LinkState::Succeeded),
            error: None,
            host_names: Vec::new(),
        });
        let own = |expiry| HubCertificate {
            issuer_id: Some(wanted.issuer_id().clone()),
            ..certificate("short", expiry)
        };
        match state {
            0 => drop(observation.hubs.remove(place)),
            1 => seen.certificates = Err(ReadFailure::other("503")),
            2 => seen.certificates = Ok(vec![]),
            3 => seen.certificates = Ok(vec![own(END - time::Duration::DAY)]),
            // Whether it can be compared is not known: it shows neither thumbprint nor end.
            4 => {
                seen.certificates = Ok(vec![HubCertificate { thumbprint: None, expiry: None, ..own(END) }]);
            }
            _ => seen.certificates = Ok(vec![own(END)]),
        }
    }
    let reference = wanted.reference();
    if case.policy > 0 {
        observation.policies.push(wanted);
    }
    let group = EnrollmentGroup {
        id: "line-1".into(),
        etag: None,
        policy: match case.group {
            0 => None,
            1 => Some(reference),
            _ => Some("long".to_owned()),
        },
        attestation: Attestation::X509CaReference,
        hubs: Vec::new(),
        enabled: true,
        created_at: None,
        tags: Default::default(),
    };
    let plan = plan_assignment(&group, &*BOTH, &configuration, &observation);
    let way = milestones(&group, &*BOTH, &configuration, false, (&observation, None), &plan);
    Judged { plan, way }
}

proptest! {
    /// Exactly the first step that is not done is what the group waits for, and it is what keeps the plan from writing.
    #[test]
    fn a_group_waits_for_the_first_step_that_is_not_done_and_the_plan_agrees(case in cases()) {
        let Judged { plan, way } = judged(&case);
        let steps: Vec<Step> = way.iter().map(|one| one.step).collect();
        let delivery = if case.is_pushed { Step::Pushed } else { Step::Synced };
        prop_assert_eq!(steps, [Step::Created, delivery, Step::Trusted, Step::Assigned]);
        for one in &way {
            prop_assert_eq!(one.next_step.is_none(), one.state == State::Done, "{:?}", one);
            prop_assert!(!one.why.is_empty());
        }
        let done = way.iter().take_while(|one| one.state == State::Done).count();
        prop_assert_eq!(waits_for(&way), way.get(done));
        let waits_for = waits_for(&way).map(|one| (one.step, one.state));
        match plan.reason {
            Reason::PolicyNotFound | Reason::PolicyNotActive => {
                prop_assert_eq!(waits_for, Some((Step::Created, State::Waiting)));
            }
            Reason::WaitingForTrust => prop_assert_eq!(waits_for, Some((delivery, State::Waiting))),
            Reason::HubsUnknown => {
                let (step, _) = waits_for.unwrap();
                prop_assert!(step == delivery || step == Step::Trusted, "{:?}", waits_for);
                prop_assert!(way.iter().any(|one| one.state == State::Unknown) || step == delivery);
            }
            _ => {}
        }
        if plan.write.is_some() && !case.before_trust {
            prop_assert_eq!(waits_for, Some((Step::Assigned, State::Waiting)));
        }
        if waits_for.is_none() {
            prop_assert_eq!(plan.reason, Reason::AlreadyAssigned);
        }
    }
}

#[test]
fn each_step_says_who_does_what_next() {
    let healthy = Case {
        is_pushed: true,
        policy: 9,
        hubs: [9, 9],
        group: 0,
        before_trust: false,
        mode: Mode::Enforce,
        reassign: false,
        is_frozen: false,
    };
    for (case, step, words) in [
        (Case { policy: 0, ..healthy.clone() }, Step::Created, "policy"),
        (Case { policy: 1, ..healthy.clone() }, Step::Created, "Wait"),
        (Case { policy: 2, ..healthy.clone() }, Step::Created, "policysync policies activate"),
        (Case { hubs: [9, 2], ..healthy.clone() }, Step::Pushed, "the service pushes it by itself"),
        (Case { hubs: [9, 3], is_pushed: false, ..healthy.clone() }, Step::Synced, "synced by itself"),
        (
            Case { hubs: [9, 3], is_pushed: false, mode: Mode::Audit, ..healthy.clone() },
            Step::Synced,
            "enforce",
        ),
        (
            Case { hubs: [9, 3], is_pushed: false, is_frozen: true, ..healthy.clone() },
            Step::Synced,
            "A window of `freeze`",
        ),
        (Case { is_frozen: true, ..healthy.clone() }, Step::Assigned, "A window of `freeze`"),
        (Case { hubs: [9, 4], ..healthy.clone() }, Step::Trusted, ""),
        (healthy.clone(), Step::Assigned, "the next event or reconcile"),
        (Case { mode: Mode::Audit, ..healthy.clone() }, Step::Assigned, "enforce"),
    ] {
        let way = judged(&case).way;
        let first = waits_for(&way).unwrap();
        assert_eq!(first.step, step, "{case:?} {way:?}");
        assert!(first.next_step.as_ref().unwrap().contains(words), "{first:?}");
    }
    assert_eq!(waits_for(&judged(&Case { group: 1, ..healthy }).way), None);
}
