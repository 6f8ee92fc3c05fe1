//! Nothing is written in audit, nor under the kill switch.

use std::time::Duration;

use super::{Event, Oracle, may_write};
use crate::world::World;

/// Knows in which namespaces of the world something may be written.
pub(super) struct ModeHolds {
    /// Lower-case ARM ids, and names of the DPS, of what may be written.
    enforced: Vec<String>,
}

impl ModeHolds {
    pub(super) fn of(world: &World) -> Self {
        let enforced = world.namespaces.iter().filter(|namespace| world.writes_to(namespace));
        let places = enforced.flat_map(|namespace| {
            [format!("{}/", namespace.id.to_ascii_lowercase()), format!("/dps/{}/", namespace.service)]
        });
        Self { enforced: places.collect() }
    }
}

impl Oracle for ModeHolds {
    fn name(&self) -> &'static str {
        "mode"
    }

    fn promise(&self) -> &'static str {
        "nothing is written to Azure in audit, nor under the kill switch"
    }

    fn see(&mut self, event: &Event<'_>, _at: Duration) -> Vec<String> {
        let Event::Sent { call, .. } = event else { return Vec::new() };
        let path = call.path.to_ascii_lowercase();
        if !may_write(call) || self.enforced.iter().any(|place| path.starts_with(place)) {
            return Vec::new();
        }
        vec![format!("call {}: {} {}", call.number, call.method, call.path)]
    }
}
