//! What a person says beside the write itself: why, and what they write in spite of.

use certificate_management::attribution::wrong_reason;
use certificate_management::plan::permit::Insistence;
use clap::Args;

/// The flags of every command that writes.
#[derive(Debug, Clone, Default, Args)]
pub struct Intent {
    /// Why, for the readers of the record.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: Option<String>,
    /// Write although policysync.toml has a `freeze` now: for emergencies.
    #[arg(long, requires = "reason")]
    pub break_freeze: bool,
    /// Write although there is no place for records, so that which groups are held is not known.
    #[arg(long)]
    pub without_records: bool,
}

impl Intent {
    /// What the person writes in spite of.
    pub fn insistence(&self, even_in_audit: bool) -> Insistence {
        let Self { break_freeze, without_records, .. } = *self;
        Insistence { even_in_audit, break_freeze, without_records }
    }
}

/// A reason as a flag gives it.
///
/// # Errors
/// What is wrong with it.
pub fn reason(text: &str) -> Result<String, String> {
    wrong_reason(text).map_or_else(|| Ok(text.to_owned()), |problem| Err(problem.to_owned()))
}
