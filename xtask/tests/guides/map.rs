//! `docs/README.md` is the map of all guides.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::links::{led_to, targets};
use crate::{files, text};

const MAP: &str = "docs/README.md";

#[test]
fn every_file_of_docs_is_on_the_map_and_the_first_page_leads_to_it() {
    let map = text(MAP);
    let on_it: BTreeSet<PathBuf> =
        targets(&map).into_iter().filter_map(|target| led_to(MAP, target)).collect();
    let pages = files("docs/*");
    assert!(pages.len() > 15, "{pages:?}");
    let off: Vec<&String> =
        pages.iter().filter(|page| *page != MAP && !on_it.contains(&PathBuf::from(page))).collect();
    assert!(off.is_empty(), "{MAP} does not name {off:?}: say who reads it, and when");
    assert!(targets(&text("README.md")).contains(&MAP), "README.md does not lead to {MAP}");
}
