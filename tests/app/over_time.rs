//! What an operator sees of time: what changed between two reports, and since when each hub trusts each policy.

use certificate_management::checks::CheckId;
use certificate_management::report::changes::Changes;
use certificate_management::trust::Trust;
use policysync::reporting::{self, history};
use time::Duration;

use crate::in_process::InProcess;

async fn report(app: &InProcess) {
    reporting::run(&app.application).await.unwrap();
}

async fn changes(app: &InProcess, back: Duration) -> Changes {
    let since = app.application.fleet.now() - back;
    history::changes(&app.application.store, since).await.unwrap().expect("a report is kept")
}

/// The states of the first pair of a namespace, the newest first.
async fn states(app: &InProcess, namespace: usize) -> Vec<Trust> {
    let configuration = &app.application.fleet.configuration.namespaces[namespace];
    let report = reporting::of_namespace(&app.application, configuration).await.unwrap();
    let pair = report.namespaces[0].trust[0].clone();
    assert_eq!(pair.over_time[0].trust, pair.trust, "the last look is the first of the list");
    pair.over_time.iter().map(|spell| spell.trust).collect()
}

#[tokio::test]
async fn a_rotation_is_told_as_what_changed_and_its_sync_as_what_changed_back() {
    let app = InProcess::start().await;
    // Steps of an hour each: what is delivered has to come up with the clock. A group without a policy is told of once the next reconcile would have assigned it.
    for _ in 0..3 {
        report(&app).await;
        assert_eq!(states(&app, 0).await, [Trust::Trusted]);
        app.later(Duration::minutes(61));
    }
    report(&app).await;
    let quiet = changes(&app, Duration::minutes(30)).await;
    assert!(quiet.is_empty() && quiet.not_compared == 0, "{quiet:#?}");

    app.rotate(0).await;
    app.later(Duration::minutes(61));
    report(&app).await;
    let told = changes(&app, Duration::minutes(30)).await;
    let name = app.application.fleet.configuration.namespaces[0].id.name();
    assert!(told.came.iter().any(|finding| finding.check == CheckId::HubUntrusting), "{told:#?}");
    let [of_namespace] = told.namespaces.as_slice() else { panic!("{told:#?}") };
    assert_eq!(of_namespace.namespace, name);
    assert!(!of_namespace.renewed.is_empty(), "{told:#?}");
    let trust = of_namespace.trust.unwrap();
    assert_eq!((trust.before.trusting, trust.now.trusting), (trust.now.pairs, 0));
    assert_eq!(states(&app, 0).await, [Trust::Stale, Trust::Trusted]);

    // The report has asked for the sync.
    app.deliver(Duration::seconds(5)).await;
    app.later(Duration::minutes(61));
    report(&app).await;
    let told = changes(&app, Duration::minutes(30)).await;
    assert!(told.went.iter().any(|finding| finding.check == CheckId::HubUntrusting), "{told:#?}");
    assert_eq!(states(&app, 0).await[..3], [Trust::Trusted, Trust::Stale, Trust::Trusted]);
    // Over the whole time the certificates are others, and nothing else is.
    let whole = changes(&app, Duration::hours(5)).await;
    assert!(!whole.came.iter().any(|finding| finding.check == CheckId::HubUntrusting), "{whole:#?}");
    assert!(whole.namespaces[0].trust.is_none() && !whole.namespaces[0].renewed.is_empty(), "{whole:#?}");
}

#[tokio::test]
async fn what_is_kept_to_compare_with_goes_after_two_weeks() {
    let app = InProcess::start().await;
    report(&app).await;
    let first = app.application.store.list(history::HISTORY).await.unwrap().keys;
    assert_eq!(first.len(), 1);
    app.later(history::KEPT_FOR + Duration::hours(2));
    report(&app).await;
    let kept = app.application.store.list(history::HISTORY).await.unwrap().keys;
    assert!(!kept.contains(&first[0]), "{kept:?}");
}
