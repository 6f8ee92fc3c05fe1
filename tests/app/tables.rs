//! The tables as CSV and the changes over HTTP, as a spreadsheet, a script and a browser get them.

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::world::World;

async fn ask(world: &World, path: &str, accept: &str) -> Response {
    world.client.get(world.app(path)).header("Accept", accept).send().await.unwrap()
}

/// The rows of a table in which no cell has a comma or a line end within quotes but the last ones.
async fn rows(world: &World, path: &str) -> Vec<String> {
    let answer = ask(world, path, "text/csv").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; filename="));
    assert!(!answer.headers().contains_key("link"), "a small fleet has one page");
    let text = answer.text().await.unwrap();
    assert!(text.ends_with("\r\n"));
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn every_pair_and_every_group_of_the_report_is_a_row() {
    let world = World::default().await;
    world.fire("report-policy-status").await;
    let report = world.get(&world.app("/api/policy-status")).await;
    let namespaces = report["namespaces"].as_array().unwrap();
    let pairs = rows(&world, "/api/policy-status/pairs.csv").await;
    assert_eq!(
        pairs[0],
        "namespaceId,namespace,hub,policy,trust,why,certificateName,thumbprint,expiry,seenAt"
    );
    let mut count = 0;
    for namespace in namespaces {
        for pair in namespace["trust"].as_array().unwrap() {
            let text = |member: &str| pair[member].as_str().unwrap().to_owned();
            let begins = format!(
                "{},{},{},{},{},",
                namespace["id"].as_str().unwrap(),
                namespace["name"].as_str().unwrap(),
                text("hub"),
                text("policy"),
                text("trust")
            );
            assert!(pairs.iter().any(|row| row.starts_with(&begins)), "{begins} is not in {pairs:#?}");
            count += 1;
        }
    }
    assert_eq!(pairs.len(), count + 1);
    let groups = rows(&world, "/api/policy-status/groups.csv").await;
    assert_eq!(
        groups[0],
        "namespaceId,namespace,provisioningService,enrollmentGroup,policy,wantedPolicy,status,why"
    );
    assert_eq!(groups.len() as u64, report["summary"]["enrollmentGroups"]["total"].as_u64().unwrap() + 1);
    for (path, status) in
        [("pairs.csv?page=2", StatusCode::NOT_FOUND), ("groups.csv?page=0", StatusCode::BAD_REQUEST)]
    {
        let answer = ask(&world, &format!("/api/policy-status/{path}"), "text/csv, application/json").await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(answer.json::<Value>().await.unwrap()["error"]["code"].is_string());
    }
    world.stop().await;
}

#[tokio::test]
async fn what_changed_is_a_page_and_json_and_a_wrong_time_is_said_to_be() {
    let world = World::default().await;
    let path = "/api/policy-status/changes";
    let none = ask(&world, path, "application/json").await;
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
    assert_eq!(none.json::<Value>().await.unwrap()["error"]["code"], "no-report");
    world.fire("report-policy-status").await;
    for since in ["", "?since=2026-01-01T00:00:00Z", "?since=2026-01-01", "?since=2026-01-01T02:00:00+02:00"]
    {
        let answer: Value =
            ask(&world, &format!("{path}{since}"), "application/json").await.json().await.unwrap();
        assert_eq!(answer["schema"], "policy-status-changes/v1", "{since}: {answer}");
        assert_eq!(
            (&answer["from"], &answer["came"]),
            (&answer["to"], &Value::Array(Vec::new())),
            "{answer}"
        );
    }
    let wrong = ask(&world, &format!("{path}?since=yesterday"), "application/json").await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert_eq!(wrong.json::<Value>().await.unwrap()["error"]["target"], "since");
    let page = ask(&world, &format!("{path}?code=secret"), "text/html").await.text().await.unwrap();
    assert!(
        page.contains("Nothing to compare with yet") && page.contains("No earlier report is kept yet"),
        "{page}"
    );
    assert!(page.contains("href=\"../policy-status?code=secret\""), "{page}");
    let overview = ask(&world, "/api/policy-status", "text/html").await.text().await.unwrap();
    for link in ["policy-status/changes", "policy-status/pairs.csv", "policy-status/groups.csv"] {
        assert!(overview.contains(&format!("href=\"{link}\"")), "{link}");
    }
    world.stop().await;
}
