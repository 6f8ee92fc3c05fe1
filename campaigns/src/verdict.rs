//! The end of a campaign: figures as a table, and every broken rule.

use std::time::Duration;

use comfy_table::{Table, TableStyle};

use crate::accounts::Accounts;
use crate::host::Delivered;
use crate::page;

/// Most broken rules that are shown. The output says how many more there are.
const MOST_SHOWN: usize = 25;

/// What a campaign found.
#[derive(Debug, Default)]
pub struct Verdict {
    figures: Vec<(String, String)>,
    broken: Vec<String>,
    limits: Option<page::Table>,
    missed: Vec<String>,
    page: String,
}

/// The largest figure that is good enough.
#[derive(Debug, Clone, Copy)]
pub struct Limit<'a> {
    /// Of what.
    pub what: &'a str,
    /// The figure that was measured; none where there was nothing to measure.
    pub measured: Option<f64>,
    /// The largest that is good enough.
    pub most: f64,
    /// The unit, as it follows a number.
    pub unit: &'a str,
}

impl Verdict {
    /// Adds a figure.
    pub fn figure(&mut self, name: &str, value: impl ToString) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    /// Adds rules that were broken.
    pub fn broken(&mut self, rules: Vec<String>) {
        self.broken.extend(rules);
    }

    /// Adds the rules that another verdict found broken.
    pub fn take_broken(&mut self, other: Self) {
        self.broken.extend(other.broken);
    }

    /// Says which contestant was left out. In CI that breaks a rule: without it there is no comparison.
    pub fn absent(&mut self, why: &str) {
        self.figure("left out", why);
        if std::env::var("CI").is_ok_and(|value| value == "true") {
            self.broken.push(format!("{why}, so there is nothing to compare with"));
        }
    }

    /// Adds a limit. One that is missed is told and breaks no rule: times depend on the machine.
    pub fn limit(&mut self, limit: &Limit<'_>) {
        let Limit { what, measured, most, unit } = *limit;
        let table = self.limits.get_or_insert_with(|| page::Table::new(["limit", "", "measured", ""]));
        let (measured, verdict) = match measured {
            None => ("not measured".to_owned(), "open".to_owned()),
            Some(figure) if figure <= most => (format!("{}{unit}", short(figure)), "kept".to_owned()),
            Some(figure) => {
                let by = format!("missed: {} times the limit", short(figure / most));
                self.missed.push(format!("{what}: {}{unit}, {} is the limit", short(figure), short(most)));
                (format!("{}{unit}", short(figure)), by)
            }
        };
        table.row(vec![what.to_owned(), format!("at most {}{unit}", short(most)), measured, verdict]);
    }

    /// Adds what goes into the page of figures, below what is there.
    pub fn page(&mut self, text: impl ToString) {
        self.page.push_str(&text.to_string());
        self.page.push('\n');
    }

    /// What goes into the page of figures, with the limits at its end.
    pub fn figures_of_page(&self) -> String {
        let limits = self.limits.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{}{limits}", self.page)
    }

    /// Whether every limit was kept.
    pub fn is_within_limits(&self) -> bool {
        self.missed.is_empty()
    }

    /// Adds the figures of the deliveries.
    pub fn deliveries(&mut self, delivered: &Delivered) {
        self.figure("messages", delivered.messages);
        self.figure("deliveries, in batches", format!("{} in {}", delivered.deliveries, delivered.batches));
        self.figure("batches that failed", delivered.failed_batches);
        self.figure("highest delivery count", delivered.highest_delivery_count);
        self.figure("locks lost", delivered.lost_locks);
        self.figure("longest batch", seconds(delivered.longest_batch));
    }

    /// Adds the figures of the calls to ARM.
    pub fn calls(&mut self, accounts: &Accounts, namespaces: usize, hubs: usize) {
        let per_hub = |count: usize| format!("{count} ({:.2} per hub)", count as f64 / hubs.max(1) as f64);
        let per_namespace =
            |count: usize| format!("{count} ({:.2} per namespace)", count as f64 / namespaces.max(1) as f64);
        self.figure("ARM reads", per_hub(accounts.reads));
        self.figure("  lists of a hub's certificates", per_hub(Accounts::total(&accounts.certificates)));
        self.figure("  lists of a namespace's policies", per_namespace(Accounts::total(&accounts.policies)));
        self.figure("  reads of a namespace", per_namespace(accounts.namespaces));
        self.figure("  questions about an operation", per_namespace(accounts.operations));
        self.figure("  questions which versions there are", accounts.versions);
        let pages = accounts.hub_lists + accounts.hub_list_pages;
        self.figure("  lists of all hubs, in pages", format!("{} in {pages}", accounts.hub_lists));
        self.figure("ARM writes", per_namespace(accounts.writes));
        self.figure("ARM calls answered 429", accounts.throttled);
    }

    /// Prints it. Answers whether every rule was kept.
    pub fn print(&self, campaign: &str) -> bool {
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        for (name, value) in &self.figures {
            table.add_row([name, value]);
        }
        if !self.figures.is_empty() {
            println!("{table}");
        }
        print!("{}", self.figures_of_page());
        for missed in &self.missed {
            println!("MISSED: {missed}");
        }
        for rule in self.broken.iter().take(MOST_SHOWN) {
            println!("BROKEN: {rule}");
        }
        if self.broken.len() > MOST_SHOWN {
            println!("BROKEN: and {} more", self.broken.len() - MOST_SHOWN);
        }
        let is_good = self.broken.is_empty();
        println!("{campaign}: {}", if is_good { "every rule was kept" } else { "rules were broken" });
        is_good
    }
}

/// With two digits after the point where the number is small, else with fewer.
fn short(figure: f64) -> String {
    match figure {
        figure if figure.fract() == 0.0 => format!("{figure:.0}"),
        figure if figure < 10.0 => format!("{figure:.2}"),
        figure if figure < 100.0 => format!("{figure:.1}"),
        figure => format!("{figure:.0}"),
    }
}

/// Seconds, to a tenth.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_missed_is_told_with_its_distance_and_breaks_no_rule() {
        let mut verdict = Verdict::default();
        let limit = |measured| Limit { what: "ready", measured, most: 5.0, unit: " ms" };
        verdict.limit(&limit(Some(5.0)));
        verdict.limit(&limit(None));
        assert!(verdict.is_within_limits());
        verdict.limit(&limit(Some(7.5)));
        assert!(!verdict.is_within_limits() && verdict.broken.is_empty());
        let page = verdict.figures_of_page();
        assert!(page.contains("| ready | at most 5 ms | 5 ms | kept |"), "{page}");
        assert!(page.contains("| ready | at most 5 ms | not measured | open |"), "{page}");
        assert!(page.contains("| ready | at most 5 ms | 7.50 ms | missed: 1.50 times the limit |"), "{page}");
    }
}
