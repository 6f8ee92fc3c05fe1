//! `parked`: shows the messages that wait for a person because no function could handle them, sends one again, or
//! throws one away.
//!
//! - [`message`]: the description of such a message, and its id.
//! - [`shelf`]: takes them from where they wait and puts them back; [`open`]: opens the places that the environment
//!   names.
//! - [`kept`]: the messages that wait in the records.
//! - [`replacement`]: the text that a person sends in the place of one.

mod error;
mod kept;
mod message;
mod open;
mod replacement;
mod shelf;

use std::path::PathBuf;
use std::process::ExitCode;

use certificate_management::plural;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use serde_json::json;

use self::error::ShelfError;
use self::message::{Waiting, plain};
use self::replacement::Replacement;
use self::shelf::{Entry, Shelf, Taken};
use super::fail;
use super::screen::Screen;
use super::table::{self, Output, Table};
use super::terminal::line;
use super::tone::Tone;
use crate::commands::moment::minute_of;

/// How much of a detail a row of the table shows, in characters; JSON has the whole of it.
const SHOWN_OF_DETAIL: usize = 160;

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[arg(long, value_enum, default_value_t = Output::Table, global = true)]
    output: Output,
}

#[derive(Subcommand)]
enum Action {
    /// Show them: where each waits, why, since when, and how its body begins.
    List,
    /// Put one on the queue of sync requests again, and take it from where it waits: its original body, or with --edit or
    /// --file another text in its place.
    Resubmit(Resubmission),
    /// Take one from where it waits for good.
    Discard(Named),
}

#[derive(Args)]
struct Named {
    /// The message, by an id that `policysync parked list` shows, or by the beginning of one.
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    id: String,
}

#[derive(Args)]
struct Resubmission {
    #[command(flatten)]
    named: Named,
    /// Open its body in the editor that VISUAL or EDITOR names, and send what is saved.
    #[arg(long, conflicts_with = "file")]
    edit: bool,
    /// Send the text of this file in its place; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let shelf = match open::from_environment() {
        Ok(shelf) => shelf,
        Err(message) => return fail(&message),
    };
    let done = match &arguments.action {
        Action::List => return list(&shelf, arguments.output).await,
        Action::Resubmit(resubmission) => resubmit(&shelf, resubmission, arguments.output).await,
        Action::Discard(Named { id }) => discard(&shelf, id, arguments.output).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

/// Prints the messages. It fails where a place could not be read, since messages may wait there.
async fn list(shelf: &Shelf, output: Output) -> ExitCode {
    let Taken { entries, is_cut, unseen } = shelf.take().await;
    let shown: Vec<Waiting> = entries.iter().map(|entry| entry.message.clone()).collect();
    shelf.put_back(entries).await;
    match output {
        Output::Json => {
            say!("{}", table::json(&json!({"schema": "parked-messages/v1", "messages": shown})));
        }
        Output::Table => screen(&shown, unseen.is_empty()).print(),
    }
    if is_cut {
        complain!("there may be more; of each place these are the oldest");
    }
    if shelf.records.is_none() {
        complain!("the records were not looked at, since AzureWebJobsStorage names none");
    }
    let Some((first, others)) = unseen.split_first() else { return ExitCode::SUCCESS };
    for error in others {
        complain!("{error}");
    }
    fail(&first.to_string())
}

fn screen(shown: &[Waiting], is_whole: bool) -> Screen {
    let screen = match (shown.len(), is_whole) {
        (0, true) => Screen::verdict(Tone::Good, "Nothing is parked."),
        (0, false) => Screen::verdict(Tone::Caution, "Nothing is parked where it could be looked at."),
        (waiting, _) => Screen::verdict(
            Tone::Caution,
            format!(
                "{} {} for a person.",
                plural::count(waiting, "message"),
                plural::agreeing(waiting, "waits", "wait")
            ),
        ),
    };
    let header = ["id", "where", "reason", "detail", "since", "body"];
    let screen = screen.table(Table::of(&header, shown.iter().map(row)));
    match shown.is_empty() {
        true => screen,
        false => screen.text(
            [
                "Send one again, send another text in its place, or throw it away, with",
                "  policysync parked resubmit ID",
                "  policysync parked resubmit ID --edit",
                "  policysync parked discard ID",
            ]
            .join("\n"),
        ),
    }
}

fn row(message: &Waiting) -> Vec<String> {
    let first = |texts: [&Option<String>; 2], most: usize| {
        texts.into_iter().flatten().next().map_or_else(|| "-".to_owned(), |text| plain(text, most))
    };
    vec![
        message.id.clone(),
        message.place_in_words(),
        first([&message.reason, &message.dead_letter_reason], SHOWN_OF_DETAIL),
        first([&message.detail, &message.dead_letter_description], SHOWN_OF_DETAIL),
        minute_of(&first([&message.parked_at, &message.enqueued_at], SHOWN_OF_DETAIL)),
        message.body.clone(),
    ]
}

async fn resubmit(
    shelf: &Shelf,
    Resubmission { named, edit, file }: &Resubmission,
    output: Output,
) -> Result<(), ShelfError> {
    let (wanted, replacement) = match file {
        Some(path) => (named.id.clone(), Some(replacement::of_file(path)?)),
        None if *edit => {
            let (id, body) = body_of(shelf, &named.id).await?;
            (id, Some(replacement::edited(&body, &shelf.ambient)?))
        }
        None => (named.id.clone(), None),
    };
    // Taken only now: an editor stays open for longer than a lock lasts.
    let taken = one_of(shelf, &wanted).await;
    let (entry, others) = match (taken, &replacement) {
        (Err(ShelfError::NotFound(problem)), Some(Replacement { kept_at: Some(path), .. })) => {
            return Err(ShelfError::NotFound(format!("{problem}\nYour text is in {}.", path.display())));
        }
        (taken, _) => taken?,
    };
    let id = entry.message.id.clone();
    let shown = line(&id);
    let sent = shelf.resubmit(entry, replacement.as_ref().map(|replacement| replacement.text.as_str())).await;
    shelf.put_back(others).await;
    let message_id = sent?;
    if let Some(replacement) = replacement {
        replacement.forget();
    }
    let queue = shelf.requests.queue();
    match output {
        Output::Json => {
            let done = json!({"schema": "parked-done/v1", "id": id, "done": "resubmitted", "queue": queue, "messageId": message_id});
            say!("{}", table::json(&done));
        }
        Output::Table => {
            let sent = format!("{shown} is on the queue {queue} again, as message {message_id}.");
            Screen::default().text(sent).print();
        }
    }
    Ok(())
}

async fn discard(shelf: &Shelf, wanted: &str, output: Output) -> Result<(), ShelfError> {
    let (entry, others) = one_of(shelf, wanted).await?;
    let id = entry.message.id.clone();
    let shown = line(&id);
    let done = shelf.remove(entry).await;
    shelf.put_back(others).await;
    done?;
    match output {
        Output::Json => {
            say!("{}", table::json(&json!({"schema": "parked-done/v1", "id": id, "done": "discarded"})));
        }
        Output::Table => Screen::default().text(format!("{shown} is discarded.")).print(),
    }
    Ok(())
}

/// The id of the message that the person means, and its whole body. It is put back.
async fn body_of(shelf: &Shelf, wanted: &str) -> Result<(String, String), ShelfError> {
    let (entry, mut others) = one_of(shelf, wanted).await?;
    let id = entry.message.id.clone();
    let body = shelf.whole_body(&entry).await;
    others.push(entry);
    shelf.put_back(others).await;
    Ok((id, body?))
}

/// The message that the person means, and the others. Where none matches, all of them are put back.
async fn one_of(shelf: &Shelf, wanted: &str) -> Result<(Entry, Vec<Entry>), ShelfError> {
    let mut taken = shelf.take().await;
    for error in &taken.unseen {
        complain!("{error}");
    }
    let ids: Vec<&str> = taken.entries.iter().map(|entry| entry.message.id.as_str()).collect();
    match message::find(&ids, wanted, taken.is_all()) {
        Ok(at) => {
            let entry = taken.entries.swap_remove(at);
            Ok((entry, taken.entries))
        }
        Err(problem) => {
            shelf.put_back(taken.entries).await;
            Err(ShelfError::NotFound(problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::message::Place;
    use super::*;
    use crate::commands::golden;

    #[test]
    fn the_golden_list_fits_the_width() {
        let parked = Waiting {
            id: "b7d1c0de-4711-4c0f-9d53-1f2e3d4c5b6a".to_owned(),
            reason: Some("message-not-json".to_owned()),
            detail: Some(
                "expected value at line 1 column 1: the text begins with `namespace=` and is no JSON object"
                    .to_owned(),
            ),
            parked_at: Some("2026-11-23T05:00:00Z".to_owned()),
            ..Waiting::at(
                Place::Parked,
                "namespace=contoso-manufacturing-west-europe&policy=short-lived-7-days&hub=*",
            )
        };
        let dead = Waiting {
            id: "dead-letter/42".to_owned(),
            delivery_count: Some(1),
            dead_letter_reason: Some("TTLExpiredException".to_owned()),
            enqueued_at: Some("2026-11-22T05:00:00Z".to_owned()),
            ..Waiting::at(Place::DeadLetter, "{}")
        };
        golden::compare("parked-list", &screen(&[parked, dead], true), &["policysync parked"]);
        assert_eq!(screen(&[], true).plain(80), "Nothing is parked.");
        assert_eq!(screen(&[], false).plain(80), "Nothing is parked where it could be looked at.");
    }
}
