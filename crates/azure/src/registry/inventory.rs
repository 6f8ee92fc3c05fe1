//! What a namespace has of authorities and policies, whether or not anything of them is there yet.

use certificate_management::ArmId;
use certificate_management::authority::Authority;
use certificate_management::declared::Inventory;
use certificate_management::generation::{Generation, NamespaceGeneration};
use certificate_management::model::{Namespace, Policy, ProvisioningState};
use futures::future::OptionFuture;

use super::{DeviceRegistry, certificate_authorities, credentials, is_absent, provisioning_state};
use crate::error::Error;
use crate::members::{arm_id, owned};

pub(super) async fn read(
    registry: &DeviceRegistry,
    id: &ArmId,
    of: NamespaceGeneration,
) -> Result<Inventory, Error> {
    let reads_links = of.has(Generation::CertificateAuthorities);
    let generation = if reads_links { Generation::CertificateAuthorities } else { Generation::Credentials };
    let body = registry.arm.get(id.as_str(), registry.version(id, generation)).await?;
    let namespace = Namespace {
        id: arm_id(&body, &["id"]).unwrap_or_else(|| id.clone()),
        location: owned(&body, &["location"]).unwrap_or_default(),
        provisioning_state: provisioning_state(&body),
        generation: of,
        links: match reads_links {
            true => certificate_authorities::links(&body, &registry.surprises),
            false => Vec::new(),
        },
    };
    let first: OptionFuture<_> = of.has(Generation::Credentials).then(|| of_credential(registry, id)).into();
    let second: OptionFuture<_> = reads_links.then(|| of_authorities(registry, id)).into();
    let (first, second) = futures::join!(first, second);
    let (credential, mut policies) = first.transpose()?.unwrap_or_default();
    let (authorities, certificate_policies) = second.transpose()?.unwrap_or_default();
    policies.extend(certificate_policies);
    Ok(Inventory { namespace, credential, authorities, policies })
}

type OfCredential = (Option<ProvisioningState>, Vec<Policy>);
type OfAuthorities = (Vec<Authority>, Vec<Policy>);

async fn of_credential(registry: &DeviceRegistry, id: &ArmId) -> Result<OfCredential, Error> {
    let version = registry.version(id, Generation::Credentials);
    let credential = credentials::state(&registry.arm, id, version).await?;
    if credential.is_none() {
        return Ok((None, Vec::new()));
    }
    let policies = credentials::policies(&registry.arm, id, version, &registry.surprises).await?;
    Ok((credential, policies))
}

async fn of_authorities(registry: &DeviceRegistry, id: &ArmId) -> Result<OfAuthorities, Error> {
    let version = registry.version(id, Generation::CertificateAuthorities);
    let bodies = match certificate_authorities::authorities(&registry.arm, id, version).await {
        Ok(bodies) => bodies,
        Err(error) if is_absent(&error) => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(error),
    };
    let policies =
        certificate_authorities::policies(&registry.arm, id, &bodies, version, &registry.surprises).await?;
    let resources = bodies.iter().filter_map(|body| certificate_authorities::resource(id, body));
    Ok((resources.collect(), policies))
}
