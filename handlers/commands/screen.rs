//! What a command shows a person: the verdict first, then texts, lists and tables with a blank line between them. It fits the width,
//! and escapes what a terminal would obey.

use super::table::wrapping::marked;
use super::table::{self, Table, wrapped};
use super::terminal;
use super::tone::Tone;
use crate::visible;

/// The parts, from top to bottom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// What matters most, as a sentence.
    Verdict(Tone, String),
    /// Sentences. An indented line stays as it is, such as a command to copy.
    Text(String),
    /// Sentences, each after its mark.
    List(Vec<(String, String)>),
    Table(Table),
    /// What is to be copied, as it is.
    Verbatim(String),
    /// Names the part right below it.
    Heading(String),
}

impl Screen {
    /// A screen that begins with what matters most.
    pub fn verdict(tone: Tone, text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Verdict(tone, text.into())] }
    }

    /// The same with a line that names the part after it.
    pub fn heading(self, text: impl Into<String>) -> Self {
        self.with(Part::Heading(text.into()))
    }

    /// The same with sentences below; an indented line stays as it is, such as a command to copy.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.with(Part::Text(text.into()))
    }

    /// The same with sentences below, each after a mark.
    pub fn list(self, mark: &str, sentences: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let marked = sentences.into_iter().map(|sentence| (mark.to_owned(), sentence.into())).collect();
        self.with(Part::List(marked))
    }

    /// The same with sentences below, numbered from 1.
    pub fn numbered(self, sentences: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let numbered = (1..).zip(sentences).map(|(number, sentence)| (format!("{number}."), sentence.into()));
        let numbered = numbered.collect();
        self.with(Part::List(numbered))
    }

    /// The same with what is to be copied below, which no line is broken of.
    pub fn verbatim(self, text: impl Into<String>) -> Self {
        self.with(Part::Verbatim(text.into()))
    }

    /// The same with a table below, unless it has no rows.
    pub fn table(self, table: Table) -> Self {
        self.with(Part::Table(table))
    }

    /// The same with a table under its name, unless it has no rows.
    pub fn section(self, name: &str, table: Table) -> Self {
        match table.is_empty() {
            true => self,
            false => self.heading(name).table(table),
        }
    }

    /// The same with all parts of another screen below.
    pub fn and(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    fn with(mut self, part: Part) -> Self {
        let is_empty = match &part {
            Part::Verdict(_, text) | Part::Text(text) | Part::Heading(text) | Part::Verbatim(text) => {
                text.is_empty()
            }
            Part::List(sentences) => sentences.is_empty(),
            Part::Table(table) => table.is_empty(),
        };
        self.parts.extend((!is_empty).then_some(part));
        self
    }

    /// The text of this width, with our colours.
    pub fn render(&self, width: usize) -> String {
        let mut text = String::new();
        let mut between = "";
        for part in &self.parts {
            text.push_str(between);
            text.push_str(&part.render(width));
            between = if matches!(part, Part::Heading(_)) { "\n" } else { "\n\n" };
        }
        text
    }

    /// The same without colours.
    #[cfg(test)]
    pub fn plain(&self, width: usize) -> String {
        table::plain(&self.render(width))
    }

    /// Prints it on stdout, as wide as that is.
    pub fn print(&self) {
        terminal::show(&self.render(table::screen_width()));
    }
}

impl Part {
    fn render(&self, width: usize) -> String {
        match self {
            Self::Verdict(tone, text) => toned(*tone, text, width),
            Self::Heading(text) => toned(Tone::Strong, text, width),
            Self::Verbatim(text) => visible::lines(text),
            Self::Text(text) => wrapped(&visible::lines(text), width),
            Self::List(sentences) => {
                let lines = sentences.iter().map(|(mark, text)| {
                    let text = marked(mark, &visible::lines(text), width);
                    match (Tone::of(mark), text.strip_prefix(mark.as_str())) {
                        (Some(tone), Some(rest)) => format!("{}{rest}", tone.on(mark)),
                        _ => text,
                    }
                });
                lines.collect::<Vec<_>>().join("\n")
            }
            Self::Table(table) => table.render(width),
        }
    }
}

fn toned(tone: Tone, text: &str, width: usize) -> String {
    let lines = wrapped(&visible::lines(text), width);
    lines.lines().map(|line| tone.on(line)).collect::<Vec<_>>().join("\n")
}
