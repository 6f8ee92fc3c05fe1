//! Links between pages: the file is there, and so is the heading.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::{files, root, text};

/// The lines of a page outside of code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// The targets of the links of a page, in order.
pub fn targets(page: &str) -> Vec<&str> {
    prose(page)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .collect()
}

/// The anchor that a heading gets by itself: its letters, digits, `_` and `-` in lower case, with a `-` for each space.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What a link to a page can name behind `#`.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| anchor(line.trim_start_matches('#').trim()));
    // Rows of a table that can be linked to.
    let named = page.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    headings.chain(named).collect()
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
        plain
    })
}

/// The file that a link of a page leads to, from the root; `None` for an address elsewhere.
pub fn led_to(page: &str, target: &str) -> Option<PathBuf> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let file = target.split('#').next().unwrap_or_default();
    match file {
        "" => Some(PathBuf::from(page)),
        file => Some(plain(&Path::new(page).parent().unwrap().join(file))),
    }
}

/// What is wrong with a link; `None` where it leads somewhere.
fn wrong(page: &str, target: &str) -> Option<String> {
    let file = led_to(page, target)?;
    if !root().join(&file).exists() {
        return Some(format!("{page}: {target}: there is no such file"));
    }
    let (_, heading) = target.split_once('#')?;
    let is_there = anchors(&text(&file.display().to_string())).contains(heading);
    (!is_there).then(|| format!("{page}: {target}: the page has no such heading"))
}

#[test]
fn every_link_of_every_page_leads_to_a_file_and_a_heading() {
    let (mut found, mut broken) = (0, Vec::new());
    for page in files("*.md") {
        let content = text(&page);
        for target in targets(&content) {
            found += 1;
            broken.extend(wrong(&page, target));
        }
    }
    assert!(found > 100, "only {found} links were found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_told() {
    for right in
        ["deploy.md", "deploy.md#3-create", "../RUNBOOK.md", "https://contoso.com/nothing", "#the-guides"]
    {
        assert_eq!(wrong("docs/README.md", right), None, "{right}");
    }
    for broken in ["RUNBOOK.md", "deploy.md#3-creates", "#nowhere"] {
        assert!(wrong("docs/README.md", broken).is_some(), "{broken}");
    }
    let page = "[a](b.md) and [c](d.md#e)\n```\n[f](g.md)\n```\n[h](i.md)";
    assert_eq!(targets(page), ["b.md", "d.md#e", "i.md"]);
    assert_eq!(anchor("`[[namespace]]`, and a b-c"), "namespace-and-a-b-c");
}
