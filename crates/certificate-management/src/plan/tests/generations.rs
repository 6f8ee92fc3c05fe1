//! Plans for namespaces with certificate authorities: alone, or beside a credential from which the owner migrates.

use super::*;
use crate::generation::{Generation, Link, LinkError, LinkState, NamespaceGeneration};
use crate::plan::saved::{Place, SavedPlan};

/// A certificate policy, named `authority/policy`.
fn pushed(name: &str) -> Policy {
    let (authority, own) = name.split_once('/').unwrap();
    let issuer = ArmId::parse(NAMESPACE).unwrap().child("certificateAuthorities", authority);
    Policy {
        id: issuer.child("certificatePolicies", own),
        name: name.into(),
        issuing_ca: IssuingCa { id: Some(issuer), not_after: Some(END), ..IssuingCa::default() },
        ..policy(own)
    }
}

fn pushed_certificate(name: &str) -> HubCertificate {
    let issuer_id = pushed(name).issuing_ca.id;
    HubCertificate { name: format!("c-{}", name.replace('/', "-")), issuer_id, ..certificate("x", END) }
}

fn link(hub: &str, state: LinkState) -> Link {
    let failed = state == LinkState::Failed;
    Link {
        resource: super::hub(hub, Vec::new()).hub.id,
        state: Some(state),
        error: failed
            .then(|| LinkError { code: "AdrMiNotAuthorized".into(), message: Some("No role.".into()) }),
        host_names: vec![format!("{hub}.device.azure-devices.net")],
    }
}

/// Policies `short` and `long` of the credential beside `lines/short`; each hub trusts what is named for it.
fn migrating(h1: &[&str], h2: &[&str]) -> Observation {
    let of = |names: &[&str]| -> Vec<HubCertificate> {
        names
            .iter()
            .map(|name| if name.contains('/') { pushed_certificate(name) } else { certificate(name, END) })
            .collect()
    };
    let mut observation = world(&[], &[]);
    observation.namespace.generation = NamespaceGeneration::Migrating;
    observation.namespace.links = vec![link("h1", LinkState::Succeeded), link("h2", LinkState::Succeeded)];
    observation.policies.push(pushed("lines/short"));
    observation.hubs = vec![super::hub("h1", of(h1)), super::hub("h2", of(h2))];
    observation
}

/// The same without a credential.
fn authorities(h1: &[&str], h2: &[&str]) -> Observation {
    let mut observation = migrating(h1, h2);
    observation.policies.retain(|policy| policy.generation() == Generation::CertificateAuthorities);
    observation.namespace.generation = NamespaceGeneration::CertificateAuthorities;
    observation
}

fn configuration(rest: &str) -> NamespaceConfiguration {
    let text = format!("[[namespace]]\nid = \"{NAMESPACE}\"\nmode = \"enforce\"\n{rest}");
    Configuration::parse(&text).unwrap().namespaces.remove(0)
}

fn rule(policy: &str, more: &str) -> String {
    format!(
        "[[namespace.rule]]\nname = \"all\"\nenrollment_groups = [\"*\"]\npolicy = \"{policy}\"\n{more}\n"
    )
}

const MOVE: &str = "[[namespace.migration]]\nfrom = \"short\"\nto = \"lines/short\"\n";

fn group(policy: Option<&str>) -> EnrollmentGroup {
    EnrollmentGroup {
        id: "g".into(),
        etag: Some("e".into()),
        policy: policy.map(str::to_owned),
        attestation: Attestation::SymmetricKey,
        hubs: Vec::new(),
        enabled: true,
        created_at: None,
        tags: serde_json::Map::new(),
    }
}

fn all() -> SyncRequest {
    SyncRequest::from_submission(&format!("{{\"namespaceId\":\"{NAMESPACE}\"}}"), "r").unwrap()
}

fn verdicts(plan: RequestPlan) -> Vec<(String, Outcome, Option<Reason>)> {
    let RequestPlan::Verify(hubs) = plan else { panic!("{plan:?}") };
    hubs.into_iter().map(|hub| (hub.hub, hub.outcome, hub.reason)).collect()
}

#[test]
fn what_the_service_pushes_is_looked_for_and_never_synced() {
    let all_trust = authorities(&["lines/short"], &["lines/short"]);
    assert!(matches!(plan_request(&all(), Mode::Enforce, &all_trust), RequestPlan::AlreadyTrusted(_)));
    let mut one_lacks = authorities(&["lines/short"], &[]);
    let looked_for = |observation: &Observation| verdicts(plan_request(&all(), Mode::Enforce, observation));
    let trusted = ("h1".to_owned(), Outcome::AlreadyTrusted, None);
    for (state, outcome, reason) in [
        (LinkState::Succeeded, Outcome::Syncing, Reason::PushAwaited),
        (LinkState::InProgress, Outcome::Syncing, Reason::LinkInProgress),
        (LinkState::Other("Paused".into()), Outcome::Syncing, Reason::PushAwaited),
        (LinkState::Failed, Outcome::Failed, Reason::LinkFailed),
    ] {
        one_lacks.namespace.links[1] = link("h2", state);
        assert_eq!(looked_for(&one_lacks), [trusted.clone(), ("h2".into(), outcome, Some(reason))]);
    }
    one_lacks.namespace.links.pop();
    let missing = ("h2".into(), Outcome::Failed, Some(Reason::LinkMissing));
    assert_eq!(looked_for(&one_lacks), [trusted, missing]);
}

#[test]
fn a_failed_link_is_explained_with_the_services_words_and_what_to_do() {
    let mut observation = authorities(&[], &[]);
    observation.namespace.links = vec![link("h1", LinkState::Failed), link("h2", LinkState::Failed)];
    let RequestPlan::Verify(hubs) = plan_request(&all(), Mode::Enforce, &observation) else { panic!() };
    let detail = hubs[0].detail.as_deref().unwrap();
    assert!(
        detail.contains("AdrMiNotAuthorized: No role; grant") && detail.contains("Contributor"),
        "{detail}"
    );
}

#[test]
fn a_push_that_does_not_come_is_unverified_at_the_deadline() {
    let observation = authorities(&["lines/short"], &[]);
    let RequestPlan::Verify(before) = plan_request(&all(), Mode::Enforce, &observation) else { panic!() };
    let judged = |progress| verify_request(&all(), &before, &observation, progress).pop().unwrap();
    assert_eq!(judged(Progress::Open).outcome, Outcome::Syncing);
    let late = judged(Progress::Overdue);
    assert_eq!((late.outcome, late.reason), (Outcome::Unverified, Some(Reason::PushMissing)));
    let arrived = authorities(&["lines/short"], &["lines/short"]);
    let outcomes: Vec<Outcome> = verify_request(&all(), &before, &arrived, Progress::Open)
        .into_iter()
        .map(|hub| hub.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::AlreadyTrusted, Outcome::Trusted]);
}

#[test]
fn in_a_mixed_namespace_only_policies_of_the_credential_ask_for_a_sync() {
    let pushed_only = migrating(&["short", "long"], &["short", "long", "lines/short"]);
    assert!(matches!(plan_request(&all(), Mode::Enforce, &pushed_only), RequestPlan::Verify(_)));
    let both = migrating(&["short"], &["short", "long", "lines/short"]);
    let RequestPlan::Sync(hubs) = plan_request(&all(), Mode::Enforce, &both) else { panic!() };
    let reasons: Vec<_> = hubs.iter().filter_map(|hub| hub.reason).collect();
    assert_eq!(reasons, [Reason::SyncRunning, Reason::PushAwaited]);
    // Policies that the service pushes by itself are not among those that a sync would also cover.
    let named = SyncRequest { policies: Some(vec!["short".into()]), ..all() };
    let only_short = migrating(&["long"], &["short", "long"]);
    assert!(matches!(plan_request(&named, Mode::Enforce, &only_short), RequestPlan::Sync(_)));
    // A sync that failed says nothing about what the service pushes.
    let after = verify_request(&all(), &hubs, &both, Progress::Failed);
    let of = |policy: &str| after.iter().find(|hub| hub.hub == "h1" && hub.policy == policy).unwrap().outcome;
    assert_eq!((of("long"), of("lines/short")), (Outcome::Failed, Outcome::Syncing));
}

#[test]
fn a_policy_is_meant_by_its_own_name_where_one_authority_has_it() {
    let short = configuration(&rule("short", ""));
    let one = authorities(&["lines/short"], &["lines/short"]);
    let plan = plan_assignment(&group(None), &*BOTH, &short, &one);
    assert_eq!(plan.write.as_deref(), Some("contoso/lines/short"));
    assert_eq!(
        plan_assignment(&group(Some("CONTOSO/lines/short")), &*BOTH, &short, &one).reason,
        Reason::AlreadyAssigned
    );
    let mut two = one.clone();
    two.policies.push(pushed("vans/short"));
    let plan = plan_assignment(&group(None), &*BOTH, &short, &two);
    assert_eq!((plan.write, plan.reason), (None, Reason::PolicyAmbiguous));
    assert!(plan.detail.contains("`lines/short` or `vans/short`"), "{}", plan.detail);
    let full = configuration(&rule("lines/short", ""));
    assert_eq!(
        plan_assignment(&group(None), &*BOTH, &full, &two).write.as_deref(),
        Some("contoso/lines/short")
    );
    // The name means the credential's policy before those of authorities.
    let both = migrating(&["short"], &["short"]);
    assert_eq!(plan_assignment(&group(None), &*BOTH, &short, &both).write.as_deref(), Some("short"));
}

#[test]
fn a_reference_that_is_unclear_or_foreign_is_left_alone_even_by_reassign() {
    let wins = configuration(&rule("lines/short", "reassign = true"));
    let world = authorities(&["lines/short"], &["lines/short"]);
    for (policy, reason) in [
        ("an incomplete reference (namespaceName = contoso)", Reason::ReferenceUnclear),
        ("short and contoso/lines/short", Reason::ReferenceUnclear),
        ("fabrikam/lines/short", Reason::ReferenceForeign),
    ] {
        let plan = plan_assignment(&group(Some(policy)), &*BOTH, &wins, &world);
        assert_eq!((plan.write, plan.reason), (None, reason), "{policy}");
        assert!(plan.detail.contains(policy), "{}", plan.detail);
    }
}

#[test]
fn new_groups_get_the_successor_when_their_hubs_trust_it_and_the_old_policy_until_then() {
    let moving = configuration(&format!("{}{MOVE}", rule("short", "")));
    let not_yet = migrating(&["short", "lines/short"], &["short"]);
    assert_eq!(plan_assignment(&group(None), &*BOTH, &moving, &not_yet).write.as_deref(), Some("short"));
    let ready = migrating(&["short", "lines/short"], &["short", "lines/short"]);
    let plan = plan_assignment(&group(None), &*BOTH, &moving, &ready);
    assert_eq!(plan.write.as_deref(), Some("contoso/lines/short"));
    assert!(plan.detail.contains("migration"), "{}", plan.detail);
    let mut not_made = migrating(&["short"], &["short"]);
    not_made.policies.retain(|policy| policy.generation() == Generation::Credentials);
    assert_eq!(plan_assignment(&group(None), &*BOTH, &moving, &not_made).write.as_deref(), Some("short"));
    // Once the old policy is deleted, the rule means its successor, trusted or not.
    let gone = authorities(&["lines/short"], &[]);
    let plan = plan_assignment(&group(None), &*BOTH, &moving, &gone);
    assert_eq!((plan.write, plan.reason), (None, Reason::WaitingForTrust));
}

#[test]
fn a_group_on_the_old_policy_is_moved_by_a_persons_plan_and_by_no_function() {
    let moving = configuration(&format!("{}{MOVE}", rule("short", "")));
    let ready = migrating(&["short", "lines/short"], &["short", "lines/short"]);
    let old = group(Some("short"));
    let plan = plan_assignment(&old, &*BOTH, &moving, &ready);
    assert_eq!((plan.write, plan.reason), (None, Reason::PreviousGeneration));

    let place = Place { configuration: &moving, provisioning_service: "dps", hubs: &*BOTH };
    let planned = |group: &EnrollmentGroup, observation: &Observation| {
        let mut plan = SavedPlan::empty("1", NOW);
        plan.add_by_rules(place, group, observation);
        plan
    };
    let entry = planned(&old, &ready).assignments.pop().unwrap();
    let (before, after) = (entry.before.as_deref(), entry.after.as_deref());
    assert_eq!((before, after), (Some("short"), Some("contoso/lines/short")));
    assert!(!entry.detail.contains("change it back"), "{}", entry.detail);
    assert_eq!(entry.recheck(Some(&old), place, &ready), crate::plan::saved::Step::Write);

    let not_yet = migrating(&["short", "lines/short"], &["short"]);
    let waits = planned(&old, &not_yet).left_alone.pop().unwrap();
    assert_eq!(waits.reason, Reason::WaitingForTrust);
    assert!(planned(&group(Some("contoso/lines/short")), &ready).assignments.is_empty());
    assert_eq!(planned(&group(Some("contoso/lines/short")), &ready).unchanged, 1);
    // A policy without a stated migration stays.
    assert!(planned(&group(Some("long")), &ready).assignments.is_empty());
    let wins = configuration(&format!("{}{MOVE}", rule("short", "reassign = true")));
    assert_eq!(
        plan_assignment(&old, &*BOTH, &wins, &ready).write.as_deref(),
        Some("contoso/lines/short"),
        "who says `reassign` has said it for the move too"
    );
}

proptest! {
    /// A hub trusts by where its certificates come from: those of the other generation, and of other authorities, never
    /// change a judgement, in whatever number and order.
    #[test]
    fn certificates_of_the_other_generation_change_no_judgement(
        own in any::<bool>(), old in 0usize..3, others in 0usize..3, at_front in any::<bool>()
    ) {
        for (policy, certificate, foreign) in [
            (pushed("lines/short"), pushed_certificate("lines/short"), certificate("short", END)),
            (policy("short"), certificate("short", END), pushed_certificate("lines/short")),
        ] {
            let mut alone = Vec::new();
            if own {
                alone.push(certificate.clone());
            }
            for n in 0..old {
                let expiry = Some(END - time::Duration::days(1));
                alone.push(HubCertificate { name: format!("old-{n}"), expiry, ..certificate.clone() });
            }
            let mut mixed = alone.clone();
            for n in 0..others {
                let place = if at_front { 0 } else { mixed.len() };
                mixed.insert(place, HubCertificate { name: format!("other-{n}"), ..foreign.clone() });
            }
            prop_assert_eq!(trust::assess(&policy, &mixed, NOW), trust::assess(&policy, &alone, NOW));
        }
    }
}
