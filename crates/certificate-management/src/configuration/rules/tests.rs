//! Rules against groups: each selector, the explanation, and what holds for every set of rules.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::configuration::{Configuration, overlap};
use crate::model::Attestation;

const ID: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

fn namespace(text: &str) -> NamespaceConfiguration {
    Configuration::parse(&format!("[[namespace]]\nid = \"{ID}\"\n{text}")).unwrap().namespaces.remove(0)
}

/// A namespace of one rule `r` for policy `p` with these selectors.
fn one(selectors: &str) -> NamespaceConfiguration {
    namespace(&format!("[[namespace.rule]]\nname = \"r\"\npolicy = \"p\"\n{selectors}"))
}

fn described(tags: Value, attestation: Option<Attestation>, hubs: &[&str], enabled: bool) -> Subject {
    Subject {
        id: "line-7".into(),
        tags: tags.as_object().cloned().unwrap_or_default(),
        attestation,
        hubs: hubs.iter().map(|&hub| hub.to_owned()).collect(),
        enabled,
    }
}

fn why(configuration: &NamespaceConfiguration, subject: &Subject) -> (bool, String) {
    let tried = decide(configuration, subject).tried.remove(0);
    (tried.matched, tried.why)
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = namespace(
        "[[namespace.rule]]\nname = \"test\"\nenrollment_groups = [\"line-test-*\"]\npolicy = \"none\"\n\
         [[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\", \"cell-?\"]\npolicy = \"short\"",
    );
    assert_eq!(decide_by_id(&rules, "line-test-1").verdict, Verdict::None { rule: "test".into() });
    let decision = decide_by_id(&rules, "LINE-7");
    assert_eq!(decision.verdict.policy(), Some("short"));
    assert_eq!(decision.tried.iter().map(|tried| tried.matched).collect::<Vec<_>>(), [false, true]);
    assert_eq!(decide_by_id(&rules, "dock-1").verdict, Verdict::NoRule);
    assert_eq!(decide_by_id(&rules, "dock-1").tried.len(), 2);
}

#[test]
fn every_named_tag_must_be_there_and_match() {
    let rules = one("tags = { site = \"north*\", line = \"*\", plant.hall = 7 }");
    let tags = |tags| why(&rules, &described(tags, None, &[], true));
    assert!(tags(json!({"site": "North-2", "line": false, "plant": {"hall": 7}})).0);
    assert!(tags(json!({"site": "north", "line": "", "plant.hall": "7"})).0);
    for (group, reason) in [
        (
            json!({"site": "south", "line": "1", "plant": {"hall": 7}}),
            "`south`, which does not match `north*`",
        ),
        (json!({"site": "north", "plant": {"hall": 7}}), "no tag `line`"),
        (json!({"site": "north", "line": null, "plant": {"hall": 7}}), "no tag `line`"),
        (json!({"site": "north", "line": ["1"], "plant": {"hall": 7}}), "`line` is not a text"),
        (json!({"site": "north", "line": "1", "plant": "hall"}), "no tag `plant.hall`"),
        (json!({"SITE": "north", "line": "1", "plant": {"hall": 7}}), "no tag `site`"),
        (json!({}), "no tag `line`; the group has no tag `plant.hall`; the group has no tag `site`"),
    ] {
        let (matched, why) = tags(group.clone());
        assert!(!matched && why.contains(reason), "{group}: {why}");
    }
}

#[test]
fn what_is_not_known_never_matches_and_is_said() {
    let attestation = one("attestation = [\"tpm\", \"x509-ca-reference\"]");
    let of = |kind| why(&attestation, &described(json!({}), kind, &[], true));
    assert!(of(Some(Attestation::Tpm)).0);
    let (matched, told) = of(Some(Attestation::SymmetricKey));
    assert!(!matched && told == "the attestation is symmetric-key, not tpm or x509-ca-reference", "{told}");
    let (matched, told) = of(None);
    assert!(!matched && told.contains("not known"), "{told}");

    let hubs = one("hubs = [\"*\"]");
    let (matched, told) = why(&hubs, &described(json!({}), None, &[], true));
    assert!(!matched && told.contains("not known"), "{told}");
}

#[test]
fn every_hub_of_the_group_must_match() {
    let rules = one("hubs = [\"*-north\", \"hub-x.*\"]");
    let hubs = |hubs: &[&str]| why(&rules, &described(json!({}), None, hubs, true));
    assert!(hubs(&["contoso-north"]).0);
    assert!(hubs(&["Contoso-North.azure-devices.net", "hub-x.azure-devices.net"]).0);
    let (matched, told) = hubs(&["contoso-north.azure-devices.net", "contoso-south.azure-devices.net"]);
    assert!(!matched && told.contains("contoso-south") && !told.contains("contoso-north"), "{told}");
}

#[test]
fn all_selectors_of_a_rule_must_match() {
    let rules = one("enrollment_groups = [\"line-*\"]\nenabled = true\nattestation = [\"tpm\"]");
    let of = |kind, enabled| why(&rules, &described(json!({}), Some(kind), &[], enabled));
    assert!(of(Attestation::Tpm, true).0);
    let (matched, told) = of(Attestation::Other, false);
    assert!(!matched);
    assert_eq!(told, "the attestation is other, not tpm; the group is disabled");
    let disabled = one("enabled = false");
    assert!(why(&disabled, &described(json!({}), None, &[], false)).0);
    assert!(!why(&disabled, &described(json!({}), None, &[], true)).0);
}

#[test]
fn the_default_is_for_what_no_rule_matches() {
    let rule = "[[namespace.rule]]\nname = \"docks\"\nenrollment_groups = [\"dock-*\"]\npolicy = \"short\"";
    let decide =
        |default: &str| decide_by_id(&namespace(&format!("default_policy = \"{default}\"\n{rule}")), "x");
    let decision = decide("long");
    assert_eq!(decision.verdict, Verdict::Default { policy: Some("long".into()) });
    assert_eq!(
        (decision.verdict.to_string().as_str(), decision.tried.len()),
        ("`default_policy` says `long`", 1)
    );
    assert_eq!(decide("none").verdict, Verdict::Default { policy: None });
}

#[test]
fn a_group_opts_out_by_its_tag() {
    let all =
        "[[namespace.rule]]\nname = \"all\"\nenrollment_groups = [\"*\"]\npolicy = \"p\"\nreassign = true";
    let verdict = |key: &str, tags| {
        decide(&namespace(&format!("{key}\n{all}")), &described(tags, None, &[], true)).verdict
    };
    let out = |tag: &str| Verdict::OptedOut { tag: tag.into() };
    assert_eq!(verdict("", json!({"policysync": "off"})), out("policysync"));
    assert_eq!(verdict("", json!({"policysync": " Off "})), out("policysync"));
    assert_eq!(verdict("opt_out_tag = \"ops.hands\"", json!({"ops": {"hands": "off"}})), out("ops.hands"));
    for tags in [json!({"policysync": "on"}), json!({"policysync": {"off": 1}}), json!({"Policysync": "off"})]
    {
        assert_eq!(verdict("", tags.clone()).policy(), Some("p"), "{tags}");
    }
    assert_eq!(verdict("opt_out_tag = \"hands\"", json!({"policysync": "off"})).policy(), Some("p"));
}

#[test]
fn a_long_or_unprintable_fact_is_shown_on_one_short_line() {
    let rules = one("tags = { site = \"north\" }");
    let site = format!("a\n\u{1b}[2J{}", "é".repeat(5000));
    let (_, told) = why(&rules, &described(json!({"site": site}), None, &[], true));
    assert!(told.chars().count() < 150 && !told.contains(char::is_control) && told.contains('…'), "{told}");
}

#[test]
fn a_rule_that_matches_all_that_another_does_is_known() {
    let rule = |selectors: &str| one(selectors).rules.remove(0);
    for (earlier, later, expected) in [
        ("enrollment_groups = [\"*\"]", "enabled = true", true),
        ("enrollment_groups = [\"line-*\"]", "enrollment_groups = [\"line-a-*\", \"LINE-?\"]", true),
        ("enrollment_groups = [\"line-*\"]", "enrollment_groups = [\"line-*\", \"dock\"]", false),
        ("enrollment_groups = [\"line-*\"]", "tags = { a = \"b\" }", false),
        ("tags = { a = \"*\" }", "tags = { a = \"b\", c = \"d\" }", true),
        ("tags = { a = \"b\", c = \"d\" }", "tags = { a = \"b\" }", false),
        ("attestation = [\"tpm\", \"other\"]", "attestation = [\"tpm\"]", true),
        ("attestation = [\"tpm\"]", "attestation = [\"tpm\", \"other\"]", false),
        ("attestation = [\"tpm\"]", "enrollment_groups = [\"a\"]", false),
        ("hubs = [\"*\"]", "hubs = [\"*-north\"]", true),
        ("hubs = [\"*\"]", "enrollment_groups = [\"a\"]", false),
        ("enabled = true", "enabled = true\nhubs = [\"a\"]", true),
        ("enabled = true", "enabled = false", false),
    ] {
        assert_eq!(overlap::subsumes(&rule(earlier), &rule(later)), expected, "{earlier} / {later}");
    }
}

/// Few names and few letters, so that rules and groups do meet.
fn any_subject() -> impl Strategy<Value = Subject> {
    let tag = prop_oneof![
        "[ab]{0,2}".prop_map(Value::from),
        Just(json!("off")),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!({"a": "b"})),
        Just(json!(["off"])),
    ];
    let tags = prop::collection::vec((prop_oneof!["[ab]", Just("policysync".to_owned())], tag), 0..4);
    let hubs = prop::collection::vec("[ab]{1,2}(\\.net)?", 0..3);
    ("\\PC{0,6}|[ab]{0,4}", tags, prop::option::of(any_attestation()), hubs, any::<bool>()).prop_map(
        |(id, tags, attestation, hubs, enabled)| Subject {
            id,
            tags: tags.into_iter().collect::<Map<String, Value>>(),
            attestation,
            hubs,
            enabled,
        },
    )
}

fn any_attestation() -> impl Strategy<Value = Attestation> {
    prop::sample::select(vec![Attestation::Tpm, Attestation::SymmetricKey, Attestation::Other])
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let globs = || prop::collection::vec("[ab*?]{0,3}", 0..3);
    let tags = prop::collection::btree_map("[ab](\\.a)?", "[ab*?]{0,2}", 0..2);
    let attestation = prop::collection::vec(any_attestation(), 0..2);
    let policy = prop_oneof!["[pq]", Just("none".to_owned())];
    let rest = (prop::option::of(any::<bool>()), policy, any::<bool>());
    (globs(), tags, attestation, globs(), rest).prop_map(
        |(enrollment_groups, tags, attestation, hubs, (enabled, policy, reassign))| Rule {
            name: String::new(),
            enrollment_groups,
            tags,
            attestation,
            hubs,
            enabled,
            policy,
            reassign,
            test: Vec::new(),
        },
    )
}

fn any_namespace() -> impl Strategy<Value = NamespaceConfiguration> {
    let default = prop::option::of(prop_oneof![Just("none".to_owned()), Just("d".to_owned())]);
    (prop::collection::vec(any_rule(), 0..6), default).prop_map(|(mut rules, default_policy)| {
        for (index, rule) in rules.iter_mut().enumerate() {
            rule.name = format!("rule {index}");
        }
        NamespaceConfiguration { rules, default_policy, ..namespace("") }
    })
}

proptest! {
    #[test]
    fn a_decision_is_deterministic_and_what_was_tried_agrees_with_it(
        rules in any_namespace(),
        subject in any_subject(),
    ) {
        let decision = decide(&rules, &subject);
        prop_assert_eq!(&decision, &decide(&rules, &subject));
        for tried in &decision.tried {
            let all = !tried.selectors.is_empty() && tried.selectors.iter().all(|selector| selector.matched);
            prop_assert_eq!(tried.matched, all);
            prop_assert!(!tried.why.is_empty());
        }
        let names: Vec<&str> = decision.tried.iter().map(|tried| tried.rule.as_str()).collect();
        let expected: Vec<&str> = rules.rules.iter().map(|rule| rule.name.as_str()).take(names.len()).collect();
        prop_assert_eq!(names, expected);
        let matched: Vec<&Tried> = decision.tried.iter().filter(|tried| tried.matched).collect();
        match &decision.verdict {
            Verdict::Policy { rule, .. } | Verdict::None { rule } => {
                prop_assert_eq!(matched.len(), 1);
                prop_assert_eq!(&decision.tried[decision.tried.len() - 1].rule, rule);
                prop_assert_eq!(&matched[0].rule, rule);
                let named = rules.rules.iter().find(|known| known.name == *rule).unwrap();
                prop_assert_eq!(decision.verdict.policy(), named.policy_name());
            }
            Verdict::Default { policy } => {
                prop_assert!(matched.is_empty() && decision.tried.len() == rules.rules.len());
                prop_assert_eq!(policy.as_deref(), rules.default_policy_name());
                prop_assert!(rules.default_policy.is_some());
            }
            Verdict::NoRule => {
                prop_assert!(matched.is_empty() && decision.tried.len() == rules.rules.len());
                prop_assert_eq!(&rules.default_policy, &None);
            }
            Verdict::OptedOut { .. } => prop_assert!(decision.tried.is_empty()),
        }
    }

    #[test]
    fn a_rule_at_the_end_changes_nothing_for_a_group_that_matched_before(
        mut rules in any_namespace(),
        added in any_rule(),
        subject in any_subject(),
    ) {
        let before = decide(&rules, &subject);
        rules.rules.push(added);
        let after = decide(&rules, &subject);
        if matches!(before.verdict, Verdict::Policy { .. } | Verdict::None { .. } | Verdict::OptedOut { .. }) {
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn an_opt_out_always_wins(rules in any_namespace(), mut subject in any_subject()) {
        subject.tags.insert("policysync".to_owned(), Value::from("off"));
        prop_assert_eq!(decide(&rules, &subject).verdict, Verdict::OptedOut { tag: "policysync".to_owned() });
    }

    /// Where `subsumes` says that a rule is hidden, the earlier rule matches every group that the later one matches.
    #[test]
    fn subsumption_of_rules_is_never_wrong(one in any_rule(), other in any_rule(), subject in any_subject()) {
        if overlap::subsumes(&one, &other) && attempt(&other, &subject).matched {
            prop_assert!(attempt(&one, &subject).matched);
        }
    }
}
