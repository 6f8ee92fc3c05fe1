//! Shows that each property can fail: a machine with a fault in it breaks the property, and the search finds that.

use time::Duration;

use super::plans::{ALL, Plan};
use super::{Search, properties};
use crate::configuration::Mode;
use crate::request::{Outcome, RequestRecord};
use crate::sync::tests::model::{Fact, Machine, Model};
use crate::sync::tests::world::{HUBS, POLICIES, Sight, Sights, request};
use crate::sync::{Context, Effect, Event, Phase, Step, SyncRecord, step};

type Record<'a> = Option<&'a SyncRecord>;

/// The search of this name finds this property broken by a machine.
fn is_found(search: &str, property: &str, machine: Machine) {
    let plan: &Plan = ALL.iter().find(|plan| plan.name == search).unwrap();
    // The fair run would find most faults before the property does.
    let with_ends = property == "every request ends";
    let found = Search { with_ends, ..plan.search(machine, 250_000) }.run();
    let violation =
        found.violation.unwrap_or_else(|| panic!("`{property}` holds in {} states", found.states));
    assert_eq!(violation.property, property, "{}", violation.says);
}

#[test]
fn a_machine_that_does_not_let_requests_wait_loses_them() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        match event {
            Event::Requested if record.is_some_and(|record| record.phase == Phase::Started) => {
                Step::default()
            }
            _ => step(record, requests, event, context),
        }
    }
    is_found("kills after the POST", "no request is lost", faulty);
}

#[test]
fn a_machine_that_records_no_outcome_never_ends() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        let mut step = step(record, requests, event, context);
        step.effects.retain(|effect| !matches!(effect, Effect::Conclude(_)));
        step
    }
    is_found("nothing goes wrong", "every request ends", faulty);
}

#[test]
fn a_machine_that_takes_a_new_claim_for_an_old_one_sends_two_at_a_time() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        let now = context.now + Duration::minutes(5);
        step(record, requests, event, &Context { now, ..context.clone() })
    }
    is_found("locks that are lost after the claim", "one POST at a time", faulty);
}

#[test]
fn a_machine_that_forgets_the_last_post_sends_twice_for_a_need() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        let record = record.map(|record| SyncRecord { sent: None, ..record.clone() });
        step(record.as_ref(), requests, event, context)
    }
    is_found("two requests join at any instant", "one POST per need", faulty);
}

#[test]
fn a_machine_that_takes_unreadable_for_missing_posts_without_a_need() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        let seen = Model::new(Vec::new()).sights();
        let lacking = Sights { hubs: [[Sight::Stale; POLICIES]; HUBS], ..seen }.observation();
        match event {
            Event::Observed { look, seen: Ok(_), operation, missing } => {
                let (look, operation, missing) = (look.clone(), operation.clone(), missing.clone());
                let event = Event::Observed { look, seen: Ok(&lacking), operation, missing };
                step(record, requests, &event, context)
            }
            _ => step(record, requests, event, context),
        }
    }
    is_found("hubs do not answer", "no POST without a need", faulty);
}

#[test]
fn a_machine_that_does_not_ask_for_the_mode_decides_to_write_in_audit() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        step(record, requests, event, &Context { mode: Mode::Enforce, ..context.clone() })
    }
    is_found("the mode is switched", "audit writes nothing", faulty);
}

#[test]
fn a_machine_that_believes_an_operation_tells_trust_without_proof() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        let mut step = step(record, requests, event, context);
        for effect in &mut step.effects {
            if let Effect::Conclude(outcomes) = effect {
                for told in &mut outcomes.conclusions {
                    told.hubs.iter_mut().for_each(|hub| hub.outcome = Outcome::Trusted);
                    told.outcome = Outcome::Trusted;
                }
            }
        }
        step
    }
    is_found("nothing goes wrong", "trusted is proof", faulty);
}

#[test]
fn a_machine_that_takes_a_request_in_twice_is_not_bounded() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        let mut step = step(record, requests, event, context);
        if let (Event::Requested, Some(record)) = (event, &mut step.record) {
            record.requests.extend(requests.iter().map(|known| known.request.request_id.clone()));
        }
        step
    }
    is_found("nothing goes wrong", "the record is bounded", faulty);
}

#[test]
fn a_machine_that_skips_numbers_grows_faster_than_its_messages() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        let mut step = step(record, requests, event, context);
        if let (Event::PostEnded { .. }, Some(record)) = (event, &mut step.record) {
            record.attempt += 1;
        }
        step
    }
    is_found("nothing goes wrong", "attempts grow with messages", faulty);
}

#[test]
fn a_machine_that_lets_go_of_requests_early_is_found() {
    fn faulty(record: Record, requests: &[RequestRecord], event: &Event, context: &Context) -> Step {
        let mut step = step(record, requests, event, context);
        if let (Event::PostEnded { .. }, Some(record)) = (event, &mut step.record) {
            record.requests.clear();
        }
        step
    }
    is_found("nothing goes wrong", "a request leaves with its outcome or its mark", faulty);
}

#[test]
fn an_outcome_that_changes_is_found() {
    let plan = ALL[0].search(step, 1);
    let told = |outcome| {
        let mut record = RequestRecord::queued(request("r1", ""), crate::sync::tests::world::NOW);
        record.outcome = outcome;
        std::rc::Rc::new(record)
    };
    let property = properties::ALL.iter().find(|property| property.name == "what is final stays").unwrap();
    let holds = |before, after| {
        let fact = Fact::Told { before: told(before), after: told(after) };
        (property.holds)(&plan.start, &[fact], &plan.setting)
    };
    assert!(holds(Outcome::Syncing, Outcome::Trusted).is_ok());
    assert!(holds(Outcome::Trusted, Outcome::Failed).is_err());
}
