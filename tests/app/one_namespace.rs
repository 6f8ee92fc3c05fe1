//! The report in two steps over HTTP: the overview, and one namespace whole.

use reqwest::StatusCode;
use serde_json::Value;

use crate::world::World;

const NAMESPACE: &str = "contoso-plants";

#[tokio::test]
async fn one_namespace_is_shown_whole_and_fresh_and_an_unknown_one_is_said_to_be() {
    let world = World::default().await;
    let url = |path: &str| world.app(&format!("/api/policy-status{path}"));
    let ask = async |path: &str, accept: &str| {
        let asked = world.client.get(url(path)).header("Accept", accept).send().await.unwrap();
        (asked.status(), asked.text().await.unwrap())
    };
    let json = async |path: &str| {
        let (status, body) = ask(path, "application/json").await;
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    // Before the first look it says so, and is no error.
    let (status, new) = json(&format!("/{NAMESPACE}")).await;
    assert_eq!((status, &new["lines"][0]["seenAt"]), (StatusCode::OK, &Value::Null), "{new}");

    world.fire("report-policy-status").await;
    let (_, overview) = json("").await;
    let (status, one) = json(&format!("/{}", NAMESPACE.to_uppercase())).await;
    assert_eq!((status, &one["schema"]), (StatusCode::OK, &Value::from("policy-status/v2")));
    let of_overview = overview["namespaces"].as_array().unwrap().iter();
    let of_overview = of_overview.clone().find(|namespace| namespace["name"] == NAMESPACE).unwrap();
    assert_eq!(one["namespaces"].as_array().unwrap().len(), 1);
    assert_eq!(
        &one["namespaces"][0]["trust"], &of_overview["trust"],
        "the small fleet has it in the overview too"
    );
    let (status, page) = ask(&format!("/{NAMESPACE}?code=secret"), "text/html").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("href=\"../policy-status?code=secret\""), "{page}");
    assert!(page.contains("class=\"grid stack\""), "{page}");

    for (path, status, says) in [
        ("/no-such", StatusCode::NOT_FOUND, "names no namespace"),
        ("?page=2", StatusCode::NOT_FOUND, "no page 2"),
        ("?page=two", StatusCode::BAD_REQUEST, "must be a number"),
    ] {
        let (found, body) = json(path).await;
        assert_eq!(found, status, "{path}");
        assert!(body["error"]["message"].as_str().unwrap().contains(says), "{path}: {body}");
    }
    let (status, _) = json("?page=1").await;
    assert_eq!(status, StatusCode::OK);
    world.stop().await;
}
