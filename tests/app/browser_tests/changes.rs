//! The page of what changed, of a fleet in which much did.

use browser::{View, Violation};
use certificate_management::report::changes::Changes;
use certificate_management::report::snapshot::Snapshot;
use policysync::page::links::{From, Links};
use serde_json::json;
use time::Duration;

use super::reports::{NOW, SMALL, World};
use super::site::Site;
use super::{artifact, start};

/// From a fleet in which nothing is wrong to one in which everything is, with a name in it that another may have chosen.
fn changes(name: &str) -> Changes {
    let (_, before) = World::new(&SMALL).report_with_snapshot();
    let before = Snapshot { generated_at: NOW - Duration::days(1), ..before };
    let mut troubled = World::troubled(&SMALL);
    for seen in troubled.observations.iter_mut().flatten() {
        name.clone_into(&mut seen.hubs[2].hub.name);
        seen.policies[1].name.push_str(name);
    }
    for group in
        troubled.services.iter_mut().flatten().flat_map(|service| service.enrollment_groups.as_mut().unwrap())
    {
        group.id.push_str(name);
    }
    Changes::between(&before, &troubled.report_with_snapshot().1)
}

#[tokio::test]
async fn what_changed_can_be_read_on_each_screen_and_no_name_becomes_markup() {
    let Some(browser) = start("what changed").await else { return };
    for (number, name) in
        ["</li><img src=x onerror=window.hostile=1>", "\u{202e}x", "-", &"a".repeat(400)].iter().enumerate()
    {
        let changes = changes(name);
        assert!(changes.came.len() > 5 && changes.namespaces.len() == SMALL.namespaces, "{changes:#?}");
        let html = policysync::page::of_changes(&changes, NOW, &Links::default().from(From::Below)).unwrap();
        let site = Site::of(html).await;
        for view in [View::LIGHT, View::DARK, View::PHONE, View::PRINT] {
            browser.look_through(view).await.unwrap();
            browser.open(site.url()).await.unwrap();
            assert_eq!(browser.requests().await.unwrap(), [site.url()]);
            assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
            let seen = "return [document.documentElement.scrollWidth <= document.documentElement.clientWidth, window.hostile ?? null,
                document.querySelectorAll('script,img').length, /\\u202e/.test(document.body.textContent)]";
            assert_eq!(
                browser.evaluate(seen).await.unwrap(),
                json!([true, null, 0, false]),
                "{} {name:?}",
                view.name
            );
            let violations = browser.accessibility().await.unwrap();
            assert!(!violations.iter().any(Violation::is_serious), "{}: {violations:#?}", view.name);
            browser.picture(&artifact(&format!("changes-{number}-{}.png", view.name))).await.unwrap();
        }
    }
    browser.close().await.unwrap();
}
