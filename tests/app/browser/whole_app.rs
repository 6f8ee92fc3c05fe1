//! The page as it comes through the Functions host, with a real report.

use browser::View;

use crate::world::World;

use super::{artifact, start};

#[tokio::test]
async fn the_page_asks_for_nothing_complains_of_nothing_and_can_be_used_by_everybody() {
    let Some(browser) = start("the page through the host").await else { return };
    let world = World::default().await;
    world.fire("report-policy-status").await;
    let page = world.app("/api/policy-status");
    for view in [View::LIGHT, View::DARK, View::PHONE, View::DARK_PHONE, View::PRINT] {
        browser.look_through(view).await.unwrap();
        browser.open(&page).await.unwrap();
        assert_eq!(browser.requests().await.unwrap(), [page.as_str()], "{}", view.name);
        assert_eq!(browser.console().await.unwrap(), Vec::<String>::new(), "{}", view.name);
        browser.picture(&artifact(&format!("{}.png", view.name))).await.unwrap();
        let violations = browser.accessibility().await.unwrap();
        assert!(!violations.iter().any(browser::Violation::is_serious), "{}: {violations:#?}", view.name);
    }
    println!("{:?}", browser.paint().await.unwrap());
    world.stop().await;
    browser.close().await.unwrap();
}
