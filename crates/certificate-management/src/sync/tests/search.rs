//! Visits every state that the model can get into, up to a bound on how often each thing goes wrong, and checks in each
//! of them every property and a fair run to the end.
//!
//! This is a search of our own and not `stateright`: a search over the real step ends only because [`super::model`]
//! makes states equal which differ in nothing that matters, and that is the larger part of the code. The rest is a
//! queue and a set. `stateright` 0.31 checks "sooner or later" only along runs without a cycle; here the run to the end
//! is fair and begins in every state.

pub(super) mod fair;
mod faults;
pub(super) mod plans;
pub(super) mod properties;
pub(super) mod sizes;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write as _;

use self::fair::Endings;
use self::properties::Property;
use super::model::{Action, Fact, Model, Setting};

/// The result of a search.
pub(super) struct Found {
    pub states: usize,
    pub transitions: usize,
    /// The number of actions to the state that is furthest from the start.
    pub depth: u32,
    /// Whether the search has visited every state that the faults allow.
    pub is_whole: bool,
    /// Longest fair run to the end, in actions.
    pub longest_end: u32,
    /// Phases before and after, and the event between them.
    pub edges: BTreeSet<(String, String, &'static str)>,
    /// How often each property was checked.
    pub checked: BTreeMap<&'static str, usize>,
    pub violation: Option<Violation>,
}

/// A property that does not hold, and the shortest way there.
pub(super) struct Violation {
    pub property: &'static str,
    pub says: String,
    pub way: Vec<Action>,
}

/// One search.
pub(super) struct Search {
    pub start: Model,
    pub setting: Setting,
    /// Whether the search tries the fair run to the end from every state.
    pub with_ends: bool,
    /// Most states to visit.
    pub most: usize,
}

impl Search {
    pub fn run(&self) -> Found {
        let mut found = Found {
            states: 0,
            transitions: 0,
            depth: 0,
            is_whole: true,
            longest_end: 0,
            edges: BTreeSet::new(),
            checked: BTreeMap::new(),
            violation: None,
        };
        let mut seen: HashMap<u64, u32> = HashMap::new();
        let mut ways: Vec<(u32, Action)> = Vec::new();
        let mut next: VecDeque<(u32, u32, Model)> = VecDeque::new();
        let mut endings = Endings::default();
        let mut start = self.start.clone();
        start.canonical(&self.setting);
        seen.insert(start.fingerprint(), 0);
        ways.push((0, Action::Wait(0)));
        next.push_back((0, 0, start));
        while let Some((place, depth, model)) = next.pop_front() {
            found.states += 1;
            found.depth = found.depth.max(depth);
            match if self.with_ends { endings.of(&model, &self.setting) } else { Ok(0) } {
                Ok(length) => found.longest_end = found.longest_end.max(length),
                Err(says) => {
                    found.violation =
                        Some(Violation { property: "every request ends", says, way: way(&ways, place) });
                    return found;
                }
            }
            *found.checked.entry("every request ends").or_default() += 1;
            for action in model.actions(&self.setting) {
                let mut after = model.clone();
                let facts = after.act(action, &self.setting);
                found.transitions += 1;
                found.note_edges(&facts);
                for Property { name, holds } in properties::ALL {
                    *found.checked.entry(name).or_default() += 1;
                    if let Err(says) = holds(&after, &facts, &self.setting) {
                        let mut way = way(&ways, place);
                        way.push(action);
                        found.violation = Some(Violation { property: name, says, way });
                        return found;
                    }
                }
                after.canonical(&self.setting);
                let fingerprint = after.fingerprint();
                if seen.contains_key(&fingerprint) {
                    continue;
                }
                if seen.len() >= self.most {
                    found.is_whole = false;
                    continue;
                }
                let place_after = u32::try_from(ways.len()).unwrap();
                seen.insert(fingerprint, place_after);
                ways.push((place, action));
                next.push_back((place_after, depth + 1, after));
            }
        }
        found
    }

    /// Tells a way as a story.
    pub fn tell(&self, way: &[Action]) -> String {
        let mut model = self.start.clone();
        model.canonical(&self.setting);
        let mut told = String::new();
        for action in way {
            let facts = model.act(*action, &self.setting);
            let _ = writeln!(told, "- {action:?}");
            for fact in facts {
                if let Fact::Stepped(stepped) = fact {
                    let phase = |record: &Option<std::rc::Rc<crate::sync::SyncRecord>>| {
                        record.as_ref().map_or("none".to_owned(), |r| {
                            format!(
                                "{} attempt {} look {:?} posts {} requests {:?} waiting {:?}",
                                r.phase, r.attempt, r.look, r.posts, r.requests, r.waiting
                            )
                        })
                    };
                    let _ = writeln!(
                        told,
                        "    {}: {} -> {}",
                        stepped.happening.name(),
                        phase(&stepped.before),
                        phase(&stepped.after)
                    );
                    for effect in &stepped.step.effects {
                        let text = format!("{effect:?}");
                        let _ = writeln!(told, "      {}", text.chars().take(160).collect::<String>());
                    }
                }
            }
            model.canonical(&self.setting);
        }
        told
    }
}

fn way(ways: &[(u32, Action)], mut place: u32) -> Vec<Action> {
    let mut way = Vec::new();
    while place != 0 {
        let (before, action) = ways[place as usize];
        way.push(action);
        place = before;
    }
    way.reverse();
    way
}

impl Found {
    fn note_edges(&mut self, facts: &[Fact]) {
        for fact in facts {
            let Fact::Stepped(stepped) = fact else { continue };
            let phase = |record: &Option<std::rc::Rc<crate::sync::SyncRecord>>| {
                record.as_ref().map_or_else(|| "[*]".to_owned(), |record| record.phase.to_string())
            };
            let (before, after) = (phase(&stepped.before), phase(&stepped.after));
            let is_next = match (&stepped.before, &stepped.after) {
                (Some(before), Some(after)) => before.sync_id != after.sync_id,
                _ => false,
            };
            if before != after || is_next {
                self.edges.insert((before, after, stepped.happening.name()));
            }
        }
    }
}
