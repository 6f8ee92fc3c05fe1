//! Whether the links of a namespace are ready, as the domain judges them.

use azure::Error;
use certificate_management::ArmId;
use certificate_management::declared::Inventory;
use certificate_management::model::{Hub, Namespace, ReadFailure};
use certificate_management::next_step::Situation;
use certificate_management::readiness::roles::Need;
use certificate_management::readiness::{Judged, Outcome, Seen, Unread, judge};

use super::asking::{Asking, READER, Right};
use super::{Checked, Status};
use crate::fleet::Fleet;
use crate::{failure, links};

/// What the other rows have read already.
pub(super) struct Known {
    pub namespace: Namespace,
    pub inventory: Result<Inventory, Error>,
    /// The linked hubs, and how many CA certificates each has.
    pub hubs: Vec<(Hub, Result<usize, ReadFailure>)>,
    /// Its DPS, as far as their ids are known.
    pub provisioning_services: Vec<ArmId>,
}

pub(super) async fn rows(
    fleet: &Fleet,
    known: Known,
    asking: &Asking,
    situation: &Situation<'_>,
) -> Vec<Checked> {
    let seen = seen(fleet, known).await;
    let name = seen.namespace.id.name();
    judge(&seen).into_iter().map(|judged| row(judged, name, asking, situation)).collect()
}

async fn seen(fleet: &Fleet, known: Known) -> Seen {
    let Known { namespace, inventory, hubs, provisioning_services } = known;
    let ids = hubs.iter().map(|(hub, _)| hub.id.clone()).collect();
    let mut sides = links::sides(fleet, &namespace, ids, provisioning_services).await;
    for (hub, certificates) in hubs {
        let linked = sides.linked.iter_mut().find(|linked| linked.id == hub.id);
        if let Some(linked) = linked {
            linked.certificates = Some(certificates);
        }
    }
    let limit = &fleet.configuration.checks.hub_certificate_limit;
    Seen {
        sides,
        inventory: inventory.map_err(|error| failure::of(&error)),
        certificate_limit: (usize::from(limit.limit), usize::from(limit.margin)),
        now: fleet.now(),
        namespace,
    }
}

fn row(judged: Judged, namespace: &str, asking: &Asking, situation: &Situation<'_>) -> Checked {
    let Judged { aspect, subject, outcome, message, next_step, missing, needs, unread } = judged;
    let subject = match subject.is_empty() || subject == namespace {
        true => namespace.to_owned(),
        false => format!("{namespace} / {subject}"),
    };
    let status = match outcome {
        Outcome::Ready => Status::Ok,
        Outcome::Doubtful => Status::Warning,
        Outcome::Wrong | Outcome::Unchecked => Status::Failed,
    };
    let grants: Vec<String> = missing.iter().chain(&needs).map(Need::grant).collect();
    let grant = (!grants.is_empty()).then(|| grants.join("\n"));
    let row = Checked { status, next_step, grant, ..Checked::ok(aspect.code(), subject, message) };
    match unread {
        Some(Unread { scope, failure }) => {
            let right = Right { role: READER, scope: Some(scope.as_str()) };
            asking.cured(row, &failure, right, situation)
        }
        None => row,
    }
}
