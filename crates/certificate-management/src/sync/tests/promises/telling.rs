//! The record of a request has the outcome of each hub, and the machine changes it only for news.

use time::Duration;

use crate::plan::RequestPlan;
use crate::reason::Reason;
use crate::reason::failure::CallFailure;
use crate::request::{HubOutcome, Outcome, RequestRecord};
use crate::sync::tests::stage::{Stage, accepted, sees};
use crate::sync::tests::world::{NOW, failure, request};
use crate::sync::{Conclusion, Event, FailureKind, Look, OperationState, conclusions, step};
use crate::trust::Trust::{Stale, Trusted};

/// Makes a conclusion say something else.
type Change = fn(&mut Conclusion);

fn hub(name: &str, outcome: Outcome, reason: Option<Reason>) -> HubOutcome {
    HubOutcome {
        hub: name.to_owned(),
        policy: "short".to_owned(),
        outcome,
        reason,
        detail: None,
        evidence: None,
    }
}

/// A record of an open request, and the conclusion that says the same.
fn known() -> (RequestRecord, Conclusion) {
    let mut record = RequestRecord::queued(request("r-1", ""), NOW);
    record.sync_id = Some("sync-1".to_owned());
    record.plan = Some("plan-1".to_owned());
    record.hubs = vec![hub("h1", Outcome::Syncing, None), hub("h2", Outcome::Syncing, None)];
    record.conclude(Outcome::Syncing, Some(Reason::HubUnreadable), Some("h2: 503".to_owned()), NOW);
    let told = Conclusion {
        request: record.request.clone(),
        sync_id: record.sync_id.clone(),
        plan: record.plan.clone(),
        outcome: record.outcome,
        reason: record.reason,
        detail: record.detail.clone(),
        hubs: record.hubs.clone(),
    };
    (record, told)
}

#[test]
fn what_says_the_same_is_not_written_again() {
    let (mut record, told) = known();
    let later = NOW + Duration::MINUTE;
    let same: [Change; 5] = [
        |_| {},
        |told| told.sync_id = None,
        |told| told.plan = None,
        |told| told.detail = Some("h2: 503, asked at another time".to_owned()),
        |told| told.hubs[0].detail = Some("seen at another time".to_owned()),
    ];
    for change in same {
        let (before, mut told) = (record.clone(), told.clone());
        change(&mut told);
        assert!(!told.changes(&record) && !told.apply(&mut record, later), "{told:?}");
        assert_eq!(record, before);
    }
}

#[test]
fn whatever_is_news_is_written() {
    let news: [(&str, Change); 10] = [
        ("another outcome", |told| told.outcome = Outcome::Queued),
        ("a final outcome", |told| told.outcome = Outcome::Trusted),
        ("another reason", |told| told.reason = None),
        ("another sync", |told| told.sync_id = Some("sync-2".to_owned())),
        ("another plan", |told| told.plan = Some("plan-2".to_owned())),
        ("another hub", |told| told.hubs[1].hub = "h3".to_owned()),
        ("another policy", |told| told.hubs[1].policy = "long".to_owned()),
        ("the outcome of a hub", |told| told.hubs[1].outcome = Outcome::Trusted),
        ("the reason of a hub", |told| told.hubs[0].reason = Some(Reason::HubUnreadable)),
        ("a hub less", |told| drop(told.hubs.pop())),
    ];
    for (what, change) in news {
        let (mut record, mut told) = known();
        change(&mut told);
        assert!(told.apply(&mut record, NOW), "{what}");
        assert_eq!(
            (record.outcome, record.reason, &record.hubs),
            (told.outcome, told.reason, &told.hubs),
            "{what}"
        );
    }
}

/// The machine writes a final outcome even where the record has it for each hub already.
#[test]
fn an_end_is_news_whatever_the_hubs_say() {
    let (record, told) = known();
    let mut ended = record.clone();
    ended.outcome = Outcome::Trusted;
    assert!(Conclusion { outcome: Outcome::Trusted, ..told }.changes(&ended));
}

#[test]
fn one_end_for_a_request_is_the_end_of_its_open_hubs_and_of_no_other() {
    let (mut record, told) = known();
    record.hubs[0] = hub("h1", Outcome::Trusted, None);
    let expected =
        vec![hub("h1", Outcome::Trusted, None), hub("h2", Outcome::Failed, Some(Reason::SyncConflict))];
    let whole = conclusions::as_a_whole(&record, Outcome::Failed, Reason::SyncConflict, "409");
    assert_eq!((whole.outcome, &whole.hubs), (Outcome::Failed, &expected));
    let told = Conclusion { hubs: record.hubs.clone(), ..told };
    assert_eq!(told.ended(Outcome::Failed, Reason::SyncConflict, "409").hubs, expected);
    let refused = conclusions::undecided(&record.request, "h3 is not known", &record.hubs);
    assert_eq!(refused.hubs[0].outcome, Outcome::Trusted);
    assert_eq!(refused.hubs[1].outcome, Outcome::Refused);
    assert_eq!(refused.hubs[1].reason, Some(Reason::SyncCoversWholeNamespace));
}

#[test]
fn a_plan_ends_a_request_when_nothing_of_it_can_change() {
    let request = request("r-1", "");
    let (trusted, open) = (hub("h1", Outcome::AlreadyTrusted, None), hub("h2", Outcome::Syncing, None));
    let of_plan = |plan| conclusions::of_plan(&request, &plan);
    let ended = of_plan(RequestPlan::Verify(vec![trusted.clone()])).unwrap();
    assert_eq!((ended.outcome, ended.hubs), (Outcome::AlreadyTrusted, vec![trusted.clone()]));
    assert_eq!(of_plan(RequestPlan::Verify(vec![trusted.clone(), open.clone()])), None);
    assert_eq!(of_plan(RequestPlan::Sync(vec![trusted.clone()])), None);
    let hubs = vec![trusted.clone(), open];
    let (reason, detail) = (Reason::AuditMode, String::new());
    let refused = of_plan(RequestPlan::Refuse { reason, detail, hubs: hubs.clone() }).unwrap();
    assert_eq!((refused.outcome, refused.hubs), (Outcome::Refused, hubs));
}

/// A look counts only as long as its number is in the record, and an end only for its own sync.
#[test]
fn what_another_look_or_another_sync_brings_home_changes_nothing() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale]));
    stage.post_ends(&claim, accepted());
    let look = stage.look_begins();
    let others = [
        Look { attempt: look.attempt + 1, ..look.clone() },
        Look { sync_id: "sync-0".to_owned(), ..look.clone() },
    ];
    let seen = sees(&[Trusted]);
    for other in others {
        let told = Event::OperationTold { look: other.clone(), state: OperationState::Silent };
        let observed = Event::Observed {
            look: other.clone(),
            seen: Ok(&seen),
            operation: OperationState::Silent,
            missing: vec![],
        };
        for event in [told, observed] {
            let after = step(stage.record.as_ref(), &stage.requests, &event, &stage.context);
            assert_eq!((after.record, after.effects), (None, vec![]), "{event:?}");
        }
    }
    // Requests that another look has concluded leave the sync; those that another sync has concluded do not.
    let finished = vec!["r-1".to_owned()];
    let of = |sync_id: &str| Event::Concluded {
        look: Look { sync_id: sync_id.to_owned(), attempt: look.attempt + 1, early: look.early },
        finished: finished.clone(),
    };
    let after = |event| step(stage.record.as_ref(), &stage.requests, &event, &stage.context).record;
    assert_eq!(after(of("sync-0")), None);
    assert!(!after(of(&look.sync_id)).unwrap().is_open());
}

/// The record of each request says by which plan its POST was sent, whenever the run that sent it was killed.
#[test]
fn a_request_whose_run_was_killed_right_after_its_post_says_its_plan_all_the_same() {
    let unseen = failure(FailureKind::Call(CallFailure::Forbidden));
    for fails in [false, true] {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        let claim = stage.claims(&sees(&[Stale]));
        // The run is killed while it waits for the answer: it records no outcome.
        stage.left.clear();
        if fails {
            stage.passes(Duration::HOUR);
            let (sync_id, attempt) = (stage.record().sync_id.clone(), stage.record().attempt);
            stage.happens(&Event::FollowUp { sync_id: &sync_id, attempt });
            stage.looks_in_vain(&unseen);
        } else {
            let (sync_id, attempt) = (stage.record().sync_id.clone(), stage.record().attempt);
            stage.happens(&Event::FollowUp { sync_id: &sync_id, attempt });
            stage.looks(&sees(&[Trusted]));
        }
        assert!(stage.told("r-1").0.is_final());
        assert_eq!(stage.requests[0].plan, claim.planned[0].plan, "{fails}");
        assert!(stage.requests[0].plan.is_some());
    }
}
