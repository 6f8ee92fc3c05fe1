//! Checks which azd `azure.yaml` takes, and that its hooks are the scripts that the other tests run.

use super::{root, text};

/// Before this one, `azd down` deletes every resource group that a resource of the deployment is in, so the customer's too
/// (Azure/azure-dev #7698, in its changelog under 1.24.1).
const REQUIRED: &str = "requiredVersions:\n  azd: \">= 1.24.1\"\n";

#[test]
fn an_azd_that_deletes_the_groups_of_others_is_refused() {
    assert!(text("azure.yaml").contains(REQUIRED));
}

#[test]
fn each_hook_is_a_script_of_the_folder_and_none_is_written_in_the_file() {
    let yaml = text("azure.yaml");
    let runs: Vec<&str> = yaml.lines().filter_map(|line| line.trim().strip_prefix("run: ")).collect();
    let scripts = ["preflight.sh", "deploy.sh", "remove.sh"].map(|name| format!("sh infra/hooks/{name}"));
    assert_eq!(runs, scripts);
    for script in scripts {
        assert!(root().join(script.trim_start_matches("sh ")).exists(), "{script}");
    }
    let hooks: Vec<&str> = yaml
        .lines()
        .filter(|line| line.trim().starts_with("pre") || line.trim().starts_with("post"))
        .collect();
    assert_eq!(hooks, ["  preprovision:", "  postprovision:", "  predown:"]);
}

#[test]
fn the_guide_says_what_removes_what_before_it_says_azd_up() {
    let guide = text("docs/deploy.md");
    let place = |part: &str| guide.find(part).unwrap_or_else(|| panic!("the guide has no `{part}`"));
    let order =
        ["## What removes what", "before 1.24.1", "Azure/azure-dev #7698", "\nazd up\n", "## Remove it"];
    assert!(order.map(place).is_sorted());
    assert!(guide[place("## Remove it")..].contains("\nsh infra/hooks/remove.sh\n"));
}

#[test]
fn the_guide_gives_the_key_of_one_function_and_never_one_of_the_host() {
    let guide = text("docs/deploy.md");
    assert!(guide.contains("az functionapp function keys list"));
    for key in ["functionKeys", "masterKey", "--query systemKeys"] {
        assert!(!guide.contains(key), "{key} opens more than one function");
    }
}
