//! The most memory that a process ever had.

use crate::handler::Handler;
use crate::verdict::Verdict;

/// The most memory that a process may have.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Judges the most memory that each process had until now in its present life, where the system tells.
pub async fn judge(handlers: &[&Handler], verdict: &mut Verdict) {
    let mebibytes = |bytes: u64| bytes as f64 / 1_048_576.0;
    let mut told = Vec::new();
    for handler in handlers {
        let Some(bytes) = handler.peak_memory_bytes().await else { continue };
        told.push(format!("{:.1} MiB", mebibytes(bytes)));
        if bytes >= MOST_BYTES {
            let name = handler.name;
            verdict.broken(vec![format!("the {name} process had {:.1} MiB of memory", mebibytes(bytes))]);
        }
    }
    let figure = match told.as_slice() {
        [] => "not told by this system".to_owned(),
        told => format!("{} (less than {})", told.join(", "), mebibytes(MOST_BYTES)),
    };
    verdict.figure("peak memory of each process", figure);
}
