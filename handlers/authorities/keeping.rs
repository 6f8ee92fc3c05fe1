//! What `reconcile-assignments` does about the authorities and policies that the file declares of a namespace with
//! `manage = true`: it looks once, writes what can be written then, and goes on. What takes longer is taken up by the next run,
//! which looks anew.

use certificate_management::attribution::Attribution;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::{Memory, Seen};
use certificate_management::plan::permit;
use certificate_management::section::Part;
use tokio::time::{Instant, timeout_at};

use super::pass::Passes;
use super::{Authorities, Look, NotWritten, memory};
use crate::application::Application;
use crate::failure;

/// What came of it.
#[derive(Default)]
pub struct Kept {
    /// What was seen, for the section of the namespace.
    pub declared: Part<Seen>,
    /// How many authorities and policies were created or changed.
    pub written: usize,
    /// What went wrong, one sentence each; another run may succeed.
    pub failures: Vec<String>,
}

/// Keeps the declared resources of a namespace. In audit mode, under the kill switch, and while the namespace is frozen, it only looks. The look ends, and no
/// write begins, later than a part of a visit may take; a write takes half a minute at the most.
pub async fn keep(
    application: &Application,
    run: &str,
    woken_by: &str,
    configuration: &NamespaceConfiguration,
) -> Kept {
    let (fleet, store) = (&application.fleet, &application.store);
    let mut kept = Kept::default();
    if !configuration.is_managed() {
        return kept;
    }
    let name = configuration.id.name();
    let until = Instant::now() + fleet.pace.service;
    let authorities = Authorities {
        fleet,
        store,
        run: run.to_owned(),
        woken_by: woken_by.to_owned(),
        by: permit::Writer::Function,
        stated: Attribution::default(),
    };
    let looked = timeout_at(until, authorities.look(configuration));
    let looked = looked.await.unwrap_or_else(|_| {
        Err(azure::Error::timed_out(format!("reading the authorities and policies of namespace {name}")))
    });
    let Look { at, inventory, steps } = match looked {
        Ok(look) => look,
        Err(error) => {
            kept.declared = Part::of(Err(failure::of(&error)), fleet.now());
            kept.failures.push(format!("{name}: {error}"));
            return kept;
        }
    };
    // Without the memory a write that is never kept would be sent by each run: so none is sent.
    let remembered = match memory::of(store, &configuration.id).await {
        Ok(memory) => memory,
        Err(error) => {
            kept.failures
                .push(format!("{name}: the last writes to what it declares cannot be read: {error}"));
            return kept;
        }
    };
    let mut seen = Seen { at, inventory, memory: Memory::default() };
    if fleet.guard(configuration, permit::Writer::Function).declared().is_ok() {
        let steps = remembered.heed(steps, at);
        let mut passes = Passes::default();
        let tell = |resource: &_, write: &_| tracing::info!("{name} / {resource}: {write}");
        passes.write(&authorities, configuration, &steps, until, tell).await;
        kept.written = passes.taken.len();
        for (resource, NotWritten { why, may_pass }) in &passes.failed {
            tracing::warn!("{name} / {resource}: not written: {why}");
            // The report tells people of the others.
            kept.failures.extend(may_pass.then(|| format!("{name} / {resource}: {why}")));
        }
        // Read again, since the writes of this run are in it now.
        seen.memory = memory::of(store, &configuration.id).await.unwrap_or(remembered);
    } else {
        seen.memory = remembered;
    }
    kept.declared = Part::of(Ok(seen), at);
    kept
}
