//! The properties, each a function over what an action did and the state after it.

use std::collections::BTreeSet;

use crate::configuration::Mode;
use crate::request::Outcome;
use crate::sync::tests::model::{Asked, Body, Fact, Happening, Model, Setting, Stepped};
use crate::sync::tests::world::Sight;
use crate::sync::{Conclusion, Effect, pause};

/// A property and its name.
pub(in crate::sync::tests) struct Property {
    pub name: &'static str,
    pub holds: fn(&Model, &[Fact], &Setting) -> Result<(), String>,
}

/// All of them, but for "every request ends", which the fair run checks.
pub(in crate::sync::tests) const ALL: [Property; 10] = [
    Property {
        name: "a request leaves with its outcome or its mark",
        holds: a_request_leaves_with_its_outcome,
    },
    Property { name: "no request is lost", holds: no_request_is_lost },
    Property { name: "one POST at a time", holds: one_post_at_a_time },
    Property { name: "one POST per need", holds: one_post_per_need },
    Property { name: "no POST without a need", holds: no_post_without_a_need },
    Property { name: "audit writes nothing", holds: audit_writes_nothing },
    Property { name: "trusted is proof", holds: trusted_is_proof },
    Property { name: "what is final stays", holds: what_is_final_stays },
    Property { name: "the record is bounded", holds: the_record_is_bounded },
    Property { name: "attempts grow with messages", holds: attempts_grow_with_messages },
];

fn steps(facts: &[Fact]) -> impl Iterator<Item = &Stepped> {
    facts.iter().filter_map(|fact| match fact {
        Fact::Stepped(stepped) => Some(&**stepped),
        _ => None,
    })
}

fn ensure(holds: bool, says: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(says()) }
}

/// The open sync knows each request without an outcome, or the request's message is there, or it was dead-lettered and
/// the report finds the record.
fn no_request_is_lost(model: &Model, _: &[Fact], _: &Setting) -> Result<(), String> {
    for (index, asked) in model.asked.iter().enumerate() {
        let Some(record) = asked.record.as_ref().filter(|record| !record.outcome.is_final()) else {
            continue;
        };
        let id = &record.request.request_id;
        let has_message = model.queue.iter().any(|message| message.body == Body::Request(index));
        ensure(model.is_known(id) || has_message || asked.is_marked, || format!("{id} is lost"))?;
    }
    Ok(())
}

fn one_post_at_a_time(model: &Model, _: &[Fact], _: &Setting) -> Result<(), String> {
    ensure(model.in_flight.len() <= 1, || format!("{} are in flight", model.in_flight.len()))
}

/// Where a POST may have had effect, no run sends another one for a hub that it was for before the claim's deadline, as
/// far as two clocks can tell.
fn one_post_per_need(_: &Model, facts: &[Fact], setting: &Setting) -> Result<(), String> {
    let least = pause::CLAIM_DEADLINE - setting.ahead.abs();
    for fact in facts {
        if let Fact::Sent { again_after: Some(after), .. } = fact {
            ensure(*after >= least, || format!("a second POST for one need after {after}"))?;
        }
    }
    Ok(())
}

fn no_post_without_a_need(_: &Model, facts: &[Fact], _: &Setting) -> Result<(), String> {
    for stepped in steps(facts) {
        for effect in &stepped.step.effects {
            let Effect::Post(claim) = effect else { continue };
            let Happening::Observed { seen: Ok(sights), .. } = &stepped.happening else {
                return Err(format!("a POST after {}", stepped.happening.name()));
            };
            ensure(sights.show_a_need(), || format!("a POST after {sights:?}"))?;
            ensure(!claim.planned.is_empty(), || "a POST for no request".to_owned())?;
            let record = stepped.after.as_ref();
            for planned in &claim.planned {
                let id = &planned.request.request_id;
                let is_known = record.is_some_and(|record| record.knows(id));
                ensure(is_known, || format!("a POST for {id}, which the record does not know"))?;
            }
        }
    }
    Ok(())
}

fn audit_writes_nothing(_: &Model, facts: &[Fact], _: &Setting) -> Result<(), String> {
    for stepped in steps(facts).filter(|stepped| stepped.mode == Mode::Audit) {
        let posts = stepped.step.effects.iter().any(|effect| matches!(effect, Effect::Post(_)));
        ensure(!posts, || "a POST was decided in audit".to_owned())?;
    }
    for fact in facts {
        if let Fact::Sent { mode, .. } = fact {
            ensure(*mode == Mode::Enforce, || "a POST was sent in audit".to_owned())?;
        }
    }
    Ok(())
}

/// A record says that a hub is trusted only where the look saw the current CA there, or where the record said so
/// before.
fn trusted_is_proof(_: &Model, facts: &[Fact], _: &Setting) -> Result<(), String> {
    let is_trust = |outcome: Outcome| matches!(outcome, Outcome::Trusted | Outcome::AlreadyTrusted);
    for stepped in steps(facts) {
        let (sights, read) = match &stepped.happening {
            Happening::Observed { seen, read, .. } => (seen.as_ref().ok(), read.as_slice()),
            Happening::Requested(read) => (None, read.as_slice()),
            _ => (None, &[][..]),
        };
        for told in told(stepped) {
            let known = read.iter().find(|known| known.request.request_id == told.request.request_id);
            for hub in told.hubs.iter().filter(|hub| is_trust(hub.outcome)) {
                let was_told = known.is_some_and(|known| known.hubs.contains(hub));
                let is_seen = sights.is_some_and(|sights| sights.of(&hub.hub, &hub.policy) == Sight::Current);
                let is_from_claim = matches!(stepped.happening, Happening::PostEnded(..));
                let has_evidence = hub.evidence.is_some() && (is_seen || was_told || is_from_claim);
                ensure(has_evidence, || {
                    format!("{} is told {} on {} unseen", told.request.request_id, hub.outcome, hub.hub)
                })?;
            }
            let whole = told.hubs.iter().all(|hub| is_trust(hub.outcome)) && !told.hubs.is_empty();
            ensure(whole || !is_trust(told.outcome), || {
                format!("{} is told {} as a whole", told.request.request_id, told.outcome)
            })?;
        }
    }
    Ok(())
}

fn told(stepped: &Stepped) -> Vec<&Conclusion> {
    let told = stepped.step.effects.iter().flat_map(|effect| match effect {
        Effect::Conclude(outcomes) => outcomes.conclusions.iter(),
        Effect::Post(claim) => claim.planned.iter(),
        _ => [].iter(),
    });
    told.collect()
}

fn what_is_final_stays(_: &Model, facts: &[Fact], _: &Setting) -> Result<(), String> {
    for fact in facts {
        if let Fact::Told { before, after } = fact {
            ensure(!before.outcome.is_final() || before == after, || {
                format!("{} was {} and is {}", before.request.request_id, before.outcome, after.outcome)
            })?;
        }
    }
    Ok(())
}

fn the_record_is_bounded(model: &Model, _: &[Fact], setting: &Setting) -> Result<(), String> {
    let Some(record) = &model.record else { return Ok(()) };
    let known: Vec<&str> = record.known().collect();
    let distinct: BTreeSet<&str> = known.iter().copied().collect();
    ensure(known.len() == distinct.len(), || format!("a request twice in {known:?}"))?;
    ensure(known.len() <= setting.most_requests, || format!("{} requests", known.len()))?;
    ensure(record.is_open() || known.is_empty(), || format!("an ended sync knows {known:?}"))
}

/// An invocation schedules at most one look for each message that woke it.
fn attempts_grow_with_messages(model: &Model, _: &[Fact], _: &Setting) -> Result<(), String> {
    for run in model.workers.iter().flatten() {
        ensure(run.attempts <= run.messages, || format!("{} more looks in one invocation", run.attempts))?;
    }
    Ok(())
}

/// A request that leaves the sync has its outcome recorded, or no record, or a message that makes its record anew.
fn a_request_leaves_with_its_outcome(model: &Model, facts: &[Fact], _: &Setting) -> Result<(), String> {
    for stepped in steps(facts) {
        let Some(before) = stepped.before.as_ref().filter(|before| before.is_open()) else { continue };
        for id in before.known() {
            let stays = stepped.after.as_ref().is_some_and(|after| after.knows(id));
            let of = |asked: &&Asked| asked.request.request_id == *id;
            // The mark leads the report to a request whose record was lost, and made anew while its outcome was recorded.
            let unmarked = model.asked.iter().filter(of).filter(|asked| !asked.is_marked);
            let mut records = unmarked.filter_map(|asked| asked.record.as_ref());
            let is_open = records.any(|record| !record.outcome.is_final());
            let comes = |index: usize| model.asked[index].request.request_id == *id;
            let has_message = model
                .queue
                .iter()
                .any(|message| matches!(message.body, Body::Request(index) if comes(index)));
            ensure(stays || !is_open || has_message, || format!("{id} left without its outcome"))?;
        }
    }
    Ok(())
}
