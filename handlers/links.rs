//! Reads both sides of the links of a namespace, and the roles that they need. The domain judges them (`readiness`).

use azure::Error;
use certificate_management::ArmId;
use certificate_management::generation::Generation;
use certificate_management::model::Namespace;
use certificate_management::plan::Observation;
use certificate_management::readiness::seen::{Grants, Kind, Linked};
use certificate_management::readiness::{self, Sides, roles};
use futures::{StreamExt, stream};

use crate::failure;
use crate::fleet::Fleet;

/// How many resources and scopes are asked at once.
const AT_ONCE: usize = 8;

/// The sides of the links of a namespace to these hubs and DPS. What could not be read is part of the answer.
pub async fn sides(fleet: &Fleet, namespace: &Namespace, hubs: Vec<ArmId>, services: Vec<ArmId>) -> Sides {
    let newest = match namespace.generation.has(Generation::CertificateAuthorities) {
        true => Generation::CertificateAuthorities,
        false => Generation::Credentials,
    };
    let links = fleet.azure.links();
    let version = fleet.azure.registry().version(&namespace.id, newest);
    let side = links.namespace_side(&namespace.id, version).await;
    let hubs = hubs.into_iter().map(|id| (Kind::Hub, id));
    let services = services.into_iter().map(|id| (Kind::ProvisioningService, id));
    let read = |(kind, id): (Kind, ArmId)| {
        let links = &links;
        async move {
            let generation = namespace.generation_of_link(&id);
            let side = match kind {
                Kind::Hub => links.hub_side(&id, generation).await,
                Kind::ProvisioningService => {
                    links.provisioning_service_side(&id, &namespace.id, generation).await
                }
            };
            Linked { id, kind, side: side.map_err(|error| failure::of(&error)), certificates: None }
        }
    };
    let reads: Vec<_> = hubs.chain(services).map(read).collect();
    let linked = stream::iter(reads).buffered(AT_ONCE).collect().await;
    let side = side.map_err(|error: Error| failure::of(&error));
    let mut sides = Sides { side, linked, grants: Vec::new() };
    sides.grants = grants(fleet, namespace, &sides).await;
    sides
}

/// What is not as it must be with the links of a namespace to the hubs that were seen.
pub async fn of_hubs(fleet: &Fleet, observation: &Observation) -> readiness::Found {
    let hubs = observation.hubs.iter().map(|hub| hub.hub.id.clone()).collect();
    let sides = sides(fleet, &observation.namespace, hubs, Vec::new()).await;
    readiness::of_report(observation, &sides, fleet.now())
}

/// The grants of each identity at each scope, asked for once.
async fn grants(fleet: &Fleet, namespace: &Namespace, sides: &Sides) -> Vec<Grants> {
    let mut asked: Vec<(ArmId, String)> = Vec::new();
    for need in roles::needed(namespace, sides) {
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
