//! Kills of runs that take requests in, and of the report.

use super::Row;
use super::stage::{Stage, sends};
use crate::request::Outcome::{AlreadyTrusted, Trusted};
use crate::request::SyncRequest;
use crate::sync::tests::model::{Action, Body, Fault, Todo};
use crate::sync::tests::world::request;
use crate::sync::{MOST_REQUESTS, Phase, SyncRecord};

pub(super) const ROWS: [Row; 8] = [
    Row {
        after: "the request is recorded",
        leaves: "a request that no sync knows, its marker and its message",
        next: "gets the message again and joins the request to a sync",
        play: request_recorded,
    },
    Row {
        after: "the request has joined a new sync",
        leaves: "a sync without its first follow-up",
        next: "gets the message again, finds the request in the sync and sends the follow-up",
        play: joined,
    },
    Row {
        after: "the first follow-up is sent",
        leaves: "the message of a request that has joined",
        next: "sends the same follow-up, which the queue drops",
        play: first_follow_up_sent,
    },
    Row {
        after: "the request has joined a sync that is claimed or started",
        leaves: "the message of a request that waits",
        next: "finds the request in the sync and sends the follow-up that the sync waits for, which the queue drops",
        play: joined_late,
    },
    Row {
        after: "a request is put back because the sync is full",
        leaves: "two messages of one request",
        next: "puts it back again as long as the sync is full; the message that finds room joins the request, the other one changes nothing",
        play: put_back,
    },
    Row {
        after: "the report has joined a request whose message was lost",
        leaves: "a sync without its first follow-up, and the marker of the request",
        next: "is that of the next report, which finds the marker, takes the request in again and sends the follow-up",
        play: taken_in_by_the_report,
    },
    Row {
        after: "the report has recorded a new number for a sync whose follow-up was lost",
        leaves: "a sync without its follow-up",
        next: "is that of a report five minutes later, which records one more number and sends its follow-up",
        play: report_recorded,
    },
    Row {
        after: "the report has sent that follow-up",
        leaves: "nothing to do",
        next: "is the look of that follow-up",
        play: report_sent,
    },
];

fn whole(id: &str) -> SyncRequest {
    request(id, "")
}

/// A request was submitted, and a worker has its message.
fn received() -> Stage {
    let mut stage = Stage::new(vec![whole("r1"), whole("r2")]);
    stage.submit(0);
    stage.deliver_request(0);
    stage
}

fn request_recorded() {
    let mut stage = received();
    stage.kill();
    assert!(stage.model.record.is_none());
    stage.comes_again();
    assert!(stage.record().knows("r1"));
    assert_eq!((stage.record().phase, stage.follow_ups()), (Phase::Gathering, vec![1]));
    stage.ends(&[Trusted], 1);
}

fn joined() {
    let mut stage = received();
    stage.run_until(sends);
    stage.kill();
    let left = stage.record();
    assert_eq!((left.phase, stage.follow_ups()), (Phase::Gathering, vec![]));
    stage.comes_again();
    assert_eq!((stage.record(), stage.follow_ups()), (left, vec![1]));
    stage.ends(&[Trusted], 1);
}

fn first_follow_up_sent() {
    let mut stage = received();
    stage.run_through();
    stage.kill();
    let left = stage.record();
    assert_eq!(stage.follow_ups(), [1]);
    stage.comes_again();
    assert_eq!((stage.record(), stage.follow_ups()), (left, vec![1]));
    stage.ends(&[Trusted], 1);
}

fn joined_late() {
    for phase in [Phase::Claimed, Phase::Started] {
        let mut stage = received();
        stage.until(|stage, todo| match phase {
            Phase::Claimed => matches!(todo, Todo::Await(_)),
            _ => stage.phase() == Some(phase) && matches!(todo, Todo::Conclude(..)),
        });
        if phase == Phase::Claimed {
            // The answer to the POST is lost with the run, so the sync stays claimed.
            stage.kill();
            stage.comes_again();
        } else {
            stage.run_to_its_end();
        }
        stage.submit(1);
        stage.deliver_request(1);
        stage.run_through();
        stage.kill();
        let (left, follow_ups) = (stage.record(), stage.follow_ups());
        assert_eq!((left.phase, &left.waiting), (phase, &vec!["r2".to_owned()]));
        assert_eq!(follow_ups, [left.attempt]);
        stage.comes_again();
        assert_eq!((stage.record(), stage.follow_ups()), (left, follow_ups));
        stage.ends(&[Trusted, AlreadyTrusted], 1);
    }
}

fn put_back() {
    let mut stage = received();
    stage.run_to_its_end();
    let others = (1..MOST_REQUESTS).map(|n| format!("other-{n}"));
    let mut full = SyncRecord::clone(&stage.record());
    full.requests.extend(others);
    stage.model.record = Some(full.clone().into());
    stage.submit(1);
    stage.deliver_request(1);
    stage.run_until(|_, todo| matches!(todo, Todo::PutBack(_)));
    stage.run_through();
    stage.kill();
    let messages = |stage: &Stage| {
        let of_request = stage.model.queue.iter().filter(|message| message.body == Body::Request(1));
        of_request.count()
    };
    assert_eq!((messages(&stage), &*stage.record()), (2, &full));
    stage.comes_again();
    assert_eq!((messages(&stage), &*stage.record()), (2, &full), "it is put back again");
    // The others have their outcomes and leave.
    full.requests.retain(|id| id == "r1");
    stage.model.record = Some(full.into());
    stage.deliver_request(1);
    stage.run_to_its_end();
    assert_eq!((messages(&stage), stage.record().requests.len()), (1, 2));
    let joined = stage.record();
    stage.deliver_request(1);
    stage.run_to_its_end();
    assert_eq!((messages(&stage), stage.record()), (0, joined));
    stage.ends(&[Trusted, Trusted], 1);
}

/// The message of a submitted request was lost, and the report has taken the request in.
fn taken_in_by_the_report() {
    let mut stage = Stage::new(vec![whole("r1")]);
    stage.submit(0);
    stage.act(Action::Fault(Fault::DeadLettered, 0));
    stage.act(Action::TakeUp(0));
    stage.run_until(sends);
    stage.kill();
    let left = stage.record();
    assert!(left.knows("r1") && stage.model.queue.is_empty());
    // The marker makes the next report hand the request to the machine, as its message would.
    stage.act(Action::Fault(Fault::SubmittedAgain, 0));
    stage.deliver_request(0);
    stage.run_to_its_end();
    assert_eq!((stage.record(), stage.follow_ups()), (left, vec![1]));
    stage.ends(&[Trusted], 1);
}

/// The follow-up of a sync was lost, and the report finds that.
fn reported() -> Stage {
    let mut stage = received();
    stage.run_to_its_end();
    stage.act(Action::Fault(Fault::DeadLettered, 0));
    while !stage.is_overdue() {
        stage.act(Action::Wait(1));
    }
    stage.act(Action::Report(0));
    stage.run_until(sends);
    stage
}

fn report_recorded() {
    let mut stage = reported();
    stage.kill();
    assert_eq!((stage.record().attempt, stage.model.queue.len()), (2, 0));
    assert!(!stage.is_overdue(), "the next report is left time");
    stage.act(Action::Wait(3));
    assert!(stage.is_overdue());
    stage.act(Action::Report(0));
    stage.run_to_its_end();
    assert_eq!((stage.record().attempt, stage.follow_ups()), (3, vec![3]));
    stage.ends(&[Trusted], 1);
}

fn report_sent() {
    let mut stage = reported();
    stage.run_through();
    stage.kill();
    assert_eq!(stage.follow_ups(), [2]);
    stage.deliver_follow_up();
    stage.run_to_its_end();
    assert_eq!(stage.posts, 1);
    stage.ends(&[Trusted], 1);
}
