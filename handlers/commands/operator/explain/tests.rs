//! Explanations of described groups, and the choice of the namespace.

use clap::Parser;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);
const PREFIX: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn parsed(line: &[&str]) -> Result<Arguments, clap::Error> {
    let line = std::iter::once(&"explain").chain(line);
    Line::try_parse_from(line).map(|line| line.arguments)
}

fn configuration() -> Configuration {
    Configuration::parse(&format!(
        "[[namespace]]\nid = \"{PREFIX}/contoso\"\n\
         provisioning_services = [\"https://contoso-dps.azure-devices-provisioning.net\"]\n\
         [[namespace.rule]]\nname = \"tests\"\nenrollment_groups = [\"test-*\"]\npolicy = \"none\"\n\
         [[namespace.rule]]\nname = \"lines\"\ntags = {{ site = \"n*\" }}\nattestation = [\"tpm\"]\npolicy = \"short\"\n\
         [[namespace.rule]]\nname = \"all\"\nenrollment_groups = [\"*\"]\npolicy = \"long\"\n\
         [[namespace]]\nid = \"{PREFIX}/fabrikam\"\nmode = \"enforce\"\n\
         [[namespace]]\nid = \"{PREFIX}/kiln\"\nmode = \"enforce\"\ndefault_policy = \"long\"\n\
         freeze = [{{ from = 2026-11-01T00:00:00Z, to = 2027-01-07T00:00:00Z, reason = \"peak season\", tags = {{ site = \"north\" }} }}]\n"
    ))
    .unwrap()
}

fn settings() -> FleetSettings {
    FleetSettings::from_variables(&std::collections::BTreeMap::new()).unwrap()
}

fn explained(line: &[&str]) -> Value {
    let arguments = parsed(line).unwrap();
    let configuration = configuration();
    let wanted = Wanted::of(&arguments);
    let candidates = wanted.candidates(&configuration, true).unwrap();
    let explained = described(&arguments, &wanted, only(&candidates).unwrap(), &settings(), NOW);
    let table = print::screen(&explained).plain(120);
    for tried in &explained.plan.decision.tried {
        assert!(table.contains(&tried.rule) && tried.selectors.iter().all(|one| table.contains(&one.why)));
    }
    serde_json::from_str(&print::json(&explained)).unwrap()
}

#[test]
fn a_described_group_is_explained_rule_by_rule() {
    let told =
        explained(&["line-9", "--namespace", "contoso", "--tags", "site=north", "--attestation", "tpm"]);
    assert_eq!((&told["policy"], &told["verdict"]["rule"]), (&Value::from("short"), &Value::from("lines")));
    assert_eq!(told["tried"][0]["matched"], false);
    assert_eq!(told["tried"][0]["why"], "the id does not match `test-*`");
    assert_eq!(told["tried"][1]["selectors"][0]["selector"], "tags.site");
    assert_eq!(told["notTried"], serde_json::json!(["all"]));
    assert_eq!(told["source"], "described");
    assert_eq!((&told["plan"]["write"], &told["plan"]["functionsWrite"]), (&"short".into(), &false.into()));
    assert!(told["plan"]["nextStep"].as_str().unwrap().contains("enforce"));
}

#[test]
fn what_is_not_described_is_not_known_and_said() {
    let told = explained(&["contoso-dps/line-9", "--tags", "site=north"]);
    assert_eq!((&told["provisioningService"], &told["policy"]), (&"contoso-dps".into(), &"long".into()));
    assert!(told["tried"][1]["why"].as_str().unwrap().contains("not known"));
    let opted_out = explained(&["line-9", "--namespace", "CONTOSO", "--tags", "policysync=off"]);
    assert_eq!(opted_out["plan"]["reason"], "opted-out");
    assert_eq!(opted_out["notTried"].as_array().unwrap().len(), 3);
    let without_rules = explained(&["line-9", "--offline", "--namespace", &format!("{PREFIX}/fabrikam")]);
    assert_eq!(without_rules["plan"]["reason"], "no-rule-matches");
}

/// The sentence that would break it: a group that is frozen by its tags is said to get its policy.
#[test]
fn a_described_group_is_frozen_by_its_tags() {
    for (site, is_frozen) in [("north", true), ("south", false)] {
        let told = explained(&["line-9", "--namespace", "kiln", "--tags", &format!("site={site}")]);
        assert_eq!(told["plan"]["functionsWrite"], !is_frozen, "{told}");
        let freeze = told["freeze"].as_str();
        assert_eq!(freeze, is_frozen.then_some("frozen until 2027-01-07 00:00 UTC: peak season"));
        let next_step = told["plan"]["nextStep"].as_str().unwrap();
        assert_eq!(next_step.contains("A window of `freeze`"), is_frozen, "{next_step}");
        assert!(!next_step.contains("mode = "), "{next_step}");
    }
}

#[test]
fn a_group_that_could_be_anywhere_has_to_be_placed() {
    let configuration = configuration();
    let meant = |line: &[&str]| {
        let arguments = parsed(line).unwrap();
        let candidates = Wanted::of(&arguments).candidates(&configuration, true)?;
        only(&candidates).map(|namespace| namespace.id.name().to_owned())
    };
    let usage = |line: &[&str], part: &str| {
        let problem = meant(line).unwrap_err();
        assert!(matches!(&problem, Unexplained::Usage(message) if message.contains(part)), "{problem:?}");
    };
    assert_eq!(meant(&["CONTOSO-DPS/x"]).unwrap(), "contoso");
    usage(&["x"], "DPS/GROUP:\n  contoso\n  fabrikam");
    usage(&["x", "--namespace", "gone"], "no namespace `gone`");
    usage(&["gone-dps/x"], "`gone-dps`");
    usage(&["contoso-dps/"], "GROUP");
    usage(&["a/b/c"], "GROUP");
}

#[test]
fn wrong_descriptions_are_wrong_usage() {
    assert!(parsed(&["x", "--tags", "site"]).is_err());
    assert!(parsed(&["x", "--tags", "=north"]).is_err());
    let error = parsed(&["x", "--attestation", "x509"]).err().unwrap().to_string();
    assert!(error.contains("x509-ca-reference"), "{error}");
    let many = parsed(&["x", "--tags", "a=b=c", "--tags", "d=", "--hubs", "h1", "--hubs", "h2"]).unwrap();
    assert_eq!(many.tags, [("a".into(), "b=c".into()), ("d".into(), String::new())]);
    assert_eq!(many.hubs, ["h1", "h2"]);
}

#[test]
fn the_golden_explanation_fits_the_width() {
    use certificate_management::milestones::{Milestone, State, Step};

    use crate::commands::golden;

    let line =
        ["assembly-line-17-robot-cells-north", "--namespace", "contoso", "--tags", "site=north-west-europe"];
    let arguments = parsed(&line).unwrap();
    let configuration = configuration();
    let wanted = Wanted::of(&arguments);
    let candidates = wanted.candidates(&configuration, true).unwrap();
    let mut explained = described(&arguments, &wanted, only(&candidates).unwrap(), &settings(), NOW);
    explained.milestones = vec![
        Milestone {
            step: Step::Created,
            state: State::Done,
            why: "the namespace has `long`, and its issuing CA signs".to_owned(),
            next_step: None,
        },
        Milestone {
            step: Step::Trusted,
            state: State::Waiting,
            why: "contoso-manufacturing-hub-west-europe-1 does not trust its issuing CA yet: missing"
                .to_owned(),
            next_step: Some("Run `policysync submit --namespace contoso`; a sync takes minutes.".to_owned()),
        },
    ];
    explained.restraint.hold = Some("held since 2026-11-23 by holds put by robin: new firmware".to_owned());
    golden::compare("explain", &print::screen(&explained), &[]);
    let text = print::screen(&explained).plain(80);
    assert!(!text.contains("/subscriptions/"), "a name is enough:\n{text}");
}
