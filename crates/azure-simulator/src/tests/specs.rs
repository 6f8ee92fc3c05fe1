//! Every example of Microsoft's specifications, sent as it stands: the simulator answers with a documented status, and
//! with every member that the example's answer has.

use serde_json::json;

use super::example::{Example, same_members};
use super::*;
use crate::fleet::Fleet;
use crate::testing::sign;

const NAMESPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rgdeviceregistry/providers/Microsoft.DeviceRegistry/namespaces/mynamespace";

/// The resources that the examples need. The examples make the issuing CAs themselves.
const FLEET: &str = r#"
subscription = "00000000-0000-0000-0000-000000000000"
location = "East US 2"

[[namespace]]
name = "mynamespace"
resource_group = "rgdeviceregistry"
generation = "both"

[[namespace.policy]]
name = "mypolicy"
leaf_validity_days = 30

[[namespace.policy]]
name = "byor"
leaf_validity_days = 30
bring_your_own_root = true

[[namespace.certificate_authority]]
name = "myrootca"
type = "root"

[[namespace.hub]]
name = "testhub"

[[namespace.provisioning_service]]
name = "testdps"

[[namespace.provisioning_service.enrollment_group]]
name = "aeejtkwwsgoraodfdlh"
certificate_authority = "myica"
certificate_policy = "mycertificatepolicy"

[[hub]]
name = "myIotHub1"
resource_group = "myResourceGroup"

[[hub]]
name = "myIotHub2"
resource_group = "myResourceGroup"

[[provisioning_service]]
name = "myDps"
resource_group = "myResourceGroup"
"#;

/// Examples that the simulator does not serve: devices as resources of a namespace.
const NOT_SIMULATED: [&str; 1] = ["genA/NamespaceDevices_RevokeFailure"];

async fn send(
    cloud: &Caller,
    method: Method,
    path: &str,
    example: &Example,
    body: Option<Value>,
) -> Response {
    let mut request = cloud.request(method, &format!("{path}?api-version={}", example.version()));
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.send().await.unwrap()
}

async fn specified() -> Caller {
    Caller::with(Options { fleet: Fleet::from_toml(FLEET).unwrap(), ..Options::default() }).await
}

/// Lets every running operation end.
fn settled(cloud: &Caller) {
    cloud.simulator.advance(time::Duration::seconds(5));
}

#[tokio::test]
async fn the_examples_of_generation_a_are_answered_as_documented() {
    let cloud = specified().await;
    let credential = format!("{NAMESPACE}/credentials/default");
    let policy = format!("{credential}/policies/mypolicy");

    let example = Example::read("genA/Credentials_CreateOrUpdate");
    let answer = send(&cloud, Method::PUT, &credential, &example, Some(example.body("resource"))).await;
    example.compare(answer, &[]).await;

    let example = Example::read("genA/Policies_CreateOrUpdate");
    let made = format!("{credential}/policies/made");
    let answer = send(&cloud, Method::PUT, &made, &example, Some(example.body("resource"))).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    // The example shows a policy that is finished; this one has neither dates nor a request yet.
    let authority = "/properties/certificate/certificateAuthorityConfiguration";
    let unfinished =
        ["subject", "validityNotBefore", "validityNotAfter", "bringYourOwnRoot/issuingCertificateThumbprint"]
            .map(|member| format!("{authority}/{member}"));
    example.compare(answer, &unfinished.each_ref().map(String::as_str)).await;
    settled(&cloud);
    let again = send(&cloud, Method::PUT, &made, &example, Some(example.body("resource"))).await;
    assert_eq!(again.status(), StatusCode::OK);

    let example = Example::read("genA/Policies_Update");
    let answer = send(&cloud, Method::PATCH, &policy, &example, Some(example.body("properties"))).await;
    example.compare(answer, &[]).await;
    let example = Example::read("genA/Credentials_Synchronize");
    let answer = send(&cloud, Method::POST, &format!("{credential}/synchronize"), &example, None).await;
    example.compare(answer, &[]).await;
    let example = Example::read("genA/Policies_RevokeIssuer");
    let answer = send(&cloud, Method::POST, &format!("{policy}/revokeIssuer"), &example, None).await;
    example.compare(answer, &[]).await;

    // The example's chain is no certificate; the request's place of it is the same.
    let example = Example::read("genA/Policies_ActivateBringYourOwnRoot");
    let own = format!("{credential}/policies/byor");
    let read = send(&cloud, Method::GET, &own, &example, None).await.json::<Value>().await.unwrap();
    let request = read
        .pointer("/properties/certificate/certificateAuthorityConfiguration/bringYourOwnRoot/certificateSigningRequest")
        .and_then(Value::as_str)
        .unwrap();
    let mut body = example.body("body");
    assert!(body["certificateChain"].is_string());
    body["certificateChain"] = sign(request).into();
    let action = format!("{own}/activateBringYourOwnRoot");
    let answer = send(&cloud, Method::POST, &action, &example, Some(body)).await;
    example.compare(answer, &[]).await;
}

#[tokio::test]
async fn the_examples_of_generation_b_are_answered_as_documented() {
    let cloud = specified().await;
    let authority = format!("{NAMESPACE}/certificateAuthorities/myica");
    let example = Example::read("genB/CertificateAuthorities_CreateOrReplace_ICA");
    let answer = send(&cloud, Method::PUT, &authority, &example, Some(example.body("resource"))).await;
    let unfinished =
        ["subject", "validityNotBefore", "validityNotAfter"].map(|name| format!("/properties/{name}"));
    example.compare(answer, &unfinished.each_ref().map(String::as_str)).await;
    settled(&cloud);
    let answer = send(&cloud, Method::PUT, &authority, &example, Some(example.body("resource"))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    example.compare(answer, &[]).await;

    // Its authority is called `myrootca`, and a policy below a root is refused: `myica` stands in for it.
    let example = Example::read("genB/CertificatePolicies_CreateOrReplace");
    let policy = format!("{authority}/certificatePolicies/mycertificatepolicy");
    for status in [StatusCode::CREATED, StatusCode::OK] {
        let answer = send(&cloud, Method::PUT, &policy, &example, Some(example.body("resource"))).await;
        assert_eq!(answer.status(), status);
        // The released types of a policy have no location, unlike the example.
        example.compare(answer, &["/location"]).await;
        settled(&cloud);
    }

    let example = Example::read("genB/Namespaces_CreateOrReplace_linked");
    let namespace = NAMESPACE.replace("mynamespace", "linked");
    for status in [StatusCode::CREATED, StatusCode::OK] {
        let answer = send(&cloud, Method::PUT, &namespace, &example, Some(example.body("resource"))).await;
        assert_eq!(answer.status(), status);
        let body = example.compare(answer, &[]).await;
        let documented = &example.answer_of(status.as_u16())["body"];
        let link = "/properties/messaging/endpoints/myPrimaryIotHubEndpoint/linkingState";
        assert_eq!(body.pointer(link), documented.pointer(link));
        settled(&cloud);
    }
}

#[tokio::test]
async fn the_examples_of_hubs_and_of_dps_are_answered_as_documented() {
    let cloud = specified().await;
    let example = Example::read("iothub/Certificates_List_2025-08-01-preview");
    let hub = NAMESPACE
        .replace("Microsoft.DeviceRegistry/namespaces/mynamespace", "Microsoft.Devices/IotHubs/testhub");
    let answer = send(&cloud, Method::GET, &format!("{hub}/certificates"), &example, None).await;
    let body = example.compare(answer, &[]).await;
    let documented = &example.answer_of(200)["body"]["value"][0];
    same_members(&example.name, "/value/0", documented, &body["value"][0], &[]);

    let example = Example::read("dps/EnrollmentGroup_Get_2026-11-01");
    let groups = "/dps/testdps/enrollmentGroups";
    let id = example.body("id").as_str().unwrap().to_owned();
    let answer = send(&cloud, Method::GET, &format!("{groups}/{id}"), &example, None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let read: Value = answer.json().await.unwrap();
    for member in ["namespaceName", "certificateAuthorityName", "certificatePolicyName", "etag"] {
        assert!(read[member].is_string() && example.answer_of(200)["body"][member].is_string(), "{member}");
    }

    let example = Example::read("dps/EnrollmentGroup_CreateOrUpdate_2025-07-01-preview");
    let mut body = example.answer_of(200)["body"].clone();
    body["enrollmentGroupId"] = example.body("id");
    let path = format!("{groups}/{}", example.body("id").as_str().unwrap());
    let answer = send(&cloud, Method::PUT, &path, &example, Some(body)).await;
    // The service shows no keys, with any type of attestation.
    let keys = ["/attestation/symmetricKey/primaryKey", "/attestation/symmetricKey/secondaryKey"];
    example.compare(answer, &keys).await;

    // The documentation of a registration has placeholders only, so the service refuses the device's request, in the
    // documented shape.
    let example =
        Example::read("dps/RuntimeRegistration_RegisterDeviceAndIssueCertificate_2025-07-01-preview");
    let answer =
        send(&cloud, Method::PUT, "/0ne00000000/registrations/x/register", &example, Some(json!({}))).await;
    assert_eq!(
        answer.json::<Value>().await.unwrap()["errorCode"].as_u64().map(|code| code / 1000),
        Some(400)
    );
}

#[test]
fn every_example_is_tried() {
    let folder = format!("{}/../../tests/fixtures/specs", env!("CARGO_MANIFEST_DIR"));
    let own = include_str!("specs.rs");
    for generation in std::fs::read_dir(folder).unwrap() {
        let generation = generation.unwrap().path();
        for file in std::fs::read_dir(&generation).unwrap() {
            let (file, folder) = (file.unwrap().path(), generation.file_name().unwrap().to_string_lossy());
            let name = format!("{folder}/{}", file.file_stem().unwrap().to_string_lossy());
            let is_read = own.contains(&format!("read(\"{name}\")"));
            assert!(is_read != NOT_SIMULATED.contains(&&*name), "{name}");
        }
    }
}
