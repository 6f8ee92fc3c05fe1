//! The largest fleet (`contracts.md` §5): 100 namespaces × 10 hubs × 3 policies, 20 DPS × 200 groups.
//!
//! How fast it is painted is a matter of `cargo xtask bench page`.

use browser::View;

use super::reports::{LARGEST, NOW, World};
use super::site::Site;
use super::{OVERDUE, artifact, start};

/// Bytes.
const LIMIT: usize = 1_000_000;

#[test]
fn the_page_is_under_a_megabyte_whether_all_is_well_or_everything_is_wrong() {
    for world in [World::new(&LARGEST), World::troubled(&LARGEST)] {
        let report = world.report();
        let html = policysync::page::document(&report, NOW, OVERDUE).unwrap();
        assert_eq!((report.summary.namespaces, report.summary.enrollment_groups.total), (100, 4000));
        assert!(html.len() < LIMIT, "{} bytes", html.len());
    }
}

#[tokio::test]
async fn every_namespace_is_there_and_the_page_does_not_burst() {
    let Some(browser) = start("the largest page").await else { return };
    let report = World::troubled(&LARGEST).report();
    let pairs = report.summary.hubs * LARGEST.policies;
    let site = Site::of(policysync::page::document(&report, NOW, OVERDUE).unwrap()).await;
    for view in [View::LIGHT, View::PHONE] {
        browser.look_through(view).await.unwrap();
        browser.open(site.url()).await.unwrap();
        let seen = "const all = selector => document.querySelectorAll(selector).length;
            return [all('.namespace'), all('.grid tbody td'), all('.lifetimes tbody tr'),
                    document.documentElement.scrollWidth <= document.documentElement.clientWidth];";
        let seen = browser.evaluate(seen).await.unwrap();
        assert_eq!(seen, serde_json::json!([LARGEST.namespaces, pairs, 40, true]), "{}", view.name);
        assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
        browser.picture(&artifact(&format!("largest-{}.png", view.name))).await.unwrap();
    }
    browser.close().await.unwrap();
}
