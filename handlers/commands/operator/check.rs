//! `check`: says before a deployment whether it would work. It checks the configuration, its rules, and what the
//! identity may do in Azure, and writes nothing.

mod asking;
mod azure_rows;
mod permission_rows;
mod readiness_rows;

use std::process::ExitCode;

use certificate_management::configuration::problem::{Check, Problem};
use certificate_management::configuration::{Configuration, Examined, analysis};
use certificate_management::plural;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::reader;
use super::screen::Screen;
use super::table::{self, Output, Table};
use super::terminal::line;
use super::tone::Tone;
use crate::settings::FleetSettings;

#[derive(Args)]
pub struct Arguments {
    /// Check the file only, without reading Azure.
    #[arg(long)]
    offline: bool,
    /// Whom the commands that grant a missing permission are for: an object id. Without it they are for the app's identity, and what could
    /// not be read for who runs this.
    #[arg(long, value_name = "ID")]
    principal: Option<String>,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Whether a check passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Ok,
    /// Sources contradict each other, or it may come right by itself; no reason to fail.
    Warning,
    Failed,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    check: &'static str,
    status: Status,
    subject: String,
    /// The line of the configuration, where there is one to point at.
    line: Option<usize>,
    message: String,
    /// What to do; none where nothing is wrong.
    next_step: Option<String>,
    /// The command that grants what is missing, or several, a line each.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
}

impl Checked {
    fn ok(check: &'static str, subject: impl Into<String>, message: impl Into<String>) -> Self {
        let (subject, message) = (subject.into(), message.into());
        Self { check, status: Status::Ok, subject, line: None, message, next_step: None, grant: None }
    }

    fn failed(
        check: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        let next_step = Some(next_step.into());
        Self { status: Status::Failed, next_step, ..Self::ok(check, subject, message) }
    }

    fn of(problem: Problem, path: &str) -> Self {
        let subject = if problem.subject.is_empty() { path.to_owned() } else { problem.subject };
        let row = Self::failed(problem.check.code(), subject, problem.message, problem.next_step);
        Self { line: problem.line, ..row }
    }
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let rows = rows(arguments.offline, arguments.principal.as_deref()).await;
    match arguments.output {
        Output::Json => say!("{}", table::json(&document(&rows))),
        Output::Table => screen(&rows).print(),
    }
    if passed(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether none has failed.
pub fn passed(rows: &[Checked]) -> bool {
    rows.iter().all(|row| row.status != Status::Failed)
}

/// The checks as a document.
pub fn document(rows: &[Checked]) -> Value {
    json!({"schema": "check/v1", "passed": passed(rows), "checks": rows})
}

async fn rows(offline: bool, principal: Option<&str>) -> Vec<Checked> {
    let settings = match reader::settings() {
        Ok(settings) => settings,
        Err(error) => {
            let next_step = "Correct the variable, or unset it.";
            return vec![Checked::failed("environment", error.variable, error.problem, next_step)];
        }
    };
    let path = settings.configuration.to_string();
    let text = match reader::configuration_text(&settings).await {
        Ok(text) => text,
        Err(problem) => {
            let next_step = "Set POLICYSYNC_CONFIG to the path of a policysync.toml, or run this beside one.";
            return vec![Checked::failed(Check::Configuration.code(), path, problem, next_step)];
        }
    };
    rows_of(&settings, &path, &text, offline, principal).await
}

/// The checks of a configuration whose text is known.
pub async fn rows_of(
    settings: &FleetSettings,
    path: &str,
    text: &str,
    offline: bool,
    principal: Option<&str>,
) -> Vec<Checked> {
    let (mut rows, examined) = file_rows(path, text);
    let Some(examined) = examined.filter(|_| !offline) else { return rows };
    match reader::fleet(settings, examined.configuration) {
        Ok(fleet) => rows.extend(azure_rows::rows(&fleet, &examined.lines, principal).await),
        Err(error) => rows.push(Checked::failed(
            "azure",
            "the identity of this process",
            error.to_string(),
            "Correct the variable that the message names; `--offline` checks the file only.",
        )),
    }
    rows
}

/// Checks the file alone. There is no configuration where it is no TOML, or a key or value is wrong.
fn file_rows(path: &str, text: &str) -> (Vec<Checked>, Option<Examined>) {
    let examined = match Configuration::examine(text) {
        Ok(examined) => examined,
        Err(error) => {
            let next_step = "Correct the line that the message shows.";
            let row = Checked::failed(Check::Configuration.code(), path, error.to_string(), next_step);
            return (vec![row], None);
        }
    };
    let namespaces = &examined.configuration.namespaces;
    let rules = || namespaces.iter().flat_map(|namespace| &namespace.rules);
    let passes = [
        (Check::Configuration, plural::count(namespaces.len(), "namespace")),
        (
            Check::RuleTests,
            format!(
                "{}, each holds",
                plural::count(rules().map(|rule| rule.test.len()).sum::<usize>(), "test")
            ),
        ),
        (Check::RuleOrder, format!("{}, each can match", plural::count(rules().count(), "rule"))),
    ];
    let order = analysis::rule_order(&examined.configuration, &examined.lines);
    let problems: Vec<Problem> = examined.problems.iter().cloned().chain(order).collect();
    let mut rows = Vec::new();
    for (check, message) in passes {
        let failed = problems.iter().filter(|problem| problem.check == check).cloned();
        let before = rows.len();
        rows.extend(failed.map(|problem| Checked::of(problem, path)));
        if rows.len() == before {
            rows.push(Checked::ok(check.code(), path, message));
        }
    }
    (rows, Some(examined))
}

/// What the checks say: the verdict, what is wrong or in doubt, what is right, and the commands that rows with a missing role speak of.
pub fn screen(rows: &[Checked]) -> Screen {
    let of = |status: Status| rows.iter().filter(move |row| row.status == status);
    let wrong: Vec<&Checked> = of(Status::Failed).chain(of(Status::Warning)).collect();
    let right: Vec<&Checked> = of(Status::Ok).collect();
    let (failed, doubtful) = (of(Status::Failed).count(), of(Status::Warning).count());
    let (tone, verdict) = verdict(failed, doubtful, right.len());
    let header = ["status", "check", "subject", "message", "next step"];
    let wrong = Table::of(&header, wrong.into_iter().map(cells)).titled(2).unlabelled().states(0);
    let sentence = |row: &&Checked| format!("{} {}: {}", row.check, line(&row.subject), line(&row.message));
    let screen = Screen::verdict(tone, verdict).table(wrong).list("ok", right.iter().map(sentence));
    let grants = grants(rows);
    match grants.is_empty() {
        true => screen,
        false => screen
            .text("These grant what is missing; they need the right to assign roles there:")
            .verbatim(grants.join("\n")),
    }
}

/// The commands that grant what is missing, each once: one role grants several actions, so several rows may need the same.
fn grants(rows: &[Checked]) -> Vec<&str> {
    let mut grants: Vec<&str> = Vec::new();
    for grant in rows.iter().filter_map(|row| row.grant.as_deref()).flat_map(str::lines) {
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    grants
}

fn verdict(failed: usize, doubtful: usize, right: usize) -> (Tone, String) {
    let mut parts = Vec::new();
    parts.extend((failed > 0).then(|| format!("{} FAILED", plural::count(failed, "check"))));
    parts.extend((doubtful > 0).then(|| plural::count(doubtful, "warning")));
    parts.extend((right > 0).then(|| format!("{right} ok")));
    let verdict = parts.join(", ");
    match (failed, doubtful) {
        (0, 0) if right == 0 => (Tone::Caution, "Nothing was checked.".to_owned()),
        (0, 0) => (Tone::Good, format!("Everything that was checked is right: {verdict}.")),
        (0, _) => (Tone::Caution, format!("No check failed: {verdict}.")),
        _ => (Tone::Bad, format!("{verdict}.")),
    }
}

fn cells(row: &Checked) -> Vec<String> {
    let status = match row.status {
        Status::Ok => "ok",
        Status::Warning => "warning",
        Status::Failed => "FAILED",
    };
    let subject =
        row.line.map_or_else(|| row.subject.clone(), |line| format!("{}\nline {line}", row.subject));
    let next_step = row.next_step.as_ref().map_or_else(String::new, |next| format!("→ {next}"));
    vec![status.to_owned(), row.check.to_owned(), subject, row.message.clone(), next_step]
}

#[cfg(test)]
mod tests;
