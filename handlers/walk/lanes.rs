//! Whose visit begins next: several namespaces of a subscription at once, as many as its budget can use, and subscriptions
//! beside each other, so that one whose namespaces hang holds no other up.

use std::collections::{HashMap, VecDeque};

/// Visits that wait for their turn, by their place in the walk.
pub(super) struct Lanes {
    waiting: VecDeque<(usize, String)>,
    /// How many visits are under way, by the subscription in lower case.
    under_way: HashMap<String, usize>,
    /// How many may be, of one subscription and in all.
    at_once: usize,
    in_all: usize,
}

impl Lanes {
    /// Visits in this order, each by the subscription of its namespace.
    pub(super) fn of<'s>(
        subscriptions: impl Iterator<Item = &'s str>,
        at_once: usize,
        in_all: usize,
    ) -> Self {
        let waiting = subscriptions.map(str::to_ascii_lowercase).enumerate().collect();
        Self { waiting, under_way: HashMap::new(), at_once, in_all }
    }

    /// The place of a visit that may begin now: the first that waits and whose subscription has room.
    pub(super) fn next(&mut self) -> Option<usize> {
        if self.under_way.values().sum::<usize>() >= self.in_all {
            return None;
        }
        let has_room = |lane: &str| self.under_way.get(lane).is_none_or(|busy| *busy < self.at_once);
        let first = self.waiting.iter().position(|(_, lane)| has_room(lane))?;
        let (place, lane) = self.waiting.remove(first)?;
        *self.under_way.entry(lane).or_default() += 1;
        Some(place)
    }

    /// A visit has ended.
    pub(super) fn ended(&mut self, subscription: &str) {
        if let Some(busy) = self.under_way.get_mut(&subscription.to_ascii_lowercase()) {
            *busy = busy.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(lanes: &mut Lanes) -> Vec<usize> {
        std::iter::from_fn(|| lanes.next()).collect()
    }

    #[test]
    fn a_subscription_whose_visits_hang_holds_no_other_up() {
        let mut lanes = Lanes::of(["a", "a", "A", "b", "c", "b"].into_iter(), 2, 9);
        assert_eq!(begun(&mut lanes), [0, 1, 3, 4, 5]);
        lanes.ended("b");
        assert_eq!(begun(&mut lanes), Vec::<usize>::new(), "the third of `a` waits for one of its own");
        lanes.ended("a");
        assert_eq!(begun(&mut lanes), [2]);
    }

    #[test]
    fn however_many_subscriptions_there_are_so_many_are_in_hand() {
        let names: Vec<String> = (0..50).map(|number| format!("s{number}")).collect();
        let mut lanes = Lanes::of(names.iter().map(String::as_str), 4, 16);
        assert_eq!(begun(&mut lanes).len(), 16);
        lanes.ended("s3");
        assert_eq!(begun(&mut lanes), [16]);
    }
}
