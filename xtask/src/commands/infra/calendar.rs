//! Shows that no day of the calendar can fail a build: builds every template with the compiler's clock two years ahead.
//!
//! The compiler is a program of its own kind (.NET in a single file), so the check shows first that a wrong clock
//! reaches it: it asks the linter how old an API version is, with the right clock and with the wrong one.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::tools::bicep::Bicep;

use super::{current, diagnosed};

/// How far ahead: two years, one of which may be a leap year.
pub const DAYS: u32 = 731;
/// A template with an old API version, of which the linter tells the age.
const PROBE: &str = "resource probe 'Microsoft.Storage/storageAccounts@2019-06-01' existing = {\n  name: 'probe'\n}\n\noutput id string = probe.id\n";

/// The diagnostics of the compiler with that clock. `scratch` is the folder of the probe.
pub fn problems(bicep: &Bicep, infra: &Path, scratch: &Path) -> Result<Vec<String>, String> {
    let ahead = bicep.ahead(DAYS)?;
    let (now, then) = (age(bicep, scratch)?, age(&ahead, scratch)?);
    // Midnight may pass between the two.
    if !(DAYS..=DAYS + 1).contains(&(then.saturating_sub(now))) {
        return Err(format!(
            "the clock did not reach the compiler: an API version is {now} days old, and {then}"
        ));
    }
    let mut problems = diagnosed(&ahead, infra)?;
    problems.extend(current(&ahead, infra)?);
    Ok(problems)
}

/// How old the compiler takes the API version of the probe for, in days.
fn age(bicep: &Bicep, scratch: &Path) -> Result<u32, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", scratch.display());
    fs::create_dir_all(scratch).map_err(failed)?;
    let rules = json!({"analyzers": {"core": {"rules": {"use-recent-api-versions": {"level": "warning"}}}}});
    fs::write(scratch.join("bicepconfig.json"), rules.to_string()).map_err(failed)?;
    fs::write(scratch.join("probe.bicep"), PROBE).map_err(failed)?;
    let said = bicep.lint(scratch, "bicep")?;
    said.iter()
        .find_map(|line| told_age(line))
        .ok_or_else(|| format!("the linter does not tell the age of an API version any more: {said:?}"))
}

/// Reads `… '2019-06-01' is 2738 days old, …`.
fn told_age(line: &str) -> Option<u32> {
    let (before, _) = line.split_once(" days old")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_read_from_the_words_of_the_linter() {
        let said = "probe.bicep:1: use-recent-api-versions Use more recent API version for 'M.S/a'. '2019-06-01' is 2738 days old, \
                    should be no more than 730 days old, or the most recent.";
        assert_eq!(told_age(said), Some(2738));
        assert_eq!(told_age("probe.bicep:1: BCP081 no types"), None);
    }
}
