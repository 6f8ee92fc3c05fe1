//! checkov, a scanner of templates that we did not write, from `PyPI`: exactly the wheels of a committed list, by their hashes.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::tools::python;

/// The list, below the folder of this crate.
pub const REQUIREMENTS: &str = "xtask/checkov/requirements.txt";

/// A scanner that is installed.
pub struct Checkov {
    python: PathBuf,
}

/// One problem that it finds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Its id, e.g. `CKV_AZURE_206`.
    pub check: String,
    /// What the check is about, in checkov's words.
    pub title: String,
    /// Type and name of the resource, e.g. `Microsoft.Web/sites.func-policysync-x`.
    pub resource: String,
}

impl Checkov {
    /// Installs it below `tools`, unless it is there already; otherwise says in words why there is none.
    pub fn install(tools: &Path, root: &Path) -> Result<Self, String> {
        python::install(&tools.join("checkov"), &root.join(REQUIREMENTS)).map(|python| Self { python })
    }

    /// Scans an ARM template. Nothing is fetched or sent.
    pub fn scan(&self, template: &Path) -> Result<Scan, String> {
        let output = Command::new(&self.python)
            .args(["-m", "checkov.main", "--framework", "arm", "--skip-download", "--quiet", "--compact"])
            .args(["--output", "json", "--soft-fail", "--file"])
            .arg(template)
            .env("NO_COLOR", "1")
            .output()
            .map_err(|error| format!("checkov did not start: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let document: Value = serde_json::from_str(&said).map_err(|error| {
            format!("checkov said nothing readable: {error}: {}", String::from_utf8_lossy(&output.stderr))
        })?;
        Scan::parse(&document)
    }
}

/// The result of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Checks that passed. None at all: it has no check for any of the resources, or read none.
    pub passed: u64,
    /// The checks that failed.
    pub findings: Vec<Finding>,
}

impl Scan {
    fn parse(document: &Value) -> Result<Self, String> {
        // Where no check is about any of the resources, the summary is all that it prints.
        let summary = document.get("summary").unwrap_or(document);
        let number = |name: &str| summary[name].as_u64();
        let (Some(passed), Some(0)) = (number("passed"), number("parsing_errors")) else {
            return Err(format!("checkov could not read the template: {summary}"));
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let failed = document["results"]["failed_checks"].as_array().cloned().unwrap_or_default();
        let findings = failed.iter().map(|finding| Finding {
            check: text(&finding["check_id"]),
            title: text(&finding["check_name"]),
            resource: text(&finding["resource"]),
        });
        Ok(Self { passed, findings: findings.collect() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn a_finding_is_read_and_a_template_that_it_cannot_read_is_no_clean_one() {
        let finding =
            json!({"check_id": "CKV_AZURE_1", "check_name": "x", "resource": "Microsoft.Web/sites.a"});
        let read = |errors| {
            Scan::parse(&json!({
                "summary": {"passed": 3, "failed": 1, "parsing_errors": errors},
                "results": {"failed_checks": [finding]},
            }))
        };
        let scan = read(0).unwrap();
        assert_eq!((scan.passed, scan.findings[0].check.as_str()), (3, "CKV_AZURE_1"));
        assert!(read(1).is_err());
        let nothing = Scan::parse(&json!({"passed": 0, "failed": 0, "parsing_errors": 0})).unwrap();
        assert_eq!((nothing.passed, nothing.findings.len()), (0, 0));
        assert!(Scan::parse(&json!({})).is_err());
    }

    #[test]
    fn every_package_is_pinned_by_hash_and_no_index_is_named() {
        python::check_requirements(&Workspace::find().root().join(REQUIREMENTS), "checkov");
    }
}
