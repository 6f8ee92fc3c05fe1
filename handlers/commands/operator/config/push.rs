//! `config push`: checks a file, shows what it would do that the version in the blob does not, and uploads it over exactly that version.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use azure::Service;
use certificate_management::configuration::{Configuration, Mode};
use certificate_management::difference::Difference;
use certificate_management::in_force::Recalled;
use clap::Args;
use serde_json::{Value, json};
use state::{ErrorKind, WriteError};

use super::place::{Current, Place};
use super::{effects, print};
use crate::commands::operator::check;
use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::intent;
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output};
use crate::commands::tone::Tone;
use crate::configuration_blob;
use crate::fleet::{Fleet, Outside};
use crate::serving::recall;

#[derive(Args)]
#[command(
    after_help = "The file is uploaded only over the version that it was compared with. The app takes it up within a minute; a run that is under way ends with the version that it began with."
)]
pub struct Arguments {
    /// The policysync.toml to upload.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[arg(long, value_name = "URL", help = "The blob, where it is not that of POLICYSYNC_CONFIG")]
    to: Option<String>,
    /// Upload it.
    #[arg(long)]
    apply: bool,
    /// Why, for those who look at the versions of the blob.
    #[arg(long, value_name = "TEXT", value_parser = intent::reason)]
    reason: Option<String>,
    /// Leave out the look at Azure, which tells what becomes of enrollment groups: for emergencies.
    #[arg(long)]
    without_effects: bool,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// What became of the upload.
enum Uploaded {
    /// It was not asked for.
    No,
    /// The blob says the same already.
    Same,
    /// It is there, as this version.
    Yes(String),
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match pushed(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

async fn pushed(arguments: &Arguments) -> Result<(), CommandFailure> {
    let failed = CommandFailure::Failed;
    let place = Place::of(arguments.to.as_deref(), "--to")?;
    let path = arguments.file.display().to_string();
    let bytes =
        std::fs::read(&arguments.file).map_err(|error| failed(format!("cannot read {path}: {error}")))?;
    let after = checked(&place, &path, bytes).await?;
    let current = place.current().await?;
    let (before, compared) = compared_with(&place, &current).await;
    let difference = Difference::of(&before, &after.configuration);
    let difference = match arguments.without_effects {
        true => difference,
        false => with_effects(&place, difference, before, &after.configuration).await?,
    };
    let is_same = matches!(&current, Current::Version(_, Ok(text)) if text.text == after.text);
    if arguments.apply && !difference.unreadable.is_empty() {
        return Err(failed(format!(
            "nothing was uploaded, since not everything could be read, so what the file would do is not known:\n  {}\nRun it again, or with \
             --without-effects.",
            difference.unreadable.join("\n  ")
        )));
    }
    let uploaded = match (arguments.apply, is_same) {
        (_, true) => Uploaded::Same,
        (false, false) => Uploaded::No,
        (true, false) => {
            Uploaded::Yes(upload(&place, &current, &after.text, arguments.reason.as_ref()).await?)
        }
    };
    match arguments.output {
        Output::Json => say!("{}", table::json(&document(&place, &difference, &compared, &uploaded))),
        Output::Table => screen(&place, &difference, &compared, &uploaded).print(),
    }
    // What was not read may be what matters.
    match difference.unreadable.is_empty() {
        true => Ok(()),
        false => Err(failed("not everything could be read, so the difference is not whole".to_owned())),
    }
}

/// The file as the app would read it.
async fn checked(
    place: &Place,
    path: &str,
    bytes: Vec<u8>,
) -> Result<configuration_blob::Text, CommandFailure> {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let rows = check::rows_of(&place.settings, path, &text, true, None).await;
    if !check::passed(&rows) {
        let checks = table::plain(&check::screen(&rows).render(table::screen_width()));
        return Err(CommandFailure::Failed(format!("nothing was uploaded, since a check failed:\n{checks}")));
    }
    configuration_blob::judge(bytes)
        .map_err(|problem| CommandFailure::Failed(format!("nothing was uploaded: {path}: {problem}")))
}

/// What the file is compared with, and the same in words: the version in the blob, or, where that cannot be used, the one that the app
/// had in force last.
async fn compared_with(place: &Place, current: &Current) -> (Configuration, String) {
    match (current, current.version()) {
        (Current::Version(_, Ok(text)), Some(version)) => {
            (Configuration::clone(&text.configuration), version.to_string())
        }
        (Current::Version(_, Err(problem)), Some(version)) => {
            let recalled = match &place.records {
                Some(records) => recall(records, &place.document).await,
                None => Err("no place for records is set".to_owned()),
            };
            match recalled {
                Ok(Recalled { version: good, configuration: text, .. }) => {
                    let words = format!(
                        "{good}, which the app had in force last, since {version} cannot be used: {problem}"
                    );
                    (Configuration::clone(&text.configuration), words)
                }
                Err(why) => {
                    let words = format!(
                        "nothing: {version} cannot be used: {problem}; and the last good one is not known: {why}"
                    );
                    (Configuration::default(), words)
                }
            }
        }
        _ => (Configuration::default(), "nothing, since there is no blob yet".to_owned()),
    }
}

async fn with_effects(
    place: &Place,
    difference: Difference,
    before: Configuration,
    after: &Configuration,
) -> Result<Difference, CommandFailure> {
    let fleet = |configuration| {
        let outside = Outside { azure: Some(place.azure.clone()), ..Outside::of(place.ambient.clone()) };
        Fleet::of(&place.settings, configuration, outside)
            .map_err(|error| CommandFailure::Failed(error.to_string()))
    };
    let (before, mut unreadable) = effects::of(&fleet(before)?).await;
    let (after, more) = effects::of(&fleet(after.clone())?).await;
    unreadable.extend(more);
    unreadable.sort();
    unreadable.dedup();
    Ok(difference.with_groups(&before, &after, unreadable))
}

/// Uploads the file over the version that it was compared with; answers the version that it is now.
async fn upload(
    place: &Place,
    current: &Current,
    text: &str,
    reason: Option<&String>,
) -> Result<String, CommandFailure> {
    let outside = Outside { azure: Some(place.azure.clone()), ..Outside::of(place.ambient.clone()) };
    let fleet = Fleet::of(&place.settings, Configuration::default(), outside)
        .map_err(|error| CommandFailure::Failed(error.to_string()))?;
    let by = fleet.caller(Service::Storage).await.map(|caller| caller.to_string());
    let notes = [("reason", reason.cloned()), ("by", by)];
    let notes: BTreeMap<&str, String> =
        notes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let version = current.version();
    let over = version.as_ref().map(|version| version.e_tag.as_str());
    match place.document.write(text, over, &notes).await {
        Ok((e_tag, id)) => Ok(id.unwrap_or_else(|| e_tag.trim_matches('"').to_owned())),
        Err(WriteError::Conflict) => Err(CommandFailure::Failed(
            "nothing was uploaded: another version came in between. Run it again, and look at what it would do now.".to_owned(),
        )),
        Err(WriteError::Failed(error)) if error.kind() == ErrorKind::Forbidden => Err(CommandFailure::Failed(format!(
            "nothing was uploaded: {error}. An upload takes the role Storage Blob Data Contributor on the container"
        ))),
        Err(WriteError::Failed(error)) => Err(CommandFailure::Failed(format!(
            "{error}. Whether it was uploaded is not known: `policysync config show` tells"
        ))),
    }
}

fn document(place: &Place, difference: &Difference, compared: &str, uploaded: &Uploaded) -> Value {
    let (state, version) = match uploaded {
        Uploaded::No => ("not-asked-for", None),
        Uploaded::Same => ("unchanged", None),
        Uploaded::Yes(version) => ("uploaded", Some(version)),
    };
    let mut document = json!(difference);
    document["blob"] = json!(place.document.to_string());
    document["comparedWith"] = json!(compared);
    document["upload"] = json!({ "state": state, "version": version });
    document
}

fn screen(place: &Place, difference: &Difference, compared: &str, uploaded: &Uploaded) -> Screen {
    let (tone, verdict) = match uploaded {
        Uploaded::Same => {
            (Tone::Good, format!("{} has this very text already; nothing was uploaded.", place.document))
        }
        Uploaded::Yes(version) => (
            Tone::Good,
            format!(
                "Uploaded to {} as {version}. The app takes it up within a minute; `policysync status` tells where it cannot.",
                place.document
            ),
        ),
        Uploaded::No => {
            let enforces =
                difference.changed.iter().any(|change| change.mode == Some((Mode::Audit, Mode::Enforce)));
            let note =
                if enforces { " Functions then write to namespaces that are in audit mode now." } else { "" };
            (Tone::Strong, format!("Nothing was uploaded. The same with --apply uploads it.{note}"))
        }
    };
    Screen::verdict(tone, verdict).text(format!("Compared with {compared}.")).and(print::screen(difference))
}
