//! The files of a package: the handler and `policysync.toml` beside `host.json`, and a folder per function. The real
//! host looks for functions in the folders beside `host.json` and nowhere else.
//!
//! Two kinds of folders are for some deployments only, since a trigger whose event hub does not exist is an error of the
//! host: `assign-policy-N` reads the diagnostic records of the Nth region, and `handle-streamed-events` the events of an app
//! that Event Grid cannot reach.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::CONFIGURATION;

/// The program that `host.json` starts, and the only file that is executable.
pub const HANDLER: &str = "policysync";
/// Most regions with provisioning services; the handler knows no further folders (`handlers/functions.rs`).
pub const MOST_REGIONS: usize = 8;
/// The function that reads diagnostic records in the first region; each further region has a folder of its own.
const REGIONAL: &str = "assign-policy";
/// The function that only packages with streamed events have.
const STREAMED: &str = "handle-streamed-events";

/// The folders that a package has beyond those of every package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Regions with provisioning services, 1 to [`MOST_REGIONS`].
    pub regions: usize,
    /// Whether events come through an event hub.
    pub streamed_events: bool,
}

impl Default for Extent {
    fn default() -> Self {
        Self { regions: 1, streamed_events: false }
    }
}

impl Extent {
    /// Reads `[--regions N] [--streamed-events]`.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut extent = Self::default();
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            match argument {
                "--streamed-events" => extent.streamed_events = true,
                "--regions" => {
                    let number = rest.next().and_then(|text| text.parse().ok());
                    extent.regions = number
                        .filter(|number| (1..=MOST_REGIONS).contains(number))
                        .ok_or_else(|| format!("--regions wants a number from 1 to {MOST_REGIONS}"))?;
                }
                other => {
                    return Err(format!(
                        "`{other}` is no option; there are --regions N and --streamed-events"
                    ));
                }
            }
        }
        Ok(extent)
    }
}

/// Every file of a package with its content, by its path in the package, sorted.
pub fn files(root: &Path, binary: &Path, extent: Extent) -> Result<Vec<(String, Vec<u8>)>, String> {
    let own = root.join(CONFIGURATION);
    let configuration = if own.exists() { own } else { root.join("xtask/package").join(CONFIGURATION) };
    let mut files = vec![
        ("host.json".to_owned(), read(&root.join("host.json"))?),
        (CONFIGURATION.to_owned(), read(&configuration)?),
        (HANDLER.to_owned(), read(binary)?),
    ];
    let definitions = root.join("function-definitions");
    let entries =
        fs::read_dir(&definitions).map_err(|error| format!("{}: {error}", definitions.display()))?;
    for entry in entries {
        let name = entry.map_err(|error| error.to_string())?.file_name().to_string_lossy().into_owned();
        files.push(definition(&name, read(&definition_path(&definitions, &name))?));
    }
    for number in 2..=extent.regions {
        let first = read(&definition_path(&definitions, REGIONAL))?;
        files.push(definition(&format!("{REGIONAL}-{number}"), of_region(&first, number)?));
    }
    if extent.streamed_events {
        let path = definition_path(&root.join("xtask/package/functions"), STREAMED);
        files.push(definition(STREAMED, read(&path)?));
    }
    files.sort();
    Ok(files)
}

/// `assign-policy` over the event hub of another region: the name of its connection ends in the region's number.
fn of_region(first: &[u8], number: usize) -> Result<Vec<u8>, String> {
    let mut function: Value = serde_json::from_slice(first).map_err(|error| error.to_string())?;
    let connection = function.pointer_mut("/bindings/0/connection");
    let connection = connection.ok_or_else(|| format!("{REGIONAL} has no connection"))?;
    *connection = format!("{}{number}", connection.as_str().unwrap_or_default()).into();
    serde_json::to_vec_pretty(&function).map_err(|error| error.to_string())
}

fn definition(function: &str, text: Vec<u8>) -> (String, Vec<u8>) {
    (format!("{function}/function.json"), text)
}

fn definition_path(folder: &Path, function: &str) -> PathBuf {
    folder.join(function).join("function.json")
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    /// A root like ours, without a configuration.
    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["function-definitions/one", "function-definitions/two", "xtask/package"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in [
            "host.json",
            "bin",
            "function-definitions/one/function.json",
            "function-definitions/two/function.json",
        ] {
            fs::write(root.path().join(file), file).unwrap();
        }
        fs::write(root.path().join("xtask/package").join(CONFIGURATION), "the default").unwrap();
        root
    }

    #[test]
    fn functions_lie_beside_host_json_and_ones_own_configuration_comes_before_the_default() {
        let root = root();
        let files = || files(root.path(), &root.path().join("bin"), Extent::default()).unwrap();
        let names: Vec<String> = files().into_iter().map(|(name, _)| name).collect();
        let expected = ["host.json", "one/function.json", HANDLER, CONFIGURATION, "two/function.json"];
        assert_eq!(names, expected);
        let configuration = || files().into_iter().find(|(name, _)| name == CONFIGURATION).unwrap().1;
        assert_eq!(configuration(), b"the default");
        fs::write(root.path().join(CONFIGURATION), "one's own").unwrap();
        assert_eq!(configuration(), b"one's own");
    }

    #[test]
    fn further_regions_and_streamed_events_are_folders_of_their_own() {
        let workspace = Workspace::find();
        let binary = workspace.root().join("host.json");
        let names = |extent| -> Vec<String> {
            let files = files(workspace.root(), &binary, extent).unwrap();
            files.into_iter().map(|(name, _)| name).collect()
        };
        let plain = names(Extent::default());
        let mut more = names(Extent { regions: 3, streamed_events: true });
        more.retain(|name| !plain.contains(name));
        let expected = ["assign-policy-2", "assign-policy-3", STREAMED];
        assert_eq!(more, expected.map(|name| format!("{name}/function.json")));
    }

    #[test]
    fn a_region_differs_from_the_first_in_its_connection_alone() {
        let path = Workspace::find().root().join("function-definitions/assign-policy/function.json");
        let first = read(&path).unwrap();
        let mut second: Value = serde_json::from_slice(&of_region(&first, 2).unwrap()).unwrap();
        assert_eq!(second["bindings"][0]["connection"], "EventHubConnection2");
        second["bindings"][0]["connection"] = "EventHubConnection".into();
        assert_eq!(second, serde_json::from_slice::<Value>(&first).unwrap());
    }

    #[test]
    fn the_options_are_read_and_others_refused() {
        let parse =
            |words: &[&str]| Extent::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(parse(&[]), Ok(Extent::default()));
        let both = parse(&["--regions", "2", "--streamed-events"]);
        assert_eq!(both, Ok(Extent { regions: 2, streamed_events: true }));
        for wrong in [&["--regions", "0"][..], &["--regions", "9"], &["--regions"], &["--region", "2"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_handler_is_the_one_that_host_json_names() {
        let host = read(&Workspace::find().root().join("host.json")).unwrap();
        let host: Value = serde_json::from_slice(&host).unwrap();
        assert_eq!(host["customHandler"]["description"]["defaultExecutablePath"], HANDLER);
    }
}
