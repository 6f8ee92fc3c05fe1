//! Reads the table and the diagram of the machine in `ARCHITECTURE.md`.

const SECTION: &str = "## A sync, and what a kill leaves behind";

/// The section about syncs.
fn section() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once(SECTION).expect("ARCHITECTURE.md has the section about syncs");
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

/// The rows of the table with this head, each as its cells.
pub(super) fn table(head: &[&str]) -> Vec<Vec<String>> {
    let section = section();
    let head = format!("| {} |", head.join(" | "));
    let mut lines = section.lines().skip_while(|line| *line != head).skip(2);
    let mut rows = Vec::new();
    while let Some(line) = lines.next().filter(|line| line.starts_with('|')) {
        rows.push(line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect());
    }
    assert!(!rows.is_empty(), "ARCHITECTURE.md has no table `{head}`");
    rows
}

/// The lines of the state diagram, without its first one.
pub(super) fn diagram() -> Vec<String> {
    let section = section();
    let (_, rest) =
        section.split_once("```mermaid\nstateDiagram-v2\n").expect("the section has a state diagram");
    let lines = rest.lines().take_while(|line| *line != "```");
    lines.map(|line| line.trim().to_owned()).collect()
}
