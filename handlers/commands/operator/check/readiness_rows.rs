//! Whether the links of a namespace are ready: reads both sides of each link and the roles that they need, and lets the
//! domain judge.

use azure::Error;
use azure::permissions::grant_command;
use certificate_management::ArmId;
use certificate_management::declared::Inventory;
use certificate_management::generation::Generation;
use certificate_management::model::{Hub, Namespace, ReadFailure};
use certificate_management::readiness::seen::{Grants, Kind, Linked};
use certificate_management::readiness::{Judged, Outcome, Seen, judge, roles};
use futures::{StreamExt, stream};

use super::{Checked, Status};
use crate::failure;
use crate::fleet::Fleet;

/// How many resources and scopes are asked at once.
const AT_ONCE: usize = 8;

/// What the other rows have read already.
pub(super) struct Known {
    pub namespace: Namespace,
    pub inventory: Result<Inventory, Error>,
    /// The linked hubs, and how many CA certificates each has.
    pub hubs: Vec<(Hub, Result<usize, ReadFailure>)>,
    /// Its DPS, as far as their ids are known.
    pub provisioning_services: Vec<ArmId>,
}

pub(super) async fn rows(fleet: &Fleet, known: Known) -> Vec<Checked> {
    let seen = seen(fleet, known).await;
    let name = seen.namespace.id.name();
    judge(&seen).into_iter().map(|judged| row(judged, name)).collect()
}

async fn seen(fleet: &Fleet, known: Known) -> Seen {
    let Known { namespace, inventory, hubs, provisioning_services } = known;
    let newest = match namespace.generation.has(Generation::CertificateAuthorities) {
        true => Generation::CertificateAuthorities,
        false => Generation::Credentials,
    };
    let links = fleet.azure.links();
    let version = fleet.azure.registry().version(&namespace.id, newest);
    let side = links.namespace_side(&namespace.id, version).await;
    let hubs = hubs.into_iter().map(|(hub, certificates)| (Kind::Hub, hub.id, Some(certificates)));
    let services = provisioning_services.into_iter().map(|id| (Kind::ProvisioningService, id, None));
    let read = |(kind, id, certificates): (Kind, ArmId, _)| {
        let (links, namespace) = (&links, &namespace);
        async move {
            let generation = namespace.generation_of_link(&id);
            let side = match kind {
                Kind::Hub => links.hub_side(&id, generation).await,
                Kind::ProvisioningService => {
                    links.provisioning_service_side(&id, &namespace.id, generation).await
                }
            };
            Linked { id, kind, side: side.map_err(|error| failure::of(&error)), certificates }
        }
    };
    let reads: Vec<_> = hubs.chain(services).map(read).collect();
    let linked = stream::iter(reads).buffered(AT_ONCE).collect().await;
    let limit = &fleet.configuration.checks.hub_certificate_limit;
    let mut seen = Seen {
        side: side.map_err(|error| failure::of(&error)),
        linked,
        grants: Vec::new(),
        inventory: inventory.map_err(|error| failure::of(&error)),
        certificate_limit: (usize::from(limit.limit), usize::from(limit.margin)),
        now: fleet.now(),
        namespace,
    };
    seen.grants = grants(fleet, &seen).await;
    seen
}

/// The grants of each identity at each scope, asked for once.
async fn grants(fleet: &Fleet, seen: &Seen) -> Vec<Grants> {
    let mut asked: Vec<(ArmId, String)> = Vec::new();
    for need in roles::needed(seen) {
        let place = (need.scope, need.principal);
        if !asked.contains(&place) {
            asked.push(place);
        }
    }
    let access = fleet.azure.access();
    let read = |(scope, principal): (ArmId, String)| {
        let access = &access;
        async move {
            let found = access.assigned(scope.as_str(), &principal).await;
            Grants { found: found.map_err(|error| failure::of(&error)), scope, principal }
        }
    };
    let reads: Vec<_> = asked.into_iter().map(read).collect();
    stream::iter(reads).buffered(AT_ONCE).collect().await
}

fn row(judged: Judged, namespace: &str) -> Checked {
    let Judged { aspect, subject, outcome, message, next_step, missing } = judged;
    let subject = match subject.is_empty() || subject == namespace {
        true => namespace.to_owned(),
        false => format!("{namespace} / {subject}"),
    };
    let status = match outcome {
        Outcome::Ready => Status::Ok,
        Outcome::Doubtful => Status::Warning,
        Outcome::Wrong | Outcome::Unchecked => Status::Failed,
    };
    let grant = missing.map(|need| grant_command(need.role.name, &need.principal, need.scope.as_str()));
    Checked { status, next_step, grant, ..Checked::ok(aspect.code(), subject, message) }
}
