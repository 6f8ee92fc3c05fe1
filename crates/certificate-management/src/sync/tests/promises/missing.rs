//! A request whose record is gone leaves its sync, and one whose record was made anew stays.

use crate::configuration::Mode;
use crate::request::{Outcome, RequestRecord};
use crate::sync::tests::stage::{Stage, sees};
use crate::sync::tests::world::request;
use crate::sync::{Effect, Event, Look, OperationState, Phase, SyncRecord, without_marks};
use crate::trust::Trust::{Stale, Trusted};

/// `r-1` has joined, and its record is gone.
fn without_a_record() -> Stage {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.requests.clear();
    stage
}

/// A look finds no record of `r-1`. Returns the effects of the step, which the test judges.
fn finds_none(stage: &mut Stage, look: Look) -> Vec<Effect> {
    let seen = sees(&[Stale, Trusted]);
    let missing = vec!["r-1".to_owned()];
    stage.happens(&Event::Observed { look, seen: Ok(&seen), operation: OperationState::Silent, missing })
}

#[test]
fn it_leaves_once_two_looks_have_found_no_record_of_it() {
    let mut stage = without_a_record();
    let look = stage.look_begins();
    finds_none(&mut stage, look);
    assert!(stage.record().knows("r-1"));
    let look = stage.look_begins();
    finds_none(&mut stage, look);
    assert_eq!((stage.record().phase, stage.record().known().count()), (Phase::Ended, 0));
}

#[test]
fn it_stays_when_its_message_comes_between_what_a_look_reads_and_its_step() {
    for mode in [Mode::Enforce, Mode::Audit] {
        let mut stage = without_a_record();
        let look = stage.look_begins();
        finds_none(&mut stage, look);
        let look = stage.look_begins();
        stage.requests.push(RequestRecord::queued(request("r-1", ""), stage.context.now));
        stage.context.mode = mode;
        stage.message_comes(&["r-1"]);
        finds_none(&mut stage, look);
        assert!(stage.record().knows("r-1"), "{mode:?}");
        stage.context.mode = Mode::Enforce;
        stage.goes_on_to_its_end(&sees(&[Trusted, Trusted]));
        assert_eq!(stage.told("r-1").0, Outcome::AlreadyTrusted);
    }
}

#[test]
fn a_look_that_is_told_twice_has_found_no_record_once() {
    let mut stage = without_a_record();
    stage.submit("r-2", "");
    let look = stage.look_begins();
    let missing = vec!["r-1".to_owned()];
    for _ in 0..2 {
        let known = stage.requests.clone();
        let seen = sees(&[Trusted, Trusted]);
        let (look, missing) = (look.clone(), missing.clone());
        let event = Event::Observed { look, seen: Ok(&seen), operation: OperationState::Silent, missing };
        let step = crate::sync::step(stage.record.as_ref(), &known, &event, &stage.context);
        stage.record = step.record.or(stage.record);
        assert!(stage.record().knows("r-1"));
    }
}

/// A look has recorded the outcome, the record is lost, and the message of the request makes it anew before the look tells that
/// the request has left.
#[test]
fn one_that_its_sync_knew_before_it_came_keeps_the_mark_by_which_the_report_finds_it() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let anew = RequestRecord::queued(request("r-1", ""), stage.context.now);
    let other = RequestRecord::queued(request("r-2", ""), stage.context.now);
    let requests = [anew, other];
    assert_eq!(without_marks(Some(stage.record()), &requests, &[]), ["r-2"]);
    assert_eq!(without_marks(None, &requests, &[]), ["r-1", "r-2"]);
    let put_back = [Effect::PutBack(vec![request("r-2", "")])];
    assert_eq!(without_marks(None, &requests, &put_back), ["r-1"]);
    let ended = SyncRecord { phase: Phase::Ended, ..stage.record().clone() };
    assert_eq!(without_marks(Some(&ended), &requests, &[]), ["r-1", "r-2"]);
    let done = requests.map(|record| RequestRecord { outcome: Outcome::Trusted, ..record });
    assert_eq!(without_marks(None, &done, &[]), Vec::<&str>::new());
}
