//! A scanner that we did not write, over the resources of every snapshot. Each finding is fixed in the templates, or
//! stands with its reason in `infra/accepted-findings.json`; an entry there that the scanner does not find any more is
//! a problem too.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::tools::checkov::{Checkov, Finding};

use super::files::{PARAMETER_FILES, ParameterFile};
use super::snapshot::Snapshot;

/// Below `infra/`.
const ACCEPTED: &str = "accepted-findings.json";
/// How long a reason is at least, in characters. Shorter ones say nothing.
const SHORTEST_REASON: usize = 20;

/// The findings of one kind (check, type of the resource, parameter file), with how often each was found.
type Counted = BTreeMap<(String, String, String), usize>;

/// Scans the snapshots below `infra`. `scratch` is for the templates that the scanner reads.
pub fn problems(checkov: &Checkov, infra: &Path, scratch: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for ParameterFile { file, .. } in PARAMETER_FILES {
        let scan = checkov.scan(&template(infra, file, scratch)?)?;
        // The scanner has no check for the resources of the sample worlds.
        if scan.passed == 0 && !file.starts_with("sample-world/") {
            return Err(format!("{file}: the scanner had nothing to say for any resource, so it read none"));
        }
        found.extend(scan.findings.into_iter().map(|finding| ((*file).to_owned(), finding)));
    }
    let path = infra.join(ACCEPTED);
    let text = fs::read_to_string(&path).map_err(|error| format!("{ACCEPTED}: {error}"))?;
    let accepted: Value = serde_json::from_str(&text).map_err(|error| format!("{ACCEPTED}: {error}"))?;
    judge(&found, &accepted)
}

/// The resources of a snapshot as a template, which is what the scanner reads.
fn template(infra: &Path, file: &str, scratch: &Path) -> Result<std::path::PathBuf, String> {
    let snapshot = Snapshot::read(infra, file)?;
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": snapshot.resources,
    });
    let path = scratch.join(format!("{}.json", file.replace('/', "-")));
    fs::create_dir_all(scratch).map_err(|error| error.to_string())?;
    fs::write(&path, template.to_string()).map_err(|error| error.to_string())?;
    Ok(path)
}

fn judge(found: &[(String, Finding)], accepted: &Value) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let mut counted = Counted::new();
    let mut titles = BTreeMap::new();
    for (file, finding) in found {
        let key = (finding.check.clone(), kind(&finding.resource).to_owned(), file.clone());
        *counted.entry(key).or_default() += 1;
        titles.insert(finding.check.as_str(), finding.title.as_str());
    }
    let mut allowed = Counted::new();
    for entry in accepted["accepted"].as_array().ok_or(format!("{ACCEPTED} has no list `accepted`"))? {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let (check, kind) = (text("check"), text("type"));
        if text("reason").chars().count() < SHORTEST_REASON {
            problems.push(format!("{ACCEPTED}: {check} on {kind} has no reason"));
        }
        for (file, count) in entry["found"].as_object().into_iter().flatten() {
            let count = count.as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
            let is_new = allowed.insert((check.clone(), kind.clone(), file.clone()), count).is_none();
            if !is_new || count == 0 {
                problems
                    .push(format!("{ACCEPTED}: {check} on {kind} of {file} stands there twice, or is none"));
            }
        }
    }
    for key @ (check, kind, file) in
        counted.keys().chain(allowed.keys()).collect::<std::collections::BTreeSet<_>>()
    {
        let (seen, known) = (counted.get(key).copied(), allowed.get(key).copied());
        if seen != known {
            let title = titles.get(check.as_str()).copied().unwrap_or("not found any more");
            problems.push(format!(
                "{file}: {check} on {kind}: found {}, accepted {}: {title}",
                seen.unwrap_or_default(),
                known.unwrap_or_default()
            ));
        }
    }
    Ok(problems)
}

/// The type in `Microsoft.X/y.name`.
fn kind(resource: &str) -> &str {
    let types = resource.find('/').map_or(0, |slash| slash + 1);
    resource[types..].find('.').map_or(resource, |dot| &resource[..types + dot])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(check: &str) -> (String, Finding) {
        let (title, resource) = ("a title".to_owned(), "Microsoft.Web/sites.func-x".to_owned());
        ("main.bicepparam".to_owned(), Finding { check: check.to_owned(), title, resource })
    }

    fn accepted(check: &str, count: u64, reason: &str) -> Value {
        json!({"accepted": [{"check": check, "type": "Microsoft.Web/sites", "reason": reason, "found": {"main.bicepparam": count}}]})
    }

    const REASON: &str = "a reason that is long enough to be one";

    #[test]
    fn what_is_found_and_accepted_is_no_problem() {
        assert_eq!(judge(&[finding("A")], &accepted("A", 1, REASON)).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_new_finding_one_more_of_it_and_one_that_is_gone_are_problems() {
        let none = json!({"accepted": []});
        assert!(judge(&[finding("A")], &none).unwrap()[0].contains("found 1, accepted 0: a title"));
        let more = judge(&[finding("A"), finding("A")], &accepted("A", 1, REASON)).unwrap();
        assert!(more[0].contains("found 2, accepted 1"), "{more:?}");
        let gone = judge(&[], &accepted("A", 1, REASON)).unwrap();
        assert!(gone[0].contains("found 0, accepted 1: not found any more"), "{gone:?}");
    }

    #[test]
    fn a_finding_is_not_accepted_without_a_reason() {
        assert_eq!(judge(&[finding("A")], &accepted("A", 1, "yes")).unwrap().len(), 1);
        assert!(judge(&[], &json!({})).is_err());
    }

    #[test]
    fn the_type_is_told_from_the_name() {
        assert_eq!(kind("Microsoft.Web/sites.func.x"), "Microsoft.Web/sites");
        assert_eq!(
            kind("Microsoft.Storage/storageAccounts/blobServices.st/default"),
            "Microsoft.Storage/storageAccounts/blobServices"
        );
    }
}
