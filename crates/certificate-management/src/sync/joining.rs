//! Requests join the sync of their namespace. The machine refuses here what it can refuse without a look.

use super::conclusions::refused;
use super::effect::FollowUp;
use super::{Context, Effect, Outcomes, Phase, Step, SyncRecord, pause};
use crate::ArmId;
use crate::configuration::Mode;
use crate::reason::Reason;
use crate::request::{RequestRecord, SyncRequest};

pub(super) fn requested(last: Option<&SyncRecord>, requests: &[&RequestRecord], context: &Context) -> Step {
    let found = last.cloned().map(|mut last| {
        last.has(requests.iter().map(|known| known.request.request_id.as_str()));
        last
    });
    let mut step = join(found.as_ref(), requests, context);
    step.record = step.record.or_else(|| found.filter(|found| Some(found) != last));
    step
}

fn join(last: Option<&SyncRecord>, requests: &[&RequestRecord], context: &Context) -> Step {
    let record = last.filter(|last| last.is_open());
    let mut open: Vec<&SyncRequest> = Vec::new();
    for known in requests.iter().filter(|known| !known.outcome.is_final()) {
        let is_repeated = open.iter().any(|request| request.request_id == known.request.request_id);
        let is_ours = open.first().is_none_or(|first| first.namespace_id == known.request.namespace_id);
        if !is_repeated && is_ours {
            open.push(&known.request);
        }
    }
    let Some(first) = open.first().copied() else { return Step::nothing() };
    // Only the sync ends a request that has joined it: the POST may have been sent when the message of the request
    // comes again.
    let is_known = |request: &SyncRequest| record.is_some_and(|record| record.knows(&request.request_id));
    let refuse = |reason, detail: String| {
        let (known, new): (Vec<&SyncRequest>, _) =
            open.iter().copied().partition(|request| is_known(request));
        let conclusions: Vec<_> = new.into_iter().map(|request| refused(request, reason, &detail)).collect();
        let follow_up =
            record.filter(|_| !known.is_empty()).map(|record| Effect::SendFollowUp(FollowUp::of(record)));
        let outcomes = Outcomes { conclusions, ..Outcomes::default() };
        let conclude = Some(Effect::Conclude(outcomes)).filter(|_| known.len() < open.len());
        Step::only(follow_up.into_iter().chain(conclude).collect())
    };
    if !context.is_configured {
        let detail = format!("policysync.toml has no namespace {}", first.namespace_id);
        return refuse(Reason::NamespaceNotConfigured, detail);
    }
    if context.mode == Mode::Audit {
        return refuse(Reason::AuditMode, audit_detail(first));
    }
    let mut joined = record
        .cloned()
        .unwrap_or_else(|| gathering(&first.namespace_id, first.traceparent.as_ref(), last, context));
    let new = open.iter().copied().filter(|request| !joined.knows(&request.request_id));
    let mut new: Vec<&SyncRequest> = new.collect();
    // A message that comes again may come from a run that was killed after it wrote the record and before it sent the
    // follow-up.
    let comes_again = new.len() < open.len();
    let room = context.most_requests.saturating_sub(joined.known().count()).min(new.len());
    let beyond = new.split_off(room);
    let list = if joined.phase == Phase::Gathering { &mut joined.requests } else { &mut joined.waiting };
    list.extend(new.iter().map(|request| request.request_id.clone()));
    let mut effects = Vec::new();
    if record.is_none() || comes_again {
        effects.push(Effect::SendFollowUp(FollowUp::of(&joined)));
    }
    if !beyond.is_empty() {
        effects.push(Effect::PutBack(beyond.into_iter().cloned().collect()));
    }
    if new.is_empty() { Step::only(effects) } else { Step::write(joined, effects) }
}

/// A sync that requests can join, with its first look a moment later.
fn gathering(
    namespace_id: &ArmId,
    traceparent: Option<&String>,
    last: Option<&SyncRecord>,
    context: &Context,
) -> SyncRecord {
    SyncRecord {
        sync_id: context.next_sync_id.clone(),
        namespace_id: namespace_id.clone(),
        phase: Phase::Gathering,
        since: context.now,
        deadline: pause::after(context.now, context.patience),
        next_look_at: pause::due(pause::FIRST_LOOK, context),
        scheduled_at: Some(context.now),
        attempt: 1,
        look: None,
        claimed_at: None,
        posts: 0,
        refused: 0,
        operation: None,
        setback: None,
        sent: last.and_then(|last| last.sent.clone()),
        plan: None,
        requests: Vec::new(),
        waiting: Vec::new(),
        missing: None,
        traceparent: traceparent.cloned(),
    }
}

/// The sync that comes after one that has ended, for the requests that are left.
pub(super) fn next(ended: &SyncRecord, context: &Context) -> SyncRecord {
    let requests = ended.known().map(str::to_owned).collect();
    SyncRecord {
        requests,
        ..gathering(&ended.namespace_id, ended.traceparent.as_ref(), Some(ended), context)
    }
}

pub(super) fn audit_detail(request: &SyncRequest) -> String {
    format!("namespace {} is in audit mode", request.namespace_id.name())
}
