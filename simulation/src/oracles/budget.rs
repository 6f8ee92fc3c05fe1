//! Others with the same identity keep a fifth of every budget.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;

use super::{Call, Event, Oracle};

/// A budget of Azure: how many calls it holds, and how many flow in per second (`azure-wire-facts.md` §7).
struct Shape {
    capacity: f64,
    per_second: f64,
}

const READS: Shape = Shape { capacity: 250.0, per_second: 25.0 };
const WRITES: Shape = Shape { capacity: 200.0, per_second: 10.0 };
/// A provisioning service takes 1,000 operations a minute. A burst and a minute of the flow are what it takes together.
const OPERATIONS: Shape = Shape { capacity: 250.0, per_second: 10.0 };

/// What is left of each budget, counted for all instances together: they have one identity.
#[derive(Default)]
pub(super) struct Budget {
    left: BTreeMap<String, (f64, Duration)>,
}

impl Oracle for Budget {
    fn name(&self) -> &'static str {
        "budget"
    }

    fn promise(&self) -> &'static str {
        "all instances together leave a fifth of each budget of Azure to others"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        let Event::Sent { call, .. } = event else { return Vec::new() };
        let Some((name, Shape { capacity, per_second })) = budget(call) else { return Vec::new() };
        let (left, counted) = self.left.entry(name.clone()).or_insert((capacity, at));
        let flown = at.saturating_sub(*counted).as_secs_f64() * per_second;
        (*left, *counted) = ((*left + flown).min(capacity) - 1.0, at);
        // A hair less than the fifth is how numbers with a point round.
        let is_kept = *left > capacity / 5.0 - 0.01;
        if is_kept {
            Vec::new()
        } else {
            vec![format!("call {}: {left:.1} are left of the {name}", call.number)]
        }
    }
}

/// The budget that a call draws from. A subscription has one for reads and one for writes.
fn budget(call: &Call) -> Option<(String, Shape)> {
    let path = call.path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["dps", service, ..] => Some((format!("operations of {service}"), OPERATIONS)),
        ["subscriptions", id, ..] if call.method == Method::GET => {
            Some((format!("reads in subscription {id}"), READS))
        }
        ["subscriptions", id, ..] => Some((format!("writes in subscription {id}"), WRITES)),
        _ => None,
    }
}
