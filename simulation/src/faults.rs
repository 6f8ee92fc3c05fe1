//! What goes wrong, where and when: a drizzle of single faults, and storms in which a service is in trouble for a while. All of it ends
//! when the calm begins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::engine::Time;
use crate::fault::{Fault, SYNCHRONIZE, TARGETS};
use crate::moment::Moment;
use crate::seed::{Draws, Seed};
use crate::site::{Service, Site};
use crate::variation::{Part, Variation};

/// A time in which calls to a service fail often.
#[derive(Debug, Clone)]
struct Storm {
    number: usize,
    from: Duration,
    until: Duration,
    service: Service,
    /// The one call site that it strikes; without it every one of the service.
    site: Option<&'static str>,
    fault: Fault,
    percent: u64,
}

/// How often which fault struck where, and how many calls there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// By site, fault and what the syncs were doing.
    pub struck: BTreeMap<(Site, Fault, Moment), u64>,
    /// Calls by site, those of the calm included.
    pub calls: BTreeMap<Site, u64>,
}

/// The faults of one play. Clones share it.
#[derive(Clone)]
pub struct Faults {
    time: Time,
    calm: Duration,
    seed: Seed,
    drizzle: u64,
    storms: Arc<[Storm]>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// One stream for each site, so that a call more at one site leaves the others as they are.
    draws: BTreeMap<Site, Draws>,
    hits: Hits,
    /// How far each sync on record is, by its key.
    syncs: BTreeMap<String, Moment>,
}

impl State {
    fn moment(&self) -> Moment {
        self.syncs.values().max().copied().unwrap_or_default()
    }

    fn count(&mut self, site: &Site, fault: Fault) {
        *self.hits.struck.entry((site.clone(), fault, self.moment())).or_default() += 1;
    }
}

impl Faults {
    /// Draws the faults of a play: none from `calm` on, as time since the beginning.
    #[must_use]
    pub fn draw(seed: Seed, time: Time, calm: Duration, variation: &Variation) -> Self {
        let mut draws = seed.stream("faults");
        // A third of the plays have storms alone, so that what lies between them is undisturbed.
        let drizzle = if draws.percent(33) { 0 } else { draws.between(10, 800) };
        let count = usize::try_from(draws.between(0, 10)).unwrap_or_default();
        let storms: Vec<Storm> = (0..count).map(|number| storm(number, &mut draws, calm)).collect();
        let storms = storms.into_iter().filter(|storm| variation.has(Part::Storm(storm.number))).collect();
        let drizzle = if variation.has(Part::Drizzle) { drizzle } else { 0 };
        Self { time, calm, seed, drizzle, storms, state: Arc::default() }
    }

    /// The fault of a call that begins now, of those that fit it. It counts as having struck, unless only its answer will show that.
    #[must_use]
    pub fn strike(&self, site: &Site, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut state = self.lock();
        *state.hits.calls.entry(site.clone()).or_default() += 1;
        let since = self.time.since();
        if since >= self.calm {
            return None;
        }
        let name = || format!("faults at {site}");
        let draws = state.draws.entry(site.clone()).or_insert_with(|| self.seed.stream(&name()));
        let raging = |storm: &&Storm| {
            storm.service == site.service()
                && (storm.from..storm.until).contains(&since)
                && storm.site.is_none_or(|only| only == site.as_str())
        };
        let mut fault = None;
        for storm in self.storms.iter().filter(raging) {
            if draws.percent(storm.percent) && storm.fault.can_strike(site) && fits(storm.fault) {
                fault = Some(storm.fault);
            }
        }
        if fault.is_none() && draws.in_ten_thousand(self.drizzle) {
            fault = draws.pick(&Fault::at(site)).copied().filter(|fault| fits(*fault));
        }
        if let Some(fault) = fault.filter(|fault| !fault.shows_in_answer()) {
            state.count(site, fault);
        }
        fault
    }

    /// The time that they go by.
    #[must_use]
    pub fn time(&self) -> Time {
        self.time
    }

    /// Counts a fault of which only the answer has shown that it struck.
    pub fn has_struck(&self, site: &Site, fault: Fault) {
        self.lock().count(site, fault);
    }

    /// How far a sync is on record from now on.
    pub fn enter(&self, key: &str, moment: Moment) {
        self.lock().syncs.insert(key.to_owned(), moment);
    }

    /// The parts of a play that these faults are.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let drizzle = (self.drizzle > 0).then_some(Part::Drizzle);
        drizzle.into_iter().chain(self.storms.iter().map(|storm| Part::Storm(storm.number))).collect()
    }

    /// Whether the service took a sync, and its end may have been without effect.
    #[must_use]
    pub fn have_failed_a_sync(&self) -> bool {
        let fails = |fault: &Fault| matches!(fault, Fault::OperationFails | Fault::OperationLasts);
        self.lock().hits.struck.keys().any(|(_, fault, _)| fails(fault))
    }

    /// What struck so far.
    #[must_use]
    pub fn hits(&self) -> Hits {
        self.lock().hits.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn storm(number: usize, draws: &mut Draws, calm: Duration) -> Storm {
    let services =
        [Service::ResourceManager, Service::Provisioning, Service::Queue, Service::Records, Service::Host];
    let (service, site, fault) = if draws.percent(60) {
        // The fault first, so that one that few call sites can have is as frequent as any other.
        let fault = draws.pick(&Fault::ALL).copied().unwrap_or(Fault::Refused);
        let sites: Vec<&'static str> =
            TARGETS.into_iter().filter(|site| fault.can_strike(&Site::named(site))).collect();
        let site = draws.pick(&sites).copied();
        (site.map_or(Service::ResourceManager, |site| Site::named(site).service()), site, fault)
    } else {
        let service = draws.pick(&services).copied().unwrap_or(Service::ResourceManager);
        (service, None, draws.pick(&Fault::of(service)).copied().unwrap_or(Fault::Refused))
    };
    let calm = u64::try_from(calm.as_millis()).unwrap_or(u64::MAX);
    // What few calls of a play can have strikes the first that comes.
    if fault.is_rare() {
        let from = draws.milliseconds(0, calm / 4);
        return Storm {
            number,
            from,
            until: Duration::from_millis(calm),
            service,
            site,
            fault,
            percent: 100,
        };
    }
    let from = draws.milliseconds(0, calm);
    let longest = match site {
        // A few calls in a play.
        Some(SYNCHRONIZE) => 90,
        Some(_) => 40,
        None if draws.percent(20) => 40,
        None => 8,
    };
    let until = from + draws.milliseconds(5_000, longest * 60_000);
    let percent = draws.pick(&[10, 30, 60, 100]).copied().unwrap_or(10);
    Storm { number, from, until, service, site, fault, percent }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::engine;

    /// The faults of so many calls at two sites, one a second.
    fn struck(seed: u64, calls: u64, other: u64) -> (Vec<Option<Fault>>, Hits) {
        engine::run(async {
            let faults =
                Faults::draw(Seed(seed), Time::begin(), Duration::from_secs(1_800), &Variation::default());
            let site = Site::of_call(&Method::GET, "/subscriptions/s/providers/Microsoft.Devices/IotHubs");
            let neighbour = Site::of_record("get", "requests/1");
            let mut struck = Vec::new();
            for _ in 0..calls {
                for _ in 0..other {
                    let _ = faults.strike(&neighbour, |_| true);
                }
                struck.push(faults.strike(&site, |fault| !fault.shows_in_answer()));
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            (struck, faults.hits())
        })
    }

    #[test]
    fn a_call_more_at_one_site_changes_no_fault_at_another() {
        let seed = (0..50).find(|seed| struck(*seed, 1_800, 0).0.iter().flatten().count() > 20).unwrap();
        assert_eq!(struck(seed, 1_800, 0).0, struck(seed, 1_800, 2).0);
    }

    #[test]
    fn the_calm_is_calm_and_every_fault_can_strike() {
        let mut found = std::collections::BTreeSet::new();
        for seed in 0..60 {
            let (struck, hits) = struck(seed, 2_000, 0);
            assert!(struck[1_800..].iter().all(Option::is_none), "seed {seed}");
            assert_eq!(hits.calls.values().sum::<u64>(), 2_000);
            assert_eq!(hits.struck.values().sum::<u64>(), struck.iter().flatten().count() as u64);
            found.extend(struck.into_iter().flatten());
        }
        assert_eq!(found.len(), 10, "{found:?}");
    }
}
