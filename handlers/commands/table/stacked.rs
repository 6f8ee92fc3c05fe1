//! Rows below one another: the title of each, and under it what the other columns say.

use super::Table;
use super::wrapping::{indented, marked, measured, widest_part, wrapped};
use crate::commands::tone::Tone;

/// How far what belongs to a row is indented.
const INDENT: &str = "  ";
/// Room that a value has to have beside its label, in columns.
const BESIDE_LABEL: usize = 30;

impl Table {
    /// The rows below one another. A row whose title is empty goes on with the one above it.
    pub(super) fn stacked(&self, width: usize) -> String {
        let labels = self.header.iter().skip(self.titles).map(|label| measured(label));
        let label_width = if self.is_labelled { labels.max().unwrap_or_default() } else { 0 };
        let mut text = String::new();
        for row in &self.rows {
            let (titles, others) = row.split_at(self.titles.min(row.len()));
            let mut lines = self.title(titles, width);
            if !text.is_empty() {
                text.push_str(if lines.is_empty() { "\n" } else { "\n\n" });
            }
            for (column, cell) in others.iter().enumerate().map(|(place, cell)| (place + self.titles, cell)) {
                lines.extend(self.value(column, cell, label_width, width));
            }
            text.push_str(&lines.join("\n"));
        }
        text
    }

    /// The first lines of the title cells beside one another, and what further lines they have below.
    fn title(&self, cells: &[String], width: usize) -> Vec<String> {
        let mut first: Vec<(usize, &str)> = Vec::new();
        let mut below = Vec::new();
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let mut lines = cell.lines();
            first.extend(lines.next().map(|line| (column, line)));
            below.extend(lines);
        }
        let whole: Vec<&str> = first.iter().map(|(_, line)| *line).collect();
        let mut lines = match measured(&whole.join("  ")) <= width {
            _ if first.is_empty() => Vec::new(),
            true => {
                let painted = first.iter().map(|&(column, line)| self.painted_title(column, line));
                vec![painted.collect::<Vec<_>>().join("  ")]
            }
            false => whole.iter().flat_map(|line| split(&wrapped(line, width))).collect(),
        };
        lines.extend(below.iter().flat_map(|line| under(INDENT, line, width)));
        lines
    }

    fn painted_title(&self, column: usize, text: &str) -> String {
        match self.states.contains(&column) {
            true => self.painted(column, text),
            false => Tone::Strong.on(text),
        }
    }

    /// The lines of a value, after its label where that leaves room for it.
    fn value(&self, column: usize, cell: &str, label_width: usize, width: usize) -> Vec<String> {
        let label = self.header.get(column).map_or("", String::as_str);
        if cell.is_empty() {
            return Vec::new();
        }
        if label_width == 0 || label.is_empty() {
            return split(cell).iter().flat_map(|line| under(INDENT, line, width)).collect();
        }
        let indent = " ".repeat(INDENT.len() + label_width + 2);
        let room = width.saturating_sub(indent.len());
        if room < BESIDE_LABEL || widest_part(cell) > room {
            let mut lines = vec![format!("{INDENT}{label}")];
            lines.extend(split(cell).iter().flat_map(|line| under(&INDENT.repeat(2), line, width)));
            return lines;
        }
        let lines = split(&wrapped(cell, room));
        let painted = lines.iter().enumerate().map(|(place, line)| match place {
            0 => format!("{INDENT}{label:label_width$}  {}", self.painted(column, line)),
            _ => indented(&indent, line, width),
        });
        painted.collect()
    }
}

/// A line of a cell, indented and wrapped.
fn under(indent: &str, line: &str, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent.len());
    // What follows an arrow stands below its first word.
    let text = match line.strip_prefix("→ ") {
        Some(rest) => marked("→", rest, room),
        None => wrapped(line, room),
    };
    split(&text).iter().map(|line| indented(indent, line, width)).collect()
}

fn split(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
