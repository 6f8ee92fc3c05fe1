//! The promises of a proposal: it can be read, its tests hold, no rule hides another, and it changes no group that has a policy.

use proptest::prelude::*;
use serde_json::json;
use time::macros::datetime;

use super::seen::{SeenNamespace, SeenService, Unread};
use super::*;
use crate::configuration::lines::Lines;
use crate::configuration::{Configuration, Mode, analysis};
use crate::generation::NamespaceGeneration;
use crate::model::{
    Attestation, EnrollmentGroup, Hub, IssuingCa, Namespace, Policy, ProvisioningState, ReadFailure,
};
use crate::plan::{Observation, ObservedHub, plan_assignment};
use crate::reason::Reason;

const PROVIDERS: &str = "/subscriptions/S/resourceGroups/R/providers";
const HUB: &str = "h.azure-devices.net";

fn id(kind: &str, name: &str) -> ArmId {
    ArmId::parse(&format!("{PROVIDERS}/{kind}/{name}")).unwrap()
}

fn contoso() -> ArmId {
    id("Microsoft.DeviceRegistry/namespaces", "contoso")
}

fn group(name: &str, policy: Option<&str>) -> EnrollmentGroup {
    EnrollmentGroup {
        created_at: None,
        id: name.to_owned(),
        etag: None,
        policy: policy.map(str::to_owned),
        attestation: Attestation::SymmetricKey,
        hubs: Vec::new(),
        enabled: true,
        tags: serde_json::Map::new(),
    }
}

/// Names with a slash are those of an authority and its policy.
fn policy(name: &str) -> Policy {
    let (id, authority) = match name.split_once('/') {
        Some((authority, own)) => {
            let authority = contoso().child("certificateAuthorities", authority);
            (authority.child("certificatePolicies", own), Some(authority))
        }
        None => (contoso().child("credentials", "default").child("policies", name), None),
    };
    Policy {
        id,
        name: name.to_owned(),
        provisioning_state: ProvisioningState::Succeeded,
        issuing_ca: IssuingCa { id: authority, ..IssuingCa::default() },
        leaf_validity_days: Some(30),
        bring_your_own_root: None,
    }
}

fn namespace(policies: &[&str], services: &[&[EnrollmentGroup]]) -> SeenNamespace {
    let service = |(number, groups): (usize, &&[EnrollmentGroup])| SeenService {
        id: id("Microsoft.Devices/provisioningServices", &format!("d{number}")),
        groups: Ok(groups.to_vec()),
    };
    SeenNamespace {
        id: contoso(),
        generation: Ok(NamespaceGeneration::Migrating),
        policies: Ok(policies.iter().copied().map(policy).collect()),
        hubs: vec![id("Microsoft.Devices/IotHubs", "h")],
        services: services.iter().enumerate().map(service).collect(),
    }
}

fn seen(namespaces: Vec<SeenNamespace>) -> Seen {
    Seen { subscriptions: vec!["S".to_owned()], namespaces, ..Seen::default() }
}

/// The whole promise, for what was seen; answers the proposal.
fn kept(seen: &Seen) -> Proposal {
    let proposal = propose(seen);
    let text = proposal.text.clone().unwrap();
    let configuration = Configuration::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let hidden = analysis::rule_order(&configuration, &Lines::of(&text));
    assert_eq!(hidden, [], "{text}");
    assert_eq!(configuration.namespaces.len(), seen.namespaces.len());
    for ((own, namespace), proposed) in
        configuration.namespaces.iter().zip(&seen.namespaces).zip(&proposal.namespaces)
    {
        let left_out = &proposed.guess.left_out;
        assert_eq!((&own.id, own.mode), (&namespace.id, Mode::Audit));
        assert!(own.rules.iter().all(|rule| !rule.test.is_empty() && !rule.reassign), "{text}");
        assert_eq!(own.provisioning_services.len(), namespace.services.len());
        let Ok(policies) = &namespace.policies else {
            assert!(own.rules.is_empty(), "policies that were not read are in no rule: {text}");
            continue;
        };
        // Every hub is known and none objects, so that nothing but the rules keeps a group from being written.
        let own = &crate::configuration::NamespaceConfiguration { assign_before_trust: true, ..own.clone() };
        let observation = Observation {
            authorities: Vec::new(),
            namespace: Namespace {
                id: namespace.id.clone(),
                location: String::new(),
                provisioning_state: ProvisioningState::Succeeded,
                generation: NamespaceGeneration::Migrating,
                links: Vec::new(),
            },
            policies: policies.clone(),
            hubs: vec![ObservedHub {
                hub: Hub {
                    id: id("Microsoft.Devices/IotHubs", "h"),
                    name: "h".to_owned(),
                    host_name: HUB.to_owned(),
                    namespace_id: None,
                },
                certificates: Ok(Vec::new()),
            }],
            seen_at: datetime!(2026-11-30 05:00 UTC),
        };
        for group in namespace.services.iter().filter_map(|service| service.groups.as_ref().ok()).flatten() {
            let plan = plan_assignment(group, &[HUB.to_owned()], own, &observation);
            if group.policy.is_some() {
                assert_eq!(plan.write, None, "{plan:?}\n{text}");
                let silent = [Reason::AlreadyAssigned, Reason::NoRuleMatches, Reason::OptedOut];
                assert!(silent.contains(&plan.reason), "{plan:?}\n{text}");
                let is_told = left_out.iter().any(|left| left.enrollment_group == group.id);
                assert!(plan.reason != Reason::NoRuleMatches || is_told, "{plan:?}\n{text}");
            }
        }
    }
    proposal
}

#[test]
fn what_groups_have_becomes_rules_with_tests_and_comments() {
    let groups = [
        group("line-1", Some("short")),
        group("line-2", Some("short")),
        group("line-3", None),
        group("gate.1", Some("contoso/ica/long")),
        group("lab", None),
        group("moved", Some("fabrikam/ica/long")),
        group("gone", Some("deleted")),
        EnrollmentGroup {
            tags: json!({"policysync": "off"}).as_object().cloned().unwrap(),
            ..group("off", Some("short"))
        },
    ];
    let proposal = kept(&seen(vec![namespace(&["short", "ica/long"], &[&groups])]));
    let guess = &proposal.namespaces[0].guess;
    let rules: Vec<(&str, &[String])> =
        guess.rules.iter().map(|rule| (rule.policy.as_str(), rule.enrollment_groups.as_slice())).collect();
    assert_eq!(rules, [("ica/long", &["gate.*".to_owned()][..]), ("short", &["line-*".to_owned()][..])]);
    assert_eq!(guess.rules[1].would_get_it, ["line-3"]);
    assert_eq!((guess.without_policy.as_slice(), guess.opted_out), (&["lab".to_owned()][..], 1));
    assert_eq!(guess.left_out.len(), 2);
    let text = proposal.text.unwrap();
    for line in [
        "mode = \"audit\"",
        "# Groups that have it: 2 (line-1, line-2).",
        "# Groups without a policy that get it by this rule: 1 (line-3).",
        "# No rule is for group gone: it has `deleted`, which the namespace does not have.",
        "# No rule is for group moved: it has `fabrikam/ica/long`, of another namespace.",
        "# Groups that opt out by the tag `policysync`: 1.",
        "# policy = \"short\"   # or: ica/long",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 130), "{text}");
}

#[test]
fn two_policies_among_names_alike_are_told_apart_name_by_name() {
    let groups: Vec<EnrollmentGroup> = (0..300)
        .map(|n| group(&format!("line-{n}"), Some(if n % 2 == 0 { "short" } else { "long" })))
        .collect();
    let proposal = kept(&seen(vec![namespace(&["short", "long"], &[&groups])]));
    let rules = &proposal.namespaces[0].guess.rules;
    assert!(rules.iter().all(|rule| rule.enrollment_groups.len() == 150), "no pattern fits");
    assert!(rules.iter().all(|rule| rule.tests.len() <= 5 && rule.have_it.len() == 150));
}

#[test]
fn one_id_in_two_dps_with_two_policies_is_in_no_rule() {
    let (one, two) =
        ([group("line-1", Some("short"))], [group("LINE-1", Some("long")), group("line-2", None)]);
    let proposal = kept(&seen(vec![namespace(&["short", "long"], &[&one, &two])]));
    let guess = &proposal.namespaces[0].guess;
    assert_eq!((guess.rules.len(), guess.left_out.len()), (0, 2));
}

#[test]
fn nothing_is_guessed_of_what_was_not_read() {
    let groups = [group("line-1", Some("short")), group("line-2", Some("short"))];
    let unread = || ReadFailure::other("403 Forbidden\nmode = \"enforce\"");
    let mut half = namespace(&["short"], &[&groups, &[]]);
    half.services[1].groups = Err(unread());
    let proposal = kept(&seen(vec![half]));
    assert_eq!(proposal.namespaces[0].guess.rules[0].enrollment_groups, ["line-1", "line-2"], "no patterns");
    assert_eq!(proposal.unread, ["the enrollment groups of d1: 403 Forbidden\nmode = \"enforce\""]);
    assert!(
        proposal
            .text
            .unwrap()
            .contains("# - the enrollment groups of d1: 403 Forbidden mode = \"enforce\"\n")
    );

    let mut whole = namespace(&[], &[&groups]);
    whole.policies = Err(unread());
    assert_eq!(kept(&seen(vec![whole])).create, [], "what was not read is not missing");
    let mut gone = namespace(&[], &[]);
    gone.generation = Err(unread());
    let lists = vec![Unread { what: "the hubs of subscription S".to_owned(), why: unread() }];
    let proposal = kept(&Seen { unread: lists.clone(), ..seen(vec![gone]) });
    assert_eq!((proposal.unread.len(), proposal.create.len()), (2, 0));
    let nothing = propose(&Seen { unread: lists, ..seen(Vec::new()) });
    assert_eq!((nothing.text, nothing.create.len()), (None, 0), "whether there is a namespace is not known");
}

#[test]
fn from_nothing_the_steps_are_in_the_order_of_the_service() {
    let nothing = Seen { free_hubs: vec!["own-hub".to_owned()], ..seen(Vec::new()) };
    let proposal = propose(&nothing);
    assert_eq!(proposal.text, None);
    let what: Vec<&str> = proposal.create.iter().map(|step| step.what.as_str()).collect();
    let order = ["namespace with", "DPS", "hubs", "authority", "enrollment group"];
    assert_eq!(what.len(), order.len(), "{what:?}");
    for (what, word) in what.iter().zip(order) {
        assert!(what.contains(word), "{what}: {word}");
    }
    assert!(proposal.create[2].how.contains("own-hub"), "{:?}", proposal.create[2]);

    let mut bare = namespace(&[], &[]);
    bare.hubs.clear();
    let steps = kept(&seen(vec![bare])).create;
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert!(steps.iter().all(|step| step.namespace == "contoso"));
    assert_eq!(kept(&seen(vec![namespace(&["short"], &[&[]])])).create.len(), 1, "a group alone is missing");
    assert_eq!(kept(&seen(vec![namespace(&["short"], &[&[group("a", None)]])])).create, []);
}

#[test]
fn scopes_are_named_where_something_is_in_another_subscription() {
    let mut far = namespace(&["short"], &[]);
    assert!(!kept(&seen(vec![far.clone()])).text.unwrap().contains("scopes"));
    far.hubs.push(
        ArmId::parse(&format!("{PROVIDERS}/Microsoft.Devices/IotHubs/h").replace("/S/", "/T/")).unwrap(),
    );
    let text = kept(&seen(vec![far])).text.unwrap();
    assert!(text.contains("scopes = [\"/subscriptions/S\", \"/subscriptions/T\"]"), "{text}");
}

/// Names as Azure has them, and names that Azure does not have.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "(line|Line|gate|g)[-._:]?[a-c0-9]{0,2}(-[a-c0-9]{1,2})?",
        1 => r#"[-a"'\\*?#\[\]= é\n\r\u{202e}]{0,6}"#,
        1 => ".{0,8}",
    ]
}

fn any_policy() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => prop::sample::select(vec!["short", "long", "ica/long"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["none", "None", "short", "SHORT-2"]).prop_map(str::to_owned),
        1 => r#"[a"\\\n*é #]{1,5}"#,
    ]
}

/// Policies, and what groups name: those, their references, and others.
fn any_group() -> impl Strategy<Value = EnrollmentGroup> {
    let reference =
        any_policy().prop_map(|name| if name.starts_with("ica/") { format!("contoso/{name}") } else { name });
    let text = prop_oneof![4 => reference, 1 => name()];
    (name(), proptest::option::weighted(0.8, text), proptest::bool::weighted(0.1)).prop_map(
        |(name, policy, off)| {
            let tags = if off { json!({"policysync": "off"}) } else { json!({}) };
            EnrollmentGroup {
                tags: tags.as_object().cloned().unwrap_or_default(),
                ..group(&name, policy.as_deref())
            }
        },
    )
}

fn any_namespace() -> impl Strategy<Value = SeenNamespace> {
    let groups = proptest::collection::vec(any_group(), 0..40);
    let groups = proptest::result::maybe_ok_weighted(0.9, groups, ".{0,20}");
    let services = proptest::collection::vec(groups, 0..3);
    let policies =
        proptest::result::maybe_ok_weighted(0.9, proptest::collection::vec(any_policy(), 0..5), ".{0,20}");
    (policies, services).prop_map(|(policies, services)| {
        let mut seen = namespace(&[], &[]);
        seen.policies = policies
            .map(|names| {
                let mut names: Vec<String> = names;
                names.sort_by_key(|name| name.to_ascii_lowercase());
                names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
                names.iter().map(|name| policy(name)).collect()
            })
            .map_err(ReadFailure::other);
        seen.services = services
            .into_iter()
            .enumerate()
            .map(|(number, groups)| SeenService {
                id: id("Microsoft.Devices/provisioningServices", &format!("d{number}")),
                groups: groups.map_err(ReadFailure::other),
            })
            .collect();
        seen
    })
}

proptest! {
    #[test]
    fn whatever_the_names_the_proposal_holds_together_and_changes_no_group_that_has_a_policy(
        namespace in any_namespace(),
        unread in proptest::collection::vec(".{0,20}", 0..2),
    ) {
        let unread = unread.into_iter().map(|what| Unread { what, why: ReadFailure::other("a\n[x") });
        kept(&Seen { unread: unread.collect(), ..seen(vec![namespace]) });
    }
}
