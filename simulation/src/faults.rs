//! What goes wrong, where and when: a drizzle of single faults, and storms in which a service is in trouble for a while. All of it ends
//! when the calm begins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::engine::Time;
use crate::seed::{Draws, Seed};
use crate::site::{Service, Site};
use crate::variation::{Part, Variation};

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// No connection: the service never sees it.
    Refused,
    /// The service answers 500 or 503 and does nothing.
    Broken,
    /// 429, saying when to come again.
    Throttled,
    /// 429, saying nothing more.
    ThrottledInSilence,
    /// 401 and nothing done.
    Unauthorized,
    /// Everything takes seconds.
    Slow,
    /// The service gets it, does it and answers when the caller has most likely stopped waiting.
    Late,
    /// The service does it, and the connection breaks before the answer.
    LostAnswer,
    /// The service does it, and half of the body arrives.
    CutBody,
    /// No answer ever; whether the service does it is open.
    Hanging,
    /// The host wakes the app twice at once.
    Twice,
    /// What the host wanted to say to the queue is lost, or a timer does not fire.
    Lost,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Refused,
        Self::Broken,
        Self::Throttled,
        Self::ThrottledInSilence,
        Self::Unauthorized,
        Self::Slow,
        Self::Late,
        Self::LostAnswer,
        Self::CutBody,
        Self::Hanging,
        Self::Twice,
        Self::Lost,
    ];
    /// Those that a call over the network can have.
    const OF_NETWORK: [Self; 10] = [
        Self::Refused,
        Self::Broken,
        Self::Throttled,
        Self::ThrottledInSilence,
        Self::Unauthorized,
        Self::Slow,
        Self::Late,
        Self::LostAnswer,
        Self::CutBody,
        Self::Hanging,
    ];
    /// Those that the host can have.
    const OF_HOST: [Self; 3] = [Self::Late, Self::Twice, Self::Lost];
    /// Those that the interface of the records can show: the library beneath it, which repeats calls and reads statuses, is not in a play.
    const OF_RECORDS: [Self; 5] = [Self::Refused, Self::Broken, Self::Slow, Self::Late, Self::LostAnswer];

    /// The kinds that a service can have.
    #[must_use]
    pub fn of(service: Service) -> &'static [Self] {
        match service {
            Service::Records => &Self::OF_RECORDS,
            Service::Host => &Self::OF_HOST,
            Service::ResourceManager | Service::Provisioning | Service::Queue => &Self::OF_NETWORK,
        }
    }

    /// Its name in traces and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Broken => "broken",
            Self::Throttled => "throttled",
            Self::ThrottledInSilence => "throttled-in-silence",
            Self::Unauthorized => "unauthorized",
            Self::Slow => "slow",
            Self::Late => "late",
            Self::LostAnswer => "lost-answer",
            Self::CutBody => "cut-body",
            Self::Hanging => "hanging",
            Self::Twice => "twice",
            Self::Lost => "lost",
        }
    }
}

/// The call sites that write: few calls of a play, and those that matter most.
const WRITES: [(Service, &str); 5] = [
    (Service::ResourceManager, "POST namespaces/*/credentials/*/synchronize"),
    (Service::Provisioning, "PUT dps/enrollmentgroups/*"),
    (Service::Queue, "POST servicebus/sync-requests"),
    (Service::Records, "records: put syncs"),
    (Service::Records, "records: put requests"),
];

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
    /// By site and fault.
    pub struck: BTreeMap<(Site, Fault), u64>,
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
}

impl Faults {
    /// Draws the faults of a play: none from `calm` on, as time since the beginning.
    #[must_use]
    pub fn draw(seed: Seed, time: Time, calm: Duration, variation: &Variation) -> Self {
        let mut draws = seed.stream("faults");
        // A third of the plays have storms alone, so that what lies between them is undisturbed.
        let drizzle = if draws.percent(33) { 0 } else { draws.between(10, 800) };
        let count = usize::try_from(draws.between(0, 8)).unwrap_or_default();
        let storms: Vec<Storm> = (0..count).map(|number| storm(number, &mut draws, calm)).collect();
        let storms = storms.into_iter().filter(|storm| variation.has(Part::Storm(storm.number))).collect();
        let drizzle = if variation.has(Part::Drizzle) { drizzle } else { 0 };
        Self { time, calm, seed, drizzle, storms, state: Arc::default() }
    }

    /// The fault of a call that begins now. It counts as having struck.
    #[must_use]
    pub fn strike(&self, site: &Site, service: Service) -> Option<Fault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state.hits.calls.entry(site.clone()).or_default() += 1;
        let since = self.time.since();
        if since >= self.calm {
            return None;
        }
        let name = || format!("faults at {site}");
        let draws = state.draws.entry(site.clone()).or_insert_with(|| self.seed.stream(&name()));
        let raging = |storm: &&Storm| {
            storm.service == service
                && (storm.from..storm.until).contains(&since)
                && storm.site.is_none_or(|only| only == site.as_str())
        };
        let mut fault = None;
        for storm in self.storms.iter().filter(raging) {
            if draws.percent(storm.percent) {
                fault = Some(storm.fault);
            }
        }
        if fault.is_none() && draws.in_ten_thousand(self.drizzle) {
            fault = draws.pick(Fault::of(service)).copied();
        }
        if let Some(fault) = fault {
            *state.hits.struck.entry((site.clone(), fault)).or_default() += 1;
        }
        fault
    }

    /// The parts of a play that these faults are.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let drizzle = (self.drizzle > 0).then_some(Part::Drizzle);
        drizzle.into_iter().chain(self.storms.iter().map(|storm| Part::Storm(storm.number))).collect()
    }

    /// What struck so far.
    #[must_use]
    pub fn hits(&self) -> Hits {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).hits.clone()
    }
}

fn storm(number: usize, draws: &mut Draws, calm: Duration) -> Storm {
    let services =
        [Service::ResourceManager, Service::Provisioning, Service::Queue, Service::Records, Service::Host];
    let mut service = draws.pick(&services).copied().unwrap_or(Service::ResourceManager);
    let mut site = None;
    if draws.percent(45)
        && let Some((of, only)) = draws.pick(&WRITES)
    {
        (service, site) = (*of, Some(*only));
    }
    let fault = draws.pick(Fault::of(service)).copied().unwrap_or(Fault::Refused);
    let calm = u64::try_from(calm.as_millis()).unwrap_or(u64::MAX);
    let from = draws.milliseconds(0, calm);
    let longest = if draws.percent(20) || site.is_some() { 40 } else { 8 };
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
                    let _ = faults.strike(&neighbour, Service::Records);
                }
                struck.push(faults.strike(&site, Service::ResourceManager));
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
        assert_eq!(found.len(), Fault::OF_NETWORK.len(), "{found:?}");
    }
}
