//! Lists the requests of a page.

use serde_json::Value;

use crate::{Browser, Error, failed};

impl Browser {
    /// The address of every request that the page made since the last call, in order, answered or not.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn requests(&self) -> Result<Vec<String>, Error> {
        let entries = self.session.get_log("performance").await.map_err(failed("reading the requests"))?;
        let mut requests = Vec::new();
        for entry in entries {
            let event: Value = serde_json::from_str(&entry.message)
                .map_err(|_| Error::Answer { what: "reading the requests", answer: entry.message.clone() })?;
            let event = &event["message"];
            // The browser's own empty tab may still be drawn when a page is opened.
            let is_own =
                event["params"]["documentURL"].as_str().is_some_and(|url| url.starts_with("chrome://"));
            if event["method"] == "Network.requestWillBeSent" && !is_own {
                requests.extend(event["params"]["request"]["url"].as_str().map(ToOwned::to_owned));
            }
        }
        Ok(requests)
    }
}
