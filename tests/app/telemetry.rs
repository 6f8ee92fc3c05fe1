//! Traces and metrics at a collector, and no harm from one that is gone, hangs or lies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use policysync::commands::laptop::local_world::{Schedules, app_settings};
use policysync::telemetry::names::{Kind, METRICS, SPANS, SpanName};
use serde_json::json;

use crate::telemetry_collector::{Collector, Manner, attribute, points};
use crate::world::{World, clock};

const NAMESPACE: &str = "contoso-logistics";

async fn exporting_to(collector: &Collector) -> World {
    World::with_settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)]).await
}

fn started(span: &Span) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(span.start_time_unix_nano)
}

fn ended(span: &Span) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(span.end_time_unix_nano)
}

fn kind_of(span: &Span) -> &'static str {
    match span.kind() {
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Internal => "internal",
        other => panic!("{other:?}"),
    }
}

/// Rotates a policy, asks for a sync, and waits for the proof.
pub async fn sync(world: &World) -> String {
    let namespace = world.namespace(NAMESPACE).await;
    world.rotate(namespace["policies"][0].as_str().unwrap()).await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    let outcome = world.outcome(&id).await;
    assert_eq!(outcome["outcome"], "trusted", "{outcome}");
    id
}

#[tokio::test]
async fn metrics_arrive_with_the_names_units_kinds_and_attributes_of_the_table() {
    let collector = Collector::start(Manner::Takes);
    let world = exporting_to(&collector).await;
    world.fire("report-policy-status").await;
    sync(&world).await;
    // Metrics of failures and drops have no points, since nothing failed; every other metric has to be there.
    let expected: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    let seen = async || {
        let seen: BTreeSet<String> = collector.metrics().into_iter().map(|metric| metric.name).collect();
        (seen.len() == expected.len()).then_some(seen)
    };
    let seen = world.until("every metric has arrived", seen).await;
    assert_eq!(seen.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    for metric in collector.metrics() {
        let known = METRICS.iter().find(|known| known.name == metric.name).unwrap();
        assert_eq!(metric.unit, known.unit, "{}", metric.name);
        assert_eq!(metric.description, known.description);
        let kind = match metric.data.as_ref().unwrap() {
            Data::Gauge(_) => Kind::Gauge,
            Data::Sum(sum) if sum.is_monotonic => Kind::Counter,
            Data::Histogram(_) => Kind::Histogram,
            other => panic!("{}: {other:?}", metric.name),
        };
        assert_eq!(kind, known.kind, "{}", metric.name);
        for (attributes, _) in points(&metric) {
            for attribute in attributes {
                assert!(
                    known.attributes.contains(&attribute.key.as_str()),
                    "{}: {}",
                    metric.name,
                    attribute.key
                );
            }
        }
    }
    let value = |name: &str, wanted: &[(&str, &str)]| -> Option<f64> {
        let metrics = collector.metrics();
        let newest = metrics.iter().rev().filter(|metric| metric.name == name);
        newest.flat_map(points).find_map(|(attributes, value)| {
            let fits = |(name, value): &(&str, &str)| attribute(&attributes, name).as_deref() == Some(*value);
            wanted.iter().all(fits).then_some(value)
        })
    };
    assert_eq!(value("policysync.sync_requests", &[("policysync.outcome", "trusted")]), Some(1.0));
    assert_eq!(value("policysync.sync.duration", &[("policysync.outcome", "trusted")]), Some(1.0));
    let report = [("faas.name", "report-policy-status"), ("faas.trigger", "timer"), ("outcome", "succeeded")];
    assert_eq!(value("faas.invoke_duration", &report), Some(1.0));
    let left = [("policysync.budget.operation", "read")];
    assert!(value("policysync.budget.remaining", &left).unwrap() > 100.0);
    assert_eq!(value("policysync.budget.throttled", &left), Some(0.0));
    let calls = [("http.request.method", "POST"), ("http.response.status_code", "202")];
    assert!(value("http.client.request.duration", &calls).is_some());
    world.stop().await;
}

#[tokio::test]
async fn spans_and_metrics_arrive_within_about_a_second() {
    let collector = Collector::start(Manner::Takes);
    let world = exporting_to(&collector).await;
    let mut fastest = (Duration::MAX, Duration::MAX);
    // Other tests run beside this one, so the best of several tries shows how fast the program is.
    for times in 1..=5 {
        let since = SystemTime::now();
        world.fire("report-policy-status").await;
        let arrived = world.until("the invocation has arrived", async || {
            collector.look(|received| {
                let mut spans = received.spans.iter();
                let (at, span) =
                    spans.find(|(_, span)| span.name == "report-policy-status" && started(span) > since)?;
                // Waits for the export that counts this invocation, not for one that was on its way.
                let counts_it = |(attributes, count): &(Vec<KeyValue>, f64)| {
                    attribute(attributes, "faas.name").as_deref() == Some("report-policy-status")
                        && *count >= f64::from(times)
                };
                let measured = received.metrics.iter().find(|(_, metric)| {
                    metric.name == "faas.invoke_duration" && points(metric).iter().any(counts_it)
                })?;
                Some((at.duration_since(ended(span)).ok()?, measured.0.duration_since(ended(span)).ok()?))
            })
        });
        let (span, metric) = arrived.await;
        fastest = (fastest.0.min(span), fastest.1.min(metric));
    }
    println!(
        "after the end of an invocation its span arrived in {:?}, its metric in {:?}",
        fastest.0, fastest.1
    );
    assert!(fastest.0 < Duration::from_secs(1), "the span took {:?}", fastest.0);
    assert!(fastest.1 < Duration::from_secs(1), "the metric took {:?}", fastest.1);
    world.stop().await;
}

#[tokio::test]
async fn a_request_is_one_trace_from_submit_to_evidence_and_its_batches_link_to_it() {
    let collector = Collector::start(Manner::Takes);
    let world = exporting_to(&collector).await;
    let id = sync(&world).await;
    let submitted = world
        .until("the submission has arrived", async || {
            collector.spans().into_iter().find(|span| {
                span.name == "send sync-requests"
                    && attribute(&span.attributes, "messaging.message.id") == Some(id.clone())
            })
        })
        .await;
    let trace = submitted.trace_id.clone();
    let of_trace = || -> Vec<Span> {
        let spans = collector.spans().into_iter();
        spans.filter(|span| span.trace_id == trace).collect()
    };
    let posted = |span: &Span| {
        span.name == "POST" && attribute(&span.attributes, "url.full").unwrap().ends_with("/synchronize")
    };
    world
        .until("the trace is complete", async || {
            let spans = of_trace();
            let ends = spans.iter().any(|span| {
                // The hubs were read after the sync was posted: that is the evidence.
                let is_read =
                    attribute(&span.attributes, "url.full").is_some_and(|url| url.contains("/certificates"));
                is_read && spans.iter().any(|post| posted(post) && ended(post) < started(span))
            });
            ends.then_some(())
        })
        .await;
    let spans = of_trace();
    for span in &spans {
        let fits = |known: &&SpanName| {
            let fixed = known.name.split('{').next().unwrap();
            kind_of(span) == known.kind && span.name.starts_with(fixed)
        };
        let known = SPANS.iter().find(fits).unwrap_or_else(|| panic!("not in the table: {span:?}"));
        for attribute in &span.attributes {
            assert!(known.attributes.contains(&attribute.key.as_str()), "{}: {}", span.name, attribute.key);
        }
    }
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let invocation = named("sync-requests");
    let [invocation] = invocation[..] else { panic!("one invocation submits: {invocation:?}") };
    assert_eq!(invocation.kind, SpanKind::Server as i32);
    assert_eq!(attribute(&invocation.attributes, "faas.trigger").as_deref(), Some("http"));
    assert_eq!(attribute(&invocation.attributes, "outcome").as_deref(), Some("succeeded"));
    assert_eq!(submitted.kind, SpanKind::Producer as i32);
    assert_eq!(submitted.parent_span_id, invocation.span_id);
    assert_eq!(attribute(&submitted.attributes, "messaging.system").as_deref(), Some("servicebus"));
    let post = spans.iter().find(|span| posted(span)).unwrap();
    assert_eq!(post.kind, SpanKind::Client as i32);
    assert_eq!(attribute(&post.attributes, "http.response.status_code").as_deref(), Some("202"));
    assert!(!attribute(&post.attributes, "url.full").unwrap().contains('?'), "the query stays here");
    let steps: Vec<&Span> = spans.iter().filter(|span| span.name.starts_with("sync ")).collect();
    assert!(
        steps.iter().any(|span| span.name == "sync join")
            && steps.iter().any(|span| span.name == "sync look")
    );
    let batches: Vec<Span> =
        collector.spans().into_iter().filter(|span| span.name == "sync-policies").collect();
    for step in steps {
        let [link] = &step.links[..] else { panic!("a step links to its invocation: {step:?}") };
        let batch = batches.iter().find(|batch| batch.span_id == link.span_id).unwrap();
        assert_ne!(batch.trace_id, trace, "a batch is in the trace of the host");
        assert!(batch.links.iter().any(|link| link.trace_id == trace), "{batch:?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_resource_says_who_sends_and_the_standard_variables_are_heard() {
    let collector = Collector::start(Manner::Takes);
    let world = World::with_settings(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &format!("{}/v1/traces", collector.url)),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=for-the-test"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ("WEBSITE_SITE_NAME", "func-policysync"),
        ("REGION_NAME", "West Europe"),
        ("WEBSITE_INSTANCE_ID", "instance-1"),
    ])
    .await;
    world.fire("report-policy-status").await;
    world.until("spans have arrived", async || (!collector.spans().is_empty()).then_some(())).await;
    let resource = collector.look(|received| received.resources[0].clone());
    for (name, value) in [
        ("service.name", "policysync"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", "instance-1"),
        ("cloud.provider", "azure"),
        ("cloud.region", "West Europe"),
        ("faas.name", "func-policysync"),
        ("deployment.environment.name", "test"),
    ] {
        assert_eq!(attribute(&resource, name).as_deref(), Some(value), "{name}");
    }
    collector.look(|received| {
        assert!(received.headers.iter().all(|headers| headers["api-key"] == "for-the-test"));
        assert!(received.metrics.is_empty(), "only traces have an endpoint");
    });
    world.stop().await;
}

/// Does what an operator does in a day; answers the longest time that a reply of the app took.
async fn a_days_work(world: &World) -> Duration {
    let mut slowest = Duration::ZERO;
    let mut timed = async |function: &str| {
        let report = world.local.host.fire(function, None).await.unwrap();
        assert!(report.succeeded(), "{function}: {:?}{}", report.error, world.local.explanation());
        slowest = slowest.max(report.duration);
    };
    timed("report-policy-status").await;
    timed("reconcile-assignments").await;
    sync(world).await;
    timed("report-policy-status").await;
    slowest
}

#[tokio::test]
async fn a_collector_that_hangs_refuses_or_lies_changes_no_outcome_and_delays_no_reply() {
    for manner in [Manner::Hangs, Manner::Refuses, Manner::Lies] {
        let collector = Collector::start(manner);
        let connection = format!("InstrumentationKey=4e5f;IngestionEndpoint={}", collector.url);
        let world = World::with_settings(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            ("APPLICATIONINSIGHTS_CONNECTION_STRING", &connection),
        ])
        .await;
        let slowest = a_days_work(&world).await;
        assert!(collector.look(|received| received.requests) > 0, "{manner:?}: it was asked");
        // Each try takes five seconds before it is given up; a reply that waited for one would take longer.
        assert!(slowest < Duration::from_secs(4), "{manner:?}: a reply took {slowest:?}");
        world.stop().await;
    }
}

#[tokio::test]
async fn the_end_waits_for_what_is_left_and_no_longer_than_two_seconds() {
    for manner in [Manner::Takes, Manner::Hangs] {
        let collector = Collector::start(manner);
        let world = World::default().await;
        let connection = format!("InstrumentationKey=4e5f;IngestionEndpoint={}", collector.url);
        let port = functions_host_stand_in::free_port().unwrap();
        let mut serve = tokio::process::Command::new(env!("CARGO_BIN_EXE_policysync"))
            .arg("serve")
            .env_clear()
            .envs(clock())
            .envs(app_settings(world.local.simulator.url(), Schedules::default()))
            .env("POLICYSYNC_CONFIG", &world.local.configured)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
            .env("APPLICATIONINSIGHTS_CONNECTION_STRING", &connection)
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let handler = format!("http://127.0.0.1:{port}/no-such-function");
        world.until("it serves", async || world.client.post(&handler).send().await.ok()).await;
        let pid = serve.id().unwrap().to_string();
        let since = Instant::now();
        assert!(std::process::Command::new("kill").arg(&pid).status().unwrap().success());
        let status = serve.wait().await.unwrap();
        let took = since.elapsed();
        assert_eq!(status.code(), Some(143), "the signal decides the status, not the collector");
        // A second or two more than the deadline, for a machine that is busy with other tests.
        assert!(took < Duration::from_secs(4), "{manner:?}: the end took {took:?}");
        if manner == Manner::Takes {
            let spans = collector.spans();
            assert!(spans.iter().any(|span| span.name == "no-such-function"), "what was left is delivered");
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn killing_the_collector_in_the_middle_changes_no_outcome_and_is_told_once() {
    let mut collector = Collector::start(Manner::Takes);
    let world = exporting_to(&collector).await;
    world.fire("report-policy-status").await;
    world.until("spans have arrived", async || (!collector.spans().is_empty()).then_some(())).await;
    let namespace = world.namespace(NAMESPACE).await;
    world.rotate(namespace["policies"][0].as_str().unwrap()).await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    collector.kill();
    let told = |line: &&str| line.contains("telemetry is not delivered") && line.contains("traces to otlp");
    // The first export that fails says so. The world shows its last lines only, so they are read at once.
    world
        .until("it is told", async || world.local.explanation().lines().any(|line| told(&line)).then_some(()))
        .await;
    assert_eq!(world.outcome(&id).await["outcome"], "trusted");
    a_days_work(&world).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        world.fire("report-policy-status").await;
    }
    let said = world.local.explanation();
    assert_eq!(said.lines().filter(told).count(), 0, "once is enough: {said}");
    world.stop().await;
}
