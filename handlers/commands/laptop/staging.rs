//! A folder of the shape that a package has: function folders beside `host.json`, since the real host looks nowhere
//! else, and the handler under the name that `host.json` gives.

use std::io;
use std::path::Path;

/// The files of the app as they are packaged.
const FILES: [(&str, &str); 8] = [
    ("host.json", include_str!("../../../host.json")),
    (
        "assign-policy/function.json",
        include_str!("../../../function-definitions/assign-policy/function.json"),
    ),
    (
        "handle-resource-event/function.json",
        include_str!("../../../function-definitions/handle-resource-event/function.json"),
    ),
    (
        "policy-status/function.json",
        include_str!("../../../function-definitions/policy-status/function.json"),
    ),
    (
        "reconcile-assignments/function.json",
        include_str!("../../../function-definitions/reconcile-assignments/function.json"),
    ),
    (
        "report-policy-status/function.json",
        include_str!("../../../function-definitions/report-policy-status/function.json"),
    ),
    (
        "sync-policies/function.json",
        include_str!("../../../function-definitions/sync-policies/function.json"),
    ),
    (
        "sync-requests/function.json",
        include_str!("../../../function-definitions/sync-requests/function.json"),
    ),
];

/// Lays the app out under `root`, with `handler` as the program that the host starts.
///
/// # Errors
/// When a file cannot be written.
pub fn lay_out(root: &Path, handler: &Path) -> io::Result<()> {
    for (name, text) in FILES {
        let path = root.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    std::os::unix::fs::symlink(handler, root.join("policysync"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::DEFINITIONS;
    use std::collections::BTreeSet;

    #[test]
    fn every_function_of_the_code_has_its_folder_and_they_agree() {
        for definition in DEFINITIONS {
            let name = format!("{}/function.json", definition.name);
            let (_, text) = FILES.iter().find(|(file, _)| *file == name).expect("the function has no folder");
            let function_json = serde_json::from_str(text).expect("function.json is JSON");
            assert_eq!(definition.check(&function_json), Vec::<String>::new(), "{name}");
        }
    }

    /// Every setting of a document by its path, as `docs/host-json.md` writes both.
    fn settings(path: &str, value: &serde_json::Value, found: &mut BTreeSet<(String, String)>) {
        match value.as_object() {
            None => {
                found.insert((path.to_owned(), value.to_string()));
            }
            Some(members) => {
                for (name, value) in members {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    settings(&below, value, found);
                }
            }
        }
    }

    #[test]
    fn every_setting_of_host_json_is_justified_with_its_value_and_no_other_is() {
        let mut set = BTreeSet::new();
        settings("", &serde_json::from_str(FILES[0].1).unwrap(), &mut set);
        let page = include_str!("../../../docs/host-json.md");
        let table = page.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
        let justified: BTreeSet<(String, String)> = table
            .take_while(|line| line.starts_with('|'))
            .map(|line| {
                let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
                assert!(cells.len() == 3 && cells[2].len() > 10, "{line}");
                (cells[0].trim_matches('`').to_owned(), cells[1].trim_matches('`').to_owned())
            })
            .collect();
        assert_eq!(justified, set);
    }

    #[test]
    fn every_folder_is_a_function_of_the_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("function-definitions");
        let folders: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let functions: BTreeSet<String> =
            DEFINITIONS.iter().map(|definition| definition.name.to_owned()).collect();
        assert_eq!(folders, functions);
    }
}
