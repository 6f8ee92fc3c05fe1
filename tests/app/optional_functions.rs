//! Functions that only some packages have: their triggers cannot fire here, so the tests post what the host would post.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::World;

/// A group of the default fleet that has no policy yet, so that no diagnostic record is on its way.
const GROUP: (&str, &str) = ("contoso-plants-dps", "warehouse-gates");

/// Posts a batch of event hub records to a function, as the host does.
async fn fire(world: &World, function: &str, binding: &str, records: &[&str]) {
    let data = json!({binding: json!(records).to_string()});
    let body = json!({"Data": data, "Metadata": {}}).to_string();
    let request = world.client.post(format!("{}/{function}", world.handler_url()));
    let request = request
        .header("X-Azure-Functions-InvocationId", "2b0e1a54-93fb-4c60-8d0c-6a5a3f6f7f11")
        .header("Content-Type", "application/json; charset=utf-8");
    let answer = request.body(body).send().await.unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{function}: {status} {}", answer.text().await.unwrap());
}

async fn policy(world: &World) -> Option<String> {
    let (_, found) = world.group(GROUP.0, GROUP.1, Method::GET, None).await;
    found["credentialPolicyName"].as_str().map(str::to_owned)
}

fn created() -> Value {
    json!({"specversion": "1.0", "id": "e-1", "source": "pipeline", "type": "Policysync.EnrollmentGroup.Created",
        "data": {"enrollmentGroupId": GROUP.1, "provisioningService": format!("{}.azure-devices-provisioning.net", GROUP.0)}})
}

#[tokio::test]
async fn a_created_event_that_came_through_an_event_hub_leads_to_the_group_and_its_neighbours_do_no_harm() {
    let world = World::default().await;
    let of_another_schema = json!([{"id": "e-2", "eventType": "Contoso.Something", "subject": "x", "data": {},
        "eventTime": "2026-11-25T10:00:00Z", "dataVersion": "1"}]);
    let records =
        [created().to_string(), of_another_schema.to_string(), "no json".to_owned(), "7".to_owned()];
    fire(&world, "handle-streamed-events", "events", &records.each_ref().map(String::as_str)).await;
    assert_eq!(policy(&world).await.as_deref(), Some("default"));
    world.stop().await;
}

#[tokio::test]
async fn the_diagnostic_records_of_another_region_lead_to_the_group_too() {
    let world = World::default().await;
    let record = json!({"records": [{"time": "2026-11-25T10:00:00Z", "category": "ServiceOperations", "operationName": "Upsert",
        "resourceId": format!("/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.DEVICES/PROVISIONINGSERVICES/{}", GROUP.0.to_uppercase()),
        "resultType": "Success", "properties": json!({"id": GROUP.1, "type": "EnrollmentGroup", "protocol": "Http"}).to_string()}]});
    fire(&world, "assign-policy-2", "records", &[&record.to_string()]).await;
    assert_eq!(policy(&world).await.as_deref(), Some("default"));
    world.stop().await;
}
