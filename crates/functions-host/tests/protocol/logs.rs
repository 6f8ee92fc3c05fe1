//! Every log line of this test binary, found again by invocation id. Each test uses ids of its own.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

use serde_json::Value;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static INSTALL: Once = Once::new();

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn install() {
    INSTALL.call_once(|| tracing_subscriber::fmt().json().with_writer(|| Writer).init());
}

/// The lines logged inside the invocation of that id. A line that is not one JSON object fails the test.
pub fn of(id: &str) -> Vec<Value> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let lines = String::from_utf8(lines).expect("text");
    let parsed =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("one JSON object per line"));
    parsed.filter(|line| line["span"]["faas.invocation_id"] == id).collect()
}
