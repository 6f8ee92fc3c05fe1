use std::time::Duration;

use serde_json::json;

use super::*;
use crate::api_version::CREDENTIALS;
use crate::fake::{Fake, Reply, TOKEN};

const VERSION: ApiVersion = CREDENTIALS.device_registry;
const LIST: &str = "/subscriptions/S/providers/Microsoft.Devices/IotHubs";
const ACTION: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso/credentials/default/synchronize";

#[tokio::test]
async fn a_read_carries_the_token_and_the_version() {
    let fake = Fake::start(|_, _| Reply::json(200, json!({"name": "contoso"}))).await;
    let body = fake.azure().arm().get(LIST, VERSION).await.unwrap();
    assert_eq!(body, json!({"name": "contoso"}));
    let seen = &fake.seen()[0];
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!((seen.path.as_str(), seen.query.as_str()), (LIST, "api-version=2026-03-01-preview"));
}

#[tokio::test]
async fn a_list_is_read_page_after_page() {
    let fake = Fake::start(|seen, origin| match seen.number {
        0 => Reply::json(200, json!({"value": [1, 2], "nextLink": format!("{origin}{LIST}?page=2")})),
        1 => Reply::json(200, json!({"value": [], "nextLink": format!("{origin}{LIST}?page=3")})),
        2 => Reply::json(200, json!({"value": [3], "nextLink": null})),
        _ => Reply::status(500),
    })
    .await;
    assert_eq!(fake.azure().arm().list::<u32>(LIST, VERSION).await.unwrap(), [1, 2, 3]);
    let queries: Vec<_> = fake.seen().into_iter().map(|seen| seen.query).collect();
    assert_eq!(queries, ["api-version=2026-03-01-preview", "page=2", "page=3"]);
}

#[tokio::test]
async fn a_page_is_read_and_gone_before_the_next_one_is_asked_for() {
    let fake = Fake::start(|seen, origin| match seen.number {
        0 => Reply::json(200, json!({"value": [1, 2], "nextLink": format!("{origin}{LIST}?page=2")})),
        _ => Reply::json(200, json!({"value": [3]})),
    })
    .await;
    let asked_until_then = |number: u32| (number != 2).then(|| fake.seen().len());
    let read = fake.azure().arm().list_of(LIST, VERSION, asked_until_then).await.unwrap();
    assert_eq!(read, [1, 2]);
}

#[tokio::test]
async fn a_next_link_that_was_read_already_ends_the_list_with_an_error() {
    let fake = Fake::start(|seen, origin| {
        let page = (seen.number % 2) + 1;
        Reply::json(200, json!({"value": [0], "nextLink": format!("{origin}{LIST}?page={page}")}))
    })
    .await;
    let error = fake.azure().arm().list::<u32>(LIST, VERSION).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let fake = Fake::start(|seen, origin| {
        Reply::json(200, json!({"value": [0], "nextLink": format!("{origin}{LIST}?page={}", seen.number)}))
    })
    .await;
    let error = fake.azure().arm().list::<u32>(LIST, VERSION).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
    assert_eq!(fake.seen().len(), MAX_PAGES);
}

#[tokio::test]
async fn a_next_link_outside_the_cloud_is_refused_and_nothing_is_sent_there() {
    let elsewhere = Fake::start(|_, _| Reply::json(200, json!({"value": [2]}))).await;
    let link = format!("{}/page", elsewhere.origin);
    let fake = Fake::start(move |_, _| Reply::json(200, json!({"value": [1], "nextLink": link}))).await;
    let error = fake.azure().arm().list::<u32>(LIST, VERSION).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Untrusted, Sent::No));
    assert_eq!(elsewhere.seen().len(), 0);
}

#[tokio::test]
async fn a_page_without_a_list_is_unreadable() {
    for body in ["{}", "[]", "not json", r#"{"value":{}}"#] {
        let fake = Fake::start(move |_, _| Reply::text(200, body)).await;
        let error = fake.azure().arm().list::<u32>(LIST, VERSION).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreadable, "{body}");
    }
}

#[tokio::test]
async fn an_operation_asks_for_no_longer_pause_than_is_believed() {
    let fake = Fake::start(|_, origin| {
        Reply::status(202)
            .header("Location", format!("{origin}/operations/1"))
            .header("Retry-After", 900_000_000_000_u64)
    })
    .await;
    let arm = fake.azure().arm();
    let started = arm.post_long_running(ACTION, VERSION).await.unwrap();
    assert_eq!(started.retry_after_seconds, Some(300));
    let running = OperationStatus::Running { retry_after: Some(Duration::from_secs(300)) };
    assert_eq!(arm.operation_status(&started).await.unwrap(), running);
}

#[tokio::test]
async fn an_operation_is_a_value_that_another_process_can_follow() {
    let fake = Fake::start(|seen, origin| match seen.number {
        0 => Reply::status(202)
            .header("Location", format!("{origin}/operations/1?api-version=2026-03-01-preview&t=signature"))
            .header("Retry-After", 10),
        1 => Reply::status(202).header("Retry-After", 7),
        _ => Reply::json(200, json!({"status": "Succeeded"})),
    })
    .await;
    let started = fake.azure().arm().post_long_running(ACTION, VERSION).await.unwrap();
    let post = &fake.seen()[0];
    assert_eq!((post.method.as_str(), post.path.as_str()), ("POST", ACTION));
    assert_eq!((post.header("content-length"), post.body.as_str()), (Some("0"), ""));
    assert_eq!(started.retry_after_seconds, Some(10));
    assert!(!format!("{started:?}").contains("signature"));

    // Another process may ask.
    let resumed = started.clone();
    let arm = fake.azure().arm();
    let running = OperationStatus::Running { retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(arm.operation_status(&resumed).await.unwrap(), running);
    assert_eq!(arm.operation_status(&resumed).await.unwrap(), OperationStatus::Succeeded);
    assert_eq!(fake.calls()[1..], ["GET /operations/1", "GET /operations/1"]);
    assert_eq!(fake.seen()[2].query, "api-version=2026-03-01-preview&t=signature");
}

#[tokio::test]
async fn azure_asyncoperation_wins_over_location() {
    let fake = Fake::start(|_, origin| {
        Reply::status(202)
            .header("Location", format!("{origin}/result"))
            .header("Azure-AsyncOperation", format!("{origin}/status"))
    })
    .await;
    let operation = fake.azure().arm().post_long_running(ACTION, VERSION).await.unwrap();
    assert_eq!(operation.url.unwrap().path(), "/status");
}

#[tokio::test]
async fn an_operation_outside_the_cloud_is_refused_but_counts_as_started() {
    let fake =
        Fake::start(|_, _| Reply::status(202).header("Location", "https://contoso.com/operationstatus"))
            .await;
    let error = fake.azure().arm().post_long_running(ACTION, VERSION).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Untrusted, Sent::Yes));
    assert!(error.may_have_taken_effect());

    let url = Some(Url::parse("https://contoso.com/operationstatus").unwrap());
    let operation = LongRunningOperation { url, ..LongRunningOperation::default() };
    let error = fake.azure().arm().operation_status(&operation).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Untrusted, Sent::No));
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn an_operation_that_is_done_at_once_needs_no_question_and_one_without_a_place_is_unknown() {
    for (status, expected) in [(204, OperationStatus::Succeeded), (202, OperationStatus::Unknown)] {
        let fake = Fake::start(move |_, _| Reply::status(status)).await;
        let arm = fake.azure().arm();
        let operation = arm.post_long_running(ACTION, VERSION).await.unwrap();
        assert_eq!(arm.operation_status(&operation).await.unwrap(), expected);
        assert_eq!(fake.seen().len(), 1);
    }
    let fake =
        Fake::start(|_, _| Reply::json(200, json!({"status": "Failed", "error": {"code": "Nope"}}))).await;
    let error = fake.azure().arm().post_long_running(ACTION, VERSION).await.unwrap_err();
    assert_eq!((error.kind(), error.service_code()), (ErrorKind::Invalid, Some("Nope")));
}

#[tokio::test]
async fn the_start_of_an_operation_is_repeated_after_429_only() {
    let fake = Fake::start(|seen, origin| match seen.number {
        0 => Reply::status(429).header("Retry-After", 0),
        1 => Reply::status(202).header("Location", format!("{origin}/operations/1")),
        _ => Reply::status(500),
    })
    .await;
    fake.azure().arm().post_long_running(ACTION, VERSION).await.unwrap();
    assert_eq!(fake.seen().len(), 2);
    let error = fake.azure().arm().post_long_running(ACTION, VERSION).await.unwrap_err();
    assert!(error.may_have_taken_effect());
    assert_eq!(fake.seen().len(), 3);
}

/// A source whose identity endpoint answered with a failure.
struct NoToken;

#[async_trait::async_trait]
impl TokenSource for NoToken {
    async fn token(&self, _scope: &str) -> Result<crate::AccessToken, Error> {
        Err(Error::new(ErrorKind::Unavailable, Sent::Yes, "getting a token", "the identity service failed"))
    }
}

#[tokio::test]
async fn without_a_token_an_operation_was_certainly_not_started() {
    let fake = Fake::start(|_, _| Reply::status(202)).await;
    let cloud = Arc::new(Cloud::new(Some(&fake.origin)).unwrap());
    let arm = Arm::new(crate::fake::http(), cloud, Arc::new(NoToken));
    let error = arm.post_long_running(ACTION, VERSION).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_taken_effect()), (ErrorKind::Unavailable, false));
    assert_eq!(fake.seen().len(), 0);
}

fn failed(code: &str, message: &str) -> OperationStatus {
    OperationStatus::Failed { code: code.to_owned(), message: message.to_owned() }
}

/// Every answer to a status question, by body as well as by code (`azure-wire-facts.md` §1.5, §10a).
#[tokio::test]
async fn the_state_of_an_operation_is_in_its_body_as_well_as_in_its_status() {
    let running = || OperationStatus::Running { retry_after: None };
    for (status, body, expected) in [
        (200, "", OperationStatus::Succeeded),
        (204, "", OperationStatus::Succeeded),
        (202, "", running()),
        (202, "accepted", running()),
        (202, r#"{"status":"InProgress","percentComplete":40}"#, running()),
        (202, r#"{"status":"Failed","error":{"code":"A","message":"b"}}"#, failed("A", "b")),
        (200, r#"{"status":"Succeeded","endTime":"2026-11-23T05:00:20Z"}"#, OperationStatus::Succeeded),
        (200, r#"{"Status":"SUCCEEDED"}"#, OperationStatus::Succeeded),
        (200, r#"{"status":"Running"}"#, running()),
        (200, r#"{"status":"Accepted"}"#, running()),
        (
            200,
            r#"{"status":"Failed","error":{"code":"HubNotReady","message":"No."}}"#,
            failed("HubNotReady", "No."),
        ),
        (
            200,
            r#"{"status":"Failed","error":{"code":"AsyncOperationFailed","message":"It failed.","details":[{"code":"CertificateExpiringSoon","message":"Too short."},{"message":"x"}]}}"#,
            failed("AsyncOperationFailed", "It failed. CertificateExpiringSoon: Too short. x"),
        ),
        (200, r#"{"status":"Failed"}"#, failed("Failed", "")),
        (200, r#"{"status":"Canceled"}"#, failed("Canceled", "")),
        (
            200,
            r#"{"result":"Failed","error":{"code":"ResourceNotFound","message":"Gone."}}"#,
            failed("ResourceNotFound", "Gone."),
        ),
        (200, r#"{"error":{"code":"X","message":"y"}}"#, failed("X", "y")),
        (200, r#"{"properties":{"provisioningState":"Succeeded"}}"#, OperationStatus::Succeeded),
        (200, r#"{"properties":{"provisioningState":"Failed"}}"#, failed("Failed", "")),
        (200, r#"{"id":"resource"}"#, OperationStatus::Succeeded),
        (404, r#"{"error":{"code":"NotFound","message":""}}"#, OperationStatus::Unknown),
        (403, r#"{"error":{"code":"AuthorizationFailed","message":""}}"#, OperationStatus::Unknown),
        (410, "", OperationStatus::Unknown),
        (409, r#"{"error":{"code":"Conflict","message":"Busy."}}"#, failed("Conflict", "Busy.")),
        (400, "", failed("Failed", "")),
    ] {
        let fake = Fake::start(move |_, _| Reply::text(status, body)).await;
        let operation = LongRunningOperation {
            url: Some(Url::parse(&format!("{}/operations/1", fake.origin)).unwrap()),
            ..LongRunningOperation::default()
        };
        let state = fake.azure().arm().operation_status(&operation).await.unwrap();
        assert_eq!(state, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_question_that_is_not_answered_says_nothing_about_the_operation() {
    for (status, body, kind) in [
        (401, "", ErrorKind::Unauthorized),
        (500, "", ErrorKind::Unavailable),
        (200, "<html>", ErrorKind::Unreadable),
    ] {
        let fake = Fake::start(move |_, _| Reply::text(status, body)).await;
        let url = Some(Url::parse(&format!("{}/operations/1", fake.origin)).unwrap());
        let operation = LongRunningOperation { url, ..LongRunningOperation::default() };
        let error = fake.azure().arm().operation_status(&operation).await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn a_subscription_cannot_change_the_path() {
    assert_eq!(subscription_path("00000000-0000-0000-0000-000000000001").unwrap().len(), 51);
    for text in ["", "S/resourceGroups", "..", "S?x", "S#", "%2e", "ü", &"a".repeat(65)] {
        assert_eq!(subscription_path(text).unwrap_err().kind(), ErrorKind::Invalid, "{text}");
    }
}

#[tokio::test]
async fn a_path_with_dots_is_refused_before_anything_is_sent() {
    let fake = Fake::start(|_, _| Reply::status(200)).await;
    for path in ["subscriptions", "/subscriptions/../tenants", "/subscriptions/./x"] {
        assert_eq!(fake.azure().arm().get(path, VERSION).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(fake.seen().len(), 0);
}
