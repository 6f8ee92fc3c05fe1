//! `policies lint`: checks a signed chain against every published requirement. With the request in a file it makes no call.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ambient::Ambient;
use certificate_chain::{Code, Linted, Verdict};
use certificate_management::plural;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::{file, pending};
use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

/// Exit code of a chain that the service would refuse.
const FAULTS: u8 = 2;

#[derive(Args)]
pub struct Arguments {
    /// A certificate authority, a policy, or AUTHORITY/POLICY.
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The chain as PEM: the signed certificate first, then each that signed the one before it.
    #[arg(long, value_name = "FILE")]
    chain: PathBuf,
    /// The signing request as `policies csr --out` has saved it; nothing is read from Azure then.
    #[arg(long, value_name = "FILE", conflicts_with = "namespace")]
    request: Option<PathBuf>,
    /// The namespace, by ARM id or by name; needed where several could be meant.
    #[arg(long, value_name = "ID")]
    namespace: Option<String>,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode, CommandFailure> {
    let chain = file::read(&arguments.chain)?;
    let request = match &arguments.request {
        Some(path) => file::request(path)?,
        None => pending::find(&arguments.name, arguments.namespace.as_deref()).await?.request,
    };
    let linted = certificate_chain::lint(&request, &chain, Ambient::of_system().now());
    complain_of_key(&arguments.chain, &linted.faults);
    match arguments.output {
        Output::Json => say!("{}", document(&arguments.name, &linted)),
        Output::Table => screen(&arguments.name, &linted).print(),
    }
    Ok(if linted.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) })
}

/// Says loudly that a file holds a private key, where it does.
pub(super) fn complain_of_key(chain: &Path, faults: &[Verdict]) {
    if let Some(fault) = faults.iter().find(|fault| fault.code == Code::PrivateKey) {
        complain!("REFUSED: {}: {}", chain.display(), fault.message);
    }
}

fn document(name: &str, linted: &Linted) -> String {
    let until = linted.activate_until.and_then(|until| until.format(&Rfc3339).ok());
    table::json(&json!({
        "schema": "chain-lint/v1",
        "name": name,
        "passed": linted.faults.is_empty(),
        "faults": linted.faults,
        "warnings": linted.warnings,
        "certificates": linted.certificates,
        "activateUntil": until,
    }))
}

/// The judgement for a person.
pub(super) fn screen(name: &str, linted: &Linted) -> Screen {
    let name = line(name);
    let (tone, verdict) = match linted.activate_until {
        Some(until) => {
            let verdict =
                format!("Nothing is wrong with this chain for {name}. Activate it by {}.", until.date());
            (Tone::Good, verdict)
        }
        None => {
            let faults = plural::count(linted.faults.len(), "fault");
            (Tone::Bad, format!("The service would refuse this chain for {name}: {faults}."))
        }
    };
    let certificates = linted.certificates.iter().map(|one| {
        vec![
            one.position.to_string(),
            line(&one.subject),
            line(&one.issuer),
            one.key.clone(),
            one.not_after.date().to_string(),
        ]
    });
    let header = ["", "subject", "issuer", "key", "valid until"];
    Screen::verdict(tone, verdict)
        .table(verdicts(&linted.faults, &linted.warnings))
        .table(Table::of(&header, certificates).titled(2))
}

/// A row for each thing that is wrong.
pub(super) fn verdicts(faults: &[Verdict], warnings: &[Verdict]) -> Table {
    let verdicts = faults.iter().map(|verdict| ("FAULT", verdict));
    let verdicts = verdicts.chain(warnings.iter().map(|verdict| ("warning", verdict)));
    let rows = verdicts.map(|(severity, verdict)| row(severity, verdict));
    Table::of(&["", "code", "certificate", "what is wrong", "next step"], rows)
        .titled(2)
        .unlabelled()
        .states(0)
}

fn row(severity: &str, verdict: &Verdict) -> Vec<String> {
    let certificate = verdict.certificate.as_ref().map_or_else(
        || "the file".to_owned(),
        |one| format!("{} {}", one.position, line(one.subject.as_deref().unwrap_or_default())),
    );
    vec![
        severity.to_owned(),
        verdict.code.code().to_owned(),
        certificate,
        line(&verdict.message),
        format!("→ {}", verdict.next_step),
    ]
}

#[cfg(test)]
mod tests {
    use certificate_chain::{Position, Summary};
    use time::macros::datetime;

    use super::*;
    use crate::commands::golden;

    /// The chain of an issuing CA whose name is as long as the service makes it.
    fn certificates() -> Vec<Summary> {
        let certificate = |position, subject: &str, issuer: &str| Summary {
            position,
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            key: "EC P-384".to_owned(),
            not_before: datetime!(2026-11-01 00:00 UTC),
            not_after: datetime!(2028-11-01 00:00 UTC),
            sha256: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".to_owned(),
            sha1: "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3".to_owned(),
        };
        let (issuing, root) =
            ("CN=07b5d73a70e046f288ddc64518bc517e", "O=Contoso Manufacturing, CN=Contoso Plants Root CA");
        vec![certificate(1, issuing, root), certificate(2, root, root)]
    }

    #[test]
    fn the_golden_judgements_fit_the_width() {
        let subject = Some("CN=07b5d73a70e046f288ddc64518bc517e".to_owned());
        let verdict = |code: Code, message: &str, next_step: &str| Verdict {
            code,
            certificate: Some(Position { position: 1, subject: subject.clone() }),
            message: message.to_owned(),
            next_step: next_step.to_owned(),
        };
        let faults = vec![verdict(
            Code::ValidityTooShort,
            "it is valid until 2026-12-24, which is 24 days; the service takes 365 days from now at the least",
            "Sign it again with a longer validity, as `policysync policies csr` shows.",
        )];
        let warnings = vec![verdict(
            Code::PathLengthAbsent,
            "it has no path length; both of Microsoft's recipes set one",
            "Sign it with `pathlen:0`.",
        )];
        let wrong =
            Linted { certificates: certificates(), faults, warnings, activate_until: None, chain: None };
        let right = Linted {
            faults: Vec::new(),
            warnings: Vec::new(),
            activate_until: Some(datetime!(2027-11-01 00:00 UTC)),
            ..wrong.clone()
        };
        let name = "assembly-lines-ica/short-lived-7-days";
        golden::compare("lint", &screen(name, &wrong).and(screen(name, &right)), &[]);
    }
}
