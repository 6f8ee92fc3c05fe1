//! Requests that the app makes itself.

use std::collections::BTreeSet;

use time::Duration;

use crate::configuration::{Configuration, NamespaceConfiguration};
use crate::plan::Observation;
use crate::reason::Reason;
use crate::request::{MAX_REQUEST_ID, Outcome, RequestRecord, Requester, SyncRequest, is_reserved_id};
use crate::sync::tests::stage::{Stage, accepted, sees};
use crate::sync::tests::world::{NAMESPACE, NOW, request};
use crate::sync::{Automatic, Repeat, SyncRecord, automatic, candidates, repeat};
use crate::trust::Trust::{Missing, Stale, Trusted, Unreadable};

fn configured(rest: &str) -> NamespaceConfiguration {
    let text = format!("[[namespace]]\nid = \"{NAMESPACE}\"\n{rest}\n");
    Configuration::parse(&text).unwrap().namespaces.remove(0)
}

fn enforced() -> NamespaceConfiguration {
    configured("mode = \"enforce\"\nsync = \"automatic\"")
}

fn decided(seen: &Observation, in_flight: Option<&SyncRecord>, later: Duration) -> Automatic {
    automatic(&enforced(), false, seen, in_flight, "an event", NOW + later)
}

fn wanted(seen: &Observation, later: Duration) -> SyncRequest {
    match decided(seen, None, later) {
        Automatic::Request(request) => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_trusted_or_unreadable_is_no_need() {
    for seen in [vec![], vec![Trusted], vec![Unreadable], vec![Trusted, Unreadable]] {
        assert_eq!(decided(&sees(&seen), None, Duration::ZERO), Automatic::NotNeeded, "{seen:?}");
    }
}

#[test]
fn the_configuration_and_the_kill_switch_are_asked() {
    let seen = sees(&[Stale]);
    for (rest, kill_switch) in [
        ("mode = \"enforce\"\nsync = \"automatic\"", true),
        ("mode = \"audit\"\nsync = \"automatic\"", false),
        ("sync = \"automatic\"", false),
        ("mode = \"enforce\"\nsync = \"ask\"", false),
    ] {
        let decided = automatic(&configured(rest), kill_switch, &seen, None, "an event", NOW);
        assert_eq!(decided, Automatic::Ask, "{rest} {kill_switch}");
    }
}

#[test]
fn a_sync_that_is_in_flight_is_waited_for_and_one_that_has_ended_is_not() {
    let seen = sees(&[Stale]);
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    assert_eq!(decided(&seen, stage.record.as_ref(), Duration::ZERO), Automatic::UnderWay);
    let claim = stage.claims(&seen);
    assert_eq!(decided(&seen, stage.record.as_ref(), Duration::ZERO), Automatic::UnderWay);
    stage.post_ends(&claim, accepted());
    stage.goes_on_to_its_end(&sees(&[Trusted]));
    assert!(matches!(decided(&seen, stage.record.as_ref(), Duration::ZERO), Automatic::Request(_)));
}

#[test]
fn the_request_names_what_lacks_the_ca_and_means_the_whole_namespace() {
    let request = wanted(&sees(&[Trusted, Missing, Unreadable, Stale]), Duration::ZERO);
    assert_eq!(request.hubs, Some(vec!["h2".to_owned(), "h4".to_owned()]));
    assert_eq!(request.policies, Some(vec!["short".to_owned()]));
    assert!(request.allow_whole_namespace && is_reserved_id(&request.request_id));
    assert_eq!((request.requester, request.reason.as_deref()), (Requester::Policysync, Some("an event")));
}

#[test]
fn the_same_need_is_one_request_a_day_and_another_need_is_another() {
    let id = |seen: &Observation, later| wanted(seen, later).request_id;
    let seen = sees(&[Stale, Missing]);
    let mut turned = seen.clone();
    turned.hubs.reverse();
    assert_eq!(id(&seen, Duration::ZERO), id(&turned, Duration::hours(18)));
    let mut renewed = seen.clone();
    renewed.policies[0].issuing_ca.not_after = Some(NOW + Duration::weeks(100));
    let others = [
        id(&seen, Duration::ZERO),
        id(&seen, Duration::DAY),
        id(&sees(&[Stale]), Duration::ZERO),
        id(&renewed, Duration::ZERO),
    ];
    assert_eq!(others.iter().collect::<BTreeSet<_>>().len(), others.len());
}

#[test]
fn what_is_recorded_and_not_final_is_sent_again_as_it_was_recorded() {
    let ours = wanted(&sees(&[Stale]), Duration::ZERO);
    let mut record = RequestRecord::queued(ours.clone(), NOW);
    assert_eq!(repeat(None), Repeat::Submit);
    for outcome in [Outcome::Queued, Outcome::Syncing] {
        record.outcome = outcome;
        assert_eq!(repeat(Some(&record)), Repeat::SendAgain(Box::new(ours.clone())), "{outcome}");
    }
    for outcome in [Outcome::Trusted, Outcome::Unverified, Outcome::Failed] {
        record.outcome = outcome;
        assert_eq!(repeat(Some(&record)), Repeat::Answered, "{outcome}");
    }
    for requester in [Requester::Claimed, Requester::SignedIn] {
        let other = SyncRequest { requester, ..request("r-1", "") };
        assert_eq!(repeat(Some(&RequestRecord::queued(other, NOW))), Repeat::Claimed);
    }
}

#[test]
fn a_need_for_which_nothing_was_sent_is_asked_for_again_under_the_next_id() {
    let mut record = RequestRecord::queued(wanted(&sees(&[Stale]), Duration::ZERO), NOW);
    for outcome in [Outcome::AlreadyTrusted, Outcome::Refused] {
        record.outcome = outcome;
        assert_eq!(repeat(Some(&record)), Repeat::NothingSent, "{outcome}");
    }
    record.outcome = Outcome::Failed;
    for (reason, expected) in [
        (Reason::NotPermitted, Repeat::NothingSent),
        (Reason::NamespaceLocked, Repeat::NothingSent),
        // A sync was begun: what did not help is not repeated before tomorrow.
        (Reason::SyncFailed, Repeat::Answered),
    ] {
        record.reason = Some(reason);
        assert_eq!(repeat(Some(&record)), expected, "{reason}");
    }
}

#[test]
fn there_are_a_few_ids_for_one_need_and_each_is_one_of_the_apps_own() {
    let ours = wanted(&sees(&[Stale]), Duration::ZERO);
    let tried: Vec<SyncRequest> = candidates(&ours).collect();
    let ids: BTreeSet<&str> = tried.iter().map(|tried| tried.request_id.as_str()).collect();
    assert_eq!((tried.len(), ids.len(), &tried[0]), (8, 8, &ours));
    for tried in &tried {
        assert!(is_reserved_id(&tried.request_id) && tried.request_id.len() <= MAX_REQUEST_ID);
        assert_eq!(SyncRequest { request_id: ours.request_id.clone(), ..tried.clone() }, ours);
    }
}
