//! A report that is folded over sections is the report of everything at once.

use proptest::prelude::*;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::ArmId;
use crate::checks::CheckId;
use crate::checks::testing::{DPS, NAMESPACE, NOW, World, group, request};
use crate::configuration::Configuration;
use crate::issuers::SeenIssuers;
use crate::model::ReadFailure;
use crate::plan::Observation;
use crate::report_input::{Counted, EarlyDevices, Looks, ProvisioningServiceInput};
use crate::request::Outcome;
use crate::section::{Part, Section};
use crate::trust::Trust;
use crate::trust_over_time::TrustOverTime;

/// What is the matter with a namespace.
#[derive(Debug, Clone, Copy)]
struct Matter {
    namespace: u8,
    services: u8,
    minutes: i64,
}

fn matters() -> impl Strategy<Value = Vec<Matter>> {
    let matter = (0..6_u8, 0..5_u8, 0..400_i64);
    let matter = matter.prop_map(|(namespace, services, minutes)| Matter { namespace, services, minutes });
    prop::collection::vec(matter, 1..7)
}

fn named(text: &str, number: usize) -> String {
    text.replace("contoso", &format!("contoso-{number}"))
}

/// One namespace of its own name.
fn observation(number: usize, matter: Matter) -> Result<Observation, ReadFailure> {
    let mut world = World::healthy();
    match matter.namespace {
        0 => return Err(ReadFailure::other("503")),
        1 => world.hub().certificates = Ok(Vec::new()),
        2 => world.hub().certificates = Err(ReadFailure::other("503")),
        3 => world.seen().hubs.clear(),
        4 => world.policy().issuing_ca.not_after = Some(NOW + Duration::days(3)),
        _ => {}
    }
    let text = serde_json::to_string(world.seen()).unwrap();
    let seen: Observation = serde_json::from_str(&named(&text, number)).unwrap();
    Ok(Observation { seen_at: NOW - Duration::minutes(matter.minutes), ..seen })
}

fn services(number: usize, matter: Matter) -> Result<Vec<ProvisioningServiceInput>, ReadFailure> {
    let groups = match matter.services {
        0 => return Err(ReadFailure::other("503")),
        1 => return Ok(Vec::new()),
        2 => Err(ReadFailure::other("503")),
        3 => Ok(vec![group("line-1", None), group("line-2", Some("gone")), group("line-3", Some("short"))]),
        _ => Ok(vec![group("test-1", None)]),
    };
    let hubs = vec!["h1.azure-devices.net".to_owned()];
    Ok(vec![ProvisioningServiceInput { endpoint: named(DPS, number), hubs, enrollment_groups: groups }])
}

fn configuration(namespaces: usize) -> Configuration {
    let tables = (0..namespaces).map(|number| {
        format!(
            "[[namespace]]\nid = \"{}\"\n[[namespace.rule]]\nname = \"lines\"\n\
             enrollment_groups = [\"line-*\"]\npolicy = \"short\"\n",
            named(NAMESPACE, number)
        )
    });
    let quiet = "[[suppress]]\ncheck = \"group-dangling\"\nsubject = \"contoso-1*\"\nreason = \"known\"\nuntil = 2099-01-01\n\
                 [[suppress]]\ncheck = \"ca-expiring\"\nsubject = \"*\"\nreason = \"was known\"\nuntil = 2026-01-01\n";
    Configuration::parse(&format!("{quiet}{}", tables.collect::<String>())).unwrap()
}

fn records(namespaces: usize) -> Records {
    let requests = (0..namespaces).map(|number| {
        let mut record = request(&format!("r-{number}"), Outcome::Unverified, NOW);
        record.request.namespace_id = ArmId::parse(&named(NAMESPACE, number)).unwrap();
        record
    });
    let last = |number| LastAssignment {
        provisioning_service: named(DPS, number),
        enrollment_group: "line-1".into(),
        policy: Some("short".into()),
        by: "assign-policy".into(),
        run: "r".into(),
        at: NOW,
    };
    Records {
        requests: requests.collect(),
        last_assignments: (0..namespaces).map(last).collect(),
        fleet: FleetRecords {
            holds: Vec::new(),
            runs: Vec::new(),
            waiting: None,
            previous_report_at: Some(NOW - Duration::days(30)),
            last_reconcile: Some(crate::walk_run::tests::run(2, 5, 30)),
            unread: vec![("reports".into(), ReadFailure::other("503"))],
            cut: vec!["assignments".into()],
        },
    }
}

fn counted(number: usize) -> Counted {
    let early = EarlyDevices {
        provisioning_service: named(DPS, number),
        enrollment_group: "line-1".into(),
        assigned_at: None,
        devices: number.is_multiple_of(2).then_some(2),
        is_cut: false,
    };
    Counted { early_devices: vec![early], ..Counted::default() }
}

proptest! {
    /// Each namespace is written down as its section, read again and judged by itself; nothing of it differs from what the
    /// checks find when they see all at once.
    #[test]
    fn a_fold_over_sections_finds_what_is_found_at_once(matters in matters(), has_records in prop::bool::ANY) {
        let configuration = configuration(matters.len());
        let records = has_records.then(|| records(matters.len()));
        let surprises = vec!["policies: colour is a new member".to_owned()];
        let looked = |matter: &Matter| Looks { read_at: None, ..Looks::at(NOW - Duration::minutes(matter.minutes)) };
        let namespaces = configuration.namespaces.iter().zip(&matters).enumerate();
        let namespaces = namespaces.map(|(number, (configuration, matter))| crate::report::NamespaceInput {
            configuration,
            observation: observation(number, *matter),
            provisioning_services: services(number, *matter),
            counted: counted(number),
            declared: None,
            links: None,
            issuers: SeenIssuers::default(),
            trust: Default::default(),
            looks: looked(matter),
        });
        let input = ReportInput {
            configuration: &configuration,
            kill_switch: false,
            namespaces: namespaces.collect(),
            records: records.clone(),
            surprises: surprises.clone(),
            standing: None,
            now: NOW,
        };
        let at_once = checks::run(&Facts::of(&input));

        let requests = records.as_ref().map(|records| records.requests.clone());
        let mut fold = Fold::new(&configuration, false, requests, NOW);
        for (number, (configuration, matter)) in configuration.namespaces.iter().zip(&matters).enumerate() {
            let at = NOW - Duration::minutes(matter.minutes);
            let mut section = Section::new(&configuration.id);
            section.namespace = Part::of(observation(number, *matter), at);
            section.services = Part::of(services(number, *matter), at);
            section.counted = Part::of(Ok(counted(number)), at);
            let kept = serde_json::to_string(&section).unwrap();
            let section: Section = serde_json::from_str(&kept).unwrap();
            let input = section.into_input(configuration);
            let last = records.iter().flat_map(|records| records.last_assignments.clone());
            let last = last.filter(|last| last.provisioning_service == named(DPS, number)).collect();
            fold.add(NamespaceFacts::of(&input), last);
        }
        let report = fold.finish(records.as_ref().map(|records| &records.fleet), &surprises);

        let (told, quiet) = split(at_once, &configuration.suppressions, NOW);
        prop_assert_eq!(&report.findings, &causes::in_order(&told));
        prop_assert_eq!(&report.suppressed, &quiet);
        let facts = Facts::of(&input);
        prop_assert_eq!(&report.unread, &unread(&facts));
        let texts = |unseen: &[Unseen]| {
            let mut texts: Vec<String> = unseen.iter().map(|one| one.subject.text.clone()).collect();
            texts.sort();
            texts
        };
        prop_assert_eq!(texts(&report.unseen), texts(&facts.unseen()));
        let whole = build(&input);
        prop_assert_eq!(&report.lines, &whole.lines);
        prop_assert_eq!(&report.summary, &whole.summary);
        let counted: usize = report.lines.iter().map(|line| line.critical).sum();
        prop_assert_eq!(counted, told.iter().filter(|finding| {
            finding.severity == crate::reason::Severity::Critical && finding.subject.namespace_id.is_some()
        }).count());
    }
}

/// The property above is about something: the worlds that it tries have findings of every kind that it should hold for.
#[test]
fn the_worlds_of_the_property_have_what_it_is_about() {
    let matters = (0..30).map(|n| Matter { namespace: n % 6, services: n / 6, minutes: 200 });
    let matters: Vec<Matter> = matters.collect();
    let configuration = configuration(matters.len());
    let mut fold = Fold::new(&configuration, false, Some(records(30).requests), NOW);
    for (number, (configuration, matter)) in configuration.namespaces.iter().zip(&matters).enumerate() {
        let mut section = Section::new(&configuration.id);
        let at = NOW - Duration::minutes(matter.minutes);
        section.namespace = Part::of(observation(number, *matter), at);
        section.services = Part::of(services(number, *matter), at);
        section.counted = Part::of(Ok(counted(number)), at);
        let input = section.into_input(configuration);
        fold.add(NamespaceFacts::of(&input), records(30).last_assignments);
    }
    let report = fold.finish(Some(&records(30).fleet), &["a surprise".to_owned()]);
    let found: Vec<CheckId> = report.findings.iter().map(|finding| finding.check).collect();
    for check in [
        CheckId::CaExpiring,
        CheckId::HubUntrusting,
        CheckId::GroupUnassigned,
        CheckId::GroupDangling,
        CheckId::GroupPolicyChanged,
        CheckId::DevicesBeforePolicy,
        CheckId::NothingToSync,
        CheckId::SyncUnverified,
        CheckId::ReportOverdue,
        CheckId::SectionStale,
        CheckId::Unreadable,
        CheckId::PreviewSurprise,
        CheckId::SuppressionExpired,
    ] {
        assert!(found.contains(&check), "{check} is not tried");
    }
    assert!(!report.suppressed.is_empty());
}

/// A person with a login of their own cannot refute what the app has found of itself; what a look of now can refute is not kept.
#[test]
fn what_an_earlier_report_found_of_the_app_itself_stays_and_nothing_else() {
    use crate::finding::Subject;
    use crate::reason::{Reason, Severity};

    let world = World::healthy();
    let namespace = Subject::namespace(&world.configuration.namespaces[0].id);
    let finding = |check, reason, subject| Finding::new(check, reason, subject, "earlier");
    let hub = namespace.clone().in_policy("short").on_hub("h1");
    let gone = Subject::namespace(&ArmId::parse(&format!("{NAMESPACE}-gone")).unwrap());
    let earlier = vec![
        finding(CheckId::PermissionMissing, Reason::PermissionMissing, namespace.clone().on_hub("h1")),
        finding(CheckId::GroupUnassigned, Reason::HubsUnknown, namespace),
        finding(CheckId::HubUntrusting, Reason::PolicyMissing, hub),
        finding(CheckId::PermissionMissing, Reason::PermissionMissing, gone),
    ];
    let input = world.input();
    let mut fold = Fold::new(&world.configuration, false, None, NOW).with_findings_of_the_app(earlier);
    fold.add(NamespaceFacts::of(&input.namespaces[0]), Vec::new());
    let report = fold.finish(None, &[]);
    let kept: Vec<CheckId> = report.findings.iter().map(|finding| finding.check).collect();
    assert_eq!(kept, [CheckId::PermissionMissing, CheckId::GroupUnassigned], "{:?}", report.findings);
    assert_eq!(report.findings[0].severity, Severity::Critical);
    assert_eq!((report.lines[0].critical, report.lines[0].warning), (1, 1), "the line counts them");
    assert_eq!(report.summary.findings.critical, 1);
}

#[test]
fn what_could_not_be_read_neither_ends_nor_begins_a_spell() {
    let told = |seen: &TrustOverTime| {
        let minutes = |at: OffsetDateTime| (at - NOW).whole_minutes();
        let spells = seen.of("SHORT", "H1").into_iter();
        spells.map(|spell| (spell.trust, minutes(spell.since), minutes(spell.until))).collect::<Vec<_>>()
    };
    let mut world = World::healthy();
    let mut seen = TrustOverTime::default();
    let mut note = |world: &mut World, minute| {
        let mut observation = world.observation.clone().unwrap();
        observation.seen_at = NOW + Duration::minutes(minute);
        seen.note(&observation);
        told(&seen)
    };
    note(&mut world, 0);
    world.hub().certificates = Err(ReadFailure::other("503"));
    note(&mut world, 1);
    world.hub().certificates = World::healthy().hub().certificates.clone();
    assert_eq!(note(&mut world, 2), [(Trust::Trusted, 0, 2)]);
    world.hub().certificates = Ok(Vec::new());
    assert_eq!(note(&mut world, 3), [(Trust::Missing, 3, 3), (Trust::Trusted, 0, 2)]);
}
