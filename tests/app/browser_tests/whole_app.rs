//! The page as it comes through the Functions host, with a real report.

use browser::{View, Violation};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

use super::{artifact, start};

#[tokio::test]
async fn the_page_asks_for_nothing_complains_of_nothing_and_can_be_used_by_everybody() {
    let Some(browser) = start("the page through the host").await else { return };
    let world = World::default().await;
    let page = world.app("/api/policy-status");
    browser.open(&page).await.unwrap();
    let heading = browser.evaluate("return document.querySelector('.headline').textContent").await.unwrap();
    assert_eq!(heading, "There is no report yet");
    browser.picture(&artifact("waiting.png")).await.unwrap();

    world.fire("report-policy-status").await;
    for view in [View::LIGHT, View::DARK, View::PHONE, View::DARK_PHONE, View::PRINT] {
        browser.look_through(view).await.unwrap();
        browser.open(&page).await.unwrap();
        assert_eq!(browser.requests().await.unwrap(), [page.as_str()], "{}", view.name);
        assert_eq!(browser.console().await.unwrap(), Vec::<String>::new(), "{}", view.name);
        let fits = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        assert_eq!(
            browser.evaluate(fits).await.unwrap(),
            true,
            "{}: wider than the screen or paper",
            view.name
        );
        // On a phone rows are stacked, and nothing has to be pushed aside to be read.
        let pushed = "return [...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth)
            .map(one => one.getAttribute('aria-label') ?? one.getAttribute('aria-labelledby'))";
        if matches!(view.name, "phone" | "dark-phone") {
            assert_eq!(browser.evaluate(pushed).await.unwrap(), json!([]), "{}", view.name);
        }
        browser.picture(&artifact(&format!("{}.png", view.name))).await.unwrap();
        let violations = browser.accessibility().await.unwrap();
        assert!(!violations.iter().any(Violation::is_serious), "{}: {violations:#?}", view.name);
    }
    // What is folded is readable too.
    browser.look_through(View::PHONE).await.unwrap();
    browser.open(&page).await.unwrap();
    let unfold = "document.querySelectorAll('details').forEach(one => one.open = true);
        return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(browser.evaluate(unfold).await.unwrap(), true);
    browser.picture(&artifact("unfolded-phone.png")).await.unwrap();
    browser.look_through(View::LIGHT).await.unwrap();
    browser.open(&page).await.unwrap();
    browser.evaluate(unfold).await.unwrap();
    browser.picture(&artifact("unfolded.png")).await.unwrap();
    browser.print(&artifact("print.pdf")).await.unwrap();
    browser.open(&page).await.unwrap();
    shows_the_grid(&browser.evaluate(GRID).await.unwrap(), &world.get(&page).await);
    let scripts =
        "return document.scripts.length + document.querySelectorAll('[href^=\"javascript:\"]').length";
    assert_eq!(browser.evaluate(scripts).await.unwrap(), 0, "it works without JavaScript: there is none");
    let lost = "return [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))
        .filter(href => href.startsWith('#') && !document.getElementById(href.slice(1)))";
    assert_eq!(browser.evaluate(lost).await.unwrap(), json!([]), "every link leads somewhere on the page");
    world.stop().await;
    browser.close().await.unwrap();
}

/// Every cell, as `[policy, hub, state]`, in the order of the page.
const GRID: &str = "return [...document.querySelectorAll('.grid')].flatMap(grid => {
    const policies = [...grid.querySelectorAll('thead th')].slice(1).map(one => one.textContent.trim());
    return [...grid.querySelectorAll('tbody tr')].flatMap(row => [...row.querySelectorAll('td')].map((cell, place) =>
        [policies[place], row.querySelector('.name').textContent, cell.querySelector('b').textContent]));
})";

fn shows_the_grid(seen: &Value, report: &Value) {
    let pairs = report["namespaces"].as_array().unwrap().iter().flat_map(|namespace| {
        namespace["trust"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| json!([pair["policy"], pair["hub"], pair["trust"]]))
    });
    let mut pairs: Vec<Value> = pairs.collect();
    let mut seen = seen.as_array().unwrap().clone();
    pairs.sort_by_key(Value::to_string);
    seen.sort_by_key(Value::to_string);
    assert!(pairs.len() > 10, "the default fleet has a grid");
    assert_eq!(seen, pairs);
}

#[tokio::test]
async fn a_client_that_has_the_page_already_is_told_so() {
    let world = World::default().await;
    world.fire("report-policy-status").await;
    let url = world.app("/api/policy-status");
    let ask = async |accept: &str, tag: Option<&str>| {
        let mut request = world.client.get(&url).header("Accept", accept);
        if let Some(tag) = tag {
            request = request.header("If-None-Match", tag);
        }
        request.send().await.unwrap()
    };
    let mut tags = Vec::new();
    for accept in ["text/html", "application/json"] {
        // One more try where a report comes between the two.
        let mut again = None;
        for _ in 0..2 {
            let first = ask(accept, None).await;
            assert_eq!(first.status(), StatusCode::OK);
            assert_eq!(first.headers()["cache-control"], "private, no-cache");
            assert_eq!(first.headers()["vary"], "Accept");
            let tag = first.headers()["etag"].to_str().unwrap().to_owned();
            let answer = ask(accept, Some(&format!("\"other\", W/{tag}"))).await;
            let is_done = answer.status() == StatusCode::NOT_MODIFIED;
            again = Some((tag, answer));
            if is_done {
                break;
            }
        }
        let (tag, again) = again.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{accept}");
        assert_eq!(again.headers()["etag"], tag.as_str());
        assert_eq!(again.headers()["vary"], "Accept");
        assert_eq!(again.text().await.unwrap(), "");
        tags.push(tag);
    }
    assert_ne!(tags[0], tags[1], "the page and the JSON are two things");
    assert_eq!(ask("text/html", Some(&tags[1])).await.status(), StatusCode::OK);
    let before = tags[1].clone();
    world.fire("report-policy-status").await;
    assert_eq!(ask("application/json", Some(&before)).await.status(), StatusCode::OK, "a new report is news");
    world.stop().await;
}

/// Each of these opens from a link of the one before it.
#[tokio::test]
async fn requests_are_followed_from_the_status_by_links_alone() {
    let Some(browser) = start("the pages of requests").await else { return };
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await;
    let trusted = world.submit(json!({"namespaceId": namespace["id"], "reason": "the CA was renewed"})).await;
    world.outcome(&trusted).await;
    let refused = world.submit(json!({"namespaceId": namespace["id"], "hubs": ["nowhere"]})).await;
    world.outcome(&refused).await;
    world.fire("report-policy-status").await;
    let status = world.app("/api/policy-status");
    let click = async |link: &str| {
        let href = format!("return document.querySelector('a[href=\"{link}\"]').href");
        let address = browser.evaluate(&href).await.unwrap().as_str().unwrap().to_owned();
        browser.open(&address).await.unwrap();
        address
    };
    for view in [View::LIGHT, View::DARK, View::PHONE, View::PRINT] {
        browser.look_through(view).await.unwrap();
        browser.open(&status).await.unwrap();
        for (link, picture) in [
            ("sync-requests".to_owned(), "requests"),
            (format!("sync-requests/{trusted}"), "request-trusted"),
            ("../sync-requests".to_owned(), "requests-again"),
            (format!("sync-requests/{refused}"), "request-refused"),
        ] {
            let address = click(&link).await;
            assert_eq!(browser.requests().await.unwrap(), [address.as_str()], "{}", view.name);
            assert_eq!(browser.console().await.unwrap(), Vec::<String>::new(), "{address}");
            let fits = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
            assert_eq!(browser.evaluate(fits).await.unwrap(), true, "{address}: wider than {}", view.name);
            let scripts = "return document.scripts.length";
            assert_eq!(browser.evaluate(scripts).await.unwrap(), 0, "{address}");
            browser.picture(&artifact(&format!("{picture}-{}.png", view.name))).await.unwrap();
            let violations = browser.accessibility().await.unwrap();
            assert!(!violations.iter().any(Violation::is_serious), "{address}: {violations:#?}");
        }
        click("../policy-status").await;
    }
    world.stop().await;
    browser.close().await.unwrap();
}
