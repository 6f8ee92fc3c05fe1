//! Both sides of the links of a namespace as their resources show them: identities, regions, tiers, states
//! (`azure-wire-facts.md` §2.1, §2.3, `ca-lifecycle-facts.md` §4). For a person who checks whether they are ready; what
//! decisions need of a link is in the other clients.

use certificate_management::ArmId;
use certificate_management::generation::{Generation, LinkError};
use certificate_management::readiness::seen::{Caller, Endpoint, Identities, LinkedSide, NamespaceSide};
use serde_json::Value;

use crate::api_version::{ApiVersion, newest};
use crate::arm::Arm;
use crate::error::Error;
use crate::members::{arm_id, at, date, owned, text};

/// The member of a hub that holds its link.
pub const HUB_LINK: &str = "deviceRegistry";
/// The member of a DPS of the older generation that holds its link.
pub const PROVISIONING_SERVICE_LINK: &str = "deviceRegistryNamespace";

/// A client of the sides of links. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Links {
    arm: Arm,
}

impl Links {
    /// A client over Resource Manager.
    #[must_use]
    pub fn new(arm: Arm) -> Self {
        Self { arm }
    }

    /// The side of a namespace.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind).
    pub async fn namespace_side(&self, id: &ArmId, version: ApiVersion) -> Result<NamespaceSide, Error> {
        Ok(namespace(&self.arm.get(id.as_str(), version).await?))
    }

    /// The side of a hub.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind).
    pub async fn hub_side(&self, id: &ArmId, generation: Generation) -> Result<LinkedSide, Error> {
        let body = self.arm.get(id.as_str(), newest(generation).iot_hub).await?;
        Ok(linked(&body, at(&body, &["properties", HUB_LINK])))
    }

    /// The side of a DPS that is linked to this namespace.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind).
    pub async fn provisioning_service_side(
        &self,
        id: &ArmId,
        namespace: &ArmId,
        generation: Generation,
    ) -> Result<LinkedSide, Error> {
        let body = self.arm.get(id.as_str(), newest(generation).provisioning_service).await?;
        Ok(linked(&body, link_to(&body, namespace)))
    }
}

/// The link of a DPS: the older generation has one, the newer a list, in which that of another namespace is the last
/// resort.
fn link_to<'b>(body: &'b Value, namespace: &ArmId) -> Option<&'b Value> {
    let one = at(body, &["properties", PROVISIONING_SERVICE_LINK]);
    let list = at(body, &["properties", "deviceRegistryNamespaces"]).and_then(Value::as_array);
    let own = |link: &&Value| arm_id(link, &["resourceId"]).is_some_and(|id| id == *namespace);
    one.or_else(|| list.and_then(|list| list.iter().find(own).or(list.first())))
}

fn namespace(body: &Value) -> NamespaceSide {
    let mut endpoints = Vec::new();
    for side in ["messaging", "provisioning"] {
        let found = at(body, &["properties", side, "endpoints"]).and_then(Value::as_object);
        endpoints.extend(found.into_iter().flat_map(|found| found.values()).filter_map(|endpoint| {
            let resource = arm_id(endpoint, &["resourceId"])?;
            Some(Endpoint { resource, inbound: caller(at(endpoint, &["inboundCallerIdentity"])) })
        }));
    }
    NamespaceSide {
        location: owned(body, &["location"]).unwrap_or_default(),
        uuid: owned(body, &["properties", "uuid"]),
        identities: identities(body),
        outbound: caller(at(body, &["properties", "outboundIdentity"])),
        endpoints,
        modified_at: date(body, &["systemData", "lastModifiedAt"]),
    }
}

fn linked(body: &Value, link: Option<&Value>) -> LinkedSide {
    let none = Value::Null;
    let link = link.unwrap_or(&none);
    let named = ["identityResourceId", "selectedUserAssignedIdentityResourceId"];
    let named = named.iter().find_map(|name| owned(link, &[name])).map(Caller::UserAssigned);
    let own = text(link, &["authenticationType"])
        .filter(|kind| kind.eq_ignore_ascii_case("SystemAssigned"))
        .map(|_| Caller::SystemAssigned);
    let error = at(link, &["linkingProperties", "error"]).filter(|error| error.is_object());
    LinkedSide {
        location: owned(body, &["location"]).unwrap_or_default(),
        sku: owned(body, &["sku", "name"]),
        provisioning_state: owned(body, &["properties", "provisioningState"]),
        state: owned(body, &["properties", "state"]),
        is_public: text(body, &["properties", "publicNetworkAccess"])
            .map(|access| !access.eq_ignore_ascii_case("Disabled")),
        identities: identities(body),
        caller: named.or(own).or_else(|| caller(at(link, &["identity"]))),
        namespace_id: arm_id(link, &["namespaceResourceId"]).or_else(|| arm_id(link, &["resourceId"])),
        namespace_uuid: owned(link, &["namespaceUuid"]),
        link_state: owned(link, &["linkingProperties", "state"]).or_else(|| owned(link, &["linkingState"])),
        link_error: error.map(|error| LinkError {
            code: owned(error, &["code"]).unwrap_or_else(|| "no code".to_owned()),
            message: owned(error, &["message"]),
        }),
    }
}

/// `{"type", "userAssignedIdentity"}`; `None` where none is set.
fn caller(value: Option<&Value>) -> Option<Caller> {
    let value = value?;
    match owned(value, &["userAssignedIdentity"]) {
        Some(id) => Some(Caller::UserAssigned(id)),
        None => text(value, &["type"])
            .filter(|kind| kind.eq_ignore_ascii_case("SystemAssigned"))
            .map(|_| Caller::SystemAssigned),
    }
}

fn identities(body: &Value) -> Identities {
    let users = at(body, &["identity", "userAssignedIdentities"]).and_then(Value::as_object);
    let users = users.into_iter().flatten();
    Identities {
        system: owned(body, &["identity", "principalId"]),
        user: users.map(|(id, shown)| (id.clone(), owned(shown, &["principalId"]))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::api_version::CERTIFICATE_AUTHORITIES;
    use crate::fake::{Fake, Reply};

    const NAMESPACE: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    const HUB: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/contoso-hub";
    const DPS: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/provisioningServices/contoso-dps";

    fn id(text: &str) -> ArmId {
        ArmId::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_namespace_shows_its_identities_and_those_of_its_endpoints() {
        let fake = Fake::start(|_, _| {
            Reply::json(
                200,
                json!({"location": "westeurope", "systemData": {"lastModifiedAt": "2026-11-29T11:00:00.5Z"},
                    "identity": {"type": "SystemAssigned, UserAssigned", "principalId": "p", "userAssignedIdentities": {"/uami/a": {"principalId": "q"}, "/uami/b": {}}},
                    "properties": {"uuid": "u", "outboundIdentity": {"type": "UserAssigned", "userAssignedIdentity": "/uami/a"},
                        "messaging": {"endpoints": {"one": {"resourceId": HUB, "inboundCallerIdentity": {"type": "SystemAssigned"}}, "odd": {"resourceId": 7}}},
                        "provisioning": {"endpoints": {"two": {"resourceId": DPS}}}}}),
            )
        })
        .await;
        let links = fake.azure().links();
        let side =
            links.namespace_side(&id(NAMESPACE), CERTIFICATE_AUTHORITIES.device_registry).await.unwrap();
        assert_eq!(side.outbound, Some(Caller::UserAssigned("/uami/a".to_owned())));
        assert_eq!(side.identities.system.as_deref(), Some("p"));
        let user = [("/uami/a".to_owned(), Some("q".to_owned())), ("/uami/b".to_owned(), None)];
        assert_eq!(side.identities.user, user);
        assert_eq!(side.endpoints[0].inbound, Some(Caller::SystemAssigned));
        assert_eq!(side.endpoints[1], Endpoint { resource: id(DPS), inbound: None });
        assert_eq!(side.modified_at, Some(datetime!(2026-11-29 11:00:00.5 UTC)));
        assert_eq!((side.uuid.as_deref(), side.endpoints.len()), (Some("u"), 2));
    }

    #[tokio::test]
    async fn a_hub_of_either_generation_shows_its_link() {
        let fake = Fake::start(|seen, _| {
            let registry = match seen.query.contains("2025-08-01-preview") {
                true => json!({"namespaceResourceId": NAMESPACE, "identityResourceId": "/uami/h"}),
                false => {
                    json!({"namespaceResourceId": NAMESPACE, "namespaceUuid": "u", "identity": {"type": "SystemAssigned"},
                    "linkingProperties": {"state": "Failed", "error": {"code": "ADRLinkingFailed", "httpStatusCode": "500", "message": "m"}}})
                }
            };
            Reply::json(
                200,
                json!({"location": "West Europe", "sku": {"name": "S1"}, "identity": {"type": "SystemAssigned", "principalId": "p"},
                    "properties": {"state": "Active", "provisioningState": "Succeeded", "publicNetworkAccess": "Disabled", "deviceRegistry": registry}}),
            )
        })
        .await;
        let links = fake.azure().links();
        let older = links.hub_side(&id(HUB), Generation::Credentials).await.unwrap();
        assert_eq!(older.caller, Some(Caller::UserAssigned("/uami/h".to_owned())));
        assert_eq!((older.link_state, older.is_public), (None, Some(false)));
        let newer = links.hub_side(&id(HUB), Generation::CertificateAuthorities).await.unwrap();
        assert_eq!(newer.caller, Some(Caller::SystemAssigned));
        assert_eq!(
            (newer.link_state.as_deref(), newer.namespace_uuid.as_deref()),
            (Some("Failed"), Some("u"))
        );
        assert_eq!(newer.link_error.unwrap().to_string(), "ADRLinkingFailed: m");
    }

    #[tokio::test]
    async fn a_service_with_several_namespaces_shows_the_link_to_the_right_one() {
        let fake = Fake::start(|_, _| {
            let link = |namespace: &str, state: &str| {
                json!({"resourceId": namespace, "authenticationType": "UserAssigned", "linkingState": state,
                       "selectedUserAssignedIdentityResourceId": "/uami/d"})
            };
            let other = format!("{NAMESPACE}-2");
            Reply::json(
                200,
                json!({"properties": {"deviceRegistryNamespaces": [link(&other, "Orphaned"), link(NAMESPACE, "Succeeded")]}}),
            )
        })
        .await;
        let links = fake.azure().links();
        let read = async |namespace: &str| {
            let (service, namespace) = (id(DPS), id(namespace));
            let generation = Generation::CertificateAuthorities;
            links.provisioning_service_side(&service, &namespace, generation).await.unwrap()
        };
        assert_eq!(read(NAMESPACE).await.link_state.as_deref(), Some("Succeeded"));
        let elsewhere = read(&format!("{NAMESPACE}-3")).await;
        assert_eq!(elsewhere.namespace_id, Some(id(&format!("{NAMESPACE}-2"))), "it is not hidden");
        assert_eq!(elsewhere.caller, Some(Caller::UserAssigned("/uami/d".to_owned())));
    }
}
