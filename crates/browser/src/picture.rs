//! Pictures of a page, for people.

use std::path::Path;

use base64::Engine;
use serde_json::json;

use crate::{Browser, Error};

/// Longer pages are cut: a picture has to fit into memory and on a screen.
const MOST_PIXELS_HIGH: f64 = 8000.0;

impl Browser {
    /// Writes a PNG of the whole page, from its top to its end, and makes the folder that it is in.
    ///
    /// # Errors
    /// When the browser is gone, or the file cannot be written.
    pub async fn picture(&self, file: &Path) -> Result<(), Error> {
        let size = self.devtools("measuring", "Page.getLayoutMetrics", json!({})).await?;
        let side = |name: &str| size["cssContentSize"][name].as_f64().unwrap_or_default();
        let clip = json!({
            "x": 0, "y": 0, "width": side("width"), "height": side("height").min(MOST_PIXELS_HIGH), "scale": 1,
        });
        let options = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let answer = self.devtools("taking a picture", "Page.captureScreenshot", options).await?;
        self.write("taking a picture", &answer, file).await
    }

    /// Writes the page as a PDF, as the browser would print it on A4.
    ///
    /// # Errors
    /// When the browser is gone, or the file cannot be written.
    pub async fn print(&self, file: &Path) -> Result<(), Error> {
        let options = json!({"printBackground": false, "paperWidth": 8.27, "paperHeight": 11.69});
        let answer = self.devtools("printing", "Page.printToPDF", options).await?;
        self.write("printing", &answer, file).await
    }

    async fn write(&self, what: &'static str, answer: &serde_json::Value, file: &Path) -> Result<(), Error> {
        let data = answer["data"].as_str().unwrap_or_default();
        let bytes = base64::engine::general_purpose::STANDARD.decode(data);
        let bytes = bytes.ok().filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or_else(|| Error::Answer { what, answer: "no file".to_owned() })?;
        let failed = |source| Error::File { path: file.to_owned(), source };
        if let Some(folder) = file.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(failed)?;
        }
        tokio::fs::write(file, bytes).await.map_err(failed)
    }
}
