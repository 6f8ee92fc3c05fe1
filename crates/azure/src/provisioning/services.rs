//! Device Provisioning Services as Resource Manager shows them (`azure-wire-facts.md` §2.1). Their linked hubs come
//! with connection strings; those are never read.

use certificate_management::ArmId;
use certificate_management::generation::Generation;
use certificate_management::model::ProvisioningService;
use serde_json::Value;

use crate::api_version::newest;
use crate::arm::{Arm, subscription_path};
use crate::cloud::Cloud;
use crate::error::{Error, ErrorKind, Sent};
use crate::members::{arm_id, at, owned, text};

/// A client of provisioning services. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ProvisioningServices {
    arm: Arm,
}

impl ProvisioningServices {
    /// A client over Resource Manager.
    #[must_use]
    pub fn new(arm: Arm) -> Self {
        Self { arm }
    }

    /// Lists every provisioning service of a subscription, linked or not. One without an address is left out.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `Invalid` when `subscription` is not a subscription's id.
    pub async fn in_subscription(
        &self,
        subscription: &str,
        generation: Generation,
    ) -> Result<Vec<ProvisioningService>, Error> {
        let path =
            format!("{}/providers/Microsoft.Devices/provisioningServices", subscription_path(subscription)?);
        let bodies: Vec<Value> = self.arm.list(&path, newest(generation).provisioning_service).await?;
        let read = |body: &Value| {
            let service = service(self.arm.cloud(), body);
            if service.is_none() {
                let name = text(body, &["name"]).unwrap_or_default();
                tracing::warn!(dps.name = name, "a provisioning service without id or address was left out");
            }
            service
        };
        Ok(bodies.iter().filter_map(read).collect())
    }

    /// Reads one provisioning service.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `Unreadable` when it has no address.
    pub async fn get(&self, id: &ArmId, generation: Generation) -> Result<ProvisioningService, Error> {
        let body = self.arm.get(id.as_str(), newest(generation).provisioning_service).await?;
        service(self.arm.cloud(), &body).ok_or_else(|| {
            let message = "the provisioning service has no serviceOperationsHostName";
            Error::new(ErrorKind::Unreadable, Sent::Yes, format!("GET {id}"), message)
        })
    }
}

fn service(cloud: &Cloud, body: &Value) -> Option<ProvisioningService> {
    let id = arm_id(body, &["id"])?;
    let endpoint = cloud.service_url(text(body, &["properties", "serviceOperationsHostName"])?).ok()?;
    let hubs = at(body, &["properties", "iotHubs"]).and_then(Value::as_array);
    Some(ProvisioningService {
        name: owned(body, &["name"]).unwrap_or_else(|| id.name().to_owned()),
        id,
        endpoint: endpoint.as_str().trim_end_matches('/').to_owned(),
        namespace_id: arm_id(body, &["properties", "deviceRegistryNamespace", "resourceId"]).or_else(|| {
            let linked = at(body, &["properties", "deviceRegistryNamespaces"])?.as_array()?;
            linked.iter().find_map(|namespace| arm_id(namespace, &["resourceId"]))
        }),
        hubs: hubs.into_iter().flatten().filter_map(|hub| owned(hub, &["name"])).collect(),
    })
}

#[cfg(test)]
mod tests;
