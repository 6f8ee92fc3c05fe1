//! Whether the hubs of an enrollment group admit a new device of it, for a judge: the issuer of the group's policy signs a certificate,
//! and a TLS handshake in memory shows it to each hub. No caller can ask for it, and nothing changes by it.

use std::sync::Arc;

use super::cloud::Cloud;
use super::device::Device;
use super::device_endpoints::DeviceEndpoints;
use super::pki::{Authority, DeviceRequest};
use super::provisioning::issuer;

/// The registration id of the devices that are made up.
const DEVICE: &str = "made-up-by-a-judge";

/// What a hub says to a new device of an enrollment group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The name of the provisioning service.
    pub service: String,
    /// The id of the group.
    pub group: String,
    /// The host name of the hub.
    pub hub: String,
    /// Why it refuses the device; `None`: it admits it.
    pub refusal: Option<String>,
}

/// What a group needs for a certificate, and its hubs by ARM id and host name.
struct Found {
    issuer: Option<Result<(Arc<Authority>, u32), String>>,
    hubs: Vec<(String, String)>,
}

/// Asks every hub of a group; nothing for a group that is not there, or has no policy.
pub(crate) fn of(
    cloud: &Arc<Cloud>,
    endpoints: &DeviceEndpoints,
    service: &str,
    group: &str,
) -> Vec<Admission> {
    let Some(Found { issuer: Some(issuer), hubs }) = find(cloud, service, group) else { return Vec::new() };
    let now = cloud.clock().now();
    let signed = issuer.and_then(|(authority, days)| {
        let device = Device::new(DEVICE).map_err(|error| error.to_string())?;
        let request = device.signing_request().map_err(|error| error.to_string())?;
        let request = DeviceRequest::parse(&request, DEVICE).map_err(|error| error.to_string())?;
        let chain = authority.issue_device_certificate(&request, now, days);
        Ok((device, chain.map_err(|error| error.to_string())?))
    });
    let admission = |(hub_id, host_name): (String, String)| {
        let refusal = match &signed {
            Ok((device, chain)) => endpoints.judge(cloud, (&hub_id, &host_name), device, chain).err(),
            Err(why) => Some(why.clone()),
        };
        Admission { service: service.to_owned(), group: group.to_owned(), hub: host_name, refusal }
    };
    hubs.into_iter().map(admission).collect()
}

fn find(cloud: &Cloud, service: &str, group: &str) -> Option<Found> {
    let now = cloud.clock().now();
    let world = cloud.lock();
    let service = world.services.iter().find(|known| known.name.eq_ignore_ascii_case(service))?;
    let group = service.group(group)?;
    let link = service.link.as_ref();
    let namespace = link.and_then(|link| world.namespaces.iter().find(|namespace| link.is_to(&namespace.id)));
    let issuer = group.policy.as_ref().map(|reference| issuer::of(namespace, reference, now));
    let host_names = if group.hubs.is_empty() { &service.hubs } else { &group.hubs };
    let hubs = host_names.iter().map(|host_name| {
        let hub = world.hubs.iter().find(|hub| hub.host_name().eq_ignore_ascii_case(host_name));
        (hub.map(|hub| hub.id.clone()).unwrap_or_default(), host_name.clone())
    });
    Some(Found { issuer, hubs: hubs.collect() })
}

#[cfg(test)]
mod tests {
    use crate::{InProcess, Options};

    #[tokio::test]
    async fn a_hub_admits_the_devices_of_a_policy_until_its_ca_is_renewed() {
        let fleet = crate::fleet::Fleet::from_toml(
            r#"
            subscription = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40"
            location = "westeurope"
            [[namespace]]
            name = "plant"
            resource_group = "rg"
            [[namespace.policy]]
            name = "short"
            leaf_validity_days = 30
            [[namespace.hub]]
            name = "trusting"
            trusts = ["short"]
            [[namespace.hub]]
            name = "bare"
            trusts = []
            [[namespace.provisioning_service]]
            name = "dps"
            [[namespace.provisioning_service.enrollment_group]]
            name = "line-1"
            policy = "short"
            [[namespace.provisioning_service.enrollment_group]]
            name = "line-2"
            "#,
        );
        let cloud =
            InProcess::new(Options { fleet: fleet.unwrap(), ..Options::default() }, "http://azure.test");
        let cloud = cloud.unwrap();
        let before = cloud.truth();
        let told = || {
            let admissions = cloud.admissions("dps", "line-1").into_iter();
            admissions.map(|it| (it.hub, it.refusal.is_none())).collect::<Vec<_>>()
        };
        let (trusting, bare) = ("trusting.azure-devices.net".to_owned(), "bare.azure-devices.net".to_owned());
        assert_eq!(told(), [(trusting.clone(), true), (bare.clone(), false)]);
        assert_eq!(cloud.admissions("dps", "line-2"), [], "without a policy there is no certificate");
        assert_eq!(cloud.admissions("dps", "line-3"), []);
        assert!(cloud.truth() == before, "a judge changes nothing");
        cloud.rotate(&before[0].policies[0].id).unwrap();
        assert_eq!(told(), [(trusting, false), (bare, false)]);
    }
}
