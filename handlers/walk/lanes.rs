//! Whose visit begins next: several namespaces of a subscription at once, as many as its budget can use, and subscriptions
//! beside each other, so that one whose namespaces hang holds no other up. A subscription whose visits need a large part of its
//! budget begins them one after the other over the time of the walk ([`spread`](super::spread)).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::spread::Load;

/// Visits that wait for their turn, by their place in the walk.
pub(super) struct Lanes {
    waiting: VecDeque<(usize, String)>,
    /// By the subscription in lower case.
    lanes: HashMap<String, Lane>,
    /// How many visits may be under way, of one subscription and in all.
    at_once: usize,
    in_all: usize,
    /// When the walk began, and over how long it spreads what is large.
    began: Instant,
    over: Duration,
}

/// The visits to the namespaces of one subscription.
struct Lane {
    load: Load,
    under_way: usize,
    /// When its next visit may begin.
    opens_at: Instant,
}

impl Lanes {
    /// Visits in this order, each by the subscription of its namespace.
    pub(super) fn of<'s>(
        subscriptions: impl Iterator<Item = &'s str>,
        (at_once, in_all): (usize, usize),
        (began, over): (Instant, Duration),
    ) -> Self {
        let waiting: VecDeque<_> = subscriptions.map(str::to_ascii_lowercase).enumerate().collect();
        let mut lanes = HashMap::new();
        for (_, lane) in &waiting {
            let new = || Lane { load: Load::default(), under_way: 0, opens_at: began };
            let lane = lanes.entry(lane.clone()).or_insert_with(new);
            lane.load.visits += 1;
            lane.load.waiting += 1;
        }
        Self { waiting, lanes, at_once, in_all, began, over }
    }

    /// The place of a visit that may begin now: the first that waits and whose subscription has room.
    pub(super) fn next(&mut self, now: Instant) -> Option<usize> {
        if self.is_full() {
            return None;
        }
        let may_begin = |lane: &Lane| lane.under_way < self.at_once && lane.opens_at <= now;
        let first = self.waiting.iter().position(|(_, lane)| self.lanes.get(lane).is_some_and(may_begin))?;
        let (place, lane) = self.waiting.remove(first)?;
        let lane = self.lanes.get_mut(&lane)?;
        lane.under_way += 1;
        lane.load.waiting = lane.load.waiting.saturating_sub(1);
        let elapsed = now.saturating_duration_since(self.began);
        lane.opens_at = now + lane.load.pause(self.over, elapsed);
        Some(place)
    }

    /// When [`Lanes::next`] has a visit that it has not now, though none ends until then.
    pub(super) fn opens_at(&self) -> Option<Instant> {
        let open = |lane: &&Lane| lane.load.waiting > 0 && lane.under_way < self.at_once;
        let earliest = self.lanes.values().filter(open).map(|lane| lane.opens_at).min();
        earliest.filter(|_| !self.is_full())
    }

    /// A visit has ended, with so many reads of Resource Manager.
    pub(super) fn ended(&mut self, subscription: &str, reads: u32) {
        if let Some(lane) = self.lanes.get_mut(&subscription.to_ascii_lowercase()) {
            lane.under_way = lane.under_way.saturating_sub(1);
            lane.load.ended += 1;
            lane.load.reads += u64::from(reads);
        }
    }

    fn is_full(&self) -> bool {
        self.lanes.values().map(|lane| lane.under_way).sum::<usize>() >= self.in_all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVER: Duration = Duration::from_secs(9 * 60);
    /// As `Pace::default()` has it.
    const AT_ONCE: usize = 4;

    fn lanes<'s>(
        names: impl IntoIterator<Item = &'s str>,
        at_once: usize,
        in_all: usize,
    ) -> (Lanes, Instant) {
        let began = Instant::now();
        (Lanes::of(names.into_iter(), (at_once, in_all), (began, OVER)), began)
    }

    fn begun(lanes: &mut Lanes, now: Instant) -> Vec<usize> {
        std::iter::from_fn(|| lanes.next(now)).collect()
    }

    #[test]
    fn a_subscription_whose_visits_hang_holds_no_other_up() {
        let (mut lanes, now) = lanes(["a", "a", "A", "b", "c", "b"], 2, 9);
        assert_eq!(begun(&mut lanes, now), [0, 1, 3, 4, 5]);
        lanes.ended("b", 1);
        assert_eq!(begun(&mut lanes, now), Vec::<usize>::new(), "the third of `a` waits for one of its own");
        lanes.ended("a", 1);
        assert_eq!(begun(&mut lanes, now), [2]);
    }

    #[test]
    fn however_many_subscriptions_there_are_so_many_are_in_hand() {
        let names: Vec<String> = (0..50).map(|number| format!("s{number}")).collect();
        let (mut lanes, now) = lanes(names.iter().map(String::as_str), AT_ONCE, 16);
        assert_eq!(begun(&mut lanes, now).len(), 16);
        assert_eq!(lanes.opens_at(), None, "waiting brings none more");
        lanes.ended("s3", 1);
        assert_eq!(begun(&mut lanes, now), [16]);
    }

    /// When each visit begins, in a walk whose visits take so long and so many reads each.
    fn beginnings(namespaces: usize, reads: u32, takes: Duration) -> Vec<Duration> {
        let (mut lanes, began) = lanes(std::iter::repeat_n("s", namespaces), AT_ONCE, 16);
        let (mut now, mut under_way, mut beginnings) = (began, VecDeque::new(), Vec::new());
        loop {
            for _ in begun(&mut lanes, now) {
                beginnings.push(now - began);
                under_way.push_back(now + takes);
            }
            let ends: Option<Instant> = under_way.front().copied();
            let opens = lanes.opens_at();
            let Some(next) = ends.into_iter().chain(opens).min() else { return beginnings };
            if ends == Some(next) {
                under_way.pop_front();
                lanes.ended("S", reads);
            }
            now = next;
        }
    }

    #[test]
    fn a_small_fleet_waits_for_nothing_but_its_own_visits() {
        let takes = Duration::from_secs(1);
        for namespaces in [1, 4, 10, 100] {
            let last = beginnings(namespaces, 13, takes)[namespaces - 1];
            let rounds = u32::try_from((namespaces - 1) / AT_ONCE).unwrap();
            assert_eq!(last, takes * rounds, "{namespaces} namespaces");
        }
    }

    #[test]
    fn a_large_fleet_is_spread_evenly_and_still_begun_in_time() {
        for namespaces in [350, 500, 1_000] {
            let beginnings = beginnings(namespaces, 13, Duration::from_secs(1));
            assert_eq!(beginnings.len(), namespaces);
            let minute =
                |number: u64| Duration::from_secs(60 * number)..Duration::from_secs(60 * (number + 1));
            let evenly = namespaces / 9;
            for number in 0..9 {
                let range = minute(number);
                let in_minute = beginnings.iter().filter(|at| range.contains(*at)).count();
                assert!(in_minute <= evenly + 10, "{namespaces}: {in_minute} in minute {number}");
            }
            let last = beginnings[namespaces - 1];
            assert!(last <= OVER && last > OVER * 9 / 10, "{namespaces}: the last begins after {last:?}");
        }
    }

    #[test]
    fn a_fleet_that_the_budget_cannot_serve_in_time_is_held_up_by_no_pause() {
        // Each visit takes what its reads take of the budget: four at once use it up.
        let beginnings = beginnings(2_000, 13, Duration::from_millis(13 * 40 * 4));
        let at_full_speed = Duration::from_millis(13 * 40 * 2_000);
        assert!(beginnings[1_999] <= at_full_speed, "{:?}", beginnings[1_999]);
    }
}
