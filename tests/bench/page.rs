//! `cargo xtask bench page`: how large the page of the largest fleet is, and how soon a browser paints it. `cargo test` runs it at a
//! small size, where the time is printed and not judged.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "../app/browser_tests/reports.rs"]
mod reports;
#[path = "../app/browser_tests/site.rs"]
mod site;

use std::process::ExitCode;
use std::time::Instant;

use browser::{Browser, Programs, View};
use certificate_management::configuration::Thresholds;
use reports::{LARGEST, NOW, SMALL, World};
use site::Site;

/// Bytes of the page.
const SIZE_LIMIT: usize = 400_000;
/// Until the first paint. The slowest of the loads counts.
const PAINT_LIMIT: std::time::Duration = std::time::Duration::from_secs(1);
/// How often each page is loaded, each time by a browser that has just started.
const LOADS: usize = 5;
/// The argument that `cargo bench` gives to the program that it runs, and `cargo test` does not.
const BENCH: &str = "--bench";

#[tokio::main]
async fn main() -> ExitCode {
    let is_bench = std::env::args().any(|argument| argument == BENCH);
    let programs = match Programs::from_environment() {
        Ok(programs) => programs,
        Err(why) => {
            let is_required = is_bench || std::env::var("CI").is_ok_and(|value| value == "true");
            eprintln!("{}bench page: {why}", if is_required { "" } else { "skipped: " });
            return if is_required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let worlds = [
        ("3 namespaces, in trouble", World::troubled(&SMALL)),
        ("1,000 namespaces, all well", World::new(&LARGEST)),
        ("1,000 namespaces, in trouble", World::troubled(&LARGEST)),
    ];
    let (number, loads) = if is_bench { (worlds.len(), LOADS) } else { (1, 1) };
    println!(
        "{:<34}{:>12}{:>12}{:>16}{:>16}{:>16}",
        "page", "bytes", "rendered", "first paint", "slowest", "loaded"
    );
    let mut is_within = true;
    for (name, world) in worlds.into_iter().take(number) {
        let report = world.report().overview();
        let started = Instant::now();
        let html = policysync::page::document(
            &report,
            NOW,
            &Thresholds::default(),
            &policysync::page::links::Links::default(),
        )
        .unwrap();
        let (rendered, size) = (started.elapsed(), html.len());
        let site = Site::of(html).await;
        let mut paints = Vec::new();
        for _ in 0..loads {
            let browser = Browser::start(&programs).await.unwrap();
            browser.look_through(View::LIGHT).await.unwrap();
            browser.open(site.url()).await.unwrap();
            paints.push(browser.paint().await.unwrap());
            browser.close().await.unwrap();
        }
        paints.sort_by_key(|paint| paint.first_contentful);
        let (middle, slowest) = (paints[loads / 2], paints[loads - 1]);
        println!(
            "{name:<34}{size:>12}{:>12}{:>16}{:>16}{:>16}",
            format!("{rendered:.1?}"),
            format!("{:.0?}", middle.first_contentful),
            format!("{:.0?}", slowest.first_contentful),
            format!("{:.0?}", middle.loaded),
        );
        let is_soon = slowest.first_contentful < PAINT_LIMIT || !is_bench;
        is_within &= size < SIZE_LIMIT && is_soon && slowest.first_contentful > std::time::Duration::ZERO;
    }
    println!(
        "limits: {SIZE_LIMIT} bytes, {PAINT_LIMIT:.0?} to the first paint of text, the slowest of {loads} loads"
    );
    if is_within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
