//! The links of a namespace, which a run looks at when they are due. They need three reads for each hub, so a run looks at those of
//! few namespaces: the others' turn comes with the next runs.

use std::sync::atomic::{AtomicUsize, Ordering};

use azure::budget::Tally;
use certificate_management::ArmId;
use certificate_management::readiness;
use certificate_management::section::{Part, Section};
use tokio::time::timeout;

use crate::application::Application;
use crate::{links, sections};

/// How many looks at links a run has left.
pub struct Looks(AtomicUsize);

impl Looks {
    /// Those of a run over so many namespaces.
    pub fn of(namespaces: usize) -> Self {
        Self(AtomicUsize::new(readiness::looks_of_a_run(namespaces)))
    }

    /// Whether there was one left, which is taken.
    fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// Looks at the links of the namespace of a section, to these DPS and to its hubs, if they are due and a look is left.
pub async fn look(
    application: &Application,
    looks: &Looks,
    section: &Section,
    services: Vec<ArmId>,
    failures: &mut Vec<String>,
) {
    let fleet = &application.fleet;
    let at = fleet.now();
    let Some(observation) = section.namespace.seen() else { return };
    if !section.are_links_due(at) || !looks.take() {
        return;
    }
    let name = section.namespace_id.name();
    let hubs = observation.hubs.iter().map(|hub| hub.hub.id.clone()).collect();
    // A visit costs this once a day, so the walk does not expect it of the others.
    let tally = Tally::default();
    let reads = tally.of(links::sides(fleet, &observation.namespace, hubs, services));
    let Ok(sides) = timeout(fleet.pace.visit, reads).await else {
        return tracing::warn!("{name}: its links could not be read in time; a later run looks again");
    };
    let seen = Section { links: Part::of(Ok(sides), at), ..Section::new(&section.namespace_id) };
    if let Err(error) = sections::record(&application.store, &seen).await {
        failures.push(format!("the links of {name}: {error}"));
    }
}
