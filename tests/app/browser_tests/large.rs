//! The largest fleet (`contracts.md` §5): 1,000 namespaces × 10 hubs × 3 policies, 200 DPS × 50 groups.
//!
//! How fast it is painted is a matter of `cargo xtask bench page`.

use browser::View;
use certificate_management::configuration::Thresholds;
use certificate_management::report::Report;
use policysync::page::links::Links;
use serde_json::json;

use super::reports::{LARGEST, NOW, World};
use super::site::Site;
use super::{artifact, start};

/// Bytes, of the page and of the JSON each.
const LIMIT: usize = 400_000;

/// The report and its overview as it is kept.
fn overview(world: World) -> (Report, Report, usize) {
    let whole = world.report();
    let overview = whole.overview();
    let listed = overview.findings.len() + whole.further_pages().map(<[_]>::len).sum::<usize>();
    (whole, overview, listed)
}

#[test]
fn the_overview_is_under_400_kilobytes_whether_all_is_well_or_everything_is_wrong() {
    for world in [World::new(&LARGEST), World::troubled(&LARGEST)] {
        let (whole, overview, listed) = overview(world);
        assert_eq!(listed, whole.findings.len(), "every finding is on a page");
        assert_eq!((overview.summary.namespaces, overview.lines.len()), (1000, 1000));
        assert_eq!(overview.summary.enrollment_groups.total, 10_000);
        let html =
            policysync::page::document(&overview, NOW, &Thresholds::default(), &Links::default()).unwrap();
        let json = json!(overview).to_string();
        println!("{} findings: page {} bytes, JSON {} bytes", listed, html.len(), json.len());
        assert!(html.len() < LIMIT, "page: {} bytes", html.len());
        assert!(json.len() < LIMIT, "JSON: {} bytes", json.len());
    }
}

/// Of each hour one is kept.
#[test]
fn what_is_kept_of_a_report_is_under_a_megabyte() {
    for world in [World::new(&LARGEST), World::troubled(&LARGEST)] {
        let (_, snapshot) = world.report_with_snapshot();
        let json = json!(snapshot).to_string();
        println!("{} findings: {} bytes", snapshot.findings.len(), json.len());
        assert_eq!(snapshot.namespaces.len(), 1000);
        assert!(json.len() < 1_000_000, "{} bytes", json.len());
    }
}

#[tokio::test]
async fn every_namespace_has_its_line_and_the_page_does_not_burst() {
    let Some(browser) = start("the largest page").await else { return };
    let (_, overview, _) = overview(World::troubled(&LARGEST));
    let html = policysync::page::document(&overview, NOW, &Thresholds::default(), &Links::default()).unwrap();
    let site = Site::of(html).await;
    for view in [View::LIGHT, View::PHONE] {
        browser.look_through(view).await.unwrap();
        browser.open(site.url()).await.unwrap();
        let seen = "const all = selector => document.querySelectorAll(selector).length;
            return [all('.lines tbody tr'), all('.namespace'), all('.lifetimes tbody tr'),
                    all('a[href=\"policy-status/plant-0007\"]'), all('a[href=\"?page=2#needs\"]'),
                    document.documentElement.scrollWidth <= document.documentElement.clientWidth];";
        let seen = browser.evaluate(seen).await.unwrap();
        assert_eq!(seen, json!([LARGEST.namespaces, 0, 40, 1, 1, true]), "{}", view.name);
        assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
        browser.picture(&artifact(&format!("largest-{}.png", view.name))).await.unwrap();
    }
    browser.close().await.unwrap();
}
