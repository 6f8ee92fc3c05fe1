//! An id is one request of one namespace, and no outcome reaches another one.

use crate::ArmId;
use crate::reason::Reason;
use crate::request::{Outcome, RequestRecord, Requester, SyncRequest};
use crate::sync::tests::stage::{Stage, sees};
use crate::sync::tests::world::{NAMESPACE, NOW, request};
use crate::sync::{Admission, Conclusion, Effect, Event, OperationState, admit, step};
use crate::trust::Trust::{Stale, Trusted};

fn elsewhere(request: SyncRequest) -> SyncRequest {
    let namespace_id = ArmId::parse(&NAMESPACE.replace("contoso", "fabrikam")).unwrap();
    SyncRequest { namespace_id, ..request }
}

#[test]
fn one_id_for_two_namespaces_is_different() {
    let known = RequestRecord::queued(request("r-1", ""), NOW);
    let other = elsewhere(request("r-1", ""));
    assert_eq!(admit(Some(known.clone()), &other, NOW), Admission::Different);
    assert_eq!(admit(Some(known.clone()), &request("r-1", r#","hubs":["h1"]"#), NOW), Admission::Different);
    assert_eq!(admit(Some(known.clone()), &request("r-1", ""), NOW), Admission::Known(known.clone()));
    // Azure does not tell ids apart by case.
    let text = format!(r#"{{"namespaceId":"{}"}}"#, NAMESPACE.to_uppercase());
    let same = SyncRequest::from_submission(&text, "r-1").unwrap();
    assert_eq!(admit(Some(known.clone()), &same, NOW), Admission::Known(known));
    assert_eq!(admit(None, &other, NOW), Admission::New(RequestRecord::queued(other.clone(), NOW)));
}

#[test]
fn who_asks_and_in_which_trace_makes_no_other_request() {
    let known = RequestRecord::queued(request("r-1", r#","requestedBy":"a","traceparent":"00-a""#), NOW);
    let again = SyncRequest { requester: Requester::SignedIn, ..request("r-1", r#","requestedBy":"b""#) };
    assert_eq!(admit(Some(known.clone()), &again, NOW), Admission::Known(known));
}

#[test]
fn an_id_of_the_apps_own_form_is_reserved_unless_the_app_has_recorded_it() {
    let made_up = |id: &str, requester| {
        let request = request("r-1", "");
        SyncRequest { request_id: id.to_owned(), requester, ..request }
    };
    for id in ["automatic-0a1b", "AUTOMATIC-0A1B", "look-1", "01M85A71M08CPV9XGR0PSFA70F:3"] {
        for requester in [Requester::Claimed, Requester::SignedIn] {
            assert_eq!(admit(None, &made_up(id, requester), NOW), Admission::Reserved, "{id}");
        }
        let ours = made_up(id, Requester::Policysync);
        assert_eq!(admit(None, &ours, NOW), Admission::New(RequestRecord::queued(ours.clone(), NOW)));
        // The message of a request that the app has recorded does not say who sent it.
        let record = RequestRecord::queued(ours, NOW);
        let known = admit(Some(record.clone()), &made_up(id, Requester::Claimed), NOW);
        assert_eq!(known, Admission::Known(record), "{id}");
    }
}

#[test]
fn records_of_another_namespace_are_left_out_of_account() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let other = RequestRecord::queued(elsewhere(request("r-2", "")), NOW);
    // The request of another namespace does not join.
    let joined = step(stage.record.as_ref(), std::slice::from_ref(&other), &Event::Requested, &stage.context);
    assert_eq!((joined.record, joined.effects), (None, vec![]));
    // Even under an id that the sync knows, the machine does not plan it, changes no record of it and sends no POST for
    // it.
    let look = stage.look_begins();
    let same_id = RequestRecord::queued(elsewhere(request("r-1", "")), NOW);
    for (seen, known) in [(sees(&[Trusted]), other), (sees(&[Stale]), same_id)] {
        let event = Event::Observed {
            look: look.clone(),
            seen: Ok(&seen),
            operation: OperationState::Silent,
            missing: vec![],
        };
        let told = step(stage.record.as_ref(), &[known], &event, &stage.context);
        let [Effect::Conclude(outcomes)] = told.effects.as_slice() else { panic!("{told:?}") };
        assert_eq!((&outcomes.conclusions, &outcomes.already_final), (&vec![], &vec![]));
    }
}

#[test]
fn a_sync_that_has_ended_lets_no_other_namespace_in() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.looks(&sees(&[Trusted]));
    let other = RequestRecord::queued(elsewhere(request("r-2", "")), NOW);
    let joined = step(stage.record.as_ref(), &[other], &Event::Requested, &stage.context);
    assert_eq!((joined.record, joined.effects), (None, vec![]));
}

#[test]
fn the_first_request_of_a_namespace_does_not_bring_in_those_of_another() {
    let ours = RequestRecord::queued(request("r-1", ""), NOW);
    let other = RequestRecord::queued(elsewhere(request("r-2", "")), NOW);
    let joined = step(None, &[ours, other], &Event::Requested, &Stage::new().context);
    assert_eq!(joined.record.unwrap().requests, ["r-1"]);
}

#[test]
fn no_outcome_is_written_to_another_request_or_over_a_final_one() {
    let told = Conclusion {
        request: request("r-1", ""),
        sync_id: Some("sync-1".to_owned()),
        plan: None,
        outcome: Outcome::Trusted,
        reason: None,
        detail: None,
        hubs: vec![],
    };
    let others = [elsewhere(request("r-1", "")), request("r-2", ""), request("r-1", r#","hubs":["h1"]"#)];
    for other in others {
        let mut record = RequestRecord::queued(other, NOW);
        let before = record.clone();
        assert!(!told.apply(&mut record, NOW));
        assert_eq!(record, before);
    }
    let mut record = RequestRecord::queued(request("r-1", ""), NOW);
    record.conclude(Outcome::Refused, Some(Reason::AuditMode), None, NOW);
    assert!(!told.apply(&mut record, NOW));
    assert_eq!(record.outcome, Outcome::Refused);
    let mut record = RequestRecord::queued(request("r-1", ""), NOW);
    assert!(told.apply(&mut record, NOW));
    assert_eq!((record.outcome, record.sync_id.as_deref()), (Outcome::Trusted, Some("sync-1")));
}
