//! Application Insights as a destination, and settings that name none.

use crate::telemetry::sync;
use crate::telemetry_collector::{Collector, Manner};
use crate::world::World;

#[tokio::test]
async fn application_insights_gets_the_same_with_a_token_and_no_second_request() {
    let collector = Collector::start(Manner::Takes);
    let key = "0d3f1b0a-6c0f-4a52-8a57-0c5d6f3f7f11";
    let connection =
        format!("InstrumentationKey={key};IngestionEndpoint={}/;LiveEndpoint=https://l/;", collector.url);
    let world = World::with_settings(&[
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", &connection),
        ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "ClientId=client-7;Authorization=AAD"),
    ])
    .await;
    world.fire("report-policy-status").await;
    sync(&world).await;
    let base = |envelope: &serde_json::Value| envelope["data"]["baseData"].clone();
    let envelopes = world
        .until("spans and metrics have arrived", async || {
            let envelopes = collector.look(|received| received.envelopes.clone());
            let has = |kind: &str, name: &str| {
                envelopes.iter().any(|envelope| {
                    let data = base(envelope);
                    envelope["data"]["baseType"] == kind
                        && (data["name"] == name || data["metrics"][0]["name"] == name)
                })
            };
            (has("RemoteDependencyData", "sync-policies")
                && has("RemoteDependencyData", "GET")
                && has("MetricData", "faas.invoke_duration")
                && has("MetricData", "policysync.sync_requests")
                && has("MetricData", "policysync.trust.pairs"))
            .then_some(envelopes)
        })
        .await;
    assert!(envelopes.iter().all(|envelope| envelope["iKey"] == key));
    assert!(
        envelopes.iter().all(|envelope| envelope["tags"]["ai.cloud.role"] == "policysync"),
        "{}",
        envelopes[0]
    );
    let requests = envelopes.iter().filter(|envelope| envelope["data"]["baseType"] == "RequestData").count();
    assert_eq!(requests, 0, "the host reports the request; ours would count twice");
    collector.look(|received| {
        for authorization in &received.authorizations {
            let token = authorization.as_deref().unwrap();
            assert!(token.starts_with("Bearer simulated."), "a token of the simulated identity");
        }
    });
    assert!(!world.local.explanation().contains(key), "the key is in no log line");
    world.stop().await;
}

#[tokio::test]
async fn values_that_make_no_sense_are_told_and_stop_nothing() {
    let world = World::with_settings(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", "InstrumentationKey=secret-key;IngestionEndpoint=nowhere"),
        ("RUST_LOG", "policysync=loud=louder"),
    ])
    .await;
    let said = world.local.explanation();
    for variable in ["OTEL_EXPORTER_OTLP_ENDPOINT", "APPLICATIONINSIGHTS_CONNECTION_STRING", "RUST_LOG"] {
        let told = said.lines().filter(|line| line.contains(variable) && line.contains("WARN")).count();
        assert_eq!(told, 1, "{variable}: {said}");
    }
    assert!(!said.contains("secret-key"), "{said}");
    world.fire("report-policy-status").await;
    world.stop().await;
}
