//! Plans, tried on a small namespace: policies `short` and `long`, hubs `h1` and `h2`.

mod generations;
mod hub_trust;
mod milestones;
mod partial;
mod saved;

use std::sync::LazyLock;

use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::ArmId;
use crate::configuration::{Configuration, NamespaceConfiguration};
use crate::model::{Attestation, EnrollmentGroup, IssuingCa};

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);
const END: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);
/// The hubs of the provisioning service.
static BOTH: LazyLock<[String; 2]> = LazyLock::new(|| ["h1", "h2"].map(host));

fn host(name: &str) -> String {
    format!("{name}.azure-devices.net")
}

fn policy(name: &str) -> Policy {
    Policy {
        id: ArmId::parse(&format!("{NAMESPACE}/credentials/default/policies/{name}")).unwrap(),
        name: name.into(),
        provisioning_state: ProvisioningState::Succeeded,
        issuing_ca: IssuingCa { not_after: Some(END), ..IssuingCa::default() },
        leaf_validity_days: Some(30),
        bring_your_own_root: None,
    }
}

fn certificate(policy_name: &str, expiry: OffsetDateTime) -> HubCertificate {
    HubCertificate {
        name: format!("c-{policy_name}"),
        issuer_id: Some(policy(policy_name).id),
        subject: None,
        thumbprint: Some("AB".into()),
        expiry: Some(expiry),
        is_verified: Some(true),
    }
}

fn hub(name: &str, certificates: Vec<HubCertificate>) -> ObservedHub {
    let id = format!("/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/{name}");
    ObservedHub {
        hub: Hub {
            id: ArmId::parse(&id).unwrap(),
            name: name.into(),
            host_name: format!("{name}.azure-devices.net"),
            namespace_id: Some(ArmId::parse(NAMESPACE).unwrap()),
        },
        certificates: Ok(certificates),
    }
}

/// A namespace where each hub trusts the policies that are named for it.
fn world(h1: &[&str], h2: &[&str]) -> Observation {
    let of = |names: &[&str]| names.iter().map(|name| certificate(name, END)).collect();
    Observation {
        authorities: Vec::new(),
        namespace: Namespace {
            id: ArmId::parse(NAMESPACE).unwrap(),
            location: "westeurope".into(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: Default::default(),
            links: Vec::new(),
        },
        policies: vec![policy("short"), policy("long")],
        hubs: vec![hub("h1", of(h1)), hub("h2", of(h2))],
        seen_at: NOW,
    }
}

fn request(rest: &str) -> SyncRequest {
    SyncRequest::from_submission(&format!(r#"{{"namespaceId":"{NAMESPACE}"{rest}}}"#), "r-1").unwrap()
}

fn refusal(plan: &RequestPlan) -> Option<Reason> {
    match plan {
        RequestPlan::Refuse { reason, .. } => Some(*reason),
        _ => None,
    }
}

#[test]
fn a_namespace_that_trusts_everything_needs_nothing() {
    let plan = plan_request(&request(""), Mode::Enforce, &world(&["short", "long"], &["short", "long"]));
    let RequestPlan::AlreadyTrusted(hubs) = plan else { panic!("{plan:?}") };
    assert_eq!(hubs.len(), 4);
    assert!(hubs.iter().all(|hub| hub.outcome == Outcome::AlreadyTrusted && hub.evidence.is_some()));
}

#[test]
fn one_hub_that_does_not_trust_needs_a_sync() {
    let plan = plan_request(&request(""), Mode::Enforce, &world(&["short", "long"], &["long"]));
    let RequestPlan::Sync(hubs) = plan else { panic!("{plan:?}") };
    let syncing: Vec<_> = hubs.iter().filter(|hub| hub.outcome == Outcome::Syncing).collect();
    assert_eq!(syncing.len(), 1);
    assert_eq!((syncing[0].hub.as_str(), syncing[0].policy.as_str()), ("h2", "short"));
}

/// A sync cannot be undone, and it pushes the CA that there is.
#[test]
fn a_ca_that_has_ended_is_refused_and_asks_for_no_sync() {
    for (has_short, has_long) in [(true, true), (true, false), (false, true), (false, false)] {
        let has: Vec<&str> =
            [("short", has_short), ("long", has_long)].iter().filter(|has| has.1).map(|has| has.0).collect();
        let mut world = world(&has, &has);
        for end in [NOW, NOW - time::Duration::days(9)] {
            world.policies[0].issuing_ca.not_after = Some(end);
            let (plan, hubs) = match plan_request(&request(""), Mode::Enforce, &world) {
                RequestPlan::Sync(hubs) => ("sync", hubs),
                RequestPlan::Verify(hubs) => ("verify", hubs),
                plan => panic!("{plan:?}"),
            };
            assert_eq!(plan, if has_long { "verify" } else { "sync" }, "only `long` can need a sync");
            assert!(world.pairs().iter().all(|pair| pair.policy.name == "long" || !pair.needs_sync()));
            for progress in [Progress::Open, Progress::Failed, Progress::Overdue, Progress::FailedAndOverdue]
            {
                let judged = verify_request(&request(""), &hubs, &world, progress);
                for outcomes in [&hubs, &judged] {
                    let short = outcomes.iter().filter(|hub| hub.policy == "short");
                    let told: Vec<_> = short.map(|hub| (hub.outcome, hub.reason)).collect();
                    assert_eq!(told, [(Outcome::Refused, Some(Reason::CaExpired)); 2]);
                }
            }
        }
        // As long as it has not ended, a hub that has another one needs a sync.
        world.policies[0].issuing_ca.not_after = Some(NOW + time::Duration::SECOND);
        assert!(world.pairs().iter().any(|pair| pair.policy.name == "short" && pair.needs_sync()));
    }
}

#[test]
fn no_group_gets_a_policy_whose_ca_has_ended() {
    let mut world = world(&["short", "long"], &["short", "long"]);
    world.policies[0].issuing_ca.not_after = Some(NOW);
    for before_trust in ["", "assign_before_trust = true\n"] {
        let text = format!(
            "[[namespace]]\nid = \"{NAMESPACE}\"\n{before_trust}[[namespace.rule]]\nname = \"lines\"\n\
             enrollment_groups = [\"line-*\"]\npolicy = \"short\""
        );
        let configuration = Configuration::parse(&text).unwrap();
        let plan = plan_assignment(&group(None, &[]), &*BOTH, &configuration.namespaces[0], &world);
        assert_eq!((plan.write, plan.reason), (None, Reason::CaExpired), "{before_trust}");
    }
}

#[test]
fn a_request_is_refused_for_what_the_caller_can_change() {
    let trusting_nothing = world(&[], &[]);
    let enforce = |rest: &str| refusal(&plan_request(&request(rest), Mode::Enforce, &trusting_nothing));
    assert_eq!(enforce(r#","hubs":["h3"]"#), Some(Reason::UnknownHub));
    assert_eq!(enforce(r#","policies":["medium"]"#), Some(Reason::UnknownPolicy));
    assert_eq!(enforce(r#","hubs":["h1"]"#), Some(Reason::SyncCoversWholeNamespace));
    assert_eq!(enforce(r#","hubs":["h1"],"allowWholeNamespace":true"#), None);
    assert_eq!(refusal(&plan_request(&request(""), Mode::Audit, &trusting_nothing)), Some(Reason::AuditMode));
    let without_hubs = Observation { hubs: vec![], ..trusting_nothing.clone() };
    assert_eq!(
        refusal(&plan_request(&request(""), Mode::Enforce, &without_hubs)),
        Some(Reason::NoHubsLinked)
    );
    let without_policies = Observation { policies: vec![], ..trusting_nothing };
    assert_eq!(
        refusal(&plan_request(&request(""), Mode::Enforce, &without_policies)),
        Some(Reason::NoPolicies)
    );
}

#[test]
fn a_request_for_part_is_done_when_nothing_else_is_out_of_sync() {
    let plan = plan_request(
        &request(r#","hubs":["H2.azure-devices.net"]"#),
        Mode::Enforce,
        &world(&["short", "long"], &[]),
    );
    assert!(matches!(plan, RequestPlan::Sync(hubs) if hubs.len() == 2));
}

#[test]
fn a_pending_policy_is_not_waited_for_but_refused_when_named() {
    let mut observation = world(&["long"], &["long"]);
    observation.policies[0].provisioning_state = ProvisioningState::Accepted;
    assert!(matches!(
        plan_request(&request(""), Mode::Enforce, &observation),
        RequestPlan::AlreadyTrusted(_)
    ));
    let named = plan_request(&request(r#","policies":["short"]"#), Mode::Enforce, &observation);
    assert_eq!(refusal(&named), Some(Reason::PolicyNotActive));
}

#[test]
fn only_evidence_makes_a_hub_trusted() {
    let before = match plan_request(&request(""), Mode::Enforce, &world(&["short", "long"], &["long"])) {
        RequestPlan::Sync(hubs) => hubs,
        other => panic!("{other:?}"),
    };
    let judge = |observation: &Observation, progress| {
        let outcomes = verify_request(&request(""), &before, observation, progress);
        outcomes.into_iter().find(|hub| hub.hub == "h2" && hub.policy == "short").unwrap()
    };
    let unchanged = world(&["short", "long"], &["long"]);
    assert_eq!(judge(&unchanged, Progress::Open).outcome, Outcome::Syncing);
    assert_eq!(judge(&unchanged, Progress::Failed).outcome, Outcome::Failed);
    assert_eq!(judge(&unchanged, Progress::Overdue).reason, Some(Reason::EvidenceMissing));
    let synced = world(&["short", "long"], &["short", "long"]);
    for progress in [Progress::Open, Progress::Failed, Progress::Overdue] {
        assert_eq!(judge(&synced, progress).outcome, Outcome::Trusted, "evidence wins over {progress:?}");
    }
    let gone = Observation { hubs: vec![synced.hubs[0].clone()], ..synced };
    assert_eq!(judge(&gone, Progress::Open).reason, Some(Reason::HubGone));
}

fn group(policy: Option<&str>, hubs: &[&str]) -> EnrollmentGroup {
    EnrollmentGroup {
        id: "line-7".into(),
        etag: Some("\"1\"".into()),
        policy: policy.map(str::to_owned),
        attestation: Attestation::SymmetricKey,
        hubs: hubs.iter().map(|name| format!("{name}.azure-devices.net")).collect(),
        enabled: true,
        created_at: None,
        tags: serde_json::Map::new(),
    }
}

fn configuration(policy: &str, reassign: bool) -> NamespaceConfiguration {
    let text = format!(
        "[[namespace]]\nid = \"{NAMESPACE}\"\nmode = \"enforce\"\n[[namespace.rule]]\nname = \"lines\"\n\
         enrollment_groups = [\"line-*\"]\npolicy = \"{policy}\"\nreassign = {reassign}"
    );
    Configuration::parse(&text).unwrap().namespaces.remove(0)
}

#[test]
fn a_group_gets_its_policy_only_when_its_hubs_trust_it() {
    let plan = |group: &EnrollmentGroup, observation: &Observation| {
        plan_assignment(group, &*BOTH, &configuration("short", false), observation)
    };
    let everywhere = plan(&group(None, &[]), &world(&["short"], &["short"]));
    assert_eq!((everywhere.write.as_deref(), everywhere.reason), (Some("short"), Reason::Assigned));
    let half = world(&["short"], &[]);
    assert_eq!(plan(&group(None, &[]), &half).reason, Reason::WaitingForTrust);
    assert_eq!(plan(&group(None, &["h1"]), &half).reason, Reason::Assigned);
    assert_eq!(plan(&group(None, &["h2"]), &half).reason, Reason::WaitingForTrust);
}

#[test]
fn a_persons_choice_is_left_alone_unless_the_rule_says_reassign() {
    let observation = world(&["short", "long"], &["short", "long"]);
    let plan = |current, reassign| {
        plan_assignment(&group(Some(current), &[]), &*BOTH, &configuration("short", reassign), &observation)
    };
    assert_eq!(plan("short", false).reason, Reason::AlreadyAssigned);
    assert_eq!(plan("SHORT", true).reason, Reason::AlreadyAssigned);
    let left = plan("long", false);
    assert_eq!((left.write, left.reason), (None, Reason::AssignedElsewhere));
    let taken = plan("long", true);
    assert_eq!((taken.before.as_deref(), taken.write.as_deref()), (Some("long"), Some("short")));
}

#[test]
fn a_rule_that_names_no_policy_of_the_namespace_writes_nothing() {
    let observation = world(&["short"], &["short"]);
    let plan = |policy: &str| {
        plan_assignment(&group(None, &[]), &*BOTH, &configuration(policy, false), &observation)
    };
    assert_eq!(plan("medium").reason, Reason::PolicyNotFound);
    assert_eq!(plan("none").reason, Reason::RuleSaysNone);
}

#[test]
fn of_a_group_that_does_not_exist_yet_the_plan_says_that_its_policy_does_not_either() {
    let observation = world(&["short"], &["short"]);
    let foreseen = |policy: &str| {
        let configuration = configuration(policy, false);
        let subject = crate::rules::Subject::named("line-1");
        let decision = crate::rules::decide(&configuration, &subject);
        foresee_in(foresee_assignment("line-1", decision), &configuration, &observation)
    };
    let known = foreseen("short");
    assert_eq!((known.write.as_deref(), known.reason), (Some("short"), Reason::Assigned));
    let unknown = foreseen("gone");
    assert_eq!((unknown.write, unknown.reason), (None, Reason::PolicyNotFound));
    assert!(unknown.detail.contains("`gone`"), "{}", unknown.detail);
}

#[test]
fn a_group_that_opts_out_is_left_alone_whatever_the_rules_say() {
    let observation = world(&["short", "long"], &["short", "long"]);
    let mut group = group(Some("long"), &[]);
    group.tags.insert("policysync".into(), "off".into());
    let plan = plan_assignment(&group, &*BOTH, &configuration("short", true), &observation);
    assert_eq!((plan.write, plan.reason), (None, Reason::OptedOut));
    assert!(plan.detail.contains("`policysync`"), "{}", plan.detail);
}

#[test]
fn a_namespace_can_assign_before_its_hubs_trust_and_says_so() {
    let before = NamespaceConfiguration { assign_before_trust: true, ..configuration("short", false) };
    let plan = plan_assignment(&group(None, &["h1", "h2"]), &*BOTH, &before, &world(&["short"], &[]));
    assert_eq!((plan.write.as_deref(), plan.reason), (Some("short"), Reason::Assigned));
    assert_eq!(plan.untrusting_hubs, ["h2"]);
    assert!(plan.detail.contains("not trusted by h2"), "{}", plan.detail);
    let after = NamespaceConfiguration { assign_before_trust: false, ..before };
    let plan = plan_assignment(&group(None, &["h1", "h2"]), &*BOTH, &after, &world(&["short"], &[]));
    assert_eq!((plan.write, plan.reason), (None, Reason::WaitingForTrust));
    assert_eq!(plan.untrusting_hubs, ["h2"]);
}

#[test]
fn the_default_policy_never_takes_the_place_of_another() {
    let with = |default: &str| NamespaceConfiguration {
        rules: vec![],
        default_policy: Some(default.into()),
        ..configuration("short", true)
    };
    let observation = world(&["short", "long"], &["short", "long"]);
    let plan =
        |default: &str, current| plan_assignment(&group(current, &[]), &*BOTH, &with(default), &observation);
    assert_eq!(plan("short", None).write.as_deref(), Some("short"));
    let left = plan("short", Some("long"));
    assert_eq!(left.reason, Reason::AssignedElsewhere);
    assert!(left.detail.contains("but never replaces a policy"), "{}", left.detail);
    assert_eq!(plan("none", None).reason, Reason::RuleSaysNone);
    assert_eq!(plan("gone", None).reason, Reason::PolicyNotFound);
}

#[test]
fn rules_see_the_hubs_of_the_provisioning_service_where_the_group_names_none() {
    let text = format!(
        "[[namespace]]\nid = \"{NAMESPACE}\"\n[[namespace.rule]]\nname = \"h1\"\nhubs = [\"h1\"]\npolicy = \"short\""
    );
    let configuration = Configuration::parse(&text).unwrap().namespaces.remove(0);
    let observation = world(&["short"], &["short"]);
    let plan = |group: &EnrollmentGroup, service_hubs: &[String]| {
        plan_assignment(group, service_hubs, &configuration, &observation).reason
    };
    let (h1, h2) = ("h1.azure-devices.net".to_owned(), "h2.azure-devices.net".to_owned());
    assert_eq!(plan(&group(None, &[]), std::slice::from_ref(&h1)), Reason::Assigned);
    assert_eq!(plan(&group(None, &["h1"]), &[h1.clone(), h2.clone()]), Reason::Assigned);
    assert_eq!(plan(&group(None, &[]), &[h1, h2]), Reason::NoRuleMatches);
    assert_eq!(plan(&group(None, &[]), &[]), Reason::NoRuleMatches);
}

proptest! {
    /// A plan after its own effect is empty, and it never writes what it refused.
    #[test]
    fn a_plan_after_apply_is_empty(
        trusting in any::<[[bool; 2]; 2]>(),
        current in prop::option::of(prop::sample::select(vec!["short", "LONG", "gone"])),
        hubs in prop::sample::subsequence(vec!["h1", "h2", "elsewhere"], 0..3),
        tag in prop::sample::select(vec!["on", "off"]),
        says in prop::sample::select(vec!["short", "Long", "gone", "none"]),
        default in prop::option::of(prop::sample::select(vec!["short", "none"])),
        flags in any::<[bool; 3]>(),
    ) {
        let [reassign, assign_before_trust, rules_match] = flags;
        let pick = |flags: [bool; 2]| -> Vec<&str> {
            ["short", "long"].into_iter().zip(flags).filter_map(|(name, flag)| flag.then_some(name)).collect()
        };
        let observation = world(&pick(trusting[0]), &pick(trusting[1]));
        let mut namespace = configuration(says, reassign);
        namespace.assign_before_trust = assign_before_trust;
        namespace.default_policy = default.map(str::to_owned);
        if !rules_match {
            namespace.rules.clear();
        }
        let mut group = group(current, &hubs);
        group.tags.insert("policysync".into(), tag.into());
        let first = plan_assignment(&group, &*BOTH, &namespace, &observation);
        prop_assert_eq!(first.write.is_some(), first.reason == Reason::Assigned);
        if tag == "off" {
            prop_assert_eq!(first.reason, Reason::OptedOut);
        }
        let written = first.write.is_some();
        if let Some(policy) = first.write {
            prop_assert!(current.is_none() || (reassign && rules_match));
            group.policy = Some(policy);
        }
        let second = plan_assignment(&group, &*BOTH, &namespace, &observation);
        prop_assert_eq!(&second.write, &None);
        prop_assert_eq!(second.reason, if written { Reason::AlreadyAssigned } else { first.reason });
    }
}

proptest! {
    /// A plan after its own effect is empty.
    #[test]
    fn a_second_plan_is_empty(h1 in any::<[bool; 2]>(), h2 in any::<[bool; 2]>(), named in any::<bool>()) {
        let pick = |flags: [bool; 2]| -> Vec<&str> {
            ["short", "long"].into_iter().zip(flags).filter_map(|(name, flag)| flag.then_some(name)).collect()
        };
        let request = request(if named { r#","hubs":["h1"],"allowWholeNamespace":true"# } else { "" });
        let first = plan_request(&request, Mode::Enforce, &world(&pick(h1), &pick(h2)));
        let refused = refusal(&first);
        prop_assert_eq!(refused, None);
        let synced = world(&["short", "long"], &["short", "long"]);
        prop_assert!(matches!(plan_request(&request, Mode::Enforce, &synced), RequestPlan::AlreadyTrusted(_)));
    }
}
