//! The files of `infra/`: which there are, that each is known, and that none reads anything outside the folder.

use std::fs;
use std::path::Path;

use crate::tools::bicep::Place;

/// A parameter file with a committed snapshot.
pub struct ParameterFile {
    /// Below `infra/`.
    pub file: &'static str,
    /// What it is deployed to.
    pub place: Place,
}

/// The sample world of the second generation.
pub const SAMPLE_B: ParameterFile = ParameterFile {
    file: "sample-world/certificate-authorities/main.bicepparam",
    place: Place { resource_group: Some("rg-policysync-sample-b"), location: "uksouth" },
};

const WHOLE: Place = Place { resource_group: None, location: "uksouth" };

/// Every parameter file.
pub const PARAMETER_FILES: &[ParameterFile] = &[
    ParameterFile { file: "main.bicepparam", place: WHOLE },
    ParameterFile { file: "environments/fleet.bicepparam", place: WHOLE },
    ParameterFile { file: "environments/private.bicepparam", place: WHOLE },
    ParameterFile {
        file: "sample-world/main.bicepparam",
        place: Place { resource_group: Some("rg-policysync-sample"), location: "westeurope" },
    },
    SAMPLE_B,
];

/// Every `.bicep` and `.bicepparam`, sorted, below `infra`.
pub fn templates(infra: &Path) -> Result<Vec<String>, String> {
    let mut found = all(infra)?;
    found.retain(|file| file.ends_with(".bicep") || file.ends_with(".bicepparam"));
    Ok(found)
}

/// The files that a person deploys: each `main.bicep` and each parameter file.
pub fn roots(infra: &Path) -> Result<Vec<String>, String> {
    let mut found = templates(infra)?;
    found.retain(|file| file.ends_with(".bicepparam") || file.ends_with("main.bicep"));
    Ok(found)
}

/// The problems of the files that the compiler does not see.
pub fn problems(infra: &Path) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for file in templates(infra)? {
        if file.ends_with(".bicepparam") && !PARAMETER_FILES.iter().any(|known| known.file == file) {
            problems.push(format!("{file}: no snapshot is kept of it; add it to PARAMETER_FILES"));
        }
        let text = fs::read_to_string(infra.join(&file)).map_err(|error| format!("{file}: {error}"))?;
        problems.extend(of_text(&file, &text));
    }
    Ok(problems)
}

fn of_text(file: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let depth = file.matches('/').count();
    let mut line_before = "";
    for (index, line) in text.lines().enumerate() {
        let place = format!("{file}:{}", index + 1);
        if line.matches("../").count() > depth {
            problems.push(format!("{place}: it reads a file outside infra/"));
        }
        if line.contains("'br:") || line.contains("'br/") || line.contains("'ts:") || line.contains("'ts/") {
            problems.push(format!(
                "{place}: a module from a registry; nothing can be fetched where this is built"
            ));
        }
        if line.trim_start().starts_with("#disable") && !line_before.trim_start().starts_with("//") {
            problems.push(format!("{place}: a suppression without a reason in the line before it"));
        }
        line_before = line;
    }
    problems
}

/// Copies the folder, and replaces an earlier copy.
pub fn copy(infra: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    if to.exists() {
        fs::remove_dir_all(to).map_err(failed)?;
    }
    for file in all(infra)? {
        let target = to.join(&file);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::copy(infra.join(&file), target).map_err(failed)?;
    }
    Ok(())
}

fn all(infra: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = infra.join(&folder);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(format!("{name}/"));
            } else {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_outside_the_folder_is_noticed() {
        assert_eq!(
            of_text("modules/a.bicep", "param x string = loadTextContent('../b.txt')"),
            Vec::<String>::new()
        );
        assert_eq!(of_text("modules/a.bicep", "var x = loadTextContent('../../host.json')").len(), 1);
        assert_eq!(of_text("main.bicep", "var x = loadTextContent('../host.json')").len(), 1);
    }

    #[test]
    fn a_module_from_a_registry_is_noticed() {
        assert_eq!(of_text("main.bicep", "module m 'br/public:avm/res/web/site:0.19.0' = {}").len(), 1);
    }

    #[test]
    fn a_suppression_needs_a_reason() {
        assert_eq!(of_text("main.bicep", "#disable-next-line no-unused-vars\nvar x = 1").len(), 1);
        let reasoned = "// There is no newer one.\n#disable-next-line no-unused-vars\nvar x = 1";
        assert_eq!(of_text("main.bicep", reasoned), Vec::<String>::new());
    }
}
