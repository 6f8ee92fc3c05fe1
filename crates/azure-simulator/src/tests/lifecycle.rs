//! The controls over the life of certificate authorities, from outside.

use serde_json::json;

use super::*;
use crate::fleet::Fleet;

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
const HUB: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/hub-a";
const FLEET: &str = r#"
subscription = "S"
location = "East US 2"
[lifecycle]
operation_end = "no-content"
[[namespace]]
name = "contoso"
resource_group = "R"
generation = "certificate-authorities"
[[namespace.certificate_authority]]
name = "factory-root"
type = "root"
[[namespace.certificate_authority]]
name = "factory-ica"
type = "issuing"
validity_days = 20
policy = { name = "short-lived", leaf_validity_days = 7 }
[[namespace.hub]]
name = "hub-a"
"#;

async fn served() -> Caller {
    Caller::with(Options { fleet: Fleet::from_toml(FLEET).unwrap(), ..Options::default() }).await
}

fn ica() -> String {
    format!("{NAMESPACE}/certificateAuthorities/factory-ica")
}

impl Caller {
    async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.request(method, path).json(body).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn rotate_and_wait(&self) -> (u16, Value) {
        let rotate = format!("{}/revokeAndRotate?api-version=2026-11-01", ica());
        let started = self.request(Method::POST, &rotate).send().await.unwrap();
        let location = header(&started, "location").unwrap();
        self.simulator.advance(time::Duration::seconds(5));
        let path = location.strip_prefix(self.simulator.url()).unwrap().to_owned();
        self.ask(Method::GET, &path, &Value::Null).await
    }

    async fn certificates(&self) -> usize {
        let list = self.json(&format!("{HUB}/certificates?api-version=2026-11-01")).await;
        list["value"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn the_choices_of_a_fleet_are_shown_and_changed_while_it_runs() {
    let cloud = served().await;
    assert_eq!(cloud.json("/simulator/lifecycle").await["operation_end"], "no-content");
    assert_eq!(cloud.rotate_and_wait().await, (204, Value::Null));
    let chosen = json!({"operation_end": "status", "renewal_window_days": 3});
    let (status, answer) = cloud.ask(Method::PUT, "/simulator/lifecycle", &chosen).await;
    assert_eq!((status, &answer["renewal_window_days"]), (200, &json!(3)));
    assert_eq!(cloud.rotate_and_wait().await.1["status"], "Succeeded");
    for (wrong, member) in [
        (json!({"renewal_window_days": 0}), "renewal_window_days"),
        (json!({"path_length": 256}), "path_length"),
        (json!({"operation_end": "later"}), "later"),
        (json!({"operationEnd": "status"}), "operationEnd"),
    ] {
        let (status, answer) = cloud.ask(Method::PUT, "/simulator/lifecycle", &wrong).await;
        assert!(status == 400 && answer["error"]["message"].as_str().unwrap().contains(member), "{answer}");
    }
    assert_eq!(cloud.json("/simulator/lifecycle").await, answer);
}

#[tokio::test]
async fn a_wrong_choice_in_a_fleet_file_is_named() {
    let wrong = FLEET.replace("operation_end = \"no-content\"", "renewal_window_days = 4000");
    let error = Fleet::from_toml(&wrong).unwrap_err().to_string();
    assert!(error.contains("lifecycle / renewal_window_days"), "{error}");
}

#[tokio::test]
async fn a_ca_is_renewed_and_brought_near_its_end() {
    let cloud = served().await;
    cloud.simulator.advance(time::Duration::DAY);
    let (status, _) = cloud.ask(Method::POST, "/simulator/renew", &json!({"id": ica()})).await;
    assert_eq!(status, 200);
    cloud.simulator.advance(time::Duration::seconds(5));
    assert_eq!(cloud.certificates().await, 2);
    let expire = json!({"id": ica(), "secondsBefore": 60});
    let (status, now) = cloud.ask(Method::POST, "/simulator/expire", &expire).await;
    assert_eq!(status, 200, "{now}");
    assert_eq!(cloud.certificates().await, 1, "the certificate before is gone");
    let authority = cloud.json(&format!("{}?api-version=2026-11-01", ica())).await;
    let read = |text: &Value| {
        OffsetDateTime::parse(text.as_str().unwrap(), &time::format_description::well_known::Rfc3339).unwrap()
    };
    let left = read(&authority["properties"]["validityNotAfter"]) - read(&now["now"]);
    assert!((left - time::Duration::seconds(60)).abs() < time::Duration::seconds(20), "{left}");
    let past = json!({"id": ica(), "secondsBefore": 86_400});
    assert_eq!(
        cloud.ask(Method::POST, "/simulator/expire", &past).await.0,
        400,
        "the clock does not go back"
    );
    for path in ["/simulator/expire", "/simulator/renew"] {
        assert_eq!(cloud.ask(Method::POST, path, &json!({"id": "/none"})).await.0, 404);
        assert_eq!(cloud.ask(Method::POST, path, &json!({"policyId": ica()})).await.0, 400);
    }
}

#[tokio::test]
async fn a_state_an_operation_a_role_and_a_right_are_taken_away() {
    let cloud = served().await;
    for id in [
        NAMESPACE.to_owned(),
        ica(),
        format!("{NAMESPACE}/certificateAuthorities/FACTORY-root"),
        format!("{}/certificatePolicies/short-lived", ica()),
    ] {
        let put = json!({"id": id, "state": "Failed"});
        assert_eq!(cloud.ask(Method::PUT, "/simulator/provisioning-state", &put).await.0, 200, "{id}");
        let shown = cloud.json(&format!("{id}?api-version=2026-11-01")).await;
        assert_eq!(shown["properties"]["provisioningState"], "Failed", "{id}");
    }
    let gone = json!({"id": format!("{NAMESPACE}x"), "state": "Failed"});
    assert_eq!(cloud.ask(Method::PUT, "/simulator/provisioning-state", &gone).await.0, 404);
    let wrong = json!({"id": NAMESPACE, "state": "Broken"});
    assert_eq!(cloud.ask(Method::PUT, "/simulator/provisioning-state", &wrong).await.0, 400);

    let ends = json!({"id": ica(), "code": "Quota"});
    assert_eq!(cloud.ask(Method::POST, "/simulator/operation-ends", &ends).await.0, 200);
    assert_eq!(cloud.rotate_and_wait().await.1["error"]["code"], "Quota");
    assert_eq!(cloud.ask(Method::POST, "/simulator/operation-ends", &json!({"id": ica()})).await.0, 200);
    assert_eq!(cloud.rotate_and_wait().await.1["status"], "Canceled");

    let right = "Microsoft.DeviceRegistry/locations/asyncOperationStatuses/read";
    cloud.ask(Method::PUT, "/simulator/permissions", &json!({"notActions": [right]})).await;
    let (status, refused) = cloud.rotate_and_wait().await;
    assert_eq!((status, &refused["error"]["code"]), (403, &json!("AuthorizationFailed")));
    cloud.ask(Method::PUT, "/simulator/permissions", &json!({})).await;

    let made = json!({"id": ica(), "state": "Succeeded"});
    cloud.ask(Method::PUT, "/simulator/provisioning-state", &made).await;
    let shown =
        async || cloud.json(&format!("{HUB}/certificates?api-version=2026-11-01")).await["value"][0].clone();
    let before = shown().await;
    let role = |granted: bool| json!({"id": HUB, "granted": granted});
    assert_eq!(cloud.ask(Method::PUT, "/simulator/hub-role", &role(false)).await.0, 200);
    cloud.rotate_and_wait().await;
    assert_eq!(shown().await, before, "the push does not get there");
    cloud.ask(Method::PUT, "/simulator/hub-role", &role(true)).await;
    cloud.rotate_and_wait().await;
    assert_ne!(shown().await, before);
    let none = json!({"id": "/none", "granted": true});
    assert_eq!(cloud.ask(Method::PUT, "/simulator/hub-role", &none).await.0, 404);
}
