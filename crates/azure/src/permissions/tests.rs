//! Compares the table with the sources: no call without a row, no row without a call, and the file of the roles has
//! this table.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Files below `crates/azure/src` that reach Azure only on behalf of a client, or not at all.
const PLUMBING: [&str; 7] = ["budget", "credential", "fake", "http", "remembered", "specs", "trace"];
/// Functions through which clients call Resource Manager or a provisioning service; the clients' own functions have the
/// rows.
const GENERIC: [&str; 7] = [
    "arm::get",
    "arm::list",
    "arm::list_of",
    "arm::list_where",
    "arm::post_long_running",
    "arm::write",
    "provisioning/groups/query::page",
];
/// Set it to write `permissions.json` instead of comparing it.
const WRITE: &str = "WRITE_GENERATED_FILES";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust file below a folder that is not for tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() && name != "tests" {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}

/// The asynchronous functions that other modules of the crate or other crates can call.
fn calls(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.trim_start();
        let rest =
            line.strip_prefix("pub async fn ").or_else(|| line.strip_prefix("pub(super) async fn "))?;
        rest.split(['(', '<']).next()
    })
}

fn calls_of_crate(name: &str) -> BTreeSet<String> {
    let folder = root().join("crates").join(name).join("src");
    let mut found = BTreeSet::new();
    for path in sources(&folder) {
        let file = path.strip_prefix(&folder).unwrap().with_extension("");
        let file = file.to_str().unwrap().replace('\\', "/");
        let top = file.split('/').next().unwrap();
        if name == "azure" && PLUMBING.contains(&top) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        found.extend(calls(&text).map(|call| format!("{file}::{call}")));
    }
    found
}

#[test]
fn every_call_has_a_row_and_every_row_is_called() {
    let mut called = calls_of_crate("azure");
    for generic in GENERIC {
        assert!(called.remove(generic), "{generic} is gone; take it off the list");
    }
    called.extend(calls_of_crate("state"));
    let rows: BTreeSet<String> =
        PERMISSIONS.iter().flat_map(|row| row.calls).map(|call| (*call).to_owned()).collect();
    let without_row: Vec<_> = called.difference(&rows).collect();
    let without_call: Vec<_> = rows.difference(&called).collect();
    assert!(without_row.is_empty(), "say in PERMISSIONS which action each of these needs: {without_row:?}");
    assert!(without_call.is_empty(), "nothing calls these any more: {without_call:?}");
}

#[test]
fn a_new_client_function_would_be_noticed() {
    let text = "    pub async fn revoke(&self) {}\npub(super) async fn list<T>() {}\nasync fn own() {}";
    assert_eq!(calls(text).collect::<Vec<_>>(), ["revoke", "list"]);
}

/// What a person does elsewhere and cannot take back. `policies blast-radius` prints commands for it.
const OF_PEOPLE: [&str; 7] = [
    "revokeissuer",
    "revokeandrotate",
    "revokecertificates",
    "revokebyresource",
    "/revoke\"",
    "linkinitiate",
    "listkeys",
];
/// The files that delete something, and what.
const DELETES: [(&str, &str); 2] = [
    ("budget.rs", "says which budget such a call is of"),
    ("service_bus/receiver.rs", "a message that is done"),
];

/// The files of commands that run a program.
const RUNS: [&str; 1] = [
    // The editor of `parked resubmit --edit`.
    "commands/operator/parked/replacement.rs",
];

/// The lines of a source that run: without comments, and without its tests, which stand at its end.
fn running(text: &str) -> String {
    let text = text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(before, _)| before);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n").to_ascii_lowercase()
}

/// Neither the clients nor the app hold the name of such an action, make a DELETE, or run a program that could.
#[test]
fn nothing_here_revokes_rotates_deletes_or_unlinks() {
    let (clients, app) = (root().join("crates/azure/src"), root().join("handlers"));
    let mut seen = 0;
    for path in sources(&clients).into_iter().chain(sources(&app)) {
        let text = running(&fs::read_to_string(&path).unwrap());
        seen += 1;
        for action in OF_PEOPLE {
            assert!(!text.contains(action), "{} names {action}", path.display());
        }
        let file = path.strip_prefix(&clients).unwrap_or(&path);
        if text.contains("method::delete") || text.contains("\"delete\"") || text.contains(".delete(") {
            let is_known = DELETES.iter().any(|(known, _)| file == Path::new(known));
            let is_of_records = path.starts_with(&app) && text.contains("store") && !text.contains("reqwest");
            assert!(is_known || is_of_records, "{} deletes", path.display());
        }
        if path.starts_with(app.join("commands/operator")) {
            let is_known = RUNS.iter().any(|known| path == app.join(known));
            assert!(is_known || !text.contains("process::command"), "{} runs a program", path.display());
        }
    }
    assert!(seen > 200, "only {seen} files were read");
    for row in PERMISSIONS.iter().filter(|row| row.action.starts_with("Microsoft.De")) {
        let last = row.action.rsplit('/').find(|part| *part != "action").unwrap().to_ascii_lowercase();
        assert!(!["delete", "revoke", "rotate"].iter().any(|deed| last.contains(deed)), "{}", row.action);
    }
}

#[test]
fn a_client_that_revokes_would_be_noticed() {
    let text = "// revokeIssuer\nlet a = \"/revokeIssuer\";\n#[cfg(test)]\nmod tests {\n\"revokeAndRotate\"";
    let text = running(text);
    assert!(text.contains("/revokeissuer") && !text.contains("revokeandrotate"));
}

#[test]
fn the_app_calls_resource_manager_through_clients_only() {
    for path in sources(&root().join("handlers")) {
        let text: String = fs::read_to_string(&path).unwrap().split_whitespace().collect::<Vec<_>>().join("");
        for (index, _) in text.match_indices(".arm()") {
            let rest = &text[index + ".arm()".len()..];
            assert!(rest.starts_with(".operation_status("), "{}: {rest:.60}", path.display());
        }
    }
}

#[test]
fn the_roles_are_made_from_this_table() {
    let path = root().join("infra/modules/permissions.json");
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, to_json()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, to_json(), "run `{WRITE}=1 cargo test -p azure permissions` and commit the file");
    assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok());
}

#[test]
fn an_action_is_exact_and_given_once_per_scope() {
    let mut seen = BTreeSet::new();
    for Permission { action, scope, role, data, .. } in PERMISSIONS {
        assert!(!action.contains('*'), "{action} is more than our code calls");
        assert!(seen.insert((action, scope)), "{action} on {} twice", scope.name());
        if *role == Role::Subscription {
            assert_eq!(*scope, PermissionScope::Subscription, "{action}");
            assert!(action.ends_with("/read") && !data, "{action} on a whole subscription");
        }
    }
    // A principal that may write these can read and change their keys (`azure-wire-facts.md` §6).
    for key_holder in ["Microsoft.Devices/provisioningServices/write", "Microsoft.Devices/IotHubs/write"] {
        assert!(PERMISSIONS.iter().all(|row| !row.action.eq_ignore_ascii_case(key_holder)), "{key_holder}");
    }
}

/// Azure refuses a role with an action that it does not know, so what one generation has must be in no role of the other.
#[test]
fn a_role_holds_the_actions_of_one_generation_and_keys_have_one_of_their_own() {
    for row in PERMISSIONS.iter().filter(|row| row.who == Who::App) {
        let of_credentials = row.action.contains("/credentials/");
        let of_authorities = row.action.contains("/certificateAuthorities");
        let declares = row.feature == Feature::Declare;
        let expected = match (of_credentials, of_authorities, declares) {
            (true, _, false) => (Some(Generation::Credentials), Role::Credentials),
            (true, _, true) => (Some(Generation::Credentials), Role::DeclaredCredentials),
            (_, true, false) => (Some(Generation::CertificateAuthorities), Role::CertificateAuthorities),
            (_, true, true) => {
                (Some(Generation::CertificateAuthorities), Role::DeclaredCertificateAuthorities)
            }
            _ => (row.generation, row.role),
        };
        assert_eq!((row.generation, row.role), expected, "{}", row.action);
        assert_eq!(
            row.role == Role::SymmetricKeys,
            row.action.contains("attestationmechanism"),
            "{} opens keys, or does not",
            row.action
        );
    }
    for role in Role::OWN {
        assert!(role.definition().is_some() && PERMISSIONS.iter().any(|row| row.role == *role), "{role:?}");
    }
}

/// What cannot be undone is in no role, and the right to make an authority or a policy in none but those that a deployment asks for.
#[test]
fn no_row_revokes_rotates_or_deletes_in_azure_only_a_person_activates_and_only_declared_roles_write_the_registry()
 {
    for Permission { action, feature, role, who, .. } in PERMISSIONS {
        let lower = action.to_ascii_lowercase();
        if *feature != Feature::Records {
            for forbidden in ["delete", "revoke", "rotate"] {
                assert!(!lower.contains(forbidden), "{action}");
            }
        }
        assert!(
            !lower.contains("activate") || (*who, *feature) == (Who::Person, Feature::OwnRoot),
            "{action}"
        );
        let writes_registry = lower.starts_with("microsoft.deviceregistry/") && lower.ends_with("/write");
        let is_declared = matches!(role, Role::DeclaredCredentials | Role::DeclaredCertificateAuthorities);
        assert!(!writes_registry || is_declared, "{action}");
        assert!(!is_declared || *feature == Feature::Declare, "{action}");
    }
}

/// The guide tells people before they deploy which actions no public source confirms, and names no other ones.
#[test]
fn the_guide_lists_what_is_inferred() {
    let guide = fs::read_to_string(root().join("docs/deploy.md")).unwrap();
    let listed: BTreeSet<&str> =
        guide.lines().filter_map(|line| line.strip_prefix("- `Microsoft.DeviceRegistry/")).collect();
    let inferred = PERMISSIONS.iter().filter(|row| row.evidence == Evidence::Inferred);
    let inferred: BTreeSet<String> = inferred
        .map(|row| format!("{}`", row.action.trim_start_matches("Microsoft.DeviceRegistry/")))
        .collect();
    assert_eq!(listed, inferred.iter().map(String::as_str).collect());
    assert!(inferred.iter().any(|name| name.ends_with("synchronize/action`")));
}

#[test]
fn a_missing_permission_comes_with_the_command_that_grants_it() {
    let command = PERMISSIONS[0].grant_command(
        "Policysync (x)",
        "00000000-0000-0000-0000-000000000001",
        "/subscriptions/S",
    );
    assert_eq!(
        command,
        "az role assignment create --assignee-object-id 00000000-0000-0000-0000-000000000001 \
         --assignee-principal-type ServicePrincipal --role \"Policysync (x)\" --scope \"/subscriptions/S\""
    );
}
