//! Takes steps twice with generated records, requests and events, also with some that no run leads to.

use crate::reason::failure::CallFailure;
use proptest::prelude::*;
use time::Duration;

use super::{Second, twice};
use crate::ArmId;
use crate::configuration::Mode;
use crate::request::{Outcome, RequestRecord};
use crate::sync::tests::stage::sees;
use crate::sync::tests::world::{NAMESPACE, NOW, failure, request};
use crate::sync::{
    Claim, Context, Event, FailureKind, Look, MOST_REQUESTS, OperationState, Phase, PostEnd, Sent,
    SyncOperation, SyncRecord,
};
use crate::trust::Trust::{self, Missing, Stale, Trusted, Unreadable};

const KINDS: [FailureKind; 9] = [
    FailureKind::Call(CallFailure::Unavailable),
    FailureKind::Call(CallFailure::Conflict),
    FailureKind::Call(CallFailure::Unauthorized),
    FailureKind::Call(CallFailure::Forbidden),
    FailureKind::Call(CallFailure::NotFound),
    FailureKind::Call(CallFailure::ApiVersionRejected),
    FailureKind::NotConfigured,
    FailureKind::Audit,
    FailureKind::Call(CallFailure::Rejected),
];
const SHAPES: [&str; 4] =
    ["", r#","hubs":["h1"]"#, r#","hubs":["h2"],"allowWholeNamespace":true"#, r#","hubs":["h9"]"#];

fn sync_ids() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just("sync-1"), 1 => Just("sync-0")].prop_map(str::to_owned)
}

fn attempts() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 1..4_u32, 1 => Just(u32::MAX), 1 => Just(u32::MAX - 1)]
}

fn ids() -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(vec!["r-1", "r-2", "r-3", "r-4"], 0..=4)
        .prop_map(|ids| ids.into_iter().map(str::to_owned).collect())
}

fn operations() -> impl Strategy<Value = SyncOperation> {
    (any::<bool>(), proptest::option::of(any::<u64>())).prop_map(|(finished, retry_after_seconds)| {
        SyncOperation {
            url: Some("https://service/operations/1".to_owned()),
            finished,
            retry_after_seconds,
            started_at: Some(NOW),
        }
    })
}

fn sents() -> impl Strategy<Value = Sent> {
    (sync_ids(), 1..3_u32, 0..600_i64, any::<bool>(), any::<bool>()).prop_map(
        |(sync_id, post, ago, is_accepted, is_for_all)| Sent {
            sync_id,
            post,
            claimed_at: NOW - Duration::seconds(ago),
            is_accepted,
            pairs: (!is_for_all).then(Vec::new),
        },
    )
}

prop_compose! {
    fn records()(
        phase in proptest::sample::select(Phase::ALL.to_vec()),
        (attempt, look) in (attempts(), proptest::option::of(attempts())),
        is_looking in any::<bool>(),
        (ago, pause) in (0..3_000_i64, 0..120_i64),
        (posts, refused) in (0..4_u32, 0..2_u32),
        was_claimed in any::<bool>(),
        operation in proptest::option::of(operations()),
        sent in proptest::option::of(sents()),
        (known, waiting) in (ids(), any::<proptest::sample::Index>()),
        (found_none, missing) in (attempts(), ids()),
    ) -> SyncRecord {
        let since = NOW - Duration::seconds(ago);
        let (requests, waiting) = known.split_at(waiting.index(known.len() + 1));
        let is_ended = phase == Phase::Ended;
        let mut record = SyncRecord {
            sync_id: "sync-1".to_owned(),
            namespace_id: ArmId::parse(NAMESPACE).unwrap(),
            phase,
            since,
            deadline: since + Duration::minutes(30),
            next_look_at: since + Duration::seconds(pause),
            scheduled_at: Some(since),
            attempt,
            look: if is_looking { Some(attempt) } else { look.filter(|look| *look < attempt) },
            claimed_at: (was_claimed || phase != Phase::Gathering).then_some(since),
            posts,
            refused,
            operation,
            setback: None,
            plan: sent.as_ref().map(|_| "a plan".to_owned()),
            sent,
            requests: if is_ended { vec![] } else { requests.to_vec() },
            waiting: if is_ended { vec![] } else { waiting.to_vec() },
            missing: None,
            traceparent: None,
        };
        record.lacks(&Look { sync_id: "sync-1".to_owned(), attempt: found_none, early: Duration::ZERO }, &missing);
        record
    }
}

fn requests() -> impl Strategy<Value = Vec<RequestRecord>> {
    let outcomes =
        vec![Outcome::Queued, Outcome::Queued, Outcome::Syncing, Outcome::Trusted, Outcome::Refused];
    let one = (0..SHAPES.len(), proptest::sample::select(outcomes), 0..3_000_i64);
    proptest::collection::vec(one, 4).prop_map(|all| {
        let one = |(number, (shape, outcome, ago)): (usize, (usize, Outcome, i64))| {
            let wish = request(&format!("r-{}", number + 1), SHAPES[shape]);
            let mut record = RequestRecord::queued(wish, NOW - Duration::seconds(ago));
            record.outcome = outcome;
            record
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

/// An event without what it borrows.
#[derive(Debug, Clone)]
enum Kind {
    Requested,
    FollowUp,
    Told(OperationState),
    Seen(Vec<Trust>, OperationState, Vec<String>),
    Unseen(FailureKind),
    PostEnded(u32, PostEnd),
    Concluded(Vec<String>),
    TimerPassed,
}

fn states() -> impl Strategy<Value = OperationState> {
    prop_oneof![
        Just(OperationState::Silent),
        Just(OperationState::Failed("no".to_owned())),
        proptest::option::of(any::<i64>())
            .prop_map(|asked| OperationState::Running(asked.map(Duration::seconds))),
    ]
}

fn kinds() -> impl Strategy<Value = Kind> {
    let hubs =
        proptest::collection::vec(proptest::sample::select(vec![Trusted, Stale, Missing, Unreadable]), 0..4);
    let ends = prop_oneof![
        operations().prop_map(PostEnd::Accepted),
        Just(PostEnd::AnswerLost("reset".to_owned())),
        proptest::sample::select(KINDS.to_vec()).prop_map(|kind| PostEnd::Refused(failure(kind))),
    ];
    prop_oneof![
        1 => Just(Kind::Requested),
        1 => Just(Kind::FollowUp),
        1 => states().prop_map(Kind::Told),
        4 => (hubs, states(), ids()).prop_map(|(hubs, state, missing)| Kind::Seen(hubs, state, missing)),
        1 => proptest::sample::select(KINDS.to_vec()).prop_map(Kind::Unseen),
        2 => (1..4_u32, ends).prop_map(|(post, end)| Kind::PostEnded(post, end)),
        1 => ids().prop_map(Kind::Concluded),
        1 => Just(Kind::TimerPassed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn an_event_that_comes_again_changes_nothing(
        record in proptest::option::weighted(0.95, records()),
        known in requests(),
        kind in kinds(),
        (is_awaited, sync_id, attempt) in (proptest::bool::weighted(0.8), sync_ids(), attempts()),
        early in (0..=120_i64).prop_map(Duration::seconds),
        (is_audit, is_configured, patience) in (any::<bool>(), proptest::bool::weighted(0.9), 1..4_000_i64),
    ) {
        let context = Context {
            now: NOW,
            mode: if is_audit { Mode::Audit } else { Mode::Enforce },
            freeze: None,
            is_configured,
            patience: Duration::seconds(patience),
            most_requests: MOST_REQUESTS,
            next_sync_id: "sync-2".to_owned(),
            early: Duration::ZERO,
        };
        let look = match &record {
            Some(record) if is_awaited => {
                Look { sync_id: record.sync_id.clone(), attempt: record.attempt, early }
            }
            _ => Look { sync_id, attempt, early },
        };
        let claimed_look = look.clone();
        let failed;
        let observation;
        let event = match kind.clone() {
            Kind::Requested => Event::Requested,
            Kind::FollowUp => Event::FollowUp { sync_id: &look.sync_id, attempt: look.attempt },
            Kind::Told(state) => Event::OperationTold { look: look.clone(), state },
            Kind::Seen(hubs, state, missing) => {
                observation = sees(&hubs);
                // Only a sync that was started has an operation to ask.
                let is_started = record.as_ref().is_some_and(|record| record.phase == Phase::Started);
                let operation = if is_started { state } else { OperationState::Silent };
                Event::Observed { look: look.clone(), seen: Ok(&observation), operation, missing }
            }
            Kind::Unseen(kind) => {
                failed = failure(kind);
                let operation = OperationState::Silent;
                Event::Observed { look: look.clone(), seen: Err(&failed), operation, missing: vec![] }
            }
            Kind::PostEnded(post, end) => {
                Event::PostEnded { claim: Claim { look: claimed_look, post, planned: vec![] }, end }
            }
            Kind::Concluded(finished) => Event::Concluded { look: look.clone(), finished },
            Kind::TimerPassed => Event::TimerPassed,
        };
        // A request that has a record is not missing.
        let is_missing = |known: &RequestRecord| match &event {
            Event::Observed { missing, .. } => missing.contains(&known.request.request_id),
            _ => false,
        };
        let known: Vec<RequestRecord> = known.into_iter().filter(|known| !is_missing(known)).collect();
        let second = twice(record.as_ref(), &known, &event, &context);
        prop_assert!(second.is_ok(), "{second:?}");
        let may_make_room = matches!(event, Event::FollowUp { .. } | Event::Observed { .. });
        prop_assert!(may_make_room || !matches!(second, Ok(Second::LeftAlone | Second::MadeRoom)));
    }
}
