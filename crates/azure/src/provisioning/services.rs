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
        let read = |body: Value| {
            let service = service(self.arm.cloud(), &body);
            if service.is_none() {
                let name = text(&body, &["name"]).unwrap_or_default();
                tracing::warn!(dps.name = name, "a provisioning service without id or address was left out");
            }
            service
        };
        self.arm.list_of(&path, newest(generation).provisioning_service, read).await
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::{Fake, Reply};

    const DPS: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/provisioningServices/contoso-dps";
    const NAMESPACE: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    fn body(host: Value) -> Value {
        json!({
            "id": DPS,
            "name": "contoso-dps",
            "properties": {
                "serviceOperationsHostName": host,
                "deviceProvisioningHostName": "global.azure-devices-provisioning.net",
                "deviceRegistryNamespace": {"resourceId": NAMESPACE, "authenticationType": "UserAssigned"},
                "iotHubs": [
                    {"name": "one.azure-devices.net", "connectionString": "HostName=one;SharedAccessKey=****", "location": "westeurope"},
                    {"connectionString": "HostName=nameless"},
                    {"name": "two.azure-devices.net"}
                ]
            }
        })
    }

    #[tokio::test]
    async fn a_service_is_read_with_its_address_its_namespace_and_its_hubs() {
        let fake =
            Fake::start(|_, _| Reply::json(200, body(json!("contoso-dps.azure-devices-provisioning.net"))))
                .await;
        let read = fake
            .azure()
            .provisioning_services()
            .get(&ArmId::parse(DPS).unwrap(), Generation::Credentials)
            .await
            .unwrap();
        assert_eq!(read.endpoint, "https://contoso-dps.azure-devices-provisioning.net");
        assert_eq!(read.namespace_id, Some(ArmId::parse(NAMESPACE).unwrap()));
        assert_eq!(read.hubs, ["one.azure-devices.net", "two.azure-devices.net"]);
        assert_eq!(fake.calls(), [format!("GET {DPS}")]);
        assert_eq!(fake.seen()[0].query, "api-version=2025-02-01-preview");
    }

    #[tokio::test]
    async fn an_address_at_the_configured_origin_is_reached_by_its_scheme() {
        let fake = Fake::start(|_, origin| {
            let host = origin.trim_start_matches("http://");
            Reply::json(200, body(json!(format!("{host}/dps/contoso-dps"))))
        })
        .await;
        let read = fake
            .azure()
            .provisioning_services()
            .get(&ArmId::parse(DPS).unwrap(), Generation::Credentials)
            .await
            .unwrap();
        assert_eq!(read.endpoint, format!("{}/dps/contoso-dps", fake.origin));
    }

    #[tokio::test]
    async fn one_without_an_address_is_unreadable_alone_and_left_out_of_a_list() {
        let fake = Fake::start(|seen, _| {
            if seen.path.ends_with("provisioningServices") {
                let whole = body(json!("contoso-dps.azure-devices-provisioning.net"));
                Reply::json(200, json!({"value": [body(json!(null)), whole, {"name": "without an id"}]}))
            } else {
                Reply::json(200, body(json!(null)))
            }
        })
        .await;
        let services = fake.azure().provisioning_services();
        assert_eq!(services.in_subscription("S", Generation::Credentials).await.unwrap().len(), 1);
        let error = services.get(&ArmId::parse(DPS).unwrap(), Generation::Credentials).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreadable);
    }
}
