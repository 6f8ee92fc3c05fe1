//! Compares pages and files beside the code with the code.

use std::collections::BTreeSet;
use std::path::Path;

use policysync::functions::DEFINITIONS;

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn the_configuration_in_the_readme_is_one() {
    configuration_of("README.md");
}

#[test]
fn the_configuration_in_the_page_about_authorities_is_one_that_functions_keep() {
    let namespaces =
        configuration_under("docs/authorities.md", "## Declared authorities and policies").namespaces;
    assert!(namespaces.iter().all(|namespace| namespace.is_managed()), "{namespaces:?}");
}

/// The first configuration that a page shows.
fn configuration_of(page: &str) -> certificate_management::configuration::Configuration {
    configuration_under(page, "# ")
}

/// The first configuration that a page shows under a heading.
fn configuration_under(page: &str, heading: &str) -> certificate_management::configuration::Configuration {
    let page = text(page);
    let (_, section) = page.split_once(heading).unwrap();
    let (_, rest) = section.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    certificate_management::configuration::Configuration::parse(text)
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_readme_shows_the_two_commands_first_and_each_alone() {
    let readme = text("README.md");
    let blocks: Vec<&str> = readme.split("```").skip(1).step_by(2).map(str::trim).collect();
    assert_eq!(blocks[..2], ["cargo run -- demo", "cargo xtask test"]);
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
    settings("", &serde_json::from_str(&text("host.json")).unwrap(), &mut set);
    let page = text("docs/host-json.md");
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
