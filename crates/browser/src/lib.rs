//! A headless Chromium for tests and benches, under `WebDriver`: opens a page as a person would see it, keeps pictures of
//! it, and says what the page asked the network for, what it complained about, and how accessible it is.
//!
//! No package contains it. It opens pages over plain HTTP on this machine only.

mod accessibility;
mod driver;
mod network;
mod paint;
mod picture;
mod programs;
mod view;

use serde_json::Value;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::error::WebDriverError;
use thirtyfour::{ChromeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

pub use accessibility::Violation;
pub use paint::Paint;
pub use programs::Programs;
pub use view::View;

/// Arguments of every start of Chromium: no window, no network traffic of its own, no traces.
const ARGUMENTS: [&str; 14] = [
    "--headless",
    // Tests run as root in containers, where Chromium's own sandbox cannot be set up.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-breakpad",
    "--hide-scrollbars",
    "about:blank",
];

/// Why the browser could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// chromedriver or Chromium did not start.
    #[error("the browser did not start: {0}")]
    Start(String),
    /// The browser refused a command, or went away.
    #[error("the browser failed at {what}: {source}")]
    Command {
        /// The command that it was given.
        what: &'static str,
        /// Its answer.
        source: Box<WebDriverError>,
    },
    /// The browser gave an answer that cannot be parsed.
    #[error("the browser's answer to {what} cannot be understood: {answer}")]
    Answer {
        /// The command that it was given.
        what: &'static str,
        /// Its answer.
        answer: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A running Chromium with one page, and a profile of its own that is gone with it.
pub struct Browser {
    session: WebDriver,
    programs: Programs,
    _driver: driver::Driver,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it.
    ///
    /// # Errors
    /// When chromedriver or Chromium does not start.
    pub async fn start(programs: &Programs) -> Result<Self, Error> {
        let driver = driver::Driver::start(&programs.chromedriver).await?;
        let profile =
            tempfile::tempdir().map_err(|error| Error::Start(format!("no profile folder: {error}")))?;
        let capabilities =
            capabilities(programs, profile.path()).map_err(failed("describing the session"))?;
        let session = WebDriver::new(driver.url(), capabilities).await;
        let session = session.map_err(|error| Error::Start(error.to_string()))?;
        Ok(Self { session, programs: programs.clone(), _driver: driver, _profile: profile })
    }

    /// Opens a page and waits until it has loaded. Forgets the requests and console lines of earlier pages.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open(&self, url: &str) -> Result<(), Error> {
        self.requests().await?;
        self.console().await?;
        self.session.goto(url).await.map_err(failed("opening a page"))
    }

    /// Runs the body of a function in the page and answers what it returns. The page's own policy does not apply to it.
    ///
    /// # Errors
    /// When it throws.
    pub async fn evaluate(&self, body: &str) -> Result<Value, Error> {
        let answer = self.session.execute(body, Vec::new()).await.map_err(failed("running a script"))?;
        Ok(answer.json().clone())
    }

    /// The lines on the page's console since the last call, warnings and errors of the browser itself included.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn console(&self) -> Result<Vec<String>, Error> {
        let entries = self.session.browser_log().await.map_err(failed("reading the console"))?;
        Ok(entries.into_iter().map(|entry| format!("{}: {}", entry.level, entry.message)).collect())
    }

    /// Closes it. When it is only dropped it is killed.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn close(self) -> Result<(), Error> {
        self.session.clone().quit().await.map_err(failed("closing"))
    }

    /// A command of the Chrome `DevTools` Protocol.
    async fn devtools(&self, what: &'static str, method: &str, parameters: Value) -> Result<Value, Error> {
        self.session.cdp().send_raw(method, parameters).await.map_err(failed(what))
    }
}

impl Drop for Browser {
    /// Dropping the driver kills Chromium too, so the session need not be closed.
    fn drop(&mut self) {
        // An error means that the session was closed already.
        let _ = self.session.clone().leak();
    }
}

fn capabilities(
    programs: &Programs,
    profile: &std::path::Path,
) -> Result<ChromeCapabilities, WebDriverError> {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(&programs.chromium.to_string_lossy())?;
    for argument in ARGUMENTS {
        capabilities.add_arg(argument)?;
    }
    capabilities.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    capabilities.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
    Ok(capabilities)
}

fn failed(what: &'static str) -> impl FnOnce(WebDriverError) -> Error {
    move |source| Error::Command { what, source: Box::new(source) }
}
