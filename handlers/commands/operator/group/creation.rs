//! What a person and a program see of the creation of a group.

use certificate_management::configuration::Mode;
use certificate_management::model::EnrollmentGroup;
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::plan::condition::Demands;
use certificate_management::plan::saved::PlannedAssignment;
use certificate_management::reason::Reason;
use serde::Serialize;
use serde_json::{Value, json};

use crate::commands::operator::person::Person;
use crate::commands::operator::plan::print;
use crate::commands::operator::plan::survey::Service;
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

/// What became of a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// Nothing was sent; `--apply` would.
    Planned,
    /// It was created.
    Created,
    /// It may not be, or not so.
    Refused,
    /// A call failed.
    Failed,
}

/// A creation, and what became of it.
pub(super) struct Creation<'a> {
    outcome: Outcome,
    entry: &'a PlannedAssignment,
    in_audit: bool,
    is_frozen: bool,
    next_step: String,
}

impl<'a> Creation<'a> {
    pub(super) fn of(
        person: &Person,
        service: &Service<'_>,
        group: &EnrollmentGroup,
        outcome: Outcome,
        (entry, obstacle): (&'a PlannedAssignment, Option<Reason>),
    ) -> Self {
        let (configuration, now) = (service.configuration, person.fleet.now());
        let situation = Situation::of(configuration, person.fleet.kill_switch, Caller::Person).at(now);
        let situation = situation.in_generation(service.linked.generation);
        Self {
            outcome,
            entry,
            in_audit: configuration.mode == Mode::Audit,
            is_frozen: configuration.frozen(Some(&group.tags), now).is_some(),
            next_step: next_step::of(obstacle.unwrap_or(entry.reason), &situation),
        }
    }

    pub(super) fn show(&self, person: &Person, output: Output) {
        match output {
            Output::Json => say!("{}", table::json(&self.document(&person.run.to_string()))),
            Output::Table => self.screen(person.fleet.kill_switch, person.about_records()).print(),
        }
    }

    fn document(&self, run: &str) -> Value {
        json!({
            "schema": "policysync-creation/v1",
            "outcome": self.outcome,
            "inAudit": self.in_audit,
            "run": run,
            "nextStep": self.next_step,
            "group": self.entry,
        })
    }

    fn screen(&self, kill_switch: bool, about_records: String) -> Screen {
        let Self { outcome, entry, in_audit, is_frozen, next_step } = self;
        let mode = match (in_audit, outcome) {
            (true, Outcome::Created) => "audit",
            (true, _) => "audit: it is created with --even-in-audit only",
            (false, _) => "enforce",
        };
        let rows = [
            ("group", print::name(entry)),
            ("policy", print::policy(&entry.namespace_id, entry.after.as_deref())),
            ("by", line(&entry.rule)),
            ("mode", mode.to_owned()),
            ("reason", line(&format!("{}: {}", entry.reason, entry.detail))),
            ("next step", line(next_step)),
        ];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
        let name = line(&entry.enrollment_group);
        let (tone, verdict) = match outcome {
            Outcome::Planned => (Tone::Strong, format!("{name} would be created; nothing was written.")),
            Outcome::Created => (Tone::Good, format!("{name} was created.")),
            Outcome::Refused => (Tone::Bad, format!("{name} was not created: it was refused.")),
            Outcome::Failed => (Tone::Bad, format!("{name} was not created: a call failed.")),
        };
        let screen = Screen::verdict(tone, verdict).table(Table::of(&["creation", ""], rows));
        match outcome {
            Outcome::Planned => {
                let mode = if *in_audit { Mode::Audit } else { Mode::Enforce };
                let demands = Demands::of_namespace(&entry.namespace_id, 1, mode, *is_frozen);
                screen.text(next_step::to_apply("creates it", &demands, kill_switch))
            }
            Outcome::Created => screen.text(about_records),
            Outcome::Refused | Outcome::Failed => screen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::golden::{self, GROUP, NAMESPACE, POLICY, SERVICE};

    fn entry(reason: Reason, detail: &str) -> PlannedAssignment {
        serde_json::from_value(json!({
            "namespaceId": NAMESPACE, "provisioningService": SERVICE, "enrollmentGroup": GROUP, "before": null,
            "after": format!("contoso-manufacturing-west-europe/{POLICY}"), "etag": null,
            "rule": "rule `the robots of every assembly line`", "reason": reason, "detail": detail,
            "policyCaNotAfter": null, "untrustingHubs": [],
        }))
        .unwrap()
    }

    #[test]
    fn the_golden_creations_fit_the_width() {
        let creation = |outcome, entry, next_step: &str| Creation {
            outcome,
            entry,
            in_audit: true,
            is_frozen: false,
            next_step: next_step.to_owned(),
        };
        let planned = entry(Reason::Assigned, "the rule says so, and its hubs trust the policy");
        let refused = entry(
            Reason::GroupExists,
            "a new enrollment group was asked for, and there is one of this id; it was not touched",
        );
        let run = "Run 01M85A71M08CPV9XGR0PSFA70F: `policysync runs show 01M85A71M08CPV9XGR0PSFA70F` tells what it did.";
        let screens = [
            creation(Outcome::Planned, &planned, "Nothing.").screen(false, String::new()),
            creation(Outcome::Created, &planned, "Nothing.").screen(false, run.to_owned()),
            creation(Outcome::Refused, &refused, Reason::GroupExists.next_step())
                .screen(false, String::new()),
        ];
        let [planned, created, refused] = screens;
        let text = created.plain(80);
        assert!(!text.contains("--even-in-audit"), "what is there is not to be created any more: {text}");
        golden::compare("group-create", &planned.and(created).and(refused), &[]);
    }
}
