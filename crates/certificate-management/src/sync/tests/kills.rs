//! Plays each row of the table of kills in `ARCHITECTURE.md` in the model: leads a run to the instant that the row
//! names, kills it there, and delivers what comes again. After each action of the play it checks every property of the
//! search.

mod held;
mod looks;
mod outcomes;
mod posts;
mod requests;
mod stage;

use super::page;

/// One row of the table, and the play that shows it.
struct Row {
    after: &'static str,
    leaves: &'static str,
    next: &'static str,
    play: fn(),
}

const HEAD: [&str; 3] = ["a kill right after", "leaves", "the next run"];
/// The head of the table of kills that no play can show.
const OUTSIDE: [&str; 4] = ["a kill right after", "leaves", "the next run", "shown by"];

fn rows() -> impl Iterator<Item = &'static Row> {
    let all: [&'static [Row]; 5] =
        [&requests::ROWS, &looks::ROWS, &posts::ROWS, &outcomes::ROWS, &held::ROWS];
    all.into_iter().flatten()
}

#[test]
fn every_row_of_the_kill_table_is_played_and_every_play_has_its_row() {
    let told = page::table(&HEAD);
    let played: Vec<Vec<String>> =
        rows().map(|row| [row.after, row.leaves, row.next].map(str::to_owned).to_vec()).collect();
    let lines = |rows: &[Vec<String>]| -> String {
        rows.iter().map(|cells| format!("| {} |\n", cells.join(" | "))).collect()
    };
    let lacks = |rows: &[Vec<String>], others: &[Vec<String>]| -> Vec<Vec<String>> {
        rows.iter().filter(|row| !others.contains(row)).cloned().collect()
    };
    assert!(
        told == played,
        "rows without a play:\n{}plays without a row:\n{}The rows to paste:\n\n{}",
        lines(&lacks(&told, &played)),
        lines(&lacks(&played, &told)),
        lines(&played),
    );
}

#[test]
fn after_each_kill_the_next_run_does_what_the_table_says() {
    for row in rows() {
        // The test harness prints this when a play fails.
        println!("a kill right after {}: {}; the next run {}", row.after, row.leaves, row.next);
        (row.play)();
    }
}

#[test]
fn what_no_play_shows_is_shown_by_a_test_of_the_name_in_the_table() {
    for row in page::table(&OUTSIDE) {
        let names: Vec<&str> = row[3].split('`').skip(1).step_by(2).collect();
        assert!(
            !names.is_empty() && names.len().is_multiple_of(2),
            "file and test, each in backticks: {row:?}"
        );
        for name in names.chunks(2) {
            let path = format!("{}/../../{}", env!("CARGO_MANIFEST_DIR"), name[0]);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", name[0]));
            assert!(text.contains(&format!("fn {}() {{", name[1])), "{} has no test `{}`", name[0], name[1]);
        }
    }
}
