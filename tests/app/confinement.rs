//! Only the clients hold the names of members and types of a generation of the service, so that a third generation
//! changes nothing else.

use std::fs;
use std::path::{Path, PathBuf};

/// Official member names and resource types of both generations (`azure-wire-facts.md` §0 to §3).
const OFFICIAL: [&str; 12] = [
    "credentialPolicyName",
    "namespaceName",
    "certificateAuthorityName",
    "certificatePolicyName",
    "policyResourceId",
    "certificateAuthorityResourceId",
    "deviceRegistryNamespace",
    "certificateAuthorityConfiguration",
    "leafCertificateConfiguration",
    "credentials/default",
    "\"certificateAuthorities\"",
    "\"certificatePolicies\"",
];
const ROOMS: [&str; 4] =
    ["handlers", "crates/certificate-management/src", "crates/state/src", "crates/functions-host/src"];
/// The demo plays other people's programs, which talk to the simulated Azure by themselves.
const OTHER_PEOPLE: &str = "handlers/commands/laptop/demo";

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The code of a file: without comments, and without its tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    lines.filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn official_names_of_the_generations_stand_in_the_clients_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut read = 0;
    for path in ROOMS.iter().flat_map(|room| sources(&root.join(room))) {
        let shown = path.strip_prefix(root).unwrap().display().to_string().replace('\\', "/");
        let is_test = shown.contains("/tests") || shown.ends_with("/testing.rs");
        if is_test || shown.starts_with(OTHER_PEOPLE) {
            continue;
        }
        read += 1;
        let text = fs::read_to_string(&path).unwrap();
        for line in code(&text) {
            let lower = line.to_ascii_lowercase();
            let found = OFFICIAL.iter().find(|name| lower.contains(&name.to_ascii_lowercase()));
            assert_eq!(found, None, "{shown}: {}", line.trim());
        }
    }
    assert!(read > 100, "only {read} files were read");
    let clients =
        sources(&root.join("crates/azure/src")).into_iter().map(|path| fs::read_to_string(path).unwrap());
    let clients = clients.collect::<String>();
    for name in OFFICIAL {
        assert!(clients.contains(name), "the clients do not know `{name}`, so nothing is confined by it");
    }
}
