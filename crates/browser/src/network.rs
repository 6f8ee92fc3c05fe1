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
            requests.extend(requested(&event["message"]));
        }
        Ok(requests)
    }
}

/// Documents with these schemes are Chromium's own: its empty tab and the frames in it may still be read when a page is
/// opened. No page can have a frame of them.
const OWN: [&str; 2] = ["chrome://", "chrome-untrusted://"];

/// What a page asks for by this event of the `DevTools` Protocol, if it asks for anything.
fn requested(event: &Value) -> Option<String> {
    let request = &event["params"];
    let document = request["documentURL"].as_str().unwrap_or_default();
    let is_own = OWN.iter().any(|scheme| document.starts_with(scheme));
    let is_request = event["method"] == "Network.requestWillBeSent" && !is_own;
    request["request"]["url"].as_str().filter(|_| is_request).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_empty_tab_asks_for_is_no_request_of_the_page() {
        let event = |document: &str, url: &str| json!({"method": "Network.requestWillBeSent", "params": {"documentURL": document, "request": {"url": url}}});
        let page = "http://127.0.0.1:34849/";
        let bar = "chrome-untrusted://new-tab-page/one-google-bar?paramsencoded=";
        assert_eq!(
            requested(&event("chrome://new-tab-page/", "chrome://resources/js/load_time_data.js")),
            None
        );
        assert_eq!(requested(&event(bar, bar)), None);
        assert_eq!(requested(&event(page, page)), Some(page.to_owned()));
        // A page that asks for what is the browser's own is told.
        assert_eq!(requested(&event(page, bar)), Some(bar.to_owned()));
        assert_eq!(
            requested(&json!({"method": "Network.loadingFinished", "params": {"documentURL": page}})),
            None
        );
    }
}
