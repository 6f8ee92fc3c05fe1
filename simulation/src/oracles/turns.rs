//! No namespace is starved.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;

use super::{Event, Oracle};

/// Twice the period of the reconcile, which looks at each namespace.
const LONGEST: Duration = Duration::from_secs(2 * 15 * 60);

/// When each namespace was last looked at, from the beginning of the calm on.
#[derive(Default)]
pub(super) struct Turns {
    /// By ARM id in lower case.
    looked: BTreeMap<String, Duration>,
    is_calm: bool,
}

impl Turns {
    /// The namespaces that have waited for too long.
    fn starved(&self, at: Duration) -> Vec<String> {
        let waits = self.looked.iter().filter(|(_, looked)| self.is_calm && at > **looked + LONGEST);
        waits
            .map(|(id, looked)| format!("{id} was last looked at {} s ago", (at - *looked).as_secs()))
            .collect()
    }
}

impl Oracle for Turns {
    fn name(&self) -> &'static str {
        "turns"
    }

    fn promise(&self) -> &'static str {
        "once the faults have stopped, each namespace of the configuration is looked at within twice the period of the reconcile"
    }

    fn see(&mut self, event: &Event<'_>, at: Duration) -> Vec<String> {
        match event {
            // A namespace that the configuration leaves out has no turn.
            Event::Configured { namespaces, .. } => {
                self.looked =
                    namespaces.iter().map(|namespace| (namespace.id.to_ascii_lowercase(), at)).collect();
            }
            Event::Calm => {
                self.is_calm = true;
                self.looked.values_mut().for_each(|looked| *looked = at);
            }
            // A look that is refused is one too: roles come and go.
            Event::Answered { call, status: Some(_), .. } if call.method == Method::GET => {
                let path = call.path.to_ascii_lowercase();
                let mut namespaces = self.looked.iter_mut();
                let Some((id, looked)) = namespaces.find(|(id, _)| path.starts_with(id.as_str())) else {
                    return Vec::new();
                };
                let before = std::mem::replace(looked, at);
                if self.is_calm && at > before + LONGEST {
                    return vec![format!("{id} was not looked at for {} s", (at - before).as_secs())];
                }
            }
            Event::Recovered { .. } | Event::Ended { .. } => return self.starved(at),
            _ => {}
        }
        Vec::new()
    }
}
