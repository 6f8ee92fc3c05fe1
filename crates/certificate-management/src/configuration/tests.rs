//! Configurations, right and wrong.

use super::*;

const ID: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

fn parse(rest: &str) -> Result<Configuration, String> {
    Configuration::parse(&format!("[[namespace]]\nid = \"{ID}\"\n{rest}")).map_err(|error| error.to_string())
}

#[test]
fn audit_is_the_default_and_the_own_subscription_is_the_scope() {
    let configuration = parse("").unwrap();
    let namespace = &configuration.namespaces[0];
    assert_eq!((namespace.mode, namespace.sync), (Mode::Audit, Sync::Automatic));
    assert_eq!(namespace.subscriptions(), ["S"]);
}

#[test]
fn the_kill_switch_wins() {
    let configuration = parse("mode = \"enforce\"").unwrap();
    assert_eq!(configuration.namespaces[0].effective_mode(false), Mode::Enforce);
    assert_eq!(configuration.namespaces[0].effective_mode(true), Mode::Audit);
}

#[test]
fn unknown_keys_are_named_with_their_line() {
    let error = parse("mod = \"audit\"").unwrap_err();
    assert!(error.contains("mod") && error.contains("line 3"), "{error}");
}

#[test]
fn a_rule_test_that_does_not_hold_is_an_error() {
    let rules = |expect: &str| {
        parse(&format!(
            "[[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\"]\npolicy = \"short\"\n\
             [[namespace.rule.test]]\nenrollment_group = \"line-7\"\nexpect = \"{expect}\""
        ))
    };
    assert!(rules("short").is_ok());
    let error = rules("long").unwrap_err();
    assert!(error.contains("`long`") && error.contains("`short`") && error.contains("line-7"), "{error}");
}

#[test]
fn a_glob_that_can_match_nothing_is_an_error_with_its_line() {
    let rule =
        |selector: &str| parse(&format!("[[namespace.rule]]\nname = \"a\"\n{selector}\npolicy = \"p\""));
    for (selector, why) in [
        ("enrollment_groups = [\"line-[0-9]\"]", "`[`"),
        ("enrollment_groups = [\"line-*\", \"\"]", "empty"),
        ("enrollment_groups = [\"contoso-dps/line-*\"]", "`/`"),
        ("hubs = [\"{a,b}\"]", "`{`"),
    ] {
        let error = rule(selector).unwrap_err();
        assert!(error.contains(why) && error.contains("line 5"), "{selector}: {error}");
    }
    for selector in
        ["enrollment_groups = [\"*.bench\", \"weir.?\"]", "hubs = [\"*-north.azure-devices.net\"]"]
    {
        assert!(rule(selector).is_ok(), "{selector}");
    }
    let text = format!(
        "[[namespace]]\nid = \"{ID}\"\n[[namespace.rule]]\nname = \"a\"\nenrollment_groups = [\"[a]\"]\npolicy = \"p\""
    );
    let problems = Configuration::examine(&text).unwrap().problems;
    assert!(problems[0].next_step.contains("no sets, ranges or alternatives"), "{problems:?}");
    assert!(rule("tags = { site = \"a/b [c]\" }").is_ok(), "a tag may be any text");
}

#[test]
fn what_does_not_hold_together_is_said() {
    for (rest, problem) in [
        ("scopes = [\"/subscriptions/S/resourceGroups/R\"]", "scope"),
        ("evidence_deadline_seconds = 0", "evidence_deadline_seconds"),
        ("provisioning_services = [\"contoso-dps\"]", "provisioning service"),
        ("[[namespace.rule]]\nname = \"a\"\nenrollment_groups = []\npolicy = \"p\"", "never match"),
        (
            "[[namespace]]\nid = \"/SUBSCRIPTIONS/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/CONTOSO\"",
            "twice",
        ),
    ] {
        let error = parse(rest).unwrap_err();
        assert!(error.contains(problem), "{rest}: {error}");
    }
    assert!(Configuration::parse("").unwrap_err().to_string().contains("no [[namespace]]"));
}

fn rule(name: &str, selectors: &str, policy: &str) -> String {
    format!("[[namespace.rule]]\nname = \"{name}\"\n{selectors}\npolicy = \"{policy}\"\n")
}

/// The lines and messages that the analysis of one namespace gives.
fn analysed(rest: &str, policies: Option<&[&str]>) -> Vec<(usize, String)> {
    let text = format!("[[namespace]]\nid = \"{ID}\"\n{rest}");
    let examined = Configuration::examine(&text).unwrap();
    assert_eq!(examined.problems, []);
    let problems = match policies {
        None => analysis::rule_order(&examined.configuration, &examined.lines),
        Some(names) => {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            analysis::unknown_policies(&examined.configuration, 0, &names, &examined.lines)
        }
    };
    problems.into_iter().map(|problem| (problem.line.unwrap(), problem.to_string())).collect()
}

#[test]
fn every_selector_can_be_written_and_is_read_back() {
    let text = format!(
        "default_policy = \"none\"\nopt_out_tag = \"hands\"\nassign_before_trust = true\n{}",
        rule(
            "r",
            "tags = { site = \"north\", plant.hall = 7, critical = true }\nhubs = [\"*-north\"]\nenabled = false\n\
             attestation = [\"x509-ca-reference\", \"x509-signing-certificate\", \"symmetric-key\", \"tpm\"]",
            "p"
        )
    );
    let configuration = parse(&text).unwrap();
    let rule = &configuration.namespaces[0].rules[0];
    let tags: Vec<_> = rule.tags.iter().map(|(path, glob)| (path.as_str(), glob.as_str())).collect();
    assert_eq!(tags, [("critical", "true"), ("plant.hall", "7"), ("site", "north")]);
    assert_eq!((rule.attestation.len(), rule.enabled), (4, Some(false)));
    let again = toml::to_string(&configuration).unwrap();
    assert_eq!(Configuration::parse(&again).unwrap(), configuration);
}

#[test]
fn a_test_describes_its_group() {
    let test = |facts: &str, expect: &str| {
        parse(&format!(
            "{}[[namespace.rule.test]]\nenrollment_group = \"x\"\n{facts}\nexpect = \"{expect}\"",
            rule(
                "r",
                "tags = { site = \"n*\" }\nattestation = [\"tpm\"]\nhubs = [\"a\"]\nenabled = false",
                "p"
            )
        ))
    };
    let all = "tags = { site = \"north\" }\nattestation = \"tpm\"\nhubs = [\"a\"]\nenabled = false";
    assert!(test(all, "p").is_ok());
    for fact in all.lines() {
        let others: Vec<&str> = all.lines().filter(|line| *line != fact).collect();
        assert!(test(&others.join("\n"), "none").is_ok(), "{fact}");
    }
}

#[test]
fn a_problem_names_its_line() {
    for (rest, line) in [
        (rule("a", "", "p"), 4),
        (rule("a", "hubs = [\"x\"]", ""), 6),
        (format!("{}{}", rule("a", "enabled = true", "p"), rule("a", "hubs = [\"x\"]", "p")), 8),
        ("mode = \"audit\"\nopt_out_tag = \"\"".to_owned(), 4),
        ("default_policy = \"\"".to_owned(), 3),
        ("mode = \"audit\"\nscopes = [\n\"x\"]".to_owned(), 4),
        (
            format!(
                "{}[[namespace.rule.test]]\nenrollment_group = \"a\"\nexpect = \"q\"",
                rule("a", "enabled = true", "p")
            ),
            9,
        ),
    ] {
        let error = parse(&rest).unwrap_err();
        assert!(error.starts_with(&format!("line {line}: ")), "{rest}\n{error}");
    }
}

#[test]
fn a_selector_that_is_empty_is_refused_with_its_line() {
    for selector in ["enrollment_groups = []", "tags = {}", "tags = \"x\"", "attestation = []", "hubs = []"] {
        let error = parse(&rule("a", &format!("enabled = true\n{selector}"), "p")).unwrap_err();
        assert!(error.contains("line 6"), "{selector}: {error}");
    }
    let unknown = parse(&rule("a", "attestation = [\"x509\"]", "p")).unwrap_err();
    assert!(unknown.contains("line 5") && unknown.contains("x509-ca-reference"), "{unknown}");
}

#[test]
fn a_rule_that_an_earlier_one_hides_is_found_with_both_lines() {
    let found = analysed(
        &[
            rule("lines", "enrollment_groups = [\"line-*\"]", "p"),
            rule("docks", "enrollment_groups = [\"dock-*\"]", "p"),
            rule("tests", "enrollment_groups = [\"line-test-*\"]\nenabled = true", "none"),
        ]
        .concat(),
        None,
    );
    assert_eq!(found.len(), 1);
    let (line, told) = &found[0];
    assert_eq!(*line, 11);
    assert!(told.contains("rule `tests`: it can never match: rule `lines` (line 3)"), "{told}");
}

#[test]
fn two_rules_that_select_the_same_and_name_different_policies_contradict_each_other() {
    let found = analysed(
        &[
            rule("a", "hubs = [\"x\", \"y\"]\nenabled = true", "p"),
            rule("b", "enabled = true\nhubs = [\"Y\", \"x\"]", "q"),
        ]
        .concat(),
        None,
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, 8);
    assert!(
        found[0].1.contains("exactly what rule `a` (line 3) selects, but names `q` instead of `p`"),
        "{found:?}"
    );
    let ordered = [rule("a", "enabled = true", "p"), rule("b", "enrollment_groups = [\"*\"]", "q")].concat();
    assert_eq!(analysed(&ordered, None), []);
}

#[test]
fn a_policy_that_does_not_exist_is_found_with_its_line() {
    let text = format!(
        "default_policy = \"gone\"\n[[namespace.policy]]\nname = \"later\"\n{}{}{}{}",
        rule("a", "enabled = true", "Short"),
        rule("b", "enabled = false", "medium"),
        rule("c", "hubs = [\"x\"]", "none"),
        rule("d", "hubs = [\"x\"]", "later"),
    );
    let found = analysed(&text, Some(&["short", "long"]));
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [13, 21, 3]);
    assert!(found[0].1.contains("rule `b`") && found[0].1.contains("it has: short, long"), "{found:?}");
    assert!(found[1].1.contains("declared in this file"), "{found:?}");
}

mod any_text {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of configurations in any order: most are wrong, some are right.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "[[namespace]]\nid = \"/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n\"\n",
            "[[namespace.rule]]\nname = \"r\"\npolicy = \"p\"\n",
            "enrollment_groups = [\"a*\"]\n",
            "tags = { a.b = \"c\" }\n",
            "hubs = []\n",
            "enabled = true\n",
            "[[namespace.rule.test]]\nenrollment_group = \"a\"\nexpect = \"p\"\n",
            "rule = [{}]\n",
            "namespace = 1\n",
            "[namespace.rule]\n",
            "é = \"\"\"\n",
        ]);
        prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_text_panics(text in prop_oneof![pieces(), "\\PC{0,60}"]) {
            if let Ok(examined) = Configuration::examine(&text) {
                let lines = text.lines().count();
                let order = analysis::rule_order(&examined.configuration, &examined.lines);
                for problem in examined.problems.iter().chain(&order) {
                    prop_assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem}");
                }
            }
        }
    }
}

/// The sentence that would break it: a command names a namespace by a name that two have.
#[test]
fn a_namespace_is_typed_by_its_name_unless_another_one_has_it_too() {
    let id = |group: &str, name: &str| {
        format!(
            "/subscriptions/S/resourceGroups/{group}/providers/Microsoft.DeviceRegistry/namespaces/{name}"
        )
    };
    let ids = [id("a", "north"), id("b", "North"), id("a", "south")];
    let text: String = ids.iter().map(|id| format!("[[namespace]]\nid = \"{id}\"\n")).collect();
    let configuration = Configuration::parse(&text).unwrap();
    let typed: Vec<_> = configuration.namespaces.iter().map(NamespaceConfiguration::as_typed).collect();
    assert_eq!(typed, [ids[0].as_str(), ids[1].as_str(), "south"]);
    let kept = toml::to_string(&configuration).unwrap();
    assert_eq!(Configuration::parse(&kept).unwrap(), configuration, "it is no key of the file: {kept}");
}
