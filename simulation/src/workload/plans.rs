//! People who make a plan on their machines, read it, and perform it some time later: through the functions of the commands, which print
//! nothing here.

use std::time::Duration;

use certificate_management::plan::saved::SavedPlan;
use policysync::commands::operator::intent::Intent;
use policysync::commands::operator::perform::{self, Outcome};
use policysync::commands::operator::person::Person;
use policysync::commands::operator::plan;
use tokio::time::sleep;

use super::Workload;
use crate::process;

/// The number of a person's machine, in traces and calls. Their calls meet the same faults.
const PERSON: usize = 100;

impl Workload {
    /// Makes a plan, and performs it after some time.
    pub(super) async fn plan(&self, number: usize, until: Duration, even_in_audit: bool) {
        let Some(person) = self.person((number, 0), even_in_audit) else { return };
        let mut plan = plan::by_rules(&person.fleet).await;
        person.leave_held(&mut plan, None).await;
        self.tell_plan(number, &plan);
        sleep(until).await;
        let Some(person) = self.person((number, 1), even_in_audit) else { return };
        if let Err(why) = person.may_write() {
            self.around.network.trace.line(format_args!("plan {number} is not performed: {why}"));
            return;
        }
        let (intent, hash) = (Intent::default(), plan.hash());
        let writer = person.writer("apply", even_in_audit, &intent, Some(hash));
        let rows = perform::in_silence(&writer, &plan, |_, _| {}).await;
        let count = |wanted| rows.iter().filter(|row| row.outcome == wanted).count();
        self.around.network.trace.line(format_args!(
            "plan {number} is performed: {} written, {} as planned, {} refused, {} failed",
            count(Outcome::Written),
            count(Outcome::AlreadyAssigned),
            count(Outcome::Refused),
            count(Outcome::Failed),
        ));
    }

    fn tell_plan(&self, number: usize, plan: &SavedPlan) {
        let (writes, left) = (plan.assignments.len(), plan.left_alone.len());
        let unreadable = plan.unreadable.len();
        self.around.network.trace.line(format_args!(
            "plan {number} has {writes} assignments, {left} groups that are left alone, {unreadable} unreadable"
        ));
    }

    /// A person who reads the configuration now.
    fn person(&self, (number, command): (usize, u64), even_in_audit: bool) -> Option<Person> {
        let (fleet, store) =
            process::of_person(&self.around, (PERSON + number, command), even_in_audit).ok()?;
        let run = fleet.ambient.ulid();
        Some(Person { fleet, store, keeps_records: true, run })
    }
}
