//! `policies csr`: shows the signing request that waits for the customer's root, and how to sign it with OpenSSL.

use std::path::PathBuf;
use std::process::ExitCode;

use certificate_chain::recipe;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::file;
use super::pending::{self, Pending};
use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

#[derive(Args)]
pub struct Arguments {
    /// A certificate authority, a policy, or AUTHORITY/POLICY.
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The namespace, by ARM id or by name; needed where several could be meant.
    #[arg(long, value_name = "ID")]
    namespace: Option<String>,
    /// Save the request to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode, CommandFailure> {
    let pending = pending::find(&arguments.name, arguments.namespace.as_deref()).await?;
    if let Some(path) = &arguments.out {
        file::write_request(path, &pending.pem)?;
    }
    match arguments.output {
        Output::Json => say!("{}", document(&pending)),
        Output::Table => screen(&pending, arguments).print(),
    }
    Ok(ExitCode::SUCCESS)
}

fn document(pending: &Pending) -> String {
    let Pending { namespace, authority, pem, request } = pending;
    table::json(&json!({
        "schema": "signing-request/v1",
        "name": authority.name,
        "namespaceId": namespace,
        "id": authority.id,
        "status": authority.status,
        "activateBy": authority.renew_by().and_then(|end| end.format(&Rfc3339).ok()),
        "subject": request.subject(),
        "key": request.key_kind(),
        "keySha256": request.key_fingerprint(),
        "pathLength": request.path_length(),
        "signingRequest": pem,
        "recipe": recipe::openssl(&authority.name, request),
    }))
}

fn screen(pending: &Pending, arguments: &Arguments) -> Screen {
    let Pending { namespace, authority, pem, request } = pending;
    let name = line(&authority.name);
    let by = authority.renew_by().map(|end| format!("{}, when the certificate that it has ends", end.date()));
    let rows = [
        ("authority", Some(format!("{name} in {}", namespace.name()))),
        ("status", Some(line(&authority.status))),
        ("activate it by", by),
        ("subject", Some(line(request.subject()))),
        ("key", Some(request.key_kind())),
        ("SHA-256 of the key", Some(request.key_fingerprint())),
    ];
    let rows = rows.into_iter().filter_map(|(what, value)| Some(vec![what.to_owned(), value?]));
    let screen = Screen::verdict(Tone::Caution, format!("{name} waits for the signature of your root."))
        .table(Table::of(&["signing request", ""], rows));
    let file = recipe::file_name(&authority.name);
    let screen = match &arguments.out {
        Some(path) => screen.text(format!("Saved as {}.", path.display())),
        None => {
            screen.verbatim(pem).verbatim(format!("Save it: policysync policies csr {file} --out {file}.csr"))
        }
    };
    screen
        .heading(format!("Take it to the machine that has your root, as {file}.csr. There, compare the key:"))
        .verbatim(format!(
            "  openssl req -in {file}.csr -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum"
        ))
        .text("and run this:")
        .verbatim(recipe::openssl(&authority.name, request).trim_end())
}
