//! A folder of the shape that a package has: function folders beside `host.json`, since the real host looks nowhere
//! else, and the handler under the name that `host.json` gives.

use std::io;
use std::path::Path;

/// The files of the app as they are packaged.
const FILES: [(&str, &str); 9] = [
    ("host.json", include_str!("../../../host.json")),
    (
        "api-description/function.json",
        include_str!("../../../function-definitions/api-description/function.json"),
    ),
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

    #[test]
    fn every_function_of_the_code_has_its_folder_and_they_agree() {
        for definition in DEFINITIONS {
            let name = format!("{}/function.json", definition.name);
            let (_, text) = FILES.iter().find(|(file, _)| *file == name).expect("the function has no folder");
            let function_json = serde_json::from_str(text).expect("function.json is JSON");
            assert_eq!(definition.check(&function_json), Vec::<String>::new(), "{name}");
        }
    }
}
