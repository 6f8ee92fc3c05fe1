//! Requests for a part of a namespace, which a sync would go beyond.

use super::*;

#[test]
fn a_refused_part_says_of_each_of_its_hubs_whether_it_trusts() {
    let some = world(&["short"], &[]);
    let plan = plan_request(&request(r#","hubs":["h1"]"#), Mode::Enforce, &some);
    let RequestPlan::Refuse { reason, hubs, .. } = plan else { panic!("{plan:?}") };
    let told: Vec<_> = hubs.iter().map(|hub| (hub.policy.as_str(), hub.outcome, hub.reason)).collect();
    let beyond = Reason::SyncCoversWholeNamespace;
    assert_eq!(reason, beyond);
    assert_eq!(
        told,
        [("short", Outcome::AlreadyTrusted, hubs[0].reason), ("long", Outcome::Refused, Some(beyond))]
    );
    assert_ne!(hubs[0].reason, Some(beyond));
}
