//! The status page in a real browser.

mod changes;
mod hostile;
mod large;
mod reports;
mod site;
mod whole_app;

use std::io::Write;
use std::path::PathBuf;

use browser::{Browser, Programs};
/// A browser of its own for a test. Without one the test says that it is skipped, and fails in CI.
async fn start(test: &str) -> Option<Browser> {
    let programs = match Programs::from_environment() {
        Ok(programs) => programs,
        Err(why) => {
            let is_required = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!is_required, "{why}");
            // Straight to stderr, since the test harness hides the output of a passing test.
            std::io::stderr().write_all(format!("skipped: {test}: {why}\n").as_bytes()).unwrap();
            return None;
        }
    };
    Some(Browser::start(&programs).await.unwrap_or_else(|error| panic!("{error}")))
}

/// Where pictures are kept for people.
fn artifact(name: &str) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    target.parent().unwrap().join("artifacts").join("page").join(name)
}
