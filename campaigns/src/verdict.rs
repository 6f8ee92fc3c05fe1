//! The end of a campaign: figures as a table, and every broken rule.

use std::time::Duration;

use comfy_table::{Table, TableStyle};

use crate::accounts::Accounts;
use crate::host::Delivered;

/// Most broken rules that are shown. The output says how many more there are.
const MOST_SHOWN: usize = 25;

/// What a campaign found.
#[derive(Debug, Default)]
pub struct Verdict {
    figures: Vec<(String, String)>,
    broken: Vec<String>,
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
        println!("{table}");
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

/// Seconds, to a tenth.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
