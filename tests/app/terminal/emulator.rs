//! A terminal, as far as our programs use one: what is on its screen after a text.

/// The lines of the screen after everything of a text was written to it; those at the end that are empty are left out. Lines that
/// leave it at the top are kept, as a person can scroll to them.
pub fn screen(text: &str, height: usize) -> Vec<String> {
    let mut terminal = Terminal { lines: vec![Vec::new()], row: 0, column: 0, height };
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => {
                assert_eq!(rest.next(), Some('['), "only sequences with `[` are known: {text:?}");
                let mut parameters = String::new();
                let end = loop {
                    match rest.next() {
                        Some(end @ '@'..='~') => break end,
                        Some(other) => parameters.push(other),
                        None => panic!("a sequence does not end: {text:?}"),
                    }
                };
                terminal.obey(end, &parameters);
            }
            '\n' => terminal.down(1),
            '\r' => terminal.column = 0,
            shown => terminal.put(shown),
        }
    }
    let mut lines: Vec<String> =
        terminal.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

struct Terminal {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    height: usize,
}

impl Terminal {
    fn put(&mut self, character: char) {
        let line = &mut self.lines[self.row];
        while line.len() <= self.column {
            line.push(' ');
        }
        line[self.column] = character;
        self.column += 1;
    }

    fn down(&mut self, rows: usize) {
        self.row += rows;
        while self.lines.len() <= self.row {
            self.lines.push(Vec::new());
        }
    }

    /// The first line that the screen shows.
    fn top(&self) -> usize {
        self.lines.len().saturating_sub(self.height)
    }

    fn obey(&mut self, end: char, parameters: &str) {
        let number = parameters.parse::<usize>().unwrap_or(1);
        match end {
            // Colours, and whether the cursor is seen.
            'm' | 'h' | 'l' => {}
            'A' => self.row = self.row.saturating_sub(number),
            'B' => self.down(number),
            'C' => self.column += number,
            'D' => self.column = self.column.saturating_sub(number),
            'G' => self.column = number - 1,
            'H' => (self.row, self.column) = (self.top(), 0),
            'J' if parameters == "2" => {
                let top = self.top();
                self.lines[top..].iter_mut().for_each(Vec::clear);
            }
            'J' => {
                self.lines[self.row].truncate(self.column);
                self.lines.truncate(self.row + 1);
            }
            'K' if parameters == "2" => self.lines[self.row].clear(),
            'K' => self.lines[self.row].truncate(self.column),
            other => panic!("`{other}` with `{parameters}` is not known"),
        }
    }
}
