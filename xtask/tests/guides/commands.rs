//! What a new reader is told to run. The optimised build takes minutes longer and is needed by no command for people; the profile of
//! what ships takes longer still, and is used by `cargo xtask package` alone.

use crate::{files, text};

/// The profile of what ships.
const PRODUCTION: &str = "production";
/// The file that builds with it, and this one.
const MAY_NAME_IT: [&str; 2] = ["xtask/src/commands/package.rs", "xtask/tests/guides/commands.rs"];

#[test]
fn no_page_tells_to_build_a_command_for_people_optimised() {
    let pages = files("*.md");
    let told = pages.iter().filter(|page| text(page).contains("cargo run --release"));
    assert_eq!(told.collect::<Vec<_>>(), [""; 0]);
    assert!(text("README.md").contains("\ncargo run -- demo\n"));
}

/// The crates of ours that a manifest has optimised in the profile of `cargo run`, which a clone's first command waits for.
fn optimised_in_dev(manifest: &str) -> Vec<&str> {
    let sections =
        manifest.lines().filter_map(|line| line.strip_prefix("[profile.dev.package.")?.strip_suffix(']'));
    let ours =
        |name: &&str| manifest.contains(&format!("\n{name} = {{ path = \"crates/")) || *name == "policysync";
    sections.filter(ours).collect()
}

#[test]
fn the_first_command_waits_for_no_optimised_crate_of_ours() {
    assert_eq!(optimised_in_dev(&text("Cargo.toml")), [""; 0]);
    let slow =
        "[profile.dev.package.azure]\n[profile.dev.package.zopfli]\n\nazure = { path = \"crates/azure\" }";
    assert_eq!(optimised_in_dev(slow), ["azure"]);
}

/// What in a file asks for the production profile, or changes a profile behind the manifest's back.
fn uses(content: &str) -> bool {
    let words = content.split(|c: char| c.is_whitespace() || "\"'`,[]()=".contains(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.windows(2).any(|pair| pair == ["--profile", PRODUCTION])
        || words
            .iter()
            .any(|word| *word == format!("--profile={PRODUCTION}") || word.starts_with("CARGO_PROFILE_"))
}

#[test]
fn the_package_alone_is_built_with_the_profile_of_what_ships() {
    let manifest = text("Cargo.toml");
    assert!(manifest.contains(&format!("\n[profile.{PRODUCTION}]\n")), "Cargo.toml has no such profile");
    let package = text(MAY_NAME_IT[0]);
    assert!(package.contains(&format!("const PROFILE: &str = \"{PRODUCTION}\";")));
    assert!(package.contains("\"zigbuild\", \"--profile\", PROFILE"));
    let patterns = ["*.rs", "*.toml", "*.md", "*.sh", "*.yaml", "*.yml", ".ci/*", "container/*", "*.py"];
    let sources = patterns.iter().flat_map(|pattern| files(pattern));
    let others = sources.filter(|file| !MAY_NAME_IT.contains(&file.as_str()) && uses(&text(file)));
    assert_eq!(others.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn another_use_would_be_noticed() {
    for used in [
        "cargo build --profile production",
        "cargo(&[\"build\", \"--profile\", \"production\"])",
        "--profile=production",
        "env(\"CARGO_PROFILE_RELEASE_LTO\", \"fat\")",
    ] {
        assert!(uses(used), "{used}");
    }
    for unused in ["in production, --profile dev", "[profile.release]"] {
        assert!(!uses(unused), "{unused}");
    }
}
