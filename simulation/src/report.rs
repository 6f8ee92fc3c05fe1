//! What many plays say together: broken promises, and which faults struck where how often.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::Played;
use crate::fault::Fault;
use crate::faults::Hits;
use crate::judge::Violation;
use crate::moment::Moment;
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

    /// How often a fault struck in all.
    #[must_use]
    pub fn hits(&self, fault: Fault) -> u64 {
        self.sum(|_, other, _| other == fault)
    }

    fn sum(&self, of: impl Fn(&Site, Fault, Moment) -> bool) -> u64 {
        let struck = self.hits.struck.iter();
        struck.filter(|((site, fault, moment), _)| of(site, *fault, *moment)).map(|(_, count)| count).sum()
    }

    /// A row of a table: how often a fault struck in each moment, and in all.
    fn row(&self, f: &mut fmt::Formatter<'_>, fault: Fault, of: impl Fn(&Site) -> bool) -> fmt::Result {
        write!(f, "  {:28}", fault.name())?;
        for moment in Moment::ALL {
            write!(f, " {:>9}", self.sum(|site, other, at| other == fault && at == moment && of(site)))?;
        }
        writeln!(f, " {:>9}", self.sum(|site, other, _| other == fault && of(site)))
    }

    fn header(f: &mut fmt::Formatter<'_>, title: &str) -> fmt::Result {
        write!(f, "  {title:28}")?;
        for moment in Moment::ALL {
            write!(f, " {moment:>9}")?;
        }
        writeln!(f, " {:>9}", "in all")
    }

    /// The faults that a call site can have and never had, a line for each site.
    fn missed(&self) -> String {
        let mut missed = String::new();
        for site in self.hits.calls.keys() {
            let never = Fault::at(site).into_iter();
            let never = never.filter(|fault| self.sum(|other, of, _| other == site && of == *fault) == 0);
            let never: Vec<&str> = never.map(Fault::name).collect();
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
        writeln!(f, "\nFaults by call site, and by what the syncs were doing:")?;
        Self::header(f, "")?;
        for (site, calls) in &self.hits.calls {
            writeln!(f, "\n{site}, {calls} calls")?;
            for fault in Fault::ALL {
                if self.sum(|other, of, _| other == site && of == fault) > 0 {
                    self.row(f, fault, |other| other == site)?;
                }
            }
        }
        writeln!(f)?;
        Self::header(f, "All call sites")?;
        for fault in Fault::ALL {
            self.row(f, fault, |_| true)?;
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
