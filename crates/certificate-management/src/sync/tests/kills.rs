//! The table of kills in `ARCHITECTURE.md`. Each row is played in the model: a run is led to the instant that the row names,
//! killed there, and what comes again is delivered. Every property of the search is checked after each action of the play.

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

fn rows() -> impl Iterator<Item = &'static Row> {
    let all: [&'static [Row]; 4] = [&requests::ROWS, &looks::ROWS, &posts::ROWS, &outcomes::ROWS];
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
        // Shown when a play fails.
        println!("a kill right after {}: {}; the next run {}", row.after, row.leaves, row.next);
        (row.play)();
    }
}
