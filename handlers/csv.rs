//! Tables as CSV (RFC 4180), for spreadsheets and scripts.
//!
//! Names in a table are chosen by others. A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula and runs it,
//! so such a cell gets an apostrophe before it, which spreadsheets take for the mark of a text.

/// The media type.
pub const MEDIA_TYPE: &str = "text/csv; charset=utf-8; header=present";
/// What makes a spreadsheet take a cell for a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// A table with so many columns.
pub struct Csv<const COLUMNS: usize>(String);

impl<const COLUMNS: usize> Csv<COLUMNS> {
    /// With the names of its columns.
    #[must_use]
    pub fn new(columns: &[&str; COLUMNS]) -> Self {
        let mut table = Self(String::new());
        table.row(columns);
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[&str; COLUMNS]) {
        for (place, text) in cells.iter().enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            cell(&mut self.0, text);
        }
        self.0.push_str("\r\n");
    }

    /// The text of it.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }
}

fn cell(written: &mut String, text: &str) {
    let is_quoted = text.contains([',', '"', '\r', '\n', ';', '\t']);
    if is_quoted {
        written.push('"');
    }
    if is_formula(text) {
        written.push('\'');
    }
    for character in text.chars() {
        if character == '"' {
            written.push('"');
        }
        written.push(character);
    }
    if is_quoted {
        written.push('"');
    }
}

/// Some spreadsheets pass over white space and control characters at the beginning of a cell.
fn is_formula(text: &str) -> bool {
    let begins =
        text.trim_start_matches(|character: char| character.is_whitespace() || character.is_control());
    begins.starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader of RFC 4180 reads.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
        let mut characters = text.chars().peekable();
        let mut is_quoted = false;
        while let Some(character) = characters.next() {
            match character {
                '"' if !is_quoted => is_quoted = true,
                '"' if characters.peek() == Some(&'"') => cell.push(characters.next().unwrap()),
                '"' => is_quoted = false,
                ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
                '\r' if !is_quoted => {
                    assert_eq!(characters.next(), Some('\n'));
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                other => cell.push(other),
            }
        }
        assert!(!is_quoted && cell.is_empty() && row.is_empty(), "the last line has its end: {text:?}");
        rows
    }

    #[test]
    fn a_table_is_written_as_the_standard_says() {
        let mut table = Csv::new(&["a", "b"]);
        table.row(&["1,2", "say \"x\""]);
        table.row(&["", "two\nlines"]);
        assert_eq!(table.finish(), "a,b\r\n\"1,2\",\"say \"\"x\"\"\"\r\n,\"two\nlines\"\r\n");
    }

    #[test]
    fn no_name_is_a_formula() {
        for name in
            ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1", "=HYPERLINK(\"http://x\",\"y\")"]
        {
            let mut table = Csv::new(&["name"]);
            table.row(&[name]);
            let rows = read(&table.finish());
            assert_eq!(rows[1][0], format!("'{name}"));
        }
        let mut table = Csv::new(&["name"]);
        table.row(&["line-7=+@"]);
        assert_eq!(read(&table.finish())[1][0], "line-7=+@", "within a name they are harmless");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_no_cell_begins_as_a_formula(
            cells in prop::collection::vec(["(?s).{0,12}", "[=+@,\"\r\n a-]{0,8}"], 0..8),
        ) {
            let mut table = Csv::new(&["first", "second"]);
            cells.iter().for_each(|[first, second]| table.row(&[first, second]));
            let rows = read(&table.finish());
            prop_assert_eq!(rows.len(), cells.len() + 1);
            for (row, cells) in rows[1..].iter().zip(&cells) {
                for (seen, cell) in row.iter().zip(cells) {
                    prop_assert!(!is_formula(seen));
                    prop_assert_eq!(seen.strip_prefix(if is_formula(cell) { "'" } else { "" }).unwrap(), cell.as_str());
                }
            }
        }
    }
}
