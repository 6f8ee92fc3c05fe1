//! A hub that cannot be read is unreadable, and nothing else: no need, no evidence.

use crate::reason::Reason;
use crate::reason::failure::CallFailure;
use crate::request::Outcome;
use crate::sync::tests::stage::{Stage, accepted, claim_in, sees};
use crate::sync::tests::world::failure;
use crate::sync::{FailureKind, Phase, PostEnd};
use crate::trust::Trust::{Missing, Stale, Trusted, Unreadable};

const UNREAD: (Outcome, Option<Reason>) = (Outcome::Unverified, Some(Reason::HubUnreadable));
const H1: &str = r#","hubs":["h1"]"#;
const WHOLE: &str = r#","allowWholeNamespace":true"#;

#[test]
fn an_unreadable_hub_is_no_need() {
    for (rest, seen) in [
        ("", vec![Unreadable]),
        ("", vec![Unreadable, Trusted]),
        ("", vec![Unreadable, Unreadable]),
        // The hub that lacks the CA is not the one that the request is for.
        (H1, vec![Unreadable, Missing]),
        (H1, vec![Unreadable, Stale]),
        (r#","hubs":["h1"],"allowWholeNamespace":true"#, vec![Unreadable, Missing]),
    ] {
        let mut stage = Stage::new();
        stage.submit("r-1", rest);
        let wanted = stage.looks(&sees(&seen));
        assert_eq!((stage.record().phase, claim_in(&wanted)), (Phase::Watching, None), "{rest} {seen:?}");
        let wanted = stage.goes_on_to_its_end(&sees(&seen));
        assert_eq!((stage.told("r-1"), claim_in(&wanted)), (UNREAD, None), "{rest} {seen:?}");
        assert!(stage.context.now >= stage.record().deadline, "it was given up before its time");
    }
}

#[test]
fn a_missing_hub_beside_an_unreadable_one_is_a_need() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Unreadable, Missing]));
    stage.post_ends(&claim, accepted());
    // The operation ends, and only the hub that can be read becomes `trusted`.
    stage.looks(&sees(&[Unreadable, Trusted]));
    assert_eq!(stage.told("r-1"), (Outcome::Syncing, Some(Reason::HubUnreadable)));
    let wanted = stage.goes_on_to_its_end(&sees(&[Unreadable, Trusted]));
    assert_eq!((stage.told("r-1"), claim_in(&wanted)), (UNREAD, None));
}

#[test]
fn a_hub_that_becomes_readable_and_lacks_the_ca_is_gathered_again_and_claimed() {
    for lacking in [Stale, Missing] {
        let mut stage = Stage::new();
        stage.submit("r-1", "");
        stage.looks(&sees(&[Unreadable, Trusted]));
        let watched_since = stage.record().claimed_at;
        let wanted = stage.looks(&sees(&[lacking, Trusted]));
        assert_eq!((stage.record().phase, claim_in(&wanted)), (Phase::Gathering, None));
        let deadline = stage.record().deadline;
        let claim = stage.claims(&sees(&[lacking, Trusted]));
        assert_eq!(claim.planned.len(), 1);
        assert_eq!((stage.record().claimed_at, stage.record().deadline), (watched_since, deadline));
        stage.post_ends(&claim, accepted());
        stage.goes_on_to_its_end(&sees(&[Trusted, Trusted]));
        assert_eq!(stage.told("r-1"), (Outcome::Trusted, None));
    }
}

#[test]
fn a_hub_that_becomes_readable_and_trusts_is_told_without_a_post() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    stage.looks(&sees(&[Unreadable, Trusted]));
    let wanted = stage.goes_on_to_its_end(&sees(&[Trusted, Trusted]));
    assert_eq!((stage.told("r-1").0, claim_in(&wanted)), (Outcome::Trusted, None));
}

#[test]
fn an_unreadable_hub_beside_what_a_request_names_delays_the_gate_and_refuses_at_the_deadline() {
    let mut stage = Stage::new();
    stage.submit("r-1", H1);
    let wanted = stage.looks(&sees(&[Stale, Unreadable]));
    assert_eq!((stage.record().phase, claim_in(&wanted)), (Phase::Watching, None));
    assert_eq!(stage.told("r-1").0, Outcome::Syncing);
    let wanted = stage.goes_on_to_its_end(&sees(&[Stale, Unreadable]));
    assert_eq!(claim_in(&wanted), None);
    assert_eq!(stage.told("r-1"), (Outcome::Refused, Some(Reason::SyncCoversWholeNamespace)));
    assert!(stage.context.now >= stage.record().deadline);
}

#[test]
fn the_gate_opens_when_the_hub_beside_is_seen_to_trust_and_shuts_when_it_lacks_the_ca() {
    for (beside, is_open) in [(Trusted, true), (Stale, false), (Missing, false)] {
        let mut stage = Stage::new();
        stage.submit("r-1", H1);
        stage.looks(&sees(&[Stale, Unreadable]));
        stage.looks(&sees(&[Stale, beside]));
        if is_open {
            stage.claims(&sees(&[Stale, beside]));
        } else {
            assert_eq!(stage.told("r-1"), (Outcome::Refused, Some(Reason::SyncCoversWholeNamespace)));
        }
    }
    // A request that allows the whole namespace need not wait for the hub.
    let mut stage = Stage::new();
    stage.submit("r-1", &format!("{H1}{WHOLE}"));
    stage.claims(&sees(&[Stale, Unreadable]));
}

#[test]
fn a_need_whose_post_meets_a_conflict_does_not_fail_a_request_whose_hub_is_unreadable() {
    let mut stage = Stage::new();
    stage.submit("r-1", r#","hubs":["h2"],"allowWholeNamespace":true"#);
    stage.submit("r-2", H1);
    let seen = sees(&[Unreadable, Stale]);
    for _ in 0..200 {
        if let Some(claim) = claim_in(&stage.looks(&seen)) {
            stage.post_ends(&claim, PostEnd::Refused(failure(FailureKind::Call(CallFailure::Conflict))));
        }
        if !stage.record().is_open() {
            break;
        }
    }
    assert_eq!(stage.told("r-1"), (Outcome::Failed, Some(Reason::SyncConflict)));
    assert_eq!(stage.told("r-2"), UNREAD);
}

#[test]
fn a_request_that_waits_for_a_hub_beside_is_refused_at_the_deadline_of_a_sync_that_gathers_again() {
    let mut stage = Stage::new();
    stage.submit("r-1", H1);
    stage.looks(&sees(&[Stale, Unreadable]));
    stage.context.now = stage.record().deadline - time::Duration::seconds(1);
    stage.record.as_mut().unwrap().next_look_at = stage.context.now;
    stage.looks(&sees(&[Stale, Trusted]));
    assert_eq!(stage.record().phase, Phase::Gathering);
    // The hub cannot be read when the deadline has passed.
    stage.looks(&sees(&[Stale, Unreadable]));
    assert_eq!(stage.told("r-1"), (Outcome::Refused, Some(Reason::SyncCoversWholeNamespace)));
}
