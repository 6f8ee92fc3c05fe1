use crate::fleet::{LinkingState, MemberCasing};
use crate::testing::*;
use base64::Engine as _;
use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

#[tokio::test]
async fn certificates_carry_the_traps_of_the_real_service() {
    let served = Served::start().await;
    let list = served.get(&format!("{HUB_A}/certificates"), HUBS).await.body;
    assert!(list.get("nextLink").is_none() && list["value"].as_array().unwrap().len() == 2);
    for certificate in list["value"].as_array().unwrap() {
        let properties = &certificate["properties"];
        assert!(properties.get("policyResourceId").is_none(), "Pascal case only");
        assert!(properties["PolicyResourceId"].is_string());
        assert_eq!(properties["isVerified"], true);
        assert!(certificate["etag"].as_str().unwrap().ends_with('='));
        let policy = served.get(properties["PolicyResourceId"].as_str().unwrap(), ADR).await.body;
        let authority = &policy["properties"]["certificate"]["certificateAuthorityConfiguration"];
        assert_eq!(properties["subject"], authority["subject"]);
        let expiry = properties["expiry"].as_str().unwrap();
        assert!(expiry.ends_with(" GMT"), "{expiry}");
        let expiry = OffsetDateTime::parse(&expiry.replace("GMT", "+0000"), &Rfc2822).unwrap();
        let not_after =
            OffsetDateTime::parse(authority["validityNotAfter"].as_str().unwrap(), &Rfc3339).unwrap();
        assert_eq!(expiry.unix_timestamp(), not_after.unix_timestamp(), "equal to the second");
        let der = properties["certificate"].as_str().unwrap();
        let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
        assert_eq!(properties["thumbprint"], crate::pki::sha1_thumbprint(&der));
        let one = served.get(certificate["id"].as_str().unwrap(), HUBS).await.body;
        assert_eq!(&one, certificate);
    }
}

#[tokio::test]
async fn a_hub_starts_with_the_policies_that_the_fleet_says() {
    let served =
        Served::with(|fleet| fleet.namespaces[0].hubs[0].trusts = Some(vec!["Default".to_owned()])).await;
    assert!(served.hub_certificate(HUB_A, "default").await.is_some());
    assert!(served.hub_certificate(HUB_A, "short-lived").await.is_none());
    served.synchronize().await;
    assert!(served.hub_certificate(HUB_A, "short-lived").await.is_some());
}

#[tokio::test]
async fn hubs_are_listed_page_by_page_and_by_subscription() {
    let served = Served::with(|fleet| {
        for name in ["hub-c", "hub-d", "hub-e"] {
            let mut hub = fleet.hubs[0].clone();
            hub.name = name.to_owned();
            fleet.hubs.push(hub);
        }
    })
    .await;
    let mut names = Vec::new();
    let mut next = Some(format!("/subscriptions/s/providers/Microsoft.Devices/IotHubs?api-version={HUBS}"));
    let mut pages = 0;
    while let Some(link) = next {
        let page = served.call(Method::GET, &link, &[], None).await;
        assert_eq!(page.status, 200, "{page:?}");
        let hubs = page.body["value"].as_array().unwrap();
        assert!(hubs.len() <= 2);
        names.extend(hubs.iter().map(|hub| hub["name"].as_str().unwrap().to_owned()));
        next = page.body.get("nextLink").map(|link| link.as_str().unwrap().to_owned());
        pages += 1;
    }
    assert_eq!((names.join(" ").as_str(), pages), ("hub-a hub-c hub-d hub-e plain", 3));
    let other = served
        .get("/subscriptions/S2/resourceGroups/r2/providers/microsoft.devices/iothubs", HUBS)
        .await
        .body;
    assert_eq!(other["value"][0]["id"], HUB_B);
    let bad =
        format!("/subscriptions/S/providers/Microsoft.Devices/IotHubs?api-version={HUBS}&$skiptoken=%21");
    assert_eq!(served.call(Method::GET, &bad, &[], None).await.status, 400);
}

#[tokio::test]
async fn only_a_linked_hub_names_a_namespace() {
    let served = Served::start().await;
    let linked = served.get(HUB_A, HUBS).await.body;
    assert_eq!(linked["properties"]["deviceRegistry"]["namespaceResourceId"], NAMESPACE);
    assert_eq!(linked["sku"]["name"], "GEN2");
    let newer = served.get(HUB_A, "2026-05-01-preview").await.body;
    assert_eq!(newer["properties"]["iotHubDetails"]["gatewayVersion"], "V2");
    let plain = served.get(&HUB_A.replace("hub-a", "plain"), HUBS).await.body;
    assert!(plain["properties"].get("deviceRegistry").is_none());
    assert_eq!(plain["properties"]["hostName"], "plain.azure-devices.net");
}

#[tokio::test]
async fn a_certificate_is_deleted_only_with_its_etag() {
    let served = Served::start().await;
    let list = served.get(&format!("{HUB_A}/certificates"), HUBS).await.body;
    let certificate = &list["value"][0];
    let target = format!("{}?api-version={HUBS}", certificate["id"].as_str().unwrap());
    let delete =
        async |headers: &[(&str, &str)]| served.call(Method::DELETE, &target, headers, None).await.status;
    assert_eq!(delete(&[]).await, 400);
    assert_eq!(delete(&[("if-match", "AAAA")]).await, 412);
    assert_eq!(delete(&[("if-match", certificate["etag"].as_str().unwrap())]).await, 200);
    assert_eq!(delete(&[("if-match", "*")]).await, 404);
    let written: Value = served.put(HUB_A, HUBS, json!({})).await.body;
    assert_eq!(written["error"]["code"], "MethodNotAllowed");
}

#[tokio::test]
async fn a_provisioning_service_shows_how_to_reach_it_and_its_hubs() {
    let served = Served::start().await;
    let path =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/provisioningServices/contoso-dps";
    let properties = served.get(path, "2025-02-01-preview").await.body["properties"].clone();
    let endpoint = format!("http://{}", properties["serviceOperationsHostName"].as_str().unwrap());
    assert_eq!(endpoint, format!("{}/dps/contoso-dps", served.base_url));
    assert_eq!(served.get(&format!("{endpoint}/enrollmentGroups/line-1"), DPS).await.status, 200);
    assert_eq!(properties["deviceRegistryNamespace"]["resourceId"], NAMESPACE);
    assert_eq!(properties["iotHubs"][1]["name"], "hub-b.azure-devices.net");
    assert_eq!(properties["idScope"], served.state()["idScopes"]["contoso-dps"]);
    let all = served
        .get("/subscriptions/S/providers/microsoft.devices/provisioningservices", "2025-02-01-preview")
        .await;
    assert_eq!(all.body["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn each_generation_sees_where_its_own_certificates_come_from() {
    let served = Served::both().await;
    let members = async |version: &str| {
        let list = served.get(&format!("{HUB_A}/certificates"), version).await.body;
        let certificates = list["value"].as_array().unwrap().clone();
        let of = |one: &Value, name: &str| one["properties"].get(name).cloned().unwrap_or_default();
        certificates
            .iter()
            .map(|one| (of(one, "PolicyResourceId"), of(one, "certificateAuthorityResourceId")))
            .collect::<Vec<_>>()
    };
    let none = Value::Null;
    assert_eq!(
        members(HUBS).await,
        [(policy_id("default").into(), none.clone()), (none.clone(), none.clone())]
    );
    assert_eq!(
        members(HUBS_B).await,
        [(none.clone(), none.clone()), (none, authority_id("factory-ica").into())]
    );
}

#[tokio::test]
async fn the_casing_of_that_member_is_the_fleets_choice() {
    for (casing, a, b) in [
        (MemberCasing::Camel, "policyResourceId", "certificateAuthorityResourceId"),
        (MemberCasing::Pascal, "PolicyResourceId", "CertificateAuthorityResourceId"),
    ] {
        let served = Served::both_with(|fleet| fleet.hub_certificate_casing = Some(casing)).await;
        let list = served.get(&format!("{HUB_A}/certificates"), HUBS).await.body;
        assert_eq!(list["value"][0]["properties"][a], policy_id("default"));
        let list = served.get(&format!("{HUB_A}/certificates"), HUBS_B).await.body;
        assert_eq!(list["value"][1]["properties"][b], authority_id("factory-ica"));
    }
}

#[tokio::test]
async fn a_link_shows_read_only_on_both_of_its_ends() {
    let served = Served::both_with(|fleet| {
        fleet.namespaces[0].hubs[1].linking_state = LinkingState::Failed;
        fleet.namespaces[0].provisioning_services[0].linking_state = LinkingState::InProgress;
    })
    .await;
    let registry =
        async |hub: &str| served.get(hub, HUBS_B).await.body["properties"]["deviceRegistry"].clone();
    let linked = registry(HUB_A).await;
    assert_eq!(linked["namespaceResourceId"], NAMESPACE);
    assert_eq!(linked["namespaceUuid"], served.get(NAMESPACE, ADR_B).await.body["properties"]["uuid"]);
    assert_eq!(linked["linkingProperties"], json!({"state": "Success"}));
    let broken = registry(HUB_B).await["linkingProperties"].clone();
    assert_eq!(
        (&broken["state"], &broken["error"]["code"]),
        (&json!("Failed"), &json!("AdrMiNotAuthorized"))
    );
    let properties = async |version: &str| served.get(SERVICE, version).await.body["properties"].clone();
    let new = properties("2026-11-01").await;
    assert_eq!(new["deviceRegistryNamespaces"][0]["resourceId"], NAMESPACE);
    assert_eq!(new["deviceRegistryNamespaces"][0]["linkingState"], "InProgress");
    assert!(new.get("deviceRegistryNamespace").is_none());
    let old = properties("2025-02-01-preview").await;
    assert_eq!(old["deviceRegistryNamespace"]["resourceId"], NAMESPACE);
    let neither = properties("2026-08-31").await;
    assert!(
        neither.get("deviceRegistryNamespace").is_none() && neither.get("deviceRegistryNamespaces").is_none()
    );
}
