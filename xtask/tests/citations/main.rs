//! Checks that a reader can look up every fact that a comment or a page relies on: the cited page and section exist.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod citation;
mod pages;
mod tree;

use std::collections::BTreeSet;

use citation::{Citation, citations};
use pages::Pages;
use tree::{File, Tree};

/// What is wrong with the citations of one file, a line each.
fn problems(file: &File, text: &str, pages: &Pages) -> Vec<String> {
    let complaint = |citation: &Citation| {
        let sections = citation.sections.iter().filter_map(|section| {
            // On a page of `docs/`, a number alone is a section of that page.
            let page = citation.page.as_deref().or_else(|| file.own_page());
            page.map_or_else(
                || Some(format!("\u{a7}{section} names no page")),
                |page| pages.missing(page, section),
            )
        });
        let line = citation.line;
        sections.map(|problem| format!("{}:{line}: {problem}", file.path)).collect::<Vec<_>>()
    };
    citations(text, |name| pages.has_facts(name)).iter().flat_map(complaint).collect()
}

#[test]
fn every_citation_has_its_page_and_its_section() {
    let tree = Tree::find();
    let pages = Pages::read(&tree);
    let (mut found, mut wrong) = (0, Vec::new());
    for file in tree.texts() {
        let text = tree.read(file);
        found += citations(&text, |name| pages.has_facts(name)).len();
        wrong.extend(problems(file, &text, &pages));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 150, "only {found} citations were found: the scanner overlooks them");
}

/// A page that is mentioned without a section has to exist too.
#[test]
fn every_page_that_code_mentions_exists() {
    let tree = Tree::find();
    let names: BTreeSet<&str> = tree.texts().filter_map(File::page_name).collect();
    let mut wrong = Vec::new();
    for file in tree.texts().filter(|file| file.extension() == "rs") {
        for (line, name) in citation::mentions(&tree.read(file)) {
            if !names.contains(name.as_str()) {
                wrong.push(format!("{}:{line}: there is no `{name}`", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_page_has_the_same_section_twice() {
    let tree = Tree::find();
    assert_eq!(Pages::read(&tree).twice(), Vec::<String>::new());
}

#[test]
fn every_fixture_that_a_page_names_is_there() {
    let tree = Tree::find();
    let (mut found, mut wrong) = (0, Vec::new());
    for file in tree.texts().filter(|file| file.is_fact()) {
        for pattern in pages::fixtures(&tree.read(file)) {
            found += 1;
            if !tree.matches(&pattern) {
                wrong.push(format!("{}: there is no {pattern}", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 20, "only {found} fixtures were found");
}

#[test]
fn every_mark_is_explained() {
    let tree = Tree::find();
    let explained = pages::explained(&tree);
    for file in tree.texts().filter(|file| file.is_fact()) {
        for mark in pages::marks(&tree.read(file)) {
            assert!(
                explained.contains(&mark),
                "{}: the mark {mark} is not in docs/facts/README.md",
                file.path
            );
        }
    }
}

mod scanner {
    use super::*;

    const SIGN: &str = "\u{a7}";

    /// Citations of `text`, in which `S#` stands for the sign and `PAGE` for a page of facts: this file itself cites nothing.
    fn found(text: &str) -> Vec<(usize, Option<String>, Vec<String>)> {
        let text = text.replace("S#", SIGN).replace("PAGE", "wire.md");
        let facts = |name: &str| name == "wire.md";
        citations(&text, facts).into_iter().map(|c| (c.line, c.page, c.sections)).collect()
    }

    fn one(sections: &[&str]) -> Vec<(usize, Option<String>, Vec<String>)> {
        vec![(1, Some("wire.md".to_owned()), sections.iter().map(ToString::to_string).collect())]
    }

    #[test]
    fn every_spelling_is_read() {
        for (text, sections) in [
            ("(`PAGE` S#2.2).", &["2.2"][..]),
            ("PAGE S#2.2 and more", &["2.2"]),
            ("`docs/facts/PAGE` S#10c.1", &["10c.1"]),
            ("[PAGE](facts/PAGE) S#7", &["7"]),
            ("`PAGE` S#3, S#10a.", &["3", "10a"]),
            ("`PAGE` S#1.1 to S#1.4", &["1.1", "1.4"]),
            ("`PAGE` S#1, S#2 and S#2.4, 25 reads", &["1", "2", "2.4"]),
            ("`PAGE` S#1-2", &["1", "2"]),
            ("`PAGE` section 4.1", &["4.1"]),
            ("(`PAGE` 4.1, 4.2)", &["4.1", "4.2"]),
        ] {
            assert_eq!(found(text), one(sections), "{text}");
        }
    }

    #[test]
    fn a_citation_goes_on_behind_the_marker_of_a_comment() {
        for text in ["//! as `PAGE`\n//! S#2.2 says", "    /// `PAGE`\n    /// S#2.2", "# `PAGE`\n# S#2.2"] {
            assert_eq!(found(text), one(&["2.2"]), "{text}");
        }
        assert_eq!(
            found("x\n// `PAGE` S#1,\n// S#2")[0],
            (2, one(&[])[0].1.clone(), vec!["1".into(), "2".into()])
        );
    }

    #[test]
    fn a_number_alone_names_no_page() {
        assert_eq!(found("as it should (S#1.5)"), [(1, None, vec!["1.5".to_owned()])]);
    }

    #[test]
    fn what_is_no_citation_of_ours_is_left_alone() {
        for text in
            ["(RFC 9110 S#13, RFC 9111 S#5.2.2)", "the sign S# alone", "other.md 4.1037", "PAGE says 7"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn what_does_not_exist_is_told_with_its_place() {
        let pages =
            Pages::of(&[("docs/facts/wire.md", "# Wire\n\n## 2. Two\n\n1. first\n\n```\n## 3. code\n```\n")]);
        let text = |text: &str| text.replace("S#", SIGN).replace("PAGE", "wire.md");
        let code = File::new("crates/a.rs");
        for right in ["`PAGE` S#2", "`PAGE` S#2.1"] {
            assert_eq!(problems(&code, &text(right), &pages), Vec::<String>::new());
        }
        for wrong in ["`PAGE` S#2.2", "`PAGE` S#3", "`PAGE` S#2, S#9", "`nowhere.MD` S#2", "S#2"] {
            let told = problems(&code, &text(&format!("\n{wrong}")).replace("MD", "md"), &pages);
            assert!(matches!(&told[..], [only] if only.starts_with("crates/a.rs:2: ")), "{wrong}: {told:?}");
        }
        let page = File::new("docs/facts/wire.md");
        assert_eq!(problems(&page, &text("see S#2"), &pages), Vec::<String>::new());
        assert_eq!(problems(&page, &text("see S#4"), &pages).len(), 1);
    }
}

/// The names in backticks that look like those of tests: four words or more, and no crate.
fn test_names(page: &str) -> BTreeSet<String> {
    let quoted = page.split('`').skip(1).step_by(2);
    let is_name = |text: &&str| {
        text.matches('_').count() >= 3
            && *text != "serde_path_to_error"
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    quoted.filter(is_name).map(str::to_owned).collect()
}

#[test]
fn every_test_that_a_page_names_exists() {
    let tree = Tree::find();
    let sources: String =
        tree.texts().filter(|file| file.extension() == "rs").map(|file| tree.read(file)).collect();
    let (mut found, mut missing) = (0, Vec::new());
    for page in ["SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "RELIABILITY.md"] {
        for name in test_names(&tree.read(&File::new(page))) {
            found += 1;
            if !sources.contains(&format!("fn {name}(")) {
                missing.push(format!("{page}: there is no test {name}"));
            }
        }
    }
    assert!(found > 30, "only {found} names of tests were found");
    assert_eq!(missing, Vec::<String>::new());
}
