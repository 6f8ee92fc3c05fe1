//! Checks that our own examples name regions in which the service is offered (`azure-wire-facts.md` §7, September
//! 2026). Azure, whose list grows, judges the regions that a person sets.

use std::path::Path;

use serde_json::Value;

use super::parameters::{self, Parameters};
use super::snapshot::{Snapshot, kind, name};

const CREDENTIALS: [&str; 6] = ["eastus", "eastus2", "northeurope", "westeurope", "westus", "westus2"];
const CERTIFICATE_AUTHORITIES: [&str; 4] = ["australiaeast", "centralus", "japaneast", "uksouth"];

/// What is wrong with the regions of a snapshot and of its parameter file.
pub fn problems(infra: &Path, file: &str, snapshot: &Snapshot) -> Result<Vec<String>, String> {
    let generations = match file {
        "sample-world/main.bicepparam" => vec!["credentials".to_owned()],
        _ if file.starts_with("sample-world/") => vec!["certificate-authorities".to_owned()],
        _ => Parameters::read(infra, file)?.generations,
    };
    let offered: Vec<&str> = generations.iter().flat_map(|generation| regions(generation)).copied().collect();
    let mut problems = Vec::new();
    // The resources of the service itself, and the event hubs, which are in the regions of the provisioning services.
    let of_service =
        |it: &&Value| kind(it).starts_with("Microsoft.Device") || kind(it) == "Microsoft.EventHub/namespaces";
    for resource in snapshot.resources.iter().filter(of_service) {
        let Some(region) = resource["location"].as_str() else { continue };
        if !offered.contains(&region) {
            problems.push(format!(
                "{} is in {region}, where {} is not offered",
                name(resource),
                generations.join(", ")
            ));
        }
    }
    let text = parameters::text(infra, file)?;
    let default = text.split("'AZURE_LOCATION', '").nth(1).and_then(|rest| rest.split('\'').next());
    if let Some(region) = default.filter(|region| !offered.contains(region)) {
        problems.push(format!("its default region {region} does not offer {}", generations.join(", ")));
    }
    Ok(problems)
}

fn regions(generation: &str) -> &'static [&'static str] {
    if generation == "credentials" { &CREDENTIALS } else { &CERTIFICATE_AUTHORITIES }
}

#[cfg(test)]
mod tests {
    use super::super::files::PARAMETER_FILES;
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn a_region_without_the_service_is_noticed() {
        let infra = Workspace::find().root().join("infra");
        for of_file in PARAMETER_FILES {
            let mut snapshot = Snapshot::read(&infra, of_file.file).unwrap();
            assert_eq!(
                problems(&infra, of_file.file, &snapshot).unwrap(),
                Vec::<String>::new(),
                "{}",
                of_file.file
            );
            for resource in &mut snapshot.resources {
                if resource["location"].is_string() {
                    resource["location"] = "polandcentral".into();
                }
            }
            assert!(!problems(&infra, of_file.file, &snapshot).unwrap().is_empty(), "{}", of_file.file);
        }
    }
}
