//! Makes what the file declares in one namespace, as a person who waits for it: it looks, does what can be done, waits a while and
//! looks again, until nothing goes on by itself.

use std::time::Duration;

use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::{Action, Resource, Step, Waiting, Write};
use tokio::time::{Instant, sleep};

use crate::authorities::Authorities;
use crate::authorities::pass::Passes;
use crate::commands::terminal::line;

/// Longest time that a run goes on after its first look: as long as Azure's own tools wait.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Pause before the next look where the service names none.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest pause before the next look.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A run on one namespace.
pub struct Declaring<'a> {
    authorities: &'a Authorities<'a>,
    configuration: &'a NamespaceConfiguration,
    /// Whether it prints what it does.
    tells: bool,
    /// The writes that it may do; `None`: all that are to be done.
    approved: Option<Vec<Step>>,
    /// What came of the writes.
    pub passes: Passes,
}

impl<'a> Declaring<'a> {
    /// A run that has done nothing yet.
    pub fn of(authorities: &'a Authorities<'a>, configuration: &'a NamespaceConfiguration) -> Self {
        Self { authorities, configuration, tells: false, approved: None, passes: Passes::default() }
    }

    /// The same, and it prints what it does.
    pub fn telling(self, tells: bool) -> Self {
        Self { tells, ..self }
    }

    /// The same with these writes alone. A write that is another one by then is not done.
    pub fn only(self, approved: Vec<Step>) -> Self {
        Self { approved: Some(approved), ..self }
    }

    /// Looks, writes and waits until nothing goes on by itself; answers what is to be done then.
    ///
    /// # Errors
    /// When the namespace could not be read.
    pub async fn go_on(&mut self) -> Result<Vec<Step>, azure::Error> {
        let end = Instant::now() + PATIENCE;
        loop {
            let steps = self.authorities.look(self.configuration).await?.steps;
            let writes: Vec<Step> = steps.iter().filter(|step| self.may_write(step)).cloned().collect();
            let tells = self.tells;
            let tell = |resource: &Resource, write: &Write| {
                if tells {
                    say!("{}: {}", line(&resource.to_string()), line(&write.to_string()));
                }
            };
            self.passes.write(self.authorities, self.configuration, &writes, end, tell).await;
            let goes_on = steps.iter().any(|step| self.goes_on(step, &steps));
            if (self.passes.operations.is_empty() && !goes_on) || Instant::now() >= end {
                return Ok(steps);
            }
            sleep(self.pause()).await;
            self.passes.ask(self.authorities).await;
        }
    }

    /// Whether a step is a write that the person has asked for.
    fn may_write(&self, step: &Step) -> bool {
        step.write().is_some() && self.approved.as_ref().is_none_or(|approved| approved.contains(step))
    }

    /// Whether a step will come on without a person.
    fn goes_on(&self, step: &Step, steps: &[Step]) -> bool {
        let has_failed = self.passes.failed.contains_key(&step.resource);
        match &step.action {
            Action::Wait { on: Waiting::Service { .. } | Waiting::LinkBeingMade | Waiting::LastWrite } => {
                true
            }
            Action::Wait { on: Waiting::Resource { name } } => {
                // What the file does not declare is being made elsewhere.
                let other = steps.iter().find(|other| other.resource.name().eq_ignore_ascii_case(name));
                other.is_none_or(|other| self.goes_on(other, steps))
            }
            Action::Write(_) => !has_failed && self.may_write(step),
            Action::Wait { .. } | Action::Keep | Action::Refuse { .. } => false,
        }
    }

    /// How long the service asks to wait, within bounds.
    fn pause(&self) -> Duration {
        let operations = self.passes.operations.iter();
        let asked = operations.filter_map(|(_, operation)| operation.retry_after_seconds).max();
        asked.map_or(PAUSE, Duration::from_secs).clamp(PAUSE, LONGEST_PAUSE)
    }
}
