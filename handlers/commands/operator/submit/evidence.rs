//! Finds the outcome of a request on the hubs, for when its record is in the memory of another process.
//!
//! The command looks at Azure itself, and the same pure code judges as in the functions. It does not see what only the
//! functions know, such as an operation that failed; then the hubs keep their outcome until the time is up.

use azure::Error;
use certificate_management::configuration::Freeze;
use certificate_management::plan::{self, Observation, Progress, RequestPlan};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::About;
use certificate_management::request::{HubOutcome, Outcome, RequestRecord, SyncRequest};

use crate::failure;
use crate::fleet::Fleet;
use crate::observation::{Observer, soon};

/// Follows one request by looking at its namespace.
pub struct Evidence<'a> {
    fleet: &'a Fleet,
    record: RequestRecord,
    /// The outcomes of the first look; none before it.
    before: Option<Vec<HubOutcome>>,
    last: Option<Observation>,
}

impl<'a> Evidence<'a> {
    /// Begins to follow a request, without a look yet.
    pub fn of(fleet: &'a Fleet, request: &SyncRequest) -> Self {
        let record = RequestRecord::queued(request.clone(), fleet.now());
        Self { fleet, record, before: None, last: None }
    }

    /// Looks once. The first look plans the request, each later one judges it.
    ///
    /// # Errors
    /// When the namespace cannot be read.
    pub async fn observe(&mut self) -> Result<RequestRecord, Error> {
        if self.record.outcome.is_final() {
            return Ok(self.record.clone());
        }
        let request = self.record.request.clone();
        let Some(configuration) = self.fleet.configuration.namespace(&request.namespace_id) else {
            let detail = format!("policysync.toml has no namespace {}", request.namespace_id);
            return Ok(self.conclude(Outcome::Refused, Reason::NamespaceNotConfigured, detail));
        };
        let observation = match Observer::new(self.fleet).namespace(configuration, soon()).await {
            Ok(observation) => observation,
            // A namespace that does not exist for the person does not exist for the function either.
            Err(error) if failure::reason(&error, About::Namespace) == Reason::NamespaceNotFound => {
                return Ok(self.conclude(Outcome::Failed, Reason::NamespaceNotFound, error.to_string()));
            }
            Err(error) => return Err(error),
        };
        let now = self.fleet.now();
        if let Some(before) = &self.before {
            let hubs = plan::verify_request(&request, before, &observation, Progress::Open);
            self.record.conclude_hubs(hubs, None, now);
        } else {
            let freeze = configuration.frozen(None, now).map(Freeze::why);
            let plan = plan::plan_request(&request, self.fleet.mode(configuration), &observation);
            match plan.unless_frozen(&request, freeze.as_deref()) {
                RequestPlan::AlreadyTrusted(hubs) => self.record.conclude_hubs(hubs, None, now),
                RequestPlan::Sync(hubs) | RequestPlan::Verify(hubs) | RequestPlan::Undecided { hubs, .. } => {
                    self.before = Some(hubs.clone());
                    self.record.conclude_hubs(hubs, None, now);
                }
                RequestPlan::Refuse { reason, detail, hubs } => {
                    self.record.hubs = hubs;
                    self.record.conclude(Outcome::Refused, Some(reason), Some(detail), now);
                }
            }
        }
        self.last = Some(observation);
        Ok(self.record.clone())
    }

    /// Ends the request when the time is up: a hub that does not trust by now is unverified.
    pub fn overdue(mut self) -> RequestRecord {
        if let (Some(before), Some(observation)) = (&self.before, &self.last) {
            let hubs = plan::verify_request(&self.record.request, before, observation, Progress::Overdue);
            self.record.conclude_hubs(hubs, None, self.fleet.now());
        }
        self.record
    }

    fn conclude(&mut self, outcome: Outcome, reason: Reason, detail: String) -> RequestRecord {
        self.record.conclude(outcome, Some(reason), Some(detail), self.fleet.now());
        self.record.clone()
    }
}
