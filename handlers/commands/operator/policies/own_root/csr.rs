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
use crate::commands::table::{self, Output};
use crate::commands::terminal::line;

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
        Output::Table => say!("{}", text(&pending, arguments)),
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

fn text(pending: &Pending, arguments: &Arguments) -> String {
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
    let facts = table::table(&["signing request", ""], rows.collect());
    let file = recipe::file_name(&authority.name);
    let saved = match &arguments.out {
        Some(path) => format!("Saved as {}.", path.display()),
        None => format!("{pem}\nSave it: policysync policies csr {file} --out {file}.csr"),
    };
    format!(
        "{facts}\n\n{saved}\n\nTake it to the machine that has your root, as {file}.csr. There, compare the key:\n  \
         openssl req -in {file}.csr -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum\n\
         and run this:\n\n{}",
        recipe::openssl(&authority.name, request).trim_end()
    )
}
