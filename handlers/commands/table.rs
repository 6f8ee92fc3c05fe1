//! Prints data as a table for a person, or as JSON for a program.
//!
//! A table fits the width. Where there is room its rows are rows; else each row becomes a few lines below one another: its title, and
//! under it what the other columns say. Nothing is cut: a word that is longer than the width, such as an id, stays whole on a line of
//! its own, so that it can be copied.

mod stacked;
pub mod wrapping;

use clap::ValueEnum;
use serde::Serialize;

use self::wrapping::measured;
pub use self::wrapping::wrapped;
pub use crate::commands::terminal_size::{screen_width, terminal_height};
use crate::commands::tone::Tone;
use crate::visible;

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a person.
    #[default]
    Table,
    /// For a program: one JSON document, whose members stay what they are.
    Json,
}

/// A cell with a sentence is not wrapped to less than this, in columns: rather are the rows stacked.
const READABLE: usize = 36;
/// What stands between two columns.
const GAP: &str = "   ";
/// What stands before the first one.
const MARGIN: &str = " ";

/// Rows of cells. A cell may have several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// How many of the first cells are the title of a stacked row.
    titles: usize,
    /// Whether stacked rows name the columns.
    is_labelled: bool,
    /// The columns whose words say how something stands, and have its colour.
    states: Vec<usize>,
}

impl Table {
    /// A table; it escapes what a terminal would obey in its cells.
    pub fn of(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let escaped = |row: Vec<String>| row.iter().map(|cell| visible::lines(cell)).collect();
        Self {
            header: header.iter().map(|&name| name.to_owned()).collect(),
            rows: rows.into_iter().map(escaped).collect(),
            titles: 1,
            is_labelled: true,
            states: Vec::new(),
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The same, whose stacked rows begin with this many cells on one line.
    pub fn titled(self, titles: usize) -> Self {
        Self { titles, ..self }
    }

    /// The same, whose stacked rows do not name the columns, since what stands there speaks for itself.
    pub fn unlabelled(self) -> Self {
        Self { is_labelled: false, ..self }
    }

    /// The same, in which the words of this column have the colour of what they say.
    pub fn states(mut self, column: usize) -> Self {
        self.states.push(column);
        self
    }

    /// The table as text of this width, with our colours.
    pub fn render(&self, width: usize) -> String {
        match self.widths(width) {
            Some(widths) => self.columns(&widths),
            None => self.stacked(width),
        }
    }

    /// How wide each column is; `None` where they do not fit beside one another.
    fn widths(&self, width: usize) -> Option<Vec<usize>> {
        let cells = |column: usize| {
            let below = self.rows.iter().filter_map(move |row| row.get(column));
            std::iter::once(&self.header[column]).chain(below)
        };
        let columns = 0..self.header.len();
        let longest = |column| cells(column).flat_map(|cell| cell.lines()).map(measured).max().unwrap_or(0);
        let widest_part = |column| cells(column).map(|cell| wrapping::widest_part(cell)).max().unwrap_or(0);
        let natural: Vec<usize> = columns.clone().map(longest).collect();
        let least: Vec<usize> =
            columns.map(|column| natural[column].min(READABLE.max(widest_part(column)))).collect();
        let beside = 2 * MARGIN.len() + GAP.len() * self.header.len().saturating_sub(1);
        let room = width.checked_sub(beside)?;
        if least.iter().sum::<usize>() > room {
            return None;
        }
        Some(shared(&natural, &least, room))
    }

    fn columns(&self, widths: &[usize]) -> String {
        let mut lines = Vec::new();
        let header = self.header.iter().map(|name| Tone::Strong.on(name)).collect::<Vec<_>>();
        lines.push(joined(self.header.iter().map(String::as_str).zip(header).zip(widths)));
        let whole =
            widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1) + 2 * MARGIN.len();
        lines.push("─".repeat(whole));
        for row in &self.rows {
            let cells: Vec<Vec<String>> = row
                .iter()
                .zip(widths)
                .map(|(cell, &width)| wrapped(cell, width).lines().map(str::to_owned).collect())
                .collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or_default();
            for place in 0..height {
                let texts = cells.iter().enumerate().map(|(column, lines)| {
                    let text = lines.get(place).map_or("", String::as_str);
                    (text, self.painted(column, text))
                });
                lines.push(joined(texts.zip(widths)));
            }
        }
        lines.join("\n")
    }

    /// A line of a cell in its colour.
    fn painted(&self, column: usize, text: &str) -> String {
        match Tone::of(text).filter(|_| self.states.contains(&column)) {
            Some(tone) => tone.on(text),
            None => text.to_owned(),
        }
    }
}

/// Shares the room among columns: each has what it needs at least, and the rest goes to the narrowest that want more.
fn shared(natural: &[usize], least: &[usize], room: usize) -> Vec<usize> {
    let at =
        |level: usize| natural.iter().zip(least).map(move |(&natural, &least)| natural.min(level).max(least));
    let widest = natural.iter().copied().max().unwrap_or_default();
    let fits = |level: &usize| at(*level).sum::<usize>() <= room;
    let level = (0..=widest).rev().find(fits).unwrap_or_default();
    at(level).collect()
}

/// One line of cells. A cell is its text, which says how wide it is, and the same with colours.
fn joined<'a>(cells: impl Iterator<Item = ((&'a str, String), &'a usize)>) -> String {
    let mut line = String::from(MARGIN);
    let mut owed = 0;
    for ((text, painted), width) in cells {
        if !text.is_empty() {
            line.push_str(&" ".repeat(owed));
            line.push_str(&painted);
            owed = 0;
        }
        owed += width.saturating_sub(measured(text)) + GAP.len();
    }
    match line.trim_end().is_empty() {
        true => String::new(),
        false => line,
    }
}

/// A text without our colours.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// A document as JSON text, in which characters that a terminal would obey are escapes of JSON.
pub fn json(document: &impl Serialize) -> String {
    // serde refuses only a map whose keys are not texts, or a `Serialize` of our own that fails; there is neither.
    visible::json(&serde_json::to_string_pretty(document).unwrap_or_default())
}

#[cfg(test)]
mod tests;
