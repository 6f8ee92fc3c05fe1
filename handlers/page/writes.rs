//! Writes: the groups that are held, and the runs that wrote last.

use certificate_management::report::{HeldGroup, Report, RunEntry};

use super::words::{self, Moment};

/// How many runs are seen at once; the report lists more.
const SEEN_AT_ONCE: usize = 8;

/// The writes of a report.
pub struct Writes {
    pub held: Vec<Held>,
    pub runs: Vec<Run>,
}

/// A group that is held.
pub struct Held {
    pub group: String,
    pub namespace: String,
    pub why: String,
    pub since: Moment,
}

/// A run that wrote.
pub struct Run {
    pub id: String,
    pub wrote: String,
    pub woken_by: String,
    pub identity: Option<String>,
    pub reason: Option<String>,
    pub plan: Option<String>,
    pub at: Moment,
}

impl Writes {
    /// Nothing where records were not looked at, or have nothing of either.
    pub fn of(report: &Report) -> Option<Self> {
        let held: Vec<Held> = report.held.iter().flatten().map(Held::of).collect();
        let runs: Vec<Run> = report.runs.iter().flatten().take(SEEN_AT_ONCE).map(Run::of).collect();
        (!held.is_empty() || !runs.is_empty()).then_some(Self { held, runs })
    }
}

impl Held {
    fn of(held: &HeldGroup) -> Self {
        Self {
            group: words::name(&format!("{}/{}", held.provisioning_service, held.enrollment_group)),
            namespace: words::name(&held.namespace),
            why: words::text(&held.why),
            since: words::moment(held.since),
        }
    }
}

impl Run {
    fn of(run: &RunEntry) -> Self {
        let counts = [(run.assignments, "enrollment group"), (run.declared, "authority or policy")];
        let wrote = counts.into_iter().filter(|(count, _)| *count > 0);
        let wrote = wrote.map(|(count, noun)| match (count, noun) {
            (count, "authority or policy") if count > 1 => {
                format!("{} authorities and policies", words::thousands(count as u64))
            }
            (count, noun) => words::count(count, noun),
        });
        let attribution = &run.attribution;
        Self {
            id: words::name(&run.run),
            wrote: wrote.collect::<Vec<_>>().join(", "),
            woken_by: words::name(&run.woken_by),
            identity: attribution.caller.as_ref().map(|caller| words::name(&caller.to_string())),
            reason: attribution.reason.as_deref().map(words::text),
            plan: attribution.plan.as_deref().map(words::name),
            at: words::moment(run.at),
        }
    }
}
