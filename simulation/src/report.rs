//! What many plays say together: broken promises, and which faults struck where how often.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::Played;
use crate::faults::{Fault, Hits};
use crate::judge::Violation;
use crate::site::Site;

/// The sum of many plays.
#[derive(Debug, Default)]
pub struct Report {
    plays: u64,
    requests: usize,
    hits: Hits,
    /// By oracle: how many seeds broke it, and the first of them with what happened.
    broken: BTreeMap<&'static str, (u64, u64, Violation)>,
}

impl Report {
    /// Adds a play.
    pub fn add(&mut self, played: &Played) {
        self.plays += 1;
        self.requests += played.requests;
        for (site, calls) in &played.hits.calls {
            *self.hits.calls.entry(site.clone()).or_default() += calls;
        }
        for (key, struck) in &played.hits.struck {
            *self.hits.struck.entry(key.clone()).or_default() += struck;
        }
        let mut of_this_play: BTreeMap<&'static str, &Violation> = BTreeMap::new();
        for violation in &played.violations {
            of_this_play.entry(violation.oracle).or_insert(violation);
        }
        for (oracle, first) in of_this_play {
            let entry = self.broken.entry(oracle).or_insert_with(|| (0, played.seed, first.clone()));
            entry.0 += 1;
        }
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.broken.is_empty()
    }

    fn struck(&self, site: &Site, fault: Fault) -> u64 {
        self.hits.struck.get(&(site.clone(), fault)).copied().unwrap_or_default()
    }

    /// The faults that a call site can have and never had, a line for each site.
    fn missed(&self) -> String {
        let mut missed = String::new();
        for site in self.hits.calls.keys() {
            let never = Fault::of(site.service()).iter().filter(|fault| self.struck(site, **fault) == 0);
            let never: Vec<&str> = never.map(|fault| fault.name()).collect();
            if !never.is_empty() {
                let _ = writeln!(missed, "  {site}: {}", never.join(", "));
            }
        }
        missed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} seeds, {} requests that were taken", self.plays, self.requests)?;
        writeln!(f, "\nFaults by call site, with the number of calls:")?;
        let width = self.hits.calls.keys().map(|site| site.as_str().len()).max().unwrap_or_default();
        for (site, calls) in &self.hits.calls {
            let faults = Fault::ALL.iter().map(|fault| (fault, self.struck(site, *fault)));
            let struck: Vec<String> = faults
                .filter(|(_, count)| *count > 0)
                .map(|(fault, count)| format!("{} {count}", fault.name()))
                .collect();
            writeln!(f, "  {site:width$} {calls:>9}  {}", struck.join(", "))?;
        }
        writeln!(f, "\nIn all:")?;
        for fault in Fault::ALL {
            let all =
                self.hits.struck.iter().filter(|((_, other), _)| *other == fault).map(|(_, count)| count);
            writeln!(f, "  {:20} {:>9}", fault.name(), all.sum::<u64>())?;
        }
        let missed = self.missed();
        if !missed.is_empty() {
            writeln!(f, "\nNever struck:\n{missed}")?;
        }
        for (oracle, (seeds, first, violation)) in &self.broken {
            writeln!(f, "\nBROKEN by {seeds} seeds: {oracle}: {}", violation.promise)?;
            writeln!(f, "  first by seed {first}, after {} s: {}", violation.at.as_secs(), violation.what)?;
            writeln!(f, "  again: cargo xtask simulate --seed {first} --trace")?;
        }
        Ok(())
    }
}
