//! The measurements of the app itself. Each call sets numbers in memory and returns; without a destination it does
//! nothing.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use azure::Budget;
use certificate_management::ArmId;
use certificate_management::reason::Reason;
use certificate_management::request::Outcome;
use opentelemetry::KeyValue;

use super::lane::{self, Lane};
use super::names::{self, Metric, namespace};
use super::standing::Standing;

/// The destinations of this process.
static LANES: OnceLock<Lanes> = OnceLock::new();

/// Every destination of metrics.
pub struct Lanes {
    lanes: Mutex<Arc<Vec<Lane>>>,
    standing: Arc<Mutex<Standing>>,
}

/// Makes these the destinations of this process.
pub fn install(lanes: Vec<Lane>, standing: Arc<Mutex<Standing>>) {
    // Telemetry starts once in a process; no caller would end a second set.
    let _ = LANES.set(Lanes { lanes: Mutex::new(Arc::new(lanes)), standing });
}

/// Takes the destinations back, to end them.
pub fn take() -> Vec<Lane> {
    let Some(lanes) = LANES.get() else { return Vec::new() };
    let taken = std::mem::take(&mut *lanes.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    Arc::into_inner(taken).unwrap_or_default()
}

fn each(act: impl Fn(&Lane)) {
    let Some(lanes) = LANES.get() else { return };
    let lanes = Arc::clone(&lanes.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    lanes.iter().for_each(act);
}

/// A span has ended.
pub fn span_ended(metric: &'static Metric, duration: Duration, attributes: &[KeyValue]) {
    each(|lane| {
        let is_invocation = metric.name == names::INVOKE_DURATION.name;
        let histogram = if is_invocation { &lane.invocations } else { &lane.requests };
        histogram.record(duration.as_secs_f64(), attributes);
        lane.pump.measured();
    });
}

/// A sync request got its final outcome.
pub fn sync_request_ended(namespace_id: &ArmId, outcome: Outcome, reason: Option<Reason>) {
    each(|lane| {
        let mut attributes =
            vec![namespace(namespace_id), KeyValue::new("policysync.outcome", outcome.to_string())];
        attributes.extend(reason.map(|reason| KeyValue::new("policysync.reason", reason.code())));
        lane.sync_requests.add(1, &attributes);
        lane.pump.measured();
    });
}

/// A sync has ended; `outcome` is the worst outcome of its requests.
pub fn sync_ended(namespace_id: &ArmId, outcome: Outcome, duration: Duration) {
    each(|lane| {
        let attributes = [namespace(namespace_id), KeyValue::new("policysync.outcome", outcome.to_string())];
        lane.syncs.record(duration.as_secs_f64(), &attributes);
        lane.pump.measured();
    });
}

/// Whether anything that is measured goes anywhere.
#[must_use]
pub fn is_measured() -> bool {
    LANES.get().is_some()
}

/// A report has found how things stand.
pub fn stand(standing: Standing) {
    if let Some(lanes) = LANES.get() {
        lane::keep(&lanes.standing, standing);
        each(|lane| lane.pump.stood());
    }
}

/// From now on reports the budget of this process.
pub fn watch_budget(budget: &Budget) {
    each(|lane| lane.observe_budget(budget));
}

/// From now on reports the members and values of the service that this version does not know.
pub fn watch_surprises(azure: &azure::Azure) {
    each(|lane| lane.observe_surprises(azure));
}
