//! A next step never names a command that would be refused, nor waiting for what does not come: searched over every reason and every
//! situation, by the parts and again by the words.

use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::ArmId;
use crate::configuration::{Configuration, Mode, NamespaceConfiguration, Sync};
use crate::declared::Hindrance;
use crate::generation::Generation;
use crate::model::{Hub, IssuingCa, Namespace, Policy, ProvisioningState, ReadFailure, ReadFailureKind};
use crate::plan::condition::Demands;
use crate::plan::{self, Observation, ObservedHub, RequestPlan, permit};
use crate::request::SyncRequest;
use crate::sync::{self as machine, Automatic};

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);

/// Every configuration of a namespace that a next step can tell apart.
fn configurations() -> Vec<NamespaceConfiguration> {
    let mut all = Vec::new();
    for mode in ["audit", "enforce"] {
        for sync in ["automatic", "ask"] {
            for manage in [false, true] {
                let text = format!(
                    "[[namespace]]\nid = \"{NAMESPACE}\"\nmode = \"{mode}\"\nsync = \"{sync}\"\nmanage = {manage}\n\
                     [[namespace.policy]]\nname = \"short\"\nleaf_validity_days = 30\n"
                );
                all.push(Configuration::parse(&text).unwrap().namespaces.remove(0));
            }
        }
    }
    all
}

fn situations(configurations: &[NamespaceConfiguration]) -> Vec<Situation<'_>> {
    let mut all = Vec::new();
    for configuration in configurations.iter().map(Some).chain([None]) {
        for kill_switch in [false, true] {
            for caller in [Caller::App, Caller::Person, Caller::Pipeline] {
                for is_logged_in in [true, false] {
                    for delivery in [Delivery::Synced, Delivery::Pushed] {
                        for stage in
                            [Stage::Unknown, Stage::UnderWay, Stage::Signature, Stage::Failed, Stage::Active]
                        {
                            for (has_own_root, is_frozen, link_lacks_role) in [
                                (false, false, false),
                                (true, false, false),
                                (false, true, false),
                                (true, true, false),
                                (false, false, true),
                                (true, true, true),
                            ] {
                                all.push(Situation {
                                    configuration,
                                    kill_switch,
                                    is_frozen,
                                    caller,
                                    is_logged_in,
                                    delivery,
                                    stage,
                                    has_own_root,
                                    link_lacks_role,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

/// What a reason alone says of its situation.
fn implied<'a>(reason: Reason, situation: &Situation<'a>) -> Situation<'a> {
    match reason {
        Reason::PushAwaited => Situation { delivery: Delivery::Pushed, ..*situation },
        _ => *situation,
    }
}

/// Every text that is made of a situation, with its name.
fn texts(situation: &Situation<'_>) -> Vec<(String, String)> {
    let mut texts: Vec<_> =
        Reason::ALL.iter().map(|reason| (reason.to_string(), of(*reason, situation))).collect();
    let hindrances = [
        Hindrance::NoRoot,
        Hindrance::Service { error: "InvalidValue".to_owned() },
        Hindrance::NotKept { at: NOW },
    ];
    texts.extend(hindrances.iter().map(|one| (format!("{one:?}"), of_hindrance(one, situation))));
    texts.push(("migration".to_owned(), of_migration(situation)));
    for lacking in LACKING {
        texts.push((format!("{lacking:?}"), to_grant(lacking, Commands::Here(GRANT), situation)));
        texts.push((format!("{lacking:?} below"), to_grant(lacking, Commands::Below(2), situation)));
    }
    for kind in ReadFailureKind::ALL {
        let failure = ReadFailure { kind: *kind, ..ReadFailure::other("said") };
        texts.push((format!("{kind:?}"), of_unread(&failure, Some("Reader"), situation)));
    }
    for is_declared in [false, true] {
        texts.push((format!("declared: {is_declared}"), of_missing_policy(is_declared, situation)));
    }
    texts
}

const GRANT: &str = "az role assignment create --role \"Reader\"";
const LACKING: [Lacking<'static>; 3] = [Lacking::Feature, Lacking::Link, Lacking::Read("Reader")];

/// The sentence that would break it: a role is missing, and what is to be done has neither the command nor says where it is; or who has
/// no login is told to grant themselves a role.
#[test]
fn a_missing_role_comes_with_what_grants_it_and_a_missing_login_with_the_login_alone() {
    let configurations = configurations();
    for situation in situations(&configurations) {
        for lacking in LACKING {
            let here = to_grant(lacking, Commands::Here(GRANT), &situation);
            let below = to_grant(lacking, Commands::Below(1), &situation);
            let is_the_callers = matches!(lacking, Lacking::Read(_));
            let has_command = here.contains(GRANT) && below.contains("the command is below");
            assert_eq!(has_command, situation.is_logged_in || !is_the_callers, "{here} {below}");
            assert_eq!(here == login(situation.caller), !has_command, "{here}");
            assert_eq!(here.contains("link again"), lacking == Lacking::Link, "{here}");
        }
        for kind in ReadFailureKind::ALL {
            let failure = ReadFailure { kind: *kind, ..ReadFailure::other("said") };
            let text = of_unread(&failure, Some("Reader"), &situation);
            let grants = *kind == ReadFailureKind::Forbidden && situation.is_logged_in;
            assert_eq!(text.contains("Grant `Reader`"), grants, "{kind:?}: {text}");
        }
    }
}

/// The sentence that would break it: what forbids a write is not named where one is refused, or a command that met a failure waits for
/// the app to try again.
#[test]
fn what_forbids_a_write_is_to_be_taken_away_and_a_command_that_met_a_failure_is_run_again() {
    let configurations = configurations();
    for situation in situations(&configurations) {
        assert_eq!(of(Reason::AuditMode, &situation), situation.before_a_write());
        // The window may be one of the group alone.
        let frozen = Situation { is_frozen: true, ..situation };
        assert_eq!(of(Reason::Frozen, &situation), frozen.before_a_write());
        let text = of(Reason::ServiceUnavailable, &situation);
        assert_eq!(text.starts_with("Run it again;"), situation.caller.is_command(), "{text}");
    }
}

fn person(even_in_audit: bool) -> permit::Writer {
    permit::Writer::Person(permit::Insistence { even_in_audit, ..permit::Insistence::default() })
}

/// What stands between two backticks.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Why a command would be refused, judged by the words of it.
fn refusal(command: &str, text: &str, situation: &Situation<'_>) -> Option<String> {
    if !command.starts_with("policysync ") {
        return None;
    }
    let logs_in_first = text.split(command).next().unwrap_or_default().contains("az login");
    let only_reads = !command.contains("submit") && !command.contains("--apply");
    if !situation.is_logged_in && situation.caller.is_command() && !logs_in_first && !only_reads {
        return Some("there is no login".to_owned());
    }
    if only_reads {
        return None;
    }
    let Some(configuration) = situation.configuration else {
        return Some("the file does not name the namespace".to_owned());
    };
    if command.contains("submit") {
        let is_audit = configuration.effective_mode(situation.kill_switch) == Mode::Audit;
        return (is_audit || situation.is_frozen).then(|| "audit-mode or frozen".to_owned());
    }
    if situation.is_frozen && !command.contains("--break-freeze") {
        return Some("frozen".to_owned());
    }
    permit::mode(configuration, situation.kill_switch, person(command.contains("--even-in-audit")))
        .err()
        .map(|forbidden| forbidden.why)
}

/// Words of waiting, and whether what they promise comes.
fn promises(situation: &Situation<'_>) -> Vec<(&'static str, bool)> {
    let writes = situation.configuration.is_some_and(|one| {
        permit::mode(one, situation.kill_switch, permit::Writer::Function).is_ok() && !situation.is_frozen
    });
    let declares = writes && situation.configuration.is_some_and(|one| one.manage);
    let syncs = situation.configuration.is_some_and(|one| one.sync == Sync::Automatic);
    let pushes = situation.delivery == Delivery::Pushed && !situation.link_lacks_role;
    vec![
        ("event or reconcile", writes),
        ("next reconcile looks again", writes),
        ("reconcile tries again", writes),
        ("has the namespace synced by itself", writes && syncs && situation.delivery == Delivery::Synced),
        ("service pushes it by itself", pushes),
        ("service then pushes it by itself", pushes),
        ("service is at work on it", situation.stage == Stage::UnderWay),
        ("app tries again", declares),
    ]
}

/// Words of waiting that stand in texts which depend on nothing, since what they promise always comes.
const ALWAYS: &[&str] = &[
    // After a person has linked the hub.
    "the service then pushes the authority to it",
    "Wait: the service is making the link.",
    // The outcome of a request under way comes within its deadline, whatever the mode.
    "Wait; the request's page shows the outcome of each hub.",
    "role assignments take minutes to arrive",
];

#[test]
fn no_next_step_names_what_would_be_refused_or_promises_what_does_not_come() {
    let configurations = configurations();
    for situation in situations(&configurations) {
        for (name, text) in texts(&situation) {
            let situation = match name == Reason::PushAwaited.code() {
                true => implied(Reason::PushAwaited, &situation),
                false => situation,
            };
            let told = || format!("{name} in {situation:?}:\n{text}");
            assert!(!text.is_empty() && !text.contains("  ") && !text.contains(".."), "{}", told());
            for command in codes(&text) {
                let refused = refusal(command, &text, &situation);
                assert_eq!(refused, None, "`{command}` would be refused: {}", told());
            }
            for (words, comes) in promises(&situation) {
                assert!(comes || !text.contains(words), "`{words}` does not come: {}", told());
            }
            // Every word of waiting is one of those that were judged.
            let mut rest = text.clone();
            for known in ALWAYS.iter().copied().chain(promises(&situation).iter().map(|(words, _)| *words)) {
                rest = rest.replace(known, "");
            }
            let rest = rest.replace("Wait: the ", "").to_lowercase();
            let refuses = Command::Submit.is_refused(&situation);
            assert!(!refuses || !rest.contains("submit"), "a sync would be refused: {}", told());
            for word in ["wait", "by itself", "next reconcile", "tries again", "tried again", "submit again"]
            {
                let is_there = format!(" {} ", rest.replace(|c: char| !c.is_alphanumeric(), " "))
                    .contains(&format!(" {word} "));
                assert!(!is_there, "`{word}` is not judged: {}", told());
            }
        }
    }
}

#[test]
fn each_part_is_what_the_words_say() {
    let configurations = configurations();
    for situation in situations(&configurations) {
        for reason in Reason::ALL {
            let situation = implied(*reason, &situation);
            for part in parts(*reason, &situation) {
                match part {
                    Part::Do(_) => {}
                    Part::Run(command) => {
                        assert!(!command.is_refused(&situation), "{reason} {command:?} {situation:?}");
                    }
                    Part::Await(coming) => {
                        assert!(coming.comes(&situation), "{reason} {coming:?} {situation:?}");
                    }
                }
            }
        }
    }
}

/// A namespace with a policy whose CA its one hub lacks.
fn lacking(generation: Generation) -> Observation {
    let id = ArmId::parse(NAMESPACE).unwrap();
    let authority = id.child("certificateAuthorities", "own");
    let is_newer = generation == Generation::CertificateAuthorities;
    let policy = match is_newer {
        true => authority.child("certificatePolicies", "short"),
        false => id.child("credentials", "default").child("policies", "short"),
    };
    let hub = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/h1";
    Observation {
        authorities: Vec::new(),
        policies: vec![Policy {
            id: policy,
            name: "short".into(),
            provisioning_state: ProvisioningState::Succeeded,
            issuing_ca: IssuingCa {
                id: is_newer.then_some(authority),
                not_after: Some(NOW + time::Duration::days(900)),
                ..IssuingCa::default()
            },
            leaf_validity_days: Some(30),
            bring_your_own_root: None,
        }],
        hubs: vec![ObservedHub {
            hub: Hub {
                id: ArmId::parse(hub).unwrap(),
                name: "h1".into(),
                host_name: "h1.azure-devices.net".into(),
                namespace_id: Some(id.clone()),
            },
            certificates: Ok(Vec::new()),
        }],
        namespace: Namespace {
            id,
            location: "westeurope".into(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: Default::default(),
            links: Vec::new(),
        },
        seen_at: NOW,
    }
}

/// A submit is refused exactly where the plan of a request is, and a sync comes by itself exactly where the app makes a request.
#[test]
fn what_is_refused_and_what_comes_are_what_the_machine_does() {
    let request = SyncRequest::from_submission(&format!("{{\"namespaceId\":\"{NAMESPACE}\"}}"), "r").unwrap();
    for configuration in &configurations() {
        for kill_switch in [false, true] {
            for generation in [Generation::Credentials, Generation::CertificateAuthorities] {
                let observation = lacking(generation);
                let policy = &observation.policies[0];
                assert_eq!(policy.generation(), generation);
                let situation = Situation::of(configuration, kill_switch, Caller::Person).about(policy);
                let mode = configuration.effective_mode(kill_switch);
                let plan = plan::plan_request(&request, mode, &observation);
                let is_refused = matches!(plan, RequestPlan::Refuse { reason: Reason::AuditMode, .. });
                assert_eq!(Command::Submit.is_refused(&situation), is_refused, "{situation:?} {plan:?}");
                let asked = machine::automatic(configuration, kill_switch, &observation, None, "", NOW);
                let comes = matches!(asked, Automatic::Request(_));
                assert_eq!(Coming::Sync.comes(&situation), comes, "{situation:?} {asked:?}");
                // Where a sync would do nothing, none is named.
                let text = of(Reason::PolicyMissing, &situation);
                let does_nothing = matches!(plan, RequestPlan::Verify(_) | RequestPlan::Refuse { .. });
                assert!(!does_nothing || !text.contains("submit"), "{text}");
            }
        }
    }
}

#[test]
fn what_a_plan_says_of_apply_is_what_apply_would_do() {
    for configuration in &configurations() {
        for kill_switch in [false, true] {
            for is_frozen in [false, true] {
                let demands = Demands::of_namespace(&configuration.id, 2, configuration.mode, is_frozen);
                for text in [
                    to_apply("does it", &demands, kill_switch),
                    to_perform("plan.json", &demands, kill_switch),
                ] {
                    let even_in_audit = text.contains("--even-in-audit");
                    assert_eq!(text.contains("once it is unset"), kill_switch, "{text}");
                    assert_eq!(text.contains("--break-freeze"), is_frozen, "{text}");
                    // As it would be when what it asks for first is done.
                    assert!(permit::mode(configuration, false, person(even_in_audit)).is_ok(), "{text}");
                    assert_eq!(even_in_audit, configuration.mode == Mode::Audit, "{text}");
                }
            }
        }
    }
}

/// The sentence that would break it: a plan of which one row needs an option is to be performed with that option.
#[test]
fn an_option_that_some_rows_need_is_told_with_these_rows_and_is_no_part_of_the_command() {
    let of = |name: &str, writes, mode, is_frozen| {
        let id = ArmId::parse(&NAMESPACE.replace("contoso", name)).unwrap();
        Demands::of_namespace(&id, writes, mode, is_frozen)
    };
    let some = of("line", 39, Mode::Enforce, false).and(of("kiln", 1, Mode::Audit, false));
    let text = to_perform("plan.json", &some, false);
    let (command, more) = text.split_once("apply plan.json").unwrap();
    assert!(command.starts_with("Perform it with\n") && more.starts_with('\n'), "{text}");
    assert_eq!(
        more.trim(),
        "1 of 40 writes is in a namespace that policysync.toml has in audit mode (kiln): with --even-in-audit it is performed too."
    );
    let frozen = of("line", 3, Mode::Enforce, true).and(of("kiln", 4, Mode::Enforce, false));
    let text = to_apply("does it", &frozen, false);
    assert!(text.starts_with("The same with --apply does it. 3 of 7 writes are frozen now: "), "{text}");
    let none = to_perform("plan.json", &Demands::default(), false);
    assert!(!none.contains("apply"), "{none}");
}

/// The sentence that would break it: who reads that a group is frozen by its tags is told to change the mode.
#[test]
fn what_is_frozen_is_told_to_wait_for_the_end_of_its_window() {
    for configuration in &configurations() {
        let text = of(Reason::Frozen, &Situation::of(configuration, false, Caller::Person));
        assert!(text.contains("A window of `freeze`"), "{text}");
        assert_eq!(text.contains("mode = "), configuration.mode == Mode::Audit, "{text}");
    }
}

#[test]
fn who_is_not_logged_in_is_told_to_log_in_and_nothing_else() {
    for reason in [Reason::NotPermitted, Reason::PermissionMissing, Reason::NamespaceUnreadable] {
        let situation = Situation::of_fleet(false, Caller::Person).logged_out();
        assert_eq!(of(reason, &situation), login(Caller::Person));
    }
    assert!(login(Caller::Person).contains("`az login`") && !login(Caller::Person).contains("Grant"));
    assert!(login(Caller::App).contains("AZURE_CLIENT_ID"));
    let pipeline = login(Caller::Pipeline);
    assert!(pipeline.contains("IDENTITY_ENDPOINT") && !pipeline.contains("az login"), "{pipeline}");
}
