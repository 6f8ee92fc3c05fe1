//! A table fits, and loses nothing.

use proptest::prelude::*;

use super::wrapping::measured;
use super::*;

#[test]
fn json_holds_nothing_that_a_terminal_obeys_and_says_the_same() {
    let document = serde_json::json!({"a\u{9b}": ["\u{1b}[2J\r\n\t\u{7f}\u{9b}31m\u{202e}\u{2028}\u{feff}", "größe 😀"]});
    let text = json(&document);
    assert!(!text.chars().any(|c| c != '\n' && crate::visible::is_deceptive(c)), "{text:?}");
    assert!(text.contains("größe 😀"), "{text}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), document);
}

fn rows() -> Vec<Vec<String>> {
    let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    vec![
        row(["contoso-dps/line-1", "ok", "a sentence that is long enough to be wrapped somewhere"]),
        row(["", "FAILED", "another"]),
    ]
}

#[test]
fn rows_stay_rows_where_there_is_room_and_are_stacked_where_there_is_none() {
    let table = Table::of(&["group", "status", "why"], rows());
    let wide = plain(&table.render(100));
    assert_eq!(
        wide,
        " group                status   why\n\
         ──────────────────────────────────────────────────────────────────────────────────────\n \
         contoso-dps/line-1   ok       a sentence that is long enough to be wrapped somewhere\n                      \
         FAILED   another"
    );
    assert_eq!(
        plain(&table.render(60)),
        "contoso-dps/line-1\n  status  ok\n  why     a sentence that is long enough to be wrapped\n          somewhere\n  \
         status  FAILED\n  why     another"
    );
    assert_eq!(
        plain(&table.titled(2).unlabelled().render(40)),
        "contoso-dps/line-1  ok\n  a sentence that is long enough to be\n  wrapped somewhere\n\nFAILED\n  another"
    );
}

#[test]
fn a_sentence_gives_way_before_rows_are_stacked() {
    let text = plain(&Table::of(&["group", "status", "why"], rows()).render(74));
    assert!(text.starts_with(" group ") && text.lines().all(|line| measured(line) <= 74), "{text}");
    assert!(text.lines().any(|line| line.trim_start() == "wrapped somewhere"), "{text}");
}

#[test]
fn the_words_of_a_state_have_its_colour_and_no_other_text_has() {
    let states = Table::of(&["group", "status", "why"], rows()).states(1);
    for width in [60, 100] {
        let text = states.render(width);
        assert!(
            text.contains("\u{1b}[1;31mFAILED\u{1b}[0m") && text.contains("\u{1b}[32mok\u{1b}[0m"),
            "{text:?}"
        );
    }
    let hostile = Table::of(&["group"], [vec!["\u{1b}[31mred".to_owned()]]).render(80);
    assert!(!hostile.contains("\u{1b}[31m"), "{hostile:?}");
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z]{1,20}",
        "([a-z]{1,12} ){0,20}[a-z]{1,90}",
        "[a-z]{1,8}\n([a-z]{1,9} ){0,9}[a-z]{1,9}",
        "(工厂 ?){1,30}",
        "→ ([a-z]{1,12} ){0,20}[a-z]{1,20}",
    ]
}

fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    words
}

proptest! {
    /// The sentence that would break it: a line is wider than the terminal although none of its words is.
    #[test]
    fn no_line_is_wider_than_the_width_unless_one_word_alone_is(
        cells in prop::collection::vec(prop::collection::vec(cell(), 4), 1..6),
        (titles, is_labelled, width) in (0_usize..3, any::<bool>(), 40_usize..140),
    ) {
        let mut table = Table::of(&["name", "", "what it is", "next step"], cells.clone()).titled(titles).states(1);
        table.is_labelled = is_labelled;
        let text = plain(&table.render(width));
        for line in text.lines() {
            let is_one_word = line.split_whitespace().count() == 1;
            prop_assert!(measured(line) <= width || is_one_word && measured(line.trim()) > width, "{} of {width}: {line}", measured(line));
        }
    }

    /// The sentence that would break it: a word of a cell is not on the screen.
    #[test]
    fn no_word_is_lost(
        cells in prop::collection::vec(prop::collection::vec(cell(), 4), 1..6),
        (titles, width) in (0_usize..3, 40_usize..140),
    ) {
        let table = Table::of(&["A", "", "B", "C"], cells.clone()).titled(titles);
        let text = plain(&table.render(width));
        let all = cells.concat().join("\n");
        let mut shown = words(&text);
        for word in words(&all) {
            let place = shown.iter().position(|known| *known == word);
            prop_assert!(place.is_some(), "{word} in\n{text}");
            shown.remove(place.unwrap_or_default());
        }
    }
}
