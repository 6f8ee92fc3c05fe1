//! When a page was first seen.

use std::time::Duration;

use crate::{Browser, Error, failed};

/// Times since the navigation began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// When the browser painted anything of the page.
    pub first: Duration,
    /// When it painted the first text, image or drawing.
    pub first_contentful: Duration,
    /// When the whole page had been read and laid out.
    pub loaded: Duration,
}

impl Browser {
    /// When the page that is open was painted, as the browser itself measured it (Paint Timing). A page can have loaded
    /// before it is painted, so this waits for it.
    ///
    /// # Errors
    /// When it is not painted within the time that a script may take, 30 s.
    pub async fn paint(&self) -> Result<Paint, Error> {
        let what = "asking for paint times";
        let wait = "const done = arguments[0];
            const at = name => performance.getEntriesByName(name, 'paint')[0]?.startTime;
            const tell = () => at('first-contentful-paint') !== undefined && done([at('first-paint'),
                at('first-contentful-paint'), performance.getEntriesByType('navigation')[0]?.loadEventEnd]);
            new PerformanceObserver(tell).observe({type: 'paint', buffered: true});";
        let answer = self.session.execute_async(wait, Vec::new()).await.map_err(failed(what))?;
        let answer = answer.json().clone();
        let times: Option<Vec<Duration>> = answer.as_array().and_then(|times| {
            times
                .iter()
                .map(|time| time.as_f64().map(|milliseconds| Duration::from_secs_f64(milliseconds / 1000.0)))
                .collect()
        });
        match times.as_deref() {
            Some(&[first, first_contentful, loaded]) => Ok(Paint { first, first_contentful, loaded }),
            _ => Err(Error::Answer { what, answer: answer.to_string() }),
        }
    }
}
