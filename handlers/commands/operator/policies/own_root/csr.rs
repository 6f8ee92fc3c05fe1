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

#[cfg(test)]
mod tests {
    use azure::OwnAuthority;
    use certificate_chain::SigningRequest;
    use certificate_management::ArmId;
    use certificate_management::generation::Generation;
    use certificate_management::model::ProvisioningState;

    use super::*;
    use crate::commands::golden::{self, NAMESPACE};

    /// A request with a key of its own; a request does not end.
    const REQUEST: &str = "-----BEGIN CERTIFICATE REQUEST-----
MIIBJDCBqgIBADArMSkwJwYDVQQDDCAwN2I1ZDczYTcwZTA0NmYyODhkZGM2NDUx
OGJjNTE3ZTB2MBAGByqGSM49AgEGBSuBBAAiA2IABDjeu+WWHdhkQFh2fFBwGLfV
mDBc3IPJgVsSboFqXZsdc0EXfy6HkiJlY2BWYC8HJy1Bug8uxECcSEuxXj11Z+En
2HnE3prAZ+NqOWEHt3vOTpdUubyNwZ4/wj74MjQ/sqAAMAoGCCqGSM49BAMCA2kA
MGYCMQD+EL98lpXI/Q4K5mvgDu4YsP83YXzd6zQ56Ce9liD4rpY2vD3ElsJTAQJg
3P7P6X8CMQCBUgJNVnvoa7hLBYOQIQ5noAJcRa9tc2NOAfGriELGOLVr7n9Gwhpa
RoN9NSafIfg=
-----END CERTIFICATE REQUEST-----
";

    #[test]
    fn the_golden_signing_request_fits_the_width_and_what_is_copied_is_whole() {
        let namespace = ArmId::parse(NAMESPACE).unwrap();
        let authority = OwnAuthority {
            id: namespace.child("certificateAuthorities", "assembly-lines-ica"),
            name: "assembly-lines-ica".to_owned(),
            generation: Generation::CertificateAuthorities,
            provisioning_state: ProvisioningState::Succeeded,
            status: "PendingActivation".to_owned(),
            signing_request: Some(REQUEST.to_owned()),
            thumbprint: None,
            not_after: None,
        };
        let request = SigningRequest::parse(REQUEST.as_bytes()).unwrap();
        let pending = Pending { namespace, authority, pem: REQUEST.to_owned(), request };
        let arguments = Arguments {
            name: "assembly-lines-ica".to_owned(),
            namespace: None,
            out: None,
            output: Output::Table,
        };
        let screen = screen(&pending, &arguments);
        let text = screen.plain(80);
        assert!(text.contains(REQUEST.trim()), "{text}");
        let recipe = recipe::openssl("assembly-lines-ica", &pending.request);
        let commands: Vec<&str> =
            recipe.lines().map(str::trim_start).filter(|line| !line.is_empty()).collect();
        golden::compare("csr", &screen, &[&commands[..], &["openssl ", "Save it: "]].concat());
    }
}
