//! What a person sees of each command at 80 and at 120 columns, in files beside the commands that a reviewer reads. A test compares
//! them; with `WRITE_GENERATED_FILES=1` it writes them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use super::screen::Screen;
use super::table::wrapping::measured;

/// Compares a screen with `handlers/commands/golden/NAME-WIDTH.txt`. No line may be wider than the terminal, unless one word alone is;
/// `commands`: how its lines begin that are to be copied whole.
pub fn compare(name: &str, screen: &Screen, commands: &[&str]) {
    for width in [80, 120] {
        let text = screen.plain(width) + "\n";
        assert!(!text.chars().any(|c| c != '\n' && crate::visible::is_deceptive(c)), "{name}: {text:?}");
        for line in text.lines() {
            let is_one_word = line.split_whitespace().count() == 1;
            let is_command = commands.iter().any(|start| line.trim_start().starts_with(start));
            assert!(measured(line) <= width || is_one_word || is_command, "{name}, {width} columns: {line}");
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("handlers/commands/golden/{name}-{width}.txt"));
        if std::env::var_os("WRITE_GENERATED_FILES").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, golden, "WRITE_GENERATED_FILES=1 cargo test --lib golden writes {}", path.display());
    }
}

/// The ARM id of a namespace.
pub const NAMESPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-contoso-manufacturing/providers/Microsoft.DeviceRegistry/namespaces/contoso-manufacturing-west-europe";
/// Names as long as people make them.
pub const SERVICE: &str = "contoso-manufacturing-dps-weu";
pub const GROUP: &str = "assembly-line-17-robot-cells-north";
pub const HUB: &str = "contoso-manufacturing-hub-west-europe-1";
pub const POLICY: &str = "assembly-lines-ica/short-lived-7-days";
