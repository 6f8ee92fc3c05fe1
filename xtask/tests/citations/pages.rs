//! Reads the pages that can be cited, and the sections, fixtures and marks of the pages of facts.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{File, Tree};

/// The pages below `docs/`.
pub struct Pages(Vec<Page>);

struct Page {
    file: File,
    /// How often each section is there.
    sections: BTreeMap<String, usize>,
}

impl Pages {
    pub fn read(tree: &Tree) -> Self {
        let pages = tree.texts().filter(|file| file.own_page().is_some());
        Self(pages.map(|file| Page { file: file.clone(), sections: sections(&tree.read(file)) }).collect())
    }

    /// Pages by path and text.
    pub fn of(pages: &[(&str, &str)]) -> Self {
        let page = |(path, text): &(&str, &str)| Page { file: File::new(path), sections: sections(text) };
        Self(pages.iter().map(page).collect())
    }

    /// Whether a page of that name holds facts.
    pub fn has_facts(&self, name: &str) -> bool {
        self.named(name).any(|page| page.file.is_fact())
    }

    /// Says what is wrong with a citation; `None` when it is right.
    pub fn missing(&self, name: &str, section: &str) -> Option<String> {
        if self.named(name).next().is_none() {
            return Some(format!("`{name}` \u{a7}{section}: there is no such page below docs/"));
        }
        let is_there = self.named(name).any(|page| page.sections.contains_key(section));
        (!is_there).then(|| format!("`{name}` \u{a7}{section}: the page has no such section"))
    }

    /// Sections that a page of facts has more than once.
    pub fn twice(&self) -> Vec<String> {
        let facts = self.0.iter().filter(|page| page.file.is_fact());
        let twice = facts.flat_map(|page| {
            page.sections
                .iter()
                .filter(|(_, count)| **count > 1)
                .map(|(section, _)| format!("{}: {section}", page.file.path))
        });
        twice.collect()
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Page> {
        self.0.iter().filter(move |page| page.file.own_page() == Some(name))
    }
}

/// Numbers of headings (`## 10c. Open points`), and of the list items below each (`10c.1`).
fn sections(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let (mut heading, mut in_code) = (None, false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        if line.starts_with('#') {
            heading = numbered(line.trim_start_matches('#').trim_start());
            if let Some(heading) = heading {
                *found.entry(heading.to_owned()).or_default() += 1;
            }
        } else if let (Some(heading), Some(item)) = (heading, numbered(line))
            && line[item.len()..].starts_with('.')
        {
            *found.entry(format!("{heading}.{item}")).or_default() += 1;
        }
    }
    found
}

/// The number that a heading or an item begins with.
fn numbered(line: &str) -> Option<&str> {
    let word = line.split(' ').next()?.trim_end_matches('.');
    let parts = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase() || c == '.';
    (word.starts_with(|c: char| c.is_ascii_digit()) && word.chars().all(parts)).then_some(word)
}

/// Paths of fixtures between backticks, with their alternatives (`{a,b}`) written out.
pub fn fixtures(text: &str) -> Vec<String> {
    let paths = text.split('`').skip(1).step_by(2).filter(|path| path.starts_with("tests/fixtures/"));
    paths.filter(|path| !path.ends_with('/')).flat_map(alternatives).collect()
}

fn alternatives(path: &str) -> Vec<String> {
    let parts = path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (inner, after))) = parts else { return vec![path.to_owned()] };
    inner.split(',').flat_map(|one| alternatives(&format!("{before}{one}{after}"))).collect()
}

/// The letters of every mark, such as `[C/I]`.
pub fn marks(text: &str) -> BTreeSet<char> {
    let inner = text.split('[').skip(1).filter_map(|rest| rest.split_once(']')).map(|(inner, _)| inner);
    let marks = inner.filter(|inner| inner.split('/').all(|mark| mark.len() == 1));
    marks.flat_map(str::chars).filter(char::is_ascii_uppercase).collect()
}

/// The letters that the first column of the table in `docs/facts/README.md` explains.
pub fn explained(tree: &Tree) -> BTreeSet<char> {
    let text = tree.read(&File::new("docs/facts/README.md"));
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells.filter(|cell| cell.len() == 1).flat_map(str::chars).collect()
}
