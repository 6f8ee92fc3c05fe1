//! `config show`: which version the blob has, and which one the app had in force last.

use std::process::ExitCode;

use certificate_management::in_force::Version;
use certificate_management::plural;
use clap::Args;
use serde_json::{Value, json};
use state::Revision;
use time::format_description::well_known::Rfc3339;

use super::place::{Current, Place};
use crate::commands::moment::minute;
use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output};
use crate::commands::tone::Tone;
use crate::serving::{LastGood, kept};
use crate::settings::ConfigurationSource;

#[derive(Args)]
pub struct Arguments {
    #[arg(long, value_name = "URL", help = "The blob, where it is not that of POLICYSYNC_CONFIG")]
    of: Option<String>,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match shown(&arguments).await {
        Ok(is_usable) => {
            if is_usable {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(failure) => failure.tell(),
    }
}

/// Shows it; answers whether the newest version can be used.
async fn shown(arguments: &Arguments) -> Result<bool, CommandFailure> {
    let place = Place::of(arguments.of.as_deref(), "--of")?;
    let current = place.current().await?;
    let in_force = match &place.records {
        Some(records) => {
            let kept = kept(records).await;
            kept.map(|kept| kept.filter(|kept| kept.blob == place.document.to_string()))
        }
        None => Err("no place for records is set".to_owned()),
    };
    let is_usable = matches!(&current, Current::Version(_, Ok(_)));
    match arguments.output {
        Output::Json => say!("{}", table::json(&document(&place, &current, &in_force))),
        Output::Table => screen(&place, &current, &in_force).print(),
    }
    Ok(is_usable)
}

fn document(place: &Place, current: &Current, in_force: &Result<Option<LastGood>, String>) -> Value {
    let newest = match current {
        Current::Nothing => Value::Null,
        Current::Version(revision, judged) => json!({
            "version": version(current),
            "reason": revision.notes.get("reason"),
            "by": revision.notes.get("by"),
            "problem": judged.as_ref().err(),
            "namespaces": judged.as_ref().ok().map(|text| text.configuration.namespaces.len()),
        }),
    };
    let kept = in_force.as_ref().ok().and_then(Option::as_ref);
    json!({
        "schema": "configuration-versions/v1",
        "blob": place.document.to_string(),
        "newest": newest,
        "inForce": kept.map(|kept| json!({"version": kept.version, "keptAt": kept.kept_at.format(&Rfc3339).ok()})),
        "inForceUnknown": in_force.as_ref().err(),
    })
}

fn version(current: &Current) -> Option<Version> {
    current.version()
}

fn screen(place: &Place, current: &Current, in_force: &Result<Option<LastGood>, String>) -> Screen {
    let (tone, verdict, newest) = match (current, current.version()) {
        (Current::Version(revision, judged), Some(version)) => {
            let newest = format!("The newest is {version}, {}.", uploaded(revision));
            match judged {
                Ok(text) => {
                    let count = plural::count(text.configuration.namespaces.len(), "namespace");
                    (Tone::Good, format!("The newest version can be used, and names {count}."), newest)
                }
                Err(problem) => (Tone::Bad, format!("The newest version cannot be used: {problem}"), newest),
            }
        }
        _ => (Tone::Bad, "There is no such blob.".to_owned(), String::new()),
    };
    let in_force = match in_force {
        Ok(Some(kept)) if current.version().as_ref() == Some(&kept.version) => {
            "The app has it in force.".to_owned()
        }
        Ok(Some(kept)) => {
            format!("The app had {} in force last, as it noted at {}.", kept.version, minute(kept.kept_at))
        }
        Ok(None) => "No app has taken up any version yet.".to_owned(),
        Err(why) => format!("Which version the app has in force is not known: {why}."),
    };
    let screen = Screen::verdict(tone, verdict).text(place.document.to_string()).text(newest).text(in_force);
    match list_versions(&place.settings.configuration) {
        Some(command) => screen
            .heading("Earlier versions, where the account keeps them, with who uploaded them and why:")
            .verbatim(format!("  {command}")),
        None => screen,
    }
}

/// The command that lists the versions of the blob; none where no account of Azure keeps any.
fn list_versions(source: &ConfigurationSource) -> Option<String> {
    let ConfigurationSource::Blob(address) = source else { return None };
    let (account, container, name) = address.in_azure()?;
    Some(format!(
        "az storage blob list --auth-mode login --account-name {account} --container-name {container} --prefix {name} --include v \
         --query \"[].{{version: versionId, at: properties.lastModified, by: metadata.by, reason: metadata.reason}}\" --output table"
    ))
}

fn uploaded(revision: &Revision) -> String {
    let note = |name: &str| revision.notes.get(name);
    let by = note("by").map(|by| format!(" by {by}")).unwrap_or_default();
    let reason = note("reason").map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("uploaded at {}{by}{reason}", minute(revision.modified_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_of_a_blob_in_azure_are_listed_by_az_and_those_of_an_emulator_are_not() {
        let of = |address: &str| list_versions(&ConfigurationSource::parse(address).unwrap());
        let command = of("https://contoso.blob.core.windows.net/configuration/policysync.toml").unwrap();
        assert!(command.contains(
            "--account-name contoso --container-name configuration --prefix policysync.toml --include v"
        ));
        assert_eq!(of("http://127.0.0.1:10000/devstoreaccount1/configuration/policysync.toml"), None);
        assert_eq!(of("policysync.toml"), None);
    }
}
