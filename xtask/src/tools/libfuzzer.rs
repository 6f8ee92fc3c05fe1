//! What libFuzzer tells while it runs, a line at a time, and the row of the table that is made of it.

/// The head of the table.
pub const HEAD: &str =
    "target                executions   per second   inputs kept   edges covered   peak memory";

/// What was told so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    executions: u64,
    per_second: u64,
    /// Edges of the program that were taken.
    edges: u64,
    /// Inputs that each take another way.
    inputs: u64,
    /// Most memory of the process, in MiB.
    memory: u64,
}

impl Told {
    /// Takes a line in; whether it is worth showing. A line for each input that is kept is not.
    pub fn hear(&mut self, line: &str) -> bool {
        if let Some((name, value)) = line.strip_prefix("stat::").and_then(|stat| stat.split_once(':')) {
            let value = value.trim().parse().unwrap_or_default();
            match name {
                "number_of_executed_units" => self.executions = value,
                "average_exec_per_sec" => self.per_second = value,
                "peak_rss_mb" => self.memory = value,
                _ => {}
            }
            return false;
        }
        if let Some(edges) = after(line, "cov: ") {
            self.edges = edges;
            self.inputs = after(line, "corp: ").unwrap_or(self.inputs);
            return line.contains("pulse") || line.contains("INITED") || line.contains("DONE");
        }
        // The words of the dictionary and the parameters of the engine are in its help.
        !line.starts_with("INFO:") || line.contains("Seed")
    }

    /// The row of a target.
    pub fn row(&self, target: &str) -> String {
        let Self { executions, per_second, edges, inputs, memory } = self;
        format!("{target:20} {executions:>11} {per_second:>12} {inputs:>13} {edges:>15} {memory:>9} MiB")
    }
}

/// The number that follows a word.
fn after(line: &str, word: &str) -> Option<u64> {
    let (_, rest) = line.split_once(word)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_taken_from_the_lines_of_the_engine() {
        let mut told = Told::default();
        let shown = [
            "INFO: Seed: 3391",
            "INFO: Loaded 1 modules   (90432 inline 8-bit counters)",
            "#17\tINITED cov: 1201 ft: 2600 corp: 12/4571b exec/s: 0 rss: 60Mb",
            "#2048\tNEW    cov: 1250 ft: 2700 corp: 13/4600b lim: 4096 exec/s: 0 rss: 61Mb L: 29/900 MS: 1 ChangeBit-",
            "#65536\tpulse  cov: 1302 ft: 2800 corp: 14/4700b lim: 4096 exec/s: 21845 rss: 70Mb",
            "stat::number_of_executed_units: 100000",
            "stat::average_exec_per_sec:     20000",
            "stat::peak_rss_mb:              71",
            "thread '<unnamed>' panicked at fuzz/src/targets/records.rs:70:5:",
        ]
        .map(|line| told.hear(line));
        assert_eq!(shown, [true, false, true, false, true, false, false, false, true]);
        let expected = Told { executions: 100_000, per_second: 20_000, edges: 1302, inputs: 14, memory: 71 };
        assert_eq!(told, expected);
        assert_eq!(told.row("records").len(), HEAD.len());
    }
}
