//! The API over HTTP: methods, media types, errors, the list and the pages of requests. `docs/openapi.json` describes it.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::world::World;

const ADDRESSES: [(&str, &str); 8] = [
    ("/api/sync-requests", "GET, HEAD, POST"),
    ("/api/sync-requests/r-1", "GET, HEAD"),
    ("/api/policy-status", "GET, HEAD"),
    ("/api/policy-status/contoso-plants", "GET, HEAD"),
    ("/api/policy-status/changes", "GET, HEAD"),
    ("/api/policy-status/pairs.csv", "GET, HEAD"),
    ("/api/policy-status/groups.csv", "GET, HEAD"),
    ("/api/openapi.json", "GET, HEAD"),
];

async fn ask(world: &World, path: &str, accept: &str) -> Response {
    world.client.get(world.app(path)).header("Accept", accept).send().await.unwrap()
}

/// Every error has a code, a message and a target, and is kept by no cache.
async fn error(answer: Response, status: StatusCode, code: &str, target: &str) -> Value {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let answer: Value = answer.json().await.unwrap();
    let error = &answer["error"];
    assert_eq!((&error["code"], &error["target"]), (&json!(code), &json!(target)), "{answer}");
    assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{answer}");
    answer
}

#[tokio::test]
async fn a_method_that_an_address_does_not_have_is_405_with_those_that_it_has() {
    let world = World::default().await;
    for (path, allowed) in ADDRESSES {
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::POST] {
            if allowed.contains(method.as_str()) {
                continue;
            }
            let answer = world.client.request(method.clone(), world.app(path)).send().await.unwrap();
            assert_eq!(answer.headers()["allow"], allowed, "{method} {path}");
            error(answer, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "method").await;
        }
    }
    let whole = world.client.get(world.app("/api/openapi.json")).send().await.unwrap();
    let head = world.client.head(world.app("/api/openapi.json")).send().await.unwrap();
    assert_eq!((head.status(), &head.headers()["etag"]), (StatusCode::OK, &whole.headers()["etag"]));
    assert!(head.text().await.unwrap().is_empty());
    assert_eq!(world.sends().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn the_answer_has_the_type_that_is_wanted_most_or_is_refused_before_anything_is_done() {
    let world = World::default().await;
    let kind = async |path: &str, accept: &str| {
        let answer = ask(&world, path, accept).await;
        assert_eq!(answer.headers()["vary"], "Accept", "{path}");
        answer.headers()["content-type"].to_str().unwrap().to_owned()
    };
    for path in [
        "/api/sync-requests",
        "/api/policy-status",
        "/api/policy-status/contoso-plants",
        "/api/sync-requests/none",
    ] {
        for (accept, begins) in [
            ("*/*", "application/json"),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
            ("text/html;q=0.4, application/json;q=0.5", "application/json"),
            ("application/json;q=0.5, text/*", "text/html"),
        ] {
            assert!(kind(path, accept).await.starts_with(begins), "{path} {accept}");
        }
    }
    for (path, _) in ADDRESSES {
        let answer = ask(&world, path, "image/png, application/json;q=0").await;
        error(answer, StatusCode::NOT_ACCEPTABLE, "not-acceptable", "Accept").await;
    }
    let namespace = world.namespace("contoso-plants").await["id"].clone();
    let submission = world.client.post(world.app("/api/sync-requests")).header("Accept", "text/html");
    let answer = submission.json(&json!({"namespaceId": namespace})).send().await.unwrap();
    error(answer, StatusCode::NOT_ACCEPTABLE, "not-acceptable", "Accept").await;
    assert_eq!(world.sends().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn every_error_says_its_code_and_what_it_is_about() {
    let world = World::default().await;
    for (path, status, code, target) in [
        ("/api/sync-requests/none", StatusCode::NOT_FOUND, "no-such-request", "id"),
        ("/api/sync-requests?page=2", StatusCode::NOT_FOUND, "no-such-page", "page"),
        ("/api/sync-requests?page=0", StatusCode::BAD_REQUEST, "invalid-request", "page"),
        ("/api/sync-requests?page=-1", StatusCode::BAD_REQUEST, "invalid-request", "page"),
        ("/api/sync-requests?page=1&page=2", StatusCode::BAD_REQUEST, "invalid-request", "page"),
        ("/api/sync-requests?page=99999999999999999999999", StatusCode::NOT_FOUND, "no-such-page", "page"),
        ("/api/policy-status", StatusCode::NOT_FOUND, "no-report", "report"),
        ("/api/policy-status?page=two", StatusCode::BAD_REQUEST, "invalid-request", "page"),
        ("/api/policy-status/nowhere", StatusCode::NOT_FOUND, "no-such-namespace", "namespace"),
    ] {
        error(ask(&world, path, "application/json").await, status, code, target).await;
        let page = ask(&world, path, "text/html").await;
        // Without a report the page says when there will be one, and looks again.
        if code != "no-report" {
            assert_eq!(page.status(), status, "{path}");
        }
        let page = page.text().await.unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && !page.contains("<script"), "{path}: {page}");
    }
    let namespace = world.namespace("contoso-plants").await["id"].clone();
    let url = world.app("/api/sync-requests");
    let wrong = json!({"namespaceId": namespace, "hub": "a", "policy": "b", "dryRun": true});
    let answer =
        error(world.post(&url, &wrong).await, StatusCode::BAD_REQUEST, "invalid-request", "hub").await;
    let fields: Vec<&Value> =
        answer["error"]["fields"].as_array().unwrap().iter().map(|field| &field["field"]).collect();
    assert_eq!(fields, ["hub", "policy"], "{answer}");
    let told = answer["error"]["message"].as_str().unwrap();
    assert!(told.contains("hub: ") && told.contains("policy: ") && told.contains("dryRun"), "{told}");
    let elsewhere = json!({"namespaceId": "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/unlisted"});
    let answer = world.post(&url, &elsewhere).await;
    error(answer, StatusCode::UNPROCESSABLE_ENTITY, "namespace-not-configured", "namespaceId").await;
    assert_eq!(world.sends().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn the_list_has_the_request_that_changed_last_first_and_each_has_a_page_of_its_own() {
    let world = World::default().await;
    let (status, empty) = {
        let answer = ask(&world, "/api/sync-requests", "application/json").await;
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(status, StatusCode::OK);
    assert_eq!(empty, json!({"page": {"number": 1, "of": 1}, "requests": [], "broken": 0, "isCut": false}));
    let namespace = world.namespace("contoso-plants").await;
    let first =
        world.submit(json!({"namespaceId": namespace["id"], "reason": "<b>the CA was renewed</b>"})).await;
    world.outcome(&first).await;
    let second = world.submit(json!({"namespaceId": namespace["id"], "hubs": ["nowhere"]})).await;
    world.outcome(&second).await;

    let list = world.get(&world.app("/api/sync-requests")).await;
    let told: Vec<_> =
        list["requests"].as_array().unwrap().iter().map(|one| (&one["requestId"], &one["outcome"])).collect();
    assert_eq!(
        told,
        [(&json!(second), &json!("refused")), (&json!(first), &json!("already-trusted"))],
        "{list}"
    );
    let page = ask(&world, "/api/sync-requests?code=secret", "text/html").await.text().await.unwrap();
    for id in [&first, &second] {
        assert!(page.contains(&format!("href=\"sync-requests/{id}?code=secret\"")), "{page}");
    }

    let one = ask(&world, &format!("/api/sync-requests/{first}"), "text/html").await;
    assert_eq!(
        (one.status(), &one.headers()["cache-control"]),
        (StatusCode::OK, &"no-store".parse().unwrap())
    );
    let one = one.text().await.unwrap();
    let shown = world.get(&world.app(&format!("/api/sync-requests/{first}"))).await;
    let hubs = shown["hubs"].as_array().unwrap();
    assert!(hubs.len() > 1, "{shown}");
    for hub in hubs {
        assert!(
            one.contains(hub["hub"].as_str().unwrap()) && one.contains(hub["policy"].as_str().unwrap()),
            "{one}"
        );
    }
    assert!(one.contains("Every hub trusted already") && !one.contains("http-equiv"), "{one}");
    assert!(one.contains("the CA was renewed") && !one.contains("<b>"), "{one}");
    let refused =
        ask(&world, &format!("/api/sync-requests/{second}"), "text/html").await.text().await.unwrap();
    assert!(refused.contains("Refused") && refused.contains("unknown-hub"), "{refused}");

    world.fire("report-policy-status").await;
    let status = ask(&world, "/api/policy-status", "text/html").await.text().await.unwrap();
    for link in ["sync-requests".to_owned(), format!("sync-requests/{second}")] {
        assert!(status.contains(&format!("href=\"{link}\"")), "{link}: {status}");
    }
    let below = ask(&world, "/api/policy-status/contoso-plants", "text/html").await.text().await.unwrap();
    assert!(below.contains(&format!("href=\"../sync-requests/{second}\"")), "{below}");
    world.stop().await;
}

#[tokio::test]
async fn the_app_describes_itself_as_the_page_does() {
    let world = World::default().await;
    let answer = world.client.get(world.app("/api/openapi.json")).send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let served: Value = answer.json().await.unwrap();
    let page: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!((&served["paths"], &served["info"]), (&page["paths"], &page["info"]));
    let again = world.client.get(world.app("/api/openapi.json")).header("If-None-Match", tag);
    assert_eq!(again.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    world.stop().await;
}
