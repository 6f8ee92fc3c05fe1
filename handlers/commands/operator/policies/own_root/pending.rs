//! The signing request that waits for the person's root.

use azure::OwnAuthority;
use certificate_chain::SigningRequest;
use certificate_management::ArmId;

use super::named::{self, Named};
use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::reader;
use crate::commands::terminal::line;

/// An issuing CA that waits for a certificate.
pub struct Pending {
    /// Its namespace.
    pub namespace: ArmId,
    /// The CA.
    pub authority: OwnAuthority,
    /// Its request as the service shows it, PEM.
    pub pem: String,
    /// The same, read.
    pub request: SigningRequest,
}

/// Reads the request of the authority that a person names.
///
/// # Errors
/// When there is none, or not one alone; what there is instead.
pub async fn find(name: &str, namespace: Option<&str>) -> Result<Pending, CommandFailure> {
    let failed = |error: &dyn std::fmt::Display| CommandFailure::Failed(error.to_string());
    let settings = reader::settings().map_err(|error| failed(&error))?;
    let configuration = reader::configuration(&settings).await.map_err(|problem| {
        CommandFailure::Failed(format!(
            "{problem}\nPOLICYSYNC_CONFIG is the path of a policysync.toml, or the address of a blob."
        ))
    })?;
    let fleet = reader::fleet(&settings, configuration).map_err(|error| failed(&error))?;
    of(&named::find(&fleet, name, namespace).await?)
}

/// The request of an authority.
///
/// # Errors
/// When none waits, or it cannot be used.
pub fn of(named: &Named<'_>) -> Result<Pending, CommandFailure> {
    let authority = &named.authority;
    let name = line(&authority.name);
    let state = format!(
        "its status is `{}` and its provisioning state `{}`",
        line(&authority.status),
        line(&authority.provisioning_state.to_string())
    );
    let Some(pem) = authority.signing_request.as_deref().filter(|_| authority.is_pending()) else {
        return Err(CommandFailure::Failed(format!(
            "no signing request of {name} waits for a signature: {state}"
        )));
    };
    let request = SigningRequest::parse(pem.as_bytes()).map_err(|error| {
        CommandFailure::Failed(format!(
            "the signing request that the service shows for {name} cannot be used: {error}; {state}"
        ))
    })?;
    Ok(Pending {
        namespace: named.namespace.id.clone(),
        authority: authority.clone(),
        pem: format!("{}\n", pem.trim()),
        request,
    })
}
