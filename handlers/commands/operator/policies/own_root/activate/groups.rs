//! The enrollment groups that wait for an authority.

use certificate_management::ArmId;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::{self, AssignmentPlan, Observation};
use certificate_management::reason::Reason;
use serde::Serialize;

use crate::fleet::Fleet;
use crate::observation::Observer;
use crate::walk::{Pace, Scope, walk};

/// The groups, as far as they could be read.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Each as DPS/GROUP.
    pub groups: Vec<String>,
    /// What could not be read, so that there may be more.
    pub unread: Vec<String>,
}

/// Looks through every group of the namespace's DPS.
pub async fn waiting(
    fleet: &Fleet,
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    observation: &Observation,
    authority: &ArmId,
) -> Waiting {
    let mut waiting = Waiting::default();
    let (scope, pace) = (Scope::Every(None), Pace::of_a_command());
    let walked = walk(fleet, observer, &[configuration], &scope, pace, None, std::future::ready).await;
    for visit in walked.into_iter().filter_map(|(_, visit)| visit) {
        let services = match visit.services {
            Ok(services) => services,
            Err(error) => {
                waiting.unread.push(error.to_string());
                continue;
            }
        };
        for visited in services {
            let unread = visited.unread.iter().map(|unread| unread.error.to_string());
            waiting.unread.extend(unread);
            for group in &visited.groups {
                let plan =
                    plan::plan_assignment(&group.view, &visited.service.hubs, configuration, observation);
                if waits_for(&plan, observation, authority) {
                    waiting.groups.push(format!("{}/{}", visited.service.name, group.view.id));
                }
            }
        }
    }
    waiting
}

/// Whether a group is to get a policy of the authority, and does not yet since the authority does not work or its hubs do
/// not trust it.
fn waits_for(plan: &AssignmentPlan, observation: &Observation, authority: &ArmId) -> bool {
    let waits =
        matches!(plan.reason, Reason::PolicyNotActive | Reason::WaitingForTrust | Reason::HubsUnknown);
    let policy = plan.decision.verdict.policy().and_then(|name| observation.policy_named(name).ok());
    waits && plan.write.is_none() && policy.is_some_and(|policy| policy.issuer_id() == authority)
}
