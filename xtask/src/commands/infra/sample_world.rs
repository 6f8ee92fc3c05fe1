//! Compares the sample world of the second generation with the service's demands (`ca-lifecycle-facts.md` 4.1, 4.2):
//! which identity has which role on which resource, and which resources exist at which stage.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::tools::bicep::Bicep;

use super::files::{self, SAMPLE_B};
use super::snapshot::{Snapshot, kind_of_id, scope_of};

/// The variable from which parameter files read the stage.
const VARIABLE: &str = "STAGE";
/// The stages in their order.
const STAGES: [&str; 4] = ["resources", "provisioning-service", "hubs", "certificate-authorities"];

const NAMESPACE: &str = "Microsoft.DeviceRegistry/namespaces";
const HUB: &str = "Microsoft.Devices/IotHubs";
const SERVICE: &str = "Microsoft.Devices/provisioningServices";
const AUTHORITIES: &str = "Microsoft.DeviceRegistry/namespaces/certificateAuthorities";

const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const HUB_DATA_CONTRIBUTOR: &str = "4fc6c259-987e-4a07-842e-c321cc9d413f";
const REGISTRY_ADMINISTRATOR: &str = "12675fd7-7f59-493f-9201-f7944860a2f1";

/// The role matrix: owner of the system-assigned identity, role, resource. The rows of hubs hold for each hub.
const MATRIX: [(&str, &str, &str); 6] = [
    (NAMESPACE, CONTRIBUTOR, HUB),
    (NAMESPACE, HUB_DATA_CONTRIBUTOR, HUB),
    (HUB, CONTRIBUTOR, NAMESPACE),
    (NAMESPACE, CONTRIBUTOR, SERVICE),
    (SERVICE, CONTRIBUTOR, NAMESPACE),
    (NAMESPACE, REGISTRY_ADMINISTRATOR, NAMESPACE),
];

/// Evaluates every stage and looks at each.
pub fn problems(bicep: &Bicep, infra: &Path, scratch: &Path) -> Result<Vec<String>, String> {
    files::copy(infra, scratch)?;
    let mut problems = Vec::new();
    for stage in STAGES {
        let file = SAMPLE_B.file;
        bicep.snapshot(&scratch.join(file), "overwrite", SAMPLE_B.place, &[(VARIABLE, stage)])?;
        let snapshot = Snapshot::read(scratch, file)?;
        problems.extend(
            of_stage(stage, &snapshot).into_iter().map(|why| format!("{file}, stage {stage}: {why}")),
        );
    }
    Ok(problems)
}

fn of_stage(stage: &str, snapshot: &Snapshot) -> Vec<String> {
    let mut problems = roles(snapshot);
    let at = STAGES.iter().position(|known| *known == stage).unwrap_or_default();
    let Some(namespace) = snapshot.of_type(NAMESPACE).next() else {
        return vec!["there is no namespace".to_owned()];
    };
    let endpoints =
        |part: &str| namespace["properties"][part]["endpoints"].as_object().map_or(0, serde_json::Map::len);
    let hubs = snapshot.of_type(HUB).count();
    for (what, found, expected) in [
        ("provisioning services linked", endpoints("provisioning"), usize::from(at >= 1)),
        ("hubs linked", endpoints("messaging"), if at >= 2 { hubs } else { 0 }),
        ("certificate authorities", snapshot.of_type(AUTHORITIES).count(), if at >= 3 { 2 } else { 0 }),
    ] {
        if found != expected {
            problems.push(format!("{what}: {found}, not {expected}"));
        }
    }
    let identity = namespace["identity"]["type"].as_str().unwrap_or_default();
    if !identity.contains("SystemAssigned") {
        problems.push("the namespace has no system-assigned identity".to_owned());
    }
    problems
}

/// Every row of the matrix on every resource that it is about, and no other role.
fn roles(snapshot: &Snapshot) -> Vec<String> {
    let ids = |kind: &str| -> Vec<String> {
        snapshot.of_type(kind).filter_map(|it| it["id"].as_str()).map(str::to_owned).collect()
    };
    let mut expected = BTreeSet::new();
    for (whose, role, on) in MATRIX {
        for owner in ids(whose) {
            expected.extend(ids(on).into_iter().map(|scope| (owner.clone(), role.to_owned(), scope)));
        }
    }
    let found: BTreeSet<(String, String, String)> = snapshot
        .of_type("Microsoft.Authorization/roleAssignments")
        .map(|it| (owner(&it["properties"]["principalId"]), role(it), scope_of(it).to_owned()))
        .collect();
    let told = |(whose, role, on): &(String, String, String)| {
        format!("role {role} of {} on {}", kind_of_id(whose), kind_of_id(on))
    };
    let missing = expected.difference(&found).map(|row| format!("missing: {}", told(row)));
    missing.chain(found.difference(&expected).map(|row| format!("not wanted: {}", told(row)))).collect()
}

fn role(assignment: &Value) -> String {
    let id = assignment["properties"]["roleDefinitionId"].as_str().unwrap_or_default();
    id.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The resource whose identity an expression like `[reference('ID', …).identity.principalId]` takes.
fn owner(principal: &Value) -> String {
    principal.as_str().unwrap_or_default().split('\'').nth(1).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    /// The committed snapshot, which is of the last stage, after a change.
    fn after(change: impl Fn(&mut Vec<Value>)) -> Vec<String> {
        let mut snapshot = Snapshot::read(&Workspace::find().root().join("infra"), SAMPLE_B.file).unwrap();
        assert_eq!(of_stage(STAGES[3], &snapshot), Vec::<String>::new());
        change(&mut snapshot.resources);
        of_stage(STAGES[3], &snapshot)
    }

    #[test]
    fn a_role_that_is_missing_or_more_than_wanted_is_noticed() {
        let kind = "Microsoft.Authorization/roleAssignments";
        let all = Snapshot::read(&Workspace::find().root().join("infra"), SAMPLE_B.file).unwrap();
        assert_eq!(all.of_type(kind).count(), 9);
        for index in 0..9 {
            let problems = after(|resources| {
                let at =
                    resources.iter().enumerate().filter(|(_, it)| it["type"] == kind).nth(index).unwrap().0;
                resources.remove(at);
            });
            assert!(problems[0].starts_with("missing: "), "{problems:?}");
        }
        let problems = after(|resources| {
            let one = resources.iter_mut().find(|it| it["type"] == kind).unwrap();
            one["properties"]["roleDefinitionId"] = "/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635".into();
        });
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[test]
    fn authorities_before_the_links_are_noticed() {
        let snapshot = Snapshot::read(&Workspace::find().root().join("infra"), SAMPLE_B.file).unwrap();
        assert_eq!(of_stage(STAGES[2], &snapshot), ["certificate authorities: 2, not 0"]);
        assert_eq!(of_stage(STAGES[0], &snapshot).len(), 3);
    }
}
