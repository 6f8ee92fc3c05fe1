//! The pauses that a service asks for are kept.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use http::Method;

use super::{Event, Oracle};

/// Most questions about one operation within a minute: one each two seconds and some more, while an instance learns by how much the queue's
/// clock is ahead of its own.
const MOST: usize = 45;
const MINUTE: Duration = Duration::from_secs(60);

/// When each operation that runs was asked, within the last minute.
#[derive(Default)]
pub(super) struct Pauses {
    asked: BTreeMap<String, VecDeque<Duration>>,
}

impl Oracle for Pauses {
    fn name(&self) -> &'static str {
        "pauses"
    }

    fn promise(&self) -> &'static str {
        "an operation that runs is asked at the pace that the service asks for, whatever the clocks say"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        let Event::Sent { call, .. } = event else { return Vec::new() };
        let path = call.path.to_ascii_lowercase();
        let is_question = call.method == Method::GET
            && ["/operationstatuses/", "/operationresults/"].iter().any(|part| path.contains(part));
        if !is_question {
            return Vec::new();
        }
        let asked = self.asked.entry(path).or_default();
        asked.push_back(at);
        while asked.front().is_some_and(|first| *first + MINUTE < at) {
            asked.pop_front();
        }
        if asked.len() <= MOST {
            return Vec::new();
        }
        let told =
            format!("call {}: the {}th question within a minute: {}", call.number, asked.len(), call.path);
        asked.clear();
        vec![told]
    }
}
