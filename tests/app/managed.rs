//! `manage = true`: the functions alone make what the file declares and use it; nothing is written in audit mode, twice, or for ever.

use std::time::Duration as Wait;

use azure_simulator::Options;
use azure_simulator::fleet::Fleet;
use certificate_management::report::Report;
use functions_host::TraceContext;
use policysync::assignment::{self, RunSummary, Waker};
use policysync::reporting;
use policysync::walk::Pace;
use serde_json::json;
use time::Duration;

use crate::declared::{AUTHORITIES, CREDENTIAL, NAMESPACE, empty, file};
use crate::in_process::InProcess;

/// From one run to the next, as it is deployed.
pub const PERIOD: Duration = Duration::minutes(15);

/// The file with `manage = true`.
pub fn managed(mode: &str, declared: &str, policy: &str) -> String {
    file(mode, declared, policy).replacen("mode =", "manage = true\nmode =", 1)
}

/// What a namespace of each generation declares, with the policy of its rule and the writes that it takes.
pub fn generations() -> [(&'static str, &'static str, &'static str, Vec<&'static str>); 2] {
    [
        (
            "certificate-authorities",
            AUTHORITIES,
            "lines-ica/short-lived",
            vec![
                "PUT /certificateAuthorities/plants-root",
                "PUT /certificateAuthorities/lines-ica",
                "PUT /certificateAuthorities/lines-ica/certificatePolicies/short-lived",
            ],
        ),
        (
            "credentials",
            CREDENTIAL,
            "short-lived",
            vec!["PUT /credentials/default", "PUT /credentials/default/policies/short-lived"],
        ),
    ]
}

pub async fn of(fleet: Fleet, configuration: &str) -> InProcess {
    InProcess::of(Options { fleet, ..Options::default() }, configuration).await
}

pub async fn reconcile(app: &InProcess) -> RunSummary {
    let trace = TraceContext::default();
    let waker = Waker { function: "reconcile-assignments", invocation: "", trace: &trace };
    assignment::reconcile_all(&app.application, waker).await
}

/// What happens within a period: both timers fire, and the queue is emptied.
pub async fn period(app: &InProcess) {
    reconcile(app).await;
    app.deliver(Duration::seconds(5)).await;
    reporting::run(&app.application).await.unwrap();
    app.deliver(Duration::seconds(5)).await;
}

pub fn next_period(app: &InProcess) {
    app.later(PERIOD);
    app.simulator.advance(PERIOD);
}

/// The writes that the service was sent, without those that start a sync.
pub fn writes(app: &InProcess) -> Vec<String> {
    let entries = app.simulator.log().entries().into_iter();
    let is_write = |entry: &azure_simulator::log::Entry| {
        entry.method != "GET"
            && (entry.path.starts_with("/subscriptions/") || entry.path.starts_with("/dps/"))
            && !entry.path.ends_with("/query")
            && !entry.path.ends_with("/synchronize")
            && !entry.path.contains("attestationmechanism")
    };
    entries
        .filter(is_write)
        .map(|entry| format!("{} {}", entry.method, entry.path.replace(NAMESPACE, "")))
        .collect()
}

pub async fn report(app: &InProcess) -> Report {
    app.application.store.get::<Report>(reporting::LATEST).await.unwrap().unwrap().value
}

/// Whether every hub trusts every policy and every group has its own.
pub fn is_done(report: &Report) -> bool {
    report.is_all_trusted() && report.lines.iter().all(|line| line.assigned == line.groups && line.groups > 0)
}

/// The findings about what the file declares, as `subject: reason`.
async fn told(app: &InProcess) -> Vec<String> {
    reporting::run(&app.application).await.unwrap();
    let findings = report(app).await.findings.into_iter();
    let own = findings.filter(|finding| finding.check.code() == "declared-resource");
    own.map(|finding| format!("{}: {}", finding.subject, finding.reason)).collect()
}

#[tokio::test]
async fn from_an_empty_namespace_of_each_generation_the_functions_alone_lead_to_an_assigned_group() {
    for (generation, declared, policy, expected) in generations() {
        let app = of(empty(generation), &managed("enforce", declared, policy)).await;
        let mut periods = 0;
        loop {
            period(&app).await;
            periods += 1;
            if is_done(&report(&app).await) {
                break;
            }
            assert!(periods < 10, "{generation}: {:#?}", report(&app).await);
            next_period(&app);
        }
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        expected.push("PUT /dps/contoso-plants-dps/enrollmentGroups/line-1".to_owned());
        assert_eq!(writes(&app), expected, "{generation}");
        let syncs = app.posts().len();
        // The memory of the writes has passed by then.
        for _ in 0..3 {
            app.later(Duration::hours(11));
            app.simulator.advance(Duration::hours(11));
            period(&app).await;
        }
        assert_eq!(
            (writes(&app).len(), app.posts().len()),
            (expected.len(), syncs),
            "{generation}: once more"
        );
        assert_eq!(told(&app).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn audit_the_kill_switch_and_a_file_that_does_not_ask_for_it_write_nothing() {
    for (generation, declared, policy, _) in generations() {
        let mut app = of(empty(generation), &managed("audit", declared, policy)).await;
        for _ in 0..2 {
            reconcile(&app).await;
            next_period(&app);
        }
        let first = if generation == "credentials" { "credential default" } else { "authority plants-root" };
        assert_eq!(told(&app).await, [format!("contoso-plants / {first}: audit-mode")]);
        app.reconfigure(&managed("enforce", declared, policy));
        app.restart(&[("POLICYSYNC_MODE", "audit")]);
        reconcile(&app).await;
        app.reconfigure(&file("enforce", declared, policy));
        reconcile(&app).await;
        assert_eq!(writes(&app), Vec::<String>::new(), "{generation}");
        assert_eq!(told(&app).await, Vec::<String>::new(), "without `manage = true` nothing is claimed");
    }
}

/// A namespace of the first generation in which everything is as this file says.
async fn made(declared: &str) -> InProcess {
    let app = of(empty("credentials"), &managed("enforce", declared, "short-lived")).await;
    for _ in 0..10 {
        period(&app).await;
        next_period(&app);
        if is_done(&report(&app).await) {
            return app;
        }
    }
    panic!("{:#?}", report(&app).await);
}

fn changes(app: &InProcess, method: &str) -> usize {
    writes(app).iter().filter(|write| write.starts_with(method) && write.contains("/credentials/")).count()
}

#[tokio::test]
async fn a_change_that_the_service_takes_and_does_not_keep_is_sent_once_a_day_and_told() {
    let mut app = made(CREDENTIAL).await;
    let fault =
        json!([{"method": "PATCH", "path": "*/credentials/default/policies/*", "status": 200, "body": {}}]);
    app.faults(&fault);
    app.reconfigure(&managed("enforce", &CREDENTIAL.replace("= 7", "= 14"), "short-lived"));
    for _ in 0..8 {
        reconcile(&app).await;
        next_period(&app);
    }
    assert_eq!(changes(&app, "PATCH"), 1);
    assert_eq!(told(&app).await, ["contoso-plants / short-lived: declared-not-kept"]);
    app.later(Duration::DAY);
    reconcile(&app).await;
    reconcile(&app).await;
    assert_eq!(changes(&app, "PATCH"), 2, "after a day it is tried again");
    app.faults(&json!([]));
    // Another value is another write.
    app.reconfigure(&managed("enforce", &CREDENTIAL.replace("= 7", "= 21"), "short-lived"));
    reconcile(&app).await;
    next_period(&app);
    reconcile(&app).await;
    assert_eq!(changes(&app, "PATCH"), 3);
    assert_eq!(told(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_write_that_the_service_refuses_is_sent_once_an_hour_and_told_in_its_words() {
    let too_long = CREDENTIAL.replace("= 7", "= 400");
    let mut app = of(empty("credentials"), &managed("enforce", &too_long, "short-lived")).await;
    let of_policy =
        |app: &InProcess| writes(app).iter().filter(|write| write.ends_with("/policies/short-lived")).count();
    for _ in 0..9 {
        reconcile(&app).await;
        next_period(&app);
    }
    let sent = of_policy(&app);
    assert!((2..=3).contains(&sent), "in two hours: {sent}");
    assert_eq!(told(&app).await, ["contoso-plants / short-lived: declared-refused"]);
    let findings = report(&app).await.findings;
    let refused = findings.iter().find(|finding| finding.reason.code() == "declared-refused").unwrap();
    assert!(refused.message.contains("validityPeriodInDays"), "{}", refused.message);
    app.reconfigure(&managed("enforce", CREDENTIAL, "short-lived"));
    reconcile(&app).await;
    assert_eq!(of_policy(&app), sent + 1, "what was corrected is sent at once");
    next_period(&app);
    reconcile(&app).await;
    assert_eq!(told(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_role_that_is_missing_is_one_finding_and_the_write_follows_when_it_is_there() {
    let app = of(empty("credentials"), &managed("enforce", CREDENTIAL, "short-lived")).await;
    app.faults(&json!([{"method": "PUT", "path": "*/credentials/default", "status": 403}]));
    for _ in 0..4 {
        let done = reconcile(&app).await;
        assert_eq!(done.declared, 0);
        next_period(&app);
    }
    assert_eq!(writes(&app), ["PUT /credentials/default"], "once an hour");
    assert_eq!(told(&app).await, ["contoso-plants / credential default: declared-refused"]);
    app.faults(&json!([]));
    next_period(&app);
    assert_eq!(reconcile(&app).await.declared, 1);
}

#[tokio::test]
async fn a_namespace_that_hangs_leaves_the_others_their_turn_and_is_told() {
    let mut fleet = empty("credentials");
    let mut second = fleet.namespaces[0].clone();
    second.name = "contoso-lines".to_owned();
    second.resource_group = "rg-contoso-lines".to_owned();
    for (index, hub) in second.hubs.iter_mut().enumerate() {
        hub.name = format!("contoso-lines-hub-{index}");
    }
    second.provisioning_services[0].name = "contoso-lines-dps".to_owned();
    fleet.namespaces.push(second);
    let first = managed("enforce", CREDENTIAL, "short-lived");
    let both = format!("{first}\n{}", first.replace("contoso-plants", "contoso-lines"));
    let mut app = of(fleet, &both).await;
    let quick = Wait::from_millis(400);
    app.walk_at(Pace { at_once: 1, service: quick, visit: quick, ..Pace::default() }.without_a_pause());
    let fault = json!([{"method": "GET", "path": "*/contoso-plants/credentials/default", "delaySeconds": 5}]);
    app.faults(&fault);
    let done = reconcile(&app).await;
    assert_eq!(done.declared, 1, "{done:?}");
    assert_eq!(done.not_visited, 0);
    assert!(done.failures.iter().any(|failure| failure.contains("contoso-plants")), "{done:?}");
    let written = writes(&app);
    assert_eq!(written.len(), 1, "{written:?}");
    assert!(written[0].contains("contoso-lines/credentials/default"), "{written:?}");
    app.faults(&json!([]));
    next_period(&app);
    assert_eq!(reconcile(&app).await.declared, 2, "the first has its credential, the second its policy");
}
