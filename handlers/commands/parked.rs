//! `parked`: the messages that no function could understand. A person looks at them, sends them again or throws them away.
//!
//! - [`message`]: what such a message says.
//! - [`shelf`]: taking them from their queue, and putting them back.

mod message;
mod shelf;

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use serde_json::json;

use self::message::ParkedMessage;
use self::shelf::{Shelf, ShelfError, Taken};
use super::fail;
use super::table::{self, Output};
use super::terminal::line;

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[arg(long, value_enum, default_value_t = Output::Table, global = true)]
    output: Output,
}

#[derive(Subcommand)]
enum Action {
    /// Show them: why each could not be understood, since when it is parked, and how its body begins.
    List,
    /// Put the original body of one on the queue of sync requests again, and take it from the parked ones.
    Resubmit(Named),
    /// Take one from the parked ones for good.
    Discard(Named),
}

#[derive(Args)]
struct Named {
    /// The message, by an id that `policysync parked list` shows, or by the beginning of one.
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    id: String,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let shelf = match Shelf::from_environment() {
        Ok(shelf) => shelf,
        Err(message) => return fail(&message),
    };
    let done = match &arguments.action {
        Action::List => list(&shelf, arguments.output).await,
        Action::Resubmit(Named { id }) => resubmit(&shelf, id, arguments.output).await,
        Action::Discard(Named { id }) => discard(&shelf, id, arguments.output).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

async fn list(shelf: &Shelf, output: Output) -> Result<(), ShelfError> {
    let taken = shelf.take().await?;
    let shown: Vec<ParkedMessage> = taken.parked.iter().map(|entry| entry.message.clone()).collect();
    let is_cut = taken.is_cut;
    shelf.put_back(taken.parked).await;
    match output {
        Output::Json => say!("{}", table::json(&shown)),
        Output::Table if shown.is_empty() => say!("Nothing is parked."),
        Output::Table => {
            let header = ["id", "reason", "detail", "parked at", "body"];
            say!("{}", table::table(&header, shown.iter().map(row).collect()));
        }
    }
    if is_cut {
        complain!("there may be more; these are the oldest {}", shown.len());
    }
    Ok(())
}

fn row(message: &ParkedMessage) -> Vec<String> {
    let or_dash = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), line);
    vec![
        line(&message.id),
        or_dash(&message.reason),
        or_dash(&message.detail),
        or_dash(&message.parked_at),
        message.excerpt(),
    ]
}

async fn resubmit(shelf: &Shelf, wanted: &str, output: Output) -> Result<(), ShelfError> {
    let (entry, others) = one_of(shelf, shelf.take().await?, wanted).await?;
    let id = entry.message.id.clone();
    let shown = line(&id);
    let sent = shelf.resubmit(entry).await;
    shelf.put_back(others).await;
    let message_id = sent?;
    match output {
        Output::Json => {
            let queue = shelf.requests_queue();
            say!(
                "{}",
                table::json(
                    &json!({"id": id, "done": "resubmitted", "queue": queue, "messageId": message_id})
                )
            );
        }
        Output::Table => {
            say!("{shown} is on the queue {} again, as message {message_id}.", shelf.requests_queue());
        }
    }
    Ok(())
}

async fn discard(shelf: &Shelf, wanted: &str, output: Output) -> Result<(), ShelfError> {
    let (entry, others) = one_of(shelf, shelf.take().await?, wanted).await?;
    let id = entry.message.id.clone();
    let shown = line(&id);
    let done = shelf.discard(entry).await;
    shelf.put_back(others).await;
    done?;
    match output {
        Output::Json => say!("{}", table::json(&json!({"id": id, "done": "discarded"}))),
        Output::Table => say!("{shown} is discarded."),
    }
    Ok(())
}

/// The message that is meant, and the others. Where none is meant, all of them are put back.
async fn one_of(
    shelf: &Shelf,
    mut taken: Taken,
    wanted: &str,
) -> Result<(shelf::Entry, Vec<shelf::Entry>), ShelfError> {
    let ids: Vec<&str> = taken.parked.iter().map(|entry| entry.message.id.as_str()).collect();
    match message::find(&ids, wanted) {
        Ok(at) => {
            let entry = taken.parked.swap_remove(at);
            Ok((entry, taken.parked))
        }
        Err(problem) => {
            shelf.put_back(taken.parked).await;
            Err(ShelfError::NotFound(problem))
        }
    }
}
