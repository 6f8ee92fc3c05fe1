//! An issuing CA has ended. No sync cures that, and a sync cannot be undone: so none is made, by itself or when asked.

use azure_simulator::Options;
use azure_simulator::fleet::Fleet;
use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use policysync::reporting;
use serde_json::json;
use time::Duration;

use crate::in_process::{InProcess, received};

#[tokio::test]
async fn a_ca_that_has_ended_is_one_finding_and_no_sync() {
    let mut fleet = Fleet::default_fleet();
    for namespace in &mut fleet.namespaces {
        for policy in &mut namespace.policies {
            policy.issuing_ca_validity_days = Some(100);
        }
    }
    let app = InProcess::of(Options { fleet, ..Options::default() }, DEFAULT_CONFIGURATION).await;
    for days in [99, 2, 30] {
        app.later(Duration::days(days));
        let report = reporting::run(&app.application).await.unwrap();
        assert_eq!(
            (report.submitted, report.failures.as_slice()),
            (0, [].as_slice()),
            "after {days} more days"
        );
    }
    let configuration = &app.application.fleet.configuration.namespaces[0];
    let report = reporting::of_namespace(&app.application, configuration).await.unwrap();
    let policies = report.namespaces[0].policies.len();
    let told = report.findings.iter().map(|finding| finding.reason.code());
    assert_eq!(told.filter(|code| *code != "ca-leftover").collect::<Vec<_>>(), vec!["ca-expired"; policies]);

    app.handle(received(&[app.request(0, "r", &json!({}))])).await;
    // The queue goes by the clock of the simulated Azure.
    app.simulator.advance(Duration::days(131));
    app.deliver(Duration::seconds(5)).await;
    assert_eq!(app.outcome("r").await, ("refused".to_owned(), Some("ca-expired")));
    assert_eq!(app.posts(), []);
}
