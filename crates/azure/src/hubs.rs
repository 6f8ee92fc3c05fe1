//! IoT hubs as Resource Manager shows them, and the CA certificates that a sync leaves on them
//! (`azure-wire-facts.md` §2.1, §2.2).
//!
//! There is no list of a namespace's hubs: list a subscription and filter by `namespace_id`.

use certificate_management::ArmId;
use certificate_management::generation::{Generation, NamespaceGeneration};
use certificate_management::model::{Hub, HubCertificate};
use serde_json::Value;

use crate::api_version::{CERTIFICATE_AUTHORITIES, CREDENTIALS, newest};
use crate::arm::{Arm, subscription_path};
use crate::error::Error;
use crate::members::{arm_id, at, boolean, date, owned, thumbprint};
use crate::surprises::{Known, Surprises};

/// Members of a certificate that are read, or known and not needed.
const CERTIFICATE: Known = Known {
    kind: "IotHubs certificates",
    members: &[
        "subject",
        "expiry",
        "thumbprint",
        "isVerified",
        "created",
        "updated",
        "certificate",
        "policyResourceId",
        "certificateAuthorityResourceId",
    ],
    values: &[],
};

/// A client of hubs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hubs {
    arm: Arm,
    surprises: Surprises,
}

impl Hubs {
    /// A client over Resource Manager.
    #[must_use]
    pub fn new(arm: Arm) -> Self {
        Self { arm, surprises: Surprises::default() }
    }

    /// The same, counting what it does not know with others.
    #[must_use]
    pub(crate) fn counting(mut self, surprises: Surprises) -> Self {
        self.surprises = surprises;
        self
    }

    /// Lists every hub of a subscription, linked or not.
    ///
    /// # Errors
    /// Any [`crate::error::ErrorKind`]; `Invalid` when `subscription` is not a subscription's id.
    pub async fn in_subscription(&self, subscription: &str) -> Result<Vec<Hub>, Error> {
        let path = format!("{}/providers/Microsoft.Devices/IotHubs", subscription_path(subscription)?);
        let bodies: Vec<Value> = match self.arm.list(&path, CREDENTIALS.iot_hub).await {
            // Both generations of a hub name their namespace by the same member (`azure-wire-facts.md` §2.1, §2.3).
            Err(error) if error.rejects_api_version() => {
                self.arm.list(&path, CERTIFICATE_AUTHORITIES.iot_hub).await?
            }
            listed => listed?,
        };
        Ok(bodies.iter().filter_map(hub).collect())
    }

    /// Lists the CA certificates of a hub, synced, pushed and uploaded ones alike. Each version names what it knows of as
    /// the origin of a certificate, so a hub of a namespace that is being migrated is read with both.
    ///
    /// # Errors
    /// Any [`crate::error::ErrorKind`]; a single odd value never is one.
    pub async fn certificates(
        &self,
        hub: &ArmId,
        generation: NamespaceGeneration,
    ) -> Result<Vec<HubCertificate>, Error> {
        let mut found: Vec<HubCertificate> = Vec::new();
        for read_as in [Generation::CertificateAuthorities, Generation::Credentials] {
            if !generation.has(read_as) {
                continue;
            }
            let version = newest(read_as).iot_hub;
            let bodies: Vec<Value> = self.arm.list(&format!("{hub}/certificates"), version).await?;
            let earlier = found.len();
            for body in &bodies {
                self.surprises.notice(CERTIFICATE, at(body, &["properties"]).unwrap_or(&Value::Null));
                let read = certificate(body);
                match found[..earlier]
                    .iter_mut()
                    .find(|known| !read.name.is_empty() && known.name == read.name)
                {
                    Some(known) => known.issuer_id = known.issuer_id.take().or(read.issuer_id),
                    None => found.push(read),
                }
            }
        }
        Ok(found)
    }
}

fn hub(body: &Value) -> Option<Hub> {
    let Some(id) = arm_id(body, &["id"]) else {
        tracing::warn!("a hub without a resource id was left out");
        return None;
    };
    let name = owned(body, &["name"]).unwrap_or_else(|| id.name().to_owned());
    Some(Hub {
        host_name: owned(body, &["properties", "hostName"])
            .unwrap_or_else(|| format!("{name}.azure-devices.net")),
        namespace_id: arm_id(body, &["properties", "deviceRegistry", "namespaceResourceId"]),
        id,
        name,
    })
}

/// Reads a certificate. One without a policy is one that a person uploaded.
fn certificate(body: &Value) -> HubCertificate {
    HubCertificate {
        name: owned(body, &["name"]).unwrap_or_default(),
        issuer_id: arm_id(body, &["properties", "policyResourceId"])
            .or_else(|| arm_id(body, &["properties", "certificateAuthorityResourceId"])),
        subject: owned(body, &["properties", "subject"]),
        thumbprint: thumbprint(body, &["properties", "thumbprint"]),
        expiry: date(body, &["properties", "expiry"]),
        is_verified: boolean(body, &["properties", "isVerified"]),
    }
}

#[cfg(test)]
mod tests;
