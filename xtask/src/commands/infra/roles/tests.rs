//! The check has to notice every mistake in roles.

use super::*;
use crate::commands::infra::files::PARAMETER_FILES;
use crate::workspace::Workspace;
use serde_json::json;

const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

/// The problems of the first snapshot after a change to it.
fn after(change: impl Fn(&mut Vec<Value>)) -> Vec<String> {
    after_in(PARAMETER_FILES[0].file, change)
}

fn after_in(file: &str, change: impl Fn(&mut Vec<Value>)) -> Vec<String> {
    let root = Workspace::find().root().to_path_buf();
    let mut snapshot = Snapshot::read(&root.join("infra"), file).unwrap();
    assert_eq!(problems(&root, file, &snapshot).unwrap(), Vec::<String>::new());
    change(&mut snapshot.resources);
    problems(&root, file, &snapshot).unwrap()
}

fn first_on(resources: &mut [Value], kind: &str) -> usize {
    let fits = |it: &Value| it["type"] == ASSIGNMENT && kind_of_id(scope_of(it)) == kind;
    resources.iter().position(fits).unwrap()
}

#[test]
fn an_assignment_that_is_missing_is_noticed() {
    for kind in [
        "Microsoft.Storage/storageAccounts",
        "Microsoft.ServiceBus/namespaces/queues",
        "Microsoft.EventHub/namespaces/eventhubs",
        "Microsoft.Devices/provisioningServices",
        "subscription",
    ] {
        let problems = after(|resources| {
            let index = first_on(resources, kind);
            resources.remove(index);
        });
        assert_eq!(problems.len(), 1, "{kind}: {problems:?}");
    }
}

#[test]
fn the_app_reads_the_configuration_and_has_no_other_right_on_its_account() {
    let container = "Microsoft.Storage/storageAccounts/blobServices/containers";
    let fleet = "environments/fleet.bicepparam";
    let without = after_in(fleet, |resources| {
        let index = first_on(resources, container);
        resources.remove(index);
    });
    assert_eq!(without.len(), 1, "{without:?}");
    let on_account = after_in(fleet, |resources| {
        let index = first_on(resources, container);
        let id = id(&resources[index]).to_owned();
        let (account, _) = id.split_once("/blobServices/").unwrap();
        let name = id.rsplit_once("/providers/").unwrap().1;
        resources[index]["id"] = json!(format!("{account}/providers/{name}"));
    });
    assert_eq!(on_account.len(), 2, "the container has none, and the account has one: {on_account:?}");
}

#[test]
fn a_wider_scope_is_noticed() {
    let problems = after(|resources| {
        let index = first_on(resources, "Microsoft.ServiceBus/namespaces/queues");
        let on_namespace = id(&resources[index]).replace("/queues/sync-requests", "");
        resources[index]["id"] = json!(on_namespace);
    });
    assert!(!problems.is_empty());
}

#[test]
fn another_role_is_noticed_and_contributor_by_its_name() {
    let role = |guid: &str| {
        let id = format!("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{guid}");
        after(move |resources| {
            let index = first_on(resources, "Microsoft.Devices/IotHubs");
            resources[index]["properties"]["roleDefinitionId"] = json!(id);
        })
    };
    assert!(!role(BUILT_IN[6].0).is_empty());
    assert!(role(FORBIDDEN[1].0).iter().any(|problem| problem.starts_with("Contributor on ")));
}

#[test]
fn an_action_more_or_less_in_a_role_is_noticed() {
    for actions in [json!(["*"]), json!([])] {
        let problems = after(|resources| {
            let kind = "Microsoft.Authorization/roleDefinitions";
            let role = resources.iter_mut().find(|it| it["type"] == kind).unwrap();
            role["properties"]["permissions"][0]["actions"] = actions.clone();
        });
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

fn definition<'a>(resources: &'a mut [Value], name: &str) -> &'a mut Value {
    let is_it = |it: &&mut Value| {
        it["properties"]["roleName"].as_str().is_some_and(|role| role.starts_with(&format!("{name} (")))
    };
    resources.iter_mut().find(is_it).unwrap()
}

#[test]
fn an_action_of_the_other_generation_or_the_right_to_keys_is_noticed() {
    for foreign in [
        "Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action",
        "Microsoft.DeviceRegistry/namespaces/credentials/policies/read",
    ] {
        let problems = after(|resources| {
            let role = definition(resources, "Policysync certificate authorities");
            role["properties"]["permissions"][0]["actions"].as_array_mut().unwrap().push(json!(foreign));
        });
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
    let keys = "Microsoft.Devices/provisioningServices/attestationmechanism/details/action";
    let problems = after(|resources| {
        let role = definition(resources, "Policysync");
        role["properties"]["permissions"][0]["dataActions"].as_array_mut().unwrap().push(json!(keys));
    });
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn a_role_that_the_parameters_do_not_ask_for_is_noticed() {
    // The fleet asks for every role. A role that the test renames is missing there.
    let fleet = "environments/fleet.bicepparam";
    for name in [
        "Policysync credentials",
        "Policysync certificate authorities",
        "Policysync symmetric keys",
        "Policysync declared credentials",
        "Policysync declared certificate authorities",
    ] {
        let problems = after_in(fleet, |resources| {
            definition(resources, name)["properties"]["roleName"] = json!("Policysync other (x)");
        });
        assert!(
            problems.iter().any(|problem| problem.starts_with("there is no custom role for ")),
            "{problems:?}"
        );
    }
    for (name, role) in [
        ("Policysync symmetric keys", "symmetric-keys"),
        ("Policysync declared credentials", "declared-credentials"),
        ("Policysync declared certificate authorities", "declared-certificate-authorities"),
    ] {
        let problems = after(|resources| {
            let mut more = definition(resources, "Policysync").clone();
            more["properties"]["roleName"] = json!(format!("{name} (x)"));
            resources.push(more);
        });
        assert!(problems.contains(&format!("there should be no custom role for {role}")), "{problems:?}");
    }
}

#[test]
fn an_app_that_can_change_its_package_is_noticed() {
    let on_packages = |resources: &mut [Value]| -> usize {
        let fits = |it: &Value| it["type"] == ASSIGNMENT && scope_of(it).contains("/stpkg");
        resources.iter().position(fits).unwrap()
    };
    // On Flex Consumption: by the identity that the app runs as.
    let problems = after(|resources| {
        let (packages, app) =
            (on_packages(resources), first_on(resources, "Microsoft.ServiceBus/namespaces/queues"));
        resources[packages]["properties"]["principalId"] =
            resources[app]["properties"]["principalId"].clone();
    });
    assert!(
        problems.iter().any(|problem| problem.contains("is not for the package's identity")),
        "{problems:?}"
    );
    // On Elastic Premium: by a role that writes.
    let problems = after_in("environments/private.bicepparam", |resources| {
        let packages = on_packages(resources);
        let role = BUILT_IN.iter().find(|(_, name)| *name == "Storage Blob Data Owner").unwrap().0;
        resources[packages]["properties"]["roleDefinitionId"] = json!(format!("/x/{role}"));
    });
    assert_eq!(problems.len(), 1, "{problems:?}");
    // Records and package in one account would put two roles on it.
    let problems = after(|resources| {
        let packages = on_packages(resources);
        let moved = id(&resources[packages]).replace("/stpkg", "/st");
        resources[packages]["id"] = json!(moved);
    });
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn a_role_without_a_row_in_the_guide_is_noticed() {
    let snapshot = Snapshot::read(&Workspace::find().root().join("infra"), PARAMETER_FILES[0].file).unwrap();
    let problems = untold(&snapshot, "| Policysync finder (custom) | Policysync certificate authorities |");
    assert!(problems.contains(&"docs/deploy.md has no row for the role EventGrid Data Sender".to_owned()));
    assert!(!problems.iter().any(|problem| problem.contains("finder")), "{problems:?}");
}
