use super::*;
use crate::testing::*;
use time::{Duration, OffsetDateTime};

struct Site {
    served: Served,
    device: Device,
    registration: Registration,
}

impl Site {
    async fn start() -> Self {
        Self::of(Served::start().await).await
    }

    async fn of(served: Served) -> Self {
        served.open_device_endpoints().await;
        let device = Device::new("pump-1").unwrap();
        let registration = Self::register(&served, &device).await;
        Self { served, device, registration }
    }

    async fn register(served: &Served, device: &Device) -> Registration {
        let scope = served.state()["idScopes"]["contoso-dps"].as_str().unwrap().to_owned();
        let key = served.group_key("line-1").await;
        device.register(&served.base_url, &scope, &key).await.unwrap()
    }

    async fn connect(&self, hub: &str, now: OffsetDateTime) -> Result<(), Refusal> {
        let (address, authority) = self.served.device_endpoint(hub);
        self.device.connect_at(address, hub, &authority, &self.registration.chain, now).await
    }
}

#[tokio::test]
async fn a_rotated_ca_is_refused_by_the_hub_until_a_sync() {
    let mut site = Site::start().await;
    let hub = site.registration.assigned_hub.clone();
    let now = OffsetDateTime::now_utc;
    site.connect(&hub, now()).await.unwrap();
    site.served.cloud.rotate(&policy_id("short-lived")).unwrap();
    site.connect(&hub, now()).await.unwrap();
    site.registration = Site::register(&site.served, &site.device).await;
    let refusal = site.connect(&hub, now()).await.unwrap_err();
    assert_eq!(refusal.alert(), Some("unknown CA"), "{refusal}");
    site.served.synchronize().await;
    for hub in ["hub-a.azure-devices.net", "hub-b.azure-devices.net"] {
        site.connect(hub, site.served.cloud.clock().now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_hub_without_certificates_refuses_everyone() {
    let site = Site::start().await;
    let refusal = site.connect("plain.azure-devices.net", OffsetDateTime::now_utc()).await.unwrap_err();
    assert_eq!(refusal.alert(), Some("unknown CA"), "{refusal}");
}

#[tokio::test]
async fn certificates_expire_by_the_simulated_clock() {
    let site = Site::start().await;
    let hub = site.registration.assigned_hub.clone();
    site.served.cloud.clock().advance(Duration::days(8));
    let refusal = site.connect(&hub, site.served.cloud.clock().now()).await.unwrap_err();
    assert_eq!(refusal.alert(), Some("certificate expired"), "the leaf was valid for 7 days: {refusal}");
}

#[tokio::test]
async fn refusals_that_are_not_the_hubs_are_told_apart() {
    let site = Site::start().await;
    let hub = site.registration.assigned_hub.clone();
    let (address, authority) = site.served.device_endpoint(&hub);
    let chain = &site.registration.chain;
    let other = site.device.connect(address, "other.azure-devices.net", &authority, chain).await.unwrap_err();
    assert!(matches!(other, Refusal::Server(_)), "{other}");
    let none = site.device.connect(address, &hub, &authority, &[]).await.unwrap_err();
    assert!(matches!(none, Refusal::NoCertificate(_)), "{none}");
    let stolen = Device::new("pump-1").unwrap().connect(address, &hub, &authority, chain).await.unwrap_err();
    assert!(matches!(stolen, Refusal::NoCertificate(_)), "{stolen}");
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = site.device.connect(free, &hub, &authority, chain).await.unwrap_err();
    assert!(matches!(gone, Refusal::Unreachable(_)), "{gone}");
}

#[tokio::test]
async fn in_generation_b_the_hub_accepts_a_rotated_ca_once_the_service_has_pushed_it() {
    let mut site = Site::of(Served::both().await).await;
    let hub = "hub-a.azure-devices.net";
    let clock = site.served.cloud.clock().clone();
    site.connect(hub, clock.now()).await.unwrap();
    site.served.cloud.rotate(&authority_id("factory-ica")).unwrap();
    site.registration = Site::register(&site.served, &site.device).await;
    let refusal = site.connect(hub, clock.now()).await.unwrap_err();
    assert_eq!(refusal.alert(), Some("unknown CA"), "{refusal}");
    site.served.wait(60);
    site.connect(hub, clock.now()).await.unwrap();
}

/// The group `line-1` of the small world in migration, with the policy of the external CA.
async fn external() -> Served {
    Served::both_with(|fleet| {
        let group = &mut fleet.namespaces[0].provisioning_services[0].enrollment_groups[0];
        group.certificate_authority = Some("partner-ica".to_owned());
        group.certificate_policy = Some("partner".to_owned());
    })
    .await
}

#[tokio::test]
async fn an_external_ca_issues_once_it_is_active_and_hubs_accept_once_it_is_pushed() {
    let served = external().await;
    served.open_device_endpoints().await;
    let device = Device::new("pump-1").unwrap();
    let scope = served.state()["idScopes"]["contoso-dps"].as_str().unwrap().to_owned();
    let key = served.group_key("line-1").await;
    let early = device.register(&served.base_url, &scope, &key).await.unwrap_err();
    assert!(matches!(early, DeviceError::NotAssigned(_)), "{early}");
    let request = served.authority("partner-ica").await["issuer"]["certificateSigningRequest"].clone();
    let chain = serde_json::json!({"certificateChain": sign(request.as_str().unwrap())});
    served.post(&format!("{}/activate", authority_id("partner-ica")), ADR_B, Some(chain)).await;
    served.wait(2);
    let site = Site::of(served).await;
    assert_eq!(site.registration.chain.len(), 3, "up to the root of the customer");
    let hub = "hub-a.azure-devices.net";
    let clock = site.served.cloud.clock().clone();
    assert_eq!(site.connect(hub, clock.now()).await.unwrap_err().alert(), Some("unknown CA"));
    site.served.wait(60);
    site.connect(hub, clock.now()).await.unwrap();
}

#[tokio::test]
async fn during_a_renewal_of_the_service_a_hub_accepts_devices_of_both_cas_and_never_refuses_one() {
    let old = Site::of(Served::both().await).await;
    let (hub, clock) = ("hub-a.azure-devices.net", old.served.cloud.clock().clone());
    old.served.cloud.renew(&authority_id("factory-ica")).unwrap();
    let early = Site::register(&old.served, &old.device).await;
    assert_eq!(early.chain[1], old.registration.chain[1], "hubs do not have the next one yet");
    old.served.wait(61);
    let new = Site::register(&old.served, &old.device).await;
    assert_ne!(new.chain[1], early.chain[1]);
    let mut site = old;
    site.connect(hub, clock.now()).await.unwrap();
    site.registration = new;
    site.connect(hub, clock.now()).await.unwrap();
}

#[tokio::test]
async fn after_a_revocation_a_hub_refuses_the_devices_of_the_old_ca() {
    let mut site = Site::of(Served::both().await).await;
    let (hub, clock) = ("hub-a.azure-devices.net", site.served.cloud.clock().clone());
    let rotate = format!("{}/revokeAndRotate", authority_id("factory-ica"));
    assert_eq!(site.served.post(&rotate, ADR_B, None).await.status, 202);
    site.served.wait(120);
    assert_eq!(site.connect(hub, clock.now()).await.unwrap_err().alert(), Some("unknown CA"));
    site.registration = Site::register(&site.served, &site.device).await;
    site.connect(hub, clock.now()).await.unwrap();
}

#[tokio::test]
async fn an_expired_ca_issues_nothing() {
    let served = Served::both().await;
    served.wait(21 * 86_400);
    let scope = served.state()["idScopes"]["contoso-dps"].as_str().unwrap().to_owned();
    let key = served.group_key("line-1").await;
    let refused = Device::new("pump-1").unwrap().register(&served.base_url, &scope, &key).await.unwrap_err();
    assert!(matches!(refused, DeviceError::NotAssigned(_)), "{refused}");
}
