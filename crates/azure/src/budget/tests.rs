use serde_json::{Value, json};

use super::*;
use certificate_management::generation::{Generation, NamespaceGeneration};

use crate::api_version::CREDENTIALS;
use crate::arm::LongRunningOperation;
use crate::fake::{Fake, Reply, http};
use crate::http::Call;

const NAMESPACE: &str =
    "/subscriptions/AB/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

fn buckets(budget: &Budget) -> Vec<(Scope, OperationKind)> {
    budget.snapshot().into_iter().map(|bucket| (bucket.scope, bucket.kind)).collect()
}

fn subscription_of(text: &str) -> Option<String> {
    subscription(&Url::parse(&format!("https://management.azure.com{text}")).unwrap())
}

#[test]
fn the_subscription_is_found_in_every_address_that_names_one() {
    for path in [
        "/subscriptions/ab/providers/Microsoft.Devices/IotHubs?api-version=1&$skiptoken=x",
        "/Subscriptions/AB/providers/Microsoft.DeviceRegistry/locations/x/operationStatuses/1",
        "/base/subscriptions/aB",
    ] {
        assert_eq!(subscription_of(path).as_deref(), Some("ab"), "{path}");
    }
    for path in ["/", "/subscriptions", "/subscriptions/", "/tenants/ab", "/operations/1?x=/subscriptions/ab"]
    {
        assert_eq!(subscription_of(path), None, "{path}");
    }
}

#[test]
fn methods_are_counted_as_resource_manager_counts_them() {
    for (method, kind) in [
        (Method::GET, OperationKind::Read),
        (Method::HEAD, OperationKind::Read),
        (Method::PUT, OperationKind::Write),
        (Method::PATCH, OperationKind::Write),
        (Method::POST, OperationKind::Write),
        (Method::DELETE, OperationKind::Delete),
    ] {
        assert_eq!(OperationKind::of(&method), kind, "{method}");
    }
}

/// The pace of a call that `budget` limits.
fn pace(budget: &Budget, method: Method, path: &str) -> Pace {
    let url = Url::parse(&format!("https://management.azure.com{path}")).unwrap();
    budget.resource_manager(&method, &url)
}

/// The names are those of `azure-wire-facts.md` §7; for deletes outside of a subscription it has none.
#[tokio::test(start_paused = true)]
async fn each_kind_of_call_is_counted_by_a_header_of_its_own() {
    let headers = [
        "subscription-reads",
        "subscription-writes",
        "subscription-deletes",
        "tenant-reads",
        "tenant-writes",
    ];
    let calls = [
        (Method::GET, "/subscriptions/ab"),
        (Method::PUT, "/subscriptions/ab"),
        (Method::DELETE, "/subscriptions/ab"),
        (Method::GET, "/tenants"),
        (Method::PUT, "/tenants"),
        (Method::DELETE, "/tenants"),
    ];
    for (place, (method, path)) in calls.into_iter().enumerate() {
        for (number, header) in headers.into_iter().enumerate() {
            let budget = Budget::new();
            let name = format!("x-ms-ratelimit-remaining-{header}");
            let said = HeaderMap::from_iter([(name.parse().unwrap(), "60".parse().unwrap())]);
            pace(&budget, method.clone(), path).learn(StatusCode::OK, &said, None);
            let bucket = budget.snapshot().remove(0);
            let expected = if place == number { 60 } else { bucket.capacity };
            assert_eq!(bucket.left, expected, "{method} {path}, {header}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn debug_shows_each_bucket() {
    let budget = Budget::new();
    let _paces = [Method::GET, Method::PUT].map(|method| pace(&budget, method, "/subscriptions/ab"));
    let shown = format!("{budget:?}");
    assert_eq!(shown, format!("{:?}", budget.snapshot()));
    assert!(shown.contains("Read") && shown.contains("Write"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_tally_counts_the_reads_of_its_own_work() {
    let budget = Budget::new();
    let call = async |method: Method, times| {
        for _ in 0..times {
            let pace = pace(&budget, method.clone(), "/subscriptions/ab");
            pace.turn("a call".to_owned(), Instant::now()).await.unwrap();
        }
    };
    let (outer, inner) = (Tally::default(), Tally::default());
    let work = async {
        call(Method::GET, 2).await;
        call(Method::PUT, 4).await;
        inner.of(call(Method::GET, 3)).await;
        "done"
    };
    assert_eq!(outer.of(work).await, "done");
    call(Method::GET, 8).await;
    assert_eq!((outer.reads(), inner.reads()), (2, 3));
}

#[test]
fn any_minute_of_a_provisioning_service_leaves_people_a_fifth() {
    let minute = PROVISIONING.capacity - PROVISIONING.reserve() + 60 * PROVISIONING.refill_per_second;
    assert!(minute <= 800, "{minute}");
}

#[tokio::test]
async fn all_clients_of_one_identity_draw_from_one_bucket_per_subscription_and_kind() {
    let fake = Fake::start(|seen, origin| match seen.method.as_str() {
        "POST" => Reply::status(202).header("Location", format!("{origin}/subscriptions/CD/operations/1")),
        _ => Reply::json(200, json!({"value": []})),
    })
    .await;
    let azure = fake.azure();
    assert_eq!(azure.budget().snapshot(), []);
    let arm = azure.arm();
    let operation = arm.post_long_running(NAMESPACE, CREDENTIALS.device_registry).await.unwrap();
    azure.hubs().in_subscription("ab").await.unwrap();
    azure.clone().provisioning_services().in_subscription("AB", Generation::Credentials).await.unwrap();
    arm.operation_status(&operation).await.unwrap();
    arm.list::<Value>("/tenants", CREDENTIALS.device_registry).await.unwrap();
    let subscription = |id: &str| Scope::Subscription(id.to_owned());
    assert_eq!(
        buckets(azure.budget()),
        [
            (subscription("ab"), OperationKind::Read),
            (subscription("ab"), OperationKind::Write),
            (subscription("cd"), OperationKind::Read),
            (Scope::Tenant, OperationKind::Read),
        ]
    );
    let capacities: Vec<_> = azure.budget().snapshot().iter().map(|bucket| bucket.capacity).collect();
    assert_eq!(capacities, [250, 200, 250, 250]);
    assert_eq!(azure.budget().snapshot()[1].waiting, 0);
}

#[tokio::test]
async fn each_provisioning_service_has_a_bucket_of_its_own_however_it_is_written() {
    let fake = Fake::start(|_, _| Reply::json(200, json!([]))).await;
    let (azure, place) = (fake.azure(), fake.origin.trim_start_matches("http://"));
    let groups = azure.enrollment_groups(NamespaceGeneration::Credentials);
    for endpoint in [format!("{place}/dps/a"), format!("http://{place}/dps/a/"), format!("{place}/dps/b")] {
        groups.list(&endpoint).await.unwrap();
    }
    let service = |name| (Scope::ProvisioningService(format!("{place}/dps/{name}")), OperationKind::Any);
    assert_eq!(buckets(azure.budget()), [service("a"), service("b")]);
}

#[tokio::test]
async fn a_provisioning_service_that_throttles_is_left_alone_and_the_others_are_not() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 => Reply::status(429).header("Retry-After", 600),
        _ => Reply::json(200, json!([])),
    })
    .await;
    let azure = fake.azure();
    let (groups, other) =
        (azure.enrollment_groups(NamespaceGeneration::Credentials), format!("{}/dps/b", fake.origin));
    groups.list(&fake.origin).await.unwrap_err();
    let error = groups.get(&fake.origin, "a").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Throttled { retry_after: Some(_) }), "{error}");
    assert_eq!((error.sent(), fake.seen().len()), (Sent::No, 1));
    groups.list(&other).await.unwrap();
    let place = fake.origin.trim_start_matches("http://");
    let throttled = &azure.budget().snapshot()[0];
    assert_eq!(throttled.scope, Scope::ProvisioningService(place.to_owned()));
    assert_eq!((throttled.throttled_total, throttled.put_off_total), (1, 1));
}

#[tokio::test]
async fn what_the_service_says_is_left_counts_for_its_own_kind_if_it_is_less() {
    let fake = Fake::start(|seen, _| {
        let said = match seen.number {
            0 => "70",
            1 => "11999",
            _ => "soon",
        };
        Reply::json(200, json!({}))
            .header("x-ms-ratelimit-remaining-subscription-reads", said)
            .header("x-ms-ratelimit-remaining-subscription-writes", "1")
    })
    .await;
    let azure = fake.azure();
    for _ in 0..3 {
        azure.arm().get(NAMESPACE, CREDENTIALS.device_registry).await.unwrap();
        let left = azure.budget().snapshot()[0].left;
        // Above 70 there is only the refill of the test's own time, which may be a few seconds on a slow machine.
        assert!((60..200).contains(&left), "{left}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_asks_for_a_day_is_asked_again_after_the_longest_pause() {
    let turnstile = turnstile::Turnstile::new(READS);
    let day = Duration::from_secs(24 * 3600);
    let in_time = Instant::now() + Duration::from_secs(301);
    for asked in [day, Duration::from_secs(900_000_000_000), Duration::MAX] {
        turnstile.learn(Some(Some(asked)), None);
    }
    assert!(turnstile.pass(Instant::now() + Duration::from_secs(299)).await.is_err());
    turnstile.pass(in_time).await.unwrap();
}

#[tokio::test]
async fn a_throttle_closes_its_bucket_and_no_other_and_nothing_is_sent_until_then() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 => Reply::status(429).header("Retry-After", 600),
        _ => Reply::json(200, json!({})),
    })
    .await;
    let (azure, version) = (fake.azure(), CREDENTIALS.device_registry);
    let arm = azure.arm();
    let error = arm.get(NAMESPACE, version).await.unwrap_err();
    assert_eq!((error.retry_after(), error.sent()), (Some(Duration::from_secs(300)), Sent::Yes));
    let error = arm.get(NAMESPACE, version).await.unwrap_err();
    assert!(error.is_retryable() && !error.may_have_taken_effect());
    assert_eq!((error.sent(), error.status(), fake.seen().len()), (Sent::No, None, 1));
    let wait = error.retry_after().unwrap();
    assert!((290..=300).contains(&wait.as_secs()), "{wait:?}");
    assert!(error.message().starts_with("not sent, since the budget of reads in subscription ab"), "{error}");
    arm.post_long_running(NAMESPACE, version).await.unwrap();
    arm.get("/subscriptions/CD", version).await.unwrap();
    let reads = &azure.budget().snapshot()[0];
    assert_eq!((reads.throttled_total, reads.put_off_total, reads.waiting), (1, 1, 0));
}

#[tokio::test]
async fn a_throttle_that_one_call_waits_out_holds_the_others_back_too() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 => Reply::status(429).header("Retry-After", 1),
        _ => Reply::json(200, json!({})),
    })
    .await;
    let azure = fake.azure();
    let arm = azure.arm();
    let read = || arm.get(NAMESPACE, CREDENTIALS.device_registry);
    let started = Instant::now();
    let other = async {
        while azure.budget().snapshot().is_empty() || azure.budget().snapshot()[0].throttled_total == 0 {
            tokio::task::yield_now().await;
        }
        read().await.map(|_| started.elapsed())
    };
    let both = async { tokio::join!(read(), other) };
    let (first, other) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    first.unwrap();
    assert!(other.unwrap() >= Duration::from_secs(1));
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn a_write_that_is_put_off_between_attempts_stays_in_doubt() {
    // After an answer that nothing is left, the next turn is 4.1 s away. Of its 5 s the call keeps a third for the
    // answer.
    let fake =
        Fake::start(|_, _| Reply::status(500).header("x-ms-ratelimit-remaining-subscription-writes", 0))
            .await;
    let url = Url::parse(&format!("{}{NAMESPACE}", fake.origin)).unwrap();
    let pace = Budget::new().resource_manager(&Method::PUT, &url);
    let call = Call::new(Method::PUT, url).repeatable().deadline(Duration::from_secs(5)).paced(pace);
    let error = http().send(call).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Throttled { retry_after: Some(_) }), "{error}");
    assert_eq!((error.sent(), fake.seen().len()), (Sent::Maybe, 1));
}

#[tokio::test]
async fn an_operation_without_an_address_costs_nothing() {
    let fake = Fake::start(|_, _| Reply::status(200)).await;
    let azure = fake.azure();
    let operation = LongRunningOperation::default();
    azure.arm().operation_status(&operation).await.unwrap();
    assert_eq!(azure.budget().snapshot(), []);
}
