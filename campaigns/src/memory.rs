//! The most memory that a process ever had.

use crate::handler::Handler;
use crate::verdict::Verdict;

/// The most memory that a process may have.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// MiB, of bytes.
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// Judges the most memory that each process had until now in its present life, where the system tells.
pub async fn judge(handlers: &[&Handler], verdict: &mut Verdict) {
    for handler in handlers {
        judge_peak(handler.peak_memory_bytes().await, verdict);
    }
}

/// Judges the most memory that a process had, and answers it.
pub fn judge_peak(bytes: Option<u64>, verdict: &mut Verdict) -> Option<u64> {
    let told =
        bytes.map_or_else(|| "not told by this system".to_owned(), |it| format!("{:.1} MiB", mebibytes(it)));
    verdict.figure("  peak memory of a process", format!("{told} (less than {})", mebibytes(MOST_BYTES)));
    if let Some(bytes) = bytes.filter(|bytes| *bytes >= MOST_BYTES) {
        verdict.broken(vec![format!("a process had {:.1} MiB of memory", mebibytes(bytes))]);
    }
    bytes
}
