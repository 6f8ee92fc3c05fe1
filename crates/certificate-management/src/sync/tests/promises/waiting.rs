//! A request that came after the claim waits for the sync, and is never refused because of it.

use time::Duration;

use crate::reason::Reason;
use crate::reason::failure::CallFailure;
use crate::request::Outcome;
use crate::sync::pause::CLAIM_DEADLINE;
use crate::sync::tests::stage::{Stage, accepted, claim_in, follow_ups_in, sees};
use crate::sync::{Phase, PostEnd};
use crate::trust::Trust::{Missing, Stale, Trusted, Unreadable};

const H1: &str = r#","hubs":["h1"]"#;
const H1_WHOLE: &str = r#","hubs":["h1"],"allowWholeNamespace":true"#;
const H2: &str = r#","hubs":["h2"]"#;

/// `r-1` has the namespace synced, and `r-2`, for `h1` alone, came after the claim.
fn under_way() -> Stage {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Missing]));
    stage.submit("r-2", H1);
    assert_eq!(stage.record().waiting, ["r-2"]);
    stage.post_ends(&claim, accepted());
    stage
}

#[test]
fn a_request_that_waits_is_never_refused_because_of_the_sync_that_it_waits_for() {
    for seen in [[Stale, Missing], [Stale, Trusted], [Unreadable, Missing], [Stale, Unreadable]] {
        let mut stage = under_way();
        let sync_id = stage.record().sync_id.clone();
        while stage.record().sync_id == sync_id && stage.context.now < stage.record().deadline {
            assert_eq!(stage.told("r-2"), (Outcome::Queued, None), "{seen:?}");
            stage.looks(&sees(&seen));
        }
    }
}

#[test]
fn a_request_that_waits_is_told_when_the_sync_satisfies_it() {
    let mut stage = under_way();
    stage.looks(&sees(&[Trusted, Missing]));
    assert_eq!((stage.told("r-2"), stage.told("r-1").0), ((Outcome::AlreadyTrusted, None), Outcome::Syncing));
    assert_eq!(stage.record().waiting, Vec::<String>::new());
}

#[test]
fn what_the_sync_leaves_gets_the_next_one() {
    let mut stage = Stage::new();
    stage.submit("r-1", H1_WHOLE);
    let claim = stage.claims(&sees(&[Stale, Stale]));
    stage.submit("r-2", H2);
    stage.post_ends(&claim, accepted());
    let wanted = stage.looks(&sees(&[Trusted, Stale]));
    assert_eq!(stage.told("r-1"), (Outcome::Trusted, None));
    assert_eq!((stage.record().phase, stage.record().sync_id.as_str()), (Phase::Gathering, "sync-2"));
    assert_eq!(stage.record().requests, ["r-2"]);
    assert_eq!(
        follow_ups_in(&wanted).last().map(|next| (next.sync_id.as_str(), next.attempt)),
        Some(("sync-2", 1))
    );
}

#[test]
fn the_next_sync_does_not_refuse_for_the_sake_of_what_the_last_one_may_still_bring() {
    // `h1` has the CA; the same POST is on its way to `h2` and `h3`, and `r-2` is for `h2` alone.
    for watches in [false, true] {
        let mut stage = Stage::new();
        stage.submit("r-1", H1_WHOLE);
        let claim = stage.claims(&sees(&[Stale, Stale, Stale]));
        stage.submit("r-2", H2);
        stage.post_ends(&claim, accepted());
        stage.looks(&sees(&[Trusted, Stale, Stale]));
        assert_eq!((stage.record().sync_id.as_str(), stage.told("r-1").0), ("sync-2", Outcome::Trusted));
        if watches {
            stage.looks(&sees(&[Trusted, Unreadable, Stale]));
            assert_eq!(stage.record().phase, Phase::Watching);
            stage.submit("r-3", H2);
        }
        let wanted = stage.looks(&sees(&[Trusted, Stale, Stale]));
        assert_eq!(claim_in(&wanted), None, "{watches}");
        assert!(!stage.told("r-2").0.is_final(), "{watches}: {:?}", stage.told("r-2"));
        let wanted = stage.goes_on_to_its_end(&sees(&[Trusted, Trusted, Stale]));
        assert_eq!(claim_in(&wanted), None, "{watches}");
        for id in stage.requests.iter().map(|known| known.request.request_id.as_str()) {
            assert!(
                matches!(stage.told(id).0, Outcome::AlreadyTrusted | Outcome::Trusted),
                "{watches}: {id}"
            );
        }
    }
}

#[test]
fn a_request_that_names_too_little_is_refused_once_nothing_is_on_its_way() {
    let mut stage = Stage::new();
    stage.submit("r-1", H1_WHOLE);
    let claim = stage.claims(&sees(&[Stale, Stale, Stale]));
    stage.submit("r-2", H2);
    stage.post_ends(&claim, accepted());
    stage.looks(&sees(&[Trusted, Stale, Stale]));
    stage.passes(CLAIM_DEADLINE + Duration::SECOND);
    stage.looks(&sees(&[Trusted, Stale, Stale]));
    assert_eq!(stage.told("r-2"), (Outcome::Refused, Some(Reason::SyncCoversWholeNamespace)));
    assert!(!stage.record().is_open());
}

#[test]
fn a_post_that_was_refused_lets_those_that_wait_join_the_next_try() {
    let mut stage = Stage::new();
    stage.submit("r-1", "");
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    stage.submit("r-2", "");
    let conflict = crate::sync::tests::world::failure(crate::sync::FailureKind::Call(CallFailure::Conflict));
    stage.post_ends(&claim, PostEnd::Refused(conflict));
    let claim = stage.claims(&sees(&[Stale, Trusted]));
    let planned: Vec<&str> =
        claim.planned.iter().map(|planned| planned.request.request_id.as_str()).collect();
    assert_eq!(planned, ["r-1", "r-2"]);
}
