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

/// The members of a certificate that this client reads, or knows and does not need.
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

    /// Counts unknown members and values together with other clients.
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
        match self.arm.list_of(&path, CREDENTIALS.iot_hub, hub).await {
            // Both generations of a hub name their namespace by the same member (`azure-wire-facts.md` §2.1, §2.3).
            Err(error) if error.rejects_api_version() => {
                self.arm.list_of(&path, CERTIFICATE_AUTHORITIES.iot_hub, hub).await
            }
            listed => listed,
        }
    }

    /// Lists the CA certificates of a hub, synced, pushed and uploaded ones alike. Each API version names the origins
    /// of its own generation only, so the client reads a hub of a namespace that is being migrated with both.
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

#[expect(clippy::needless_pass_by_value, reason = "the body is not needed any more")]
fn hub(body: Value) -> Option<Hub> {
    let body = &body;
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

/// Reads a certificate. A person uploaded a certificate that has no policy.
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
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::error::ErrorKind;
    use crate::fake::{Fake, Reply};

    const HUB: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/contoso-hub";
    const POLICY: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso/credentials/default/policies/p";

    /// A certificate as the list of a hub shows it.
    fn body(properties: Value) -> Value {
        json!({
            "id": format!("{HUB}/certificates/ca-1"),
            "name": "ca-1",
            "type": "Microsoft.Devices/IotHubs/Certificates",
            "etag": "AAAAAAFPqXo=",
            "properties": properties
        })
    }

    #[test]
    fn a_certificate_is_read_with_its_rfc_1123_dates() {
        let read = certificate(&body(json!({
            "subject": "CN=5f1e0c7d2b9a48d6",
            "expiry": "Sat, 01 Mar 2031 08:15:30 GMT",
            "thumbprint": "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d",
            "isVerified": true,
            "created": "Sun, 01 Mar 2026 08:15:30 GMT",
            "updated": "Sun, 01 Mar 2026 08:15:30 GMT",
            "certificate": "bm90IHJlYWQ=",
            "policyResourceId": POLICY
        })));
        assert_eq!(read.name, "ca-1");
        assert_eq!(read.issuer_id, Some(ArmId::parse(POLICY).unwrap()));
        assert_eq!(read.subject.as_deref(), Some("CN=5f1e0c7d2b9a48d6"));
        assert_eq!(read.expiry, Some(datetime!(2031-03-01 08:15:30 UTC)));
        assert_eq!(read.thumbprint.as_deref(), Some("0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D"));
        assert_eq!(read.is_verified, Some(true));
    }

    #[test]
    fn the_policy_is_found_in_pascal_case_too_and_iso_dates_are_read() {
        let read = certificate(&body(
            json!({"PolicyResourceId": POLICY.to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"),
        "Expiry": "2031-03-01T08:15:30.0000000Z"}),
        ));
        assert_eq!(read.issuer_id, Some(ArmId::parse(POLICY).unwrap()));
        assert_eq!(read.expiry, Some(datetime!(2031-03-01 08:15:30 UTC)));
    }

    #[test]
    fn a_certificate_that_a_person_uploaded_has_no_policy() {
        let read = certificate(&body(json!({
            "subject": "CN=workshop", "expiry": "Fri, 30 Dec 2039 23:59:59 GMT", "isVerified": false,
            "thumbprint": "0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D", "certificate": "####"
        })));
        assert_eq!((read.issuer_id, read.is_verified), (None, Some(false)));
        assert_eq!(read.expiry, Some(datetime!(2039-12-30 23:59:59 UTC)));
    }

    #[tokio::test]
    async fn an_odd_value_is_absent_and_never_an_error_of_the_list() {
        let fake = Fake::start(|_, _| {
        let odd = json!({"subject": 7, "expiry": "some day", "thumbprint": "############", "isVerified": "perhaps",
                         "policyResourceId": "p", "certificate": null});
        Reply::json(200, json!({"value": [body(odd), {}, body(json!({"isVerified": false}))]}))
    })
    .await;
        let certificates = fake
            .azure()
            .hubs()
            .certificates(&ArmId::parse(HUB).unwrap(), NamespaceGeneration::Credentials)
            .await
            .unwrap();
        let absent = |name: &str, is_verified| HubCertificate {
            name: name.to_owned(),
            issuer_id: None,
            subject: None,
            thumbprint: None,
            expiry: None,
            is_verified,
        };
        assert_eq!(certificates, [absent("ca-1", None), absent("", None), absent("ca-1", Some(false))]);
        assert_eq!(fake.calls(), [format!("GET {HUB}/certificates")]);
    }

    #[tokio::test]
    async fn hubs_are_listed_by_subscription_with_their_link() {
        let fake = Fake::start(|seen, origin| match seen.number {
        0 => Reply::json(
            200,
            json!({
                "value": [{
                    "id": HUB, "name": "contoso-hub", "location": "westeurope", "etag": "e",
                    "sku": {"name": "GEN2", "tier": "Generation2", "capacity": 1},
                    "properties": {
                        "state": "Active", "provisioningState": "Succeeded", "hostName": "contoso-hub.azure-devices.net",
                        "deviceRegistry": {"namespaceResourceId": POLICY.split("/credentials").next(), "identityResourceId": "i"}
                    }
                }],
                "nextLink": format!("{origin}/more")
            }),
        ),
        _ => Reply::json(200, json!({"value": [{"id": format!("{HUB}-2")}, {"name": "without an id"}]})),
    })
    .await;
        let hubs = fake.azure().hubs().in_subscription("S").await.unwrap();
        assert_eq!(hubs.len(), 2);
        assert_eq!(hubs[0].host_name, "contoso-hub.azure-devices.net");
        assert_eq!(hubs[0].namespace_id.as_ref().unwrap().name(), "contoso");
        assert_eq!((hubs[1].name.as_str(), &hubs[1].namespace_id), ("contoso-hub-2", &None));
        assert_eq!(fake.calls(), ["GET /subscriptions/S/providers/Microsoft.Devices/IotHubs", "GET /more"]);
        assert_eq!(fake.seen()[0].query, "api-version=2025-08-01-preview");
        let error = fake.azure().hubs().in_subscription("S/../T").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[tokio::test]
    async fn where_the_older_version_is_gone_the_newer_one_lists_hubs() {
        let fake = Fake::start(|seen, _| match seen.query.contains("2026-10-01-preview") {
        true => Reply::json(
            200,
            json!({"value": [{"id": HUB, "properties": {"deviceRegistry": {"namespaceResourceId": POLICY.split("/credentials").next()}}}]}),
        ),
        false => Reply::json(400, json!({"error": {"code": "InvalidApiVersionParameter", "message": "No."}})),
    })
    .await;
        let hubs = fake.azure().hubs().in_subscription("S").await.unwrap();
        assert_eq!(hubs[0].namespace_id.as_ref().unwrap().name(), "contoso");
    }

    /// Each version names the origin of the certificates of its own generation.
    #[tokio::test]
    async fn a_hub_that_is_migrated_is_read_with_both_versions_and_each_certificate_once() {
        let authority = POLICY.replace("/credentials/default/policies/p", "/certificateAuthorities/lines");
        let expected = ArmId::parse(&authority).unwrap();
        let fake = Fake::start(move |seen, _| {
            let is_newer = seen.query.contains("2026-10-01-preview");
            let (old, new) = match is_newer {
                true => (json!({}), json!({"certificateAuthorityResourceId": authority})),
                false => (json!({"PolicyResourceId": POLICY}), json!({})),
            };
            let named = |name: &str, properties: &Value| json!({"name": name, "properties": properties});
            Reply::json(200, json!({"value": [named("old", &old), named("new", &new)]}))
        })
        .await;
        let hub = ArmId::parse(HUB).unwrap();
        let read = fake.azure().hubs().certificates(&hub, NamespaceGeneration::Migrating).await.unwrap();
        let origins: Vec<_> = read.iter().map(|read| (read.name.as_str(), read.issuer_id.clone())).collect();
        assert_eq!(origins, [("old", Some(ArmId::parse(POLICY).unwrap())), ("new", Some(expected))]);
    }
}
