//! Generation B: certificate authorities, and below them certificate policies (`azure-wire-facts.md` §2.4).

mod actions;
mod body;
mod policies;
mod write;

use axum::response::Response;

use super::namespace_id;
use crate::arm::{ArmRequest, ok, paging};
use crate::arm_error::ArmError;
use crate::world::World;
use crate::world::certificate_authority::CertificateAuthority;
use crate::world::namespace::Namespace;
use crate::world::state::State;

/// Answers a request about a certificate authority or its policies.
pub(super) fn handle(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, &types[1..], names.as_slice()) {
        ("GET", ["certificateauthorities"], [namespace]) => list(world, request, namespace),
        ("GET", ["certificateauthorities"], [namespace, name]) => get(world, request, namespace, name),
        ("PUT", ["certificateauthorities"], [namespace, name]) => write::put(world, request, namespace, name),
        ("PATCH", ["certificateauthorities"], [namespace, name]) => {
            write::patch(world, request, namespace, name)
        }
        ("DELETE", ["certificateauthorities"], [namespace, name]) => {
            write::delete(world, request, namespace, name)
        }
        ("POST", ["certificateauthorities", "activate"], [namespace, name]) => {
            actions::activate(world, request, namespace, name)
        }
        ("POST", ["certificateauthorities", "revokeandrotate"], [namespace, name]) => {
            actions::revoke_and_rotate(world, request, namespace, name)
        }
        ("GET", ["certificateauthorities", "certificatepolicies"], [namespace, name]) => {
            policies::list(world, request, namespace, name)
        }
        ("GET", ["certificateauthorities", "certificatepolicies"], [namespace, name, policy]) => {
            policies::get(world, request, namespace, name, policy)
        }
        ("PUT", ["certificateauthorities", "certificatepolicies"], [namespace, name, policy]) => {
            policies::put(world, request, namespace, name, policy)
        }
        ("PATCH", ["certificateauthorities", "certificatepolicies"], [namespace, name, policy]) => {
            policies::patch(world, request, namespace, name, policy)
        }
        ("DELETE", ["certificateauthorities", "certificatepolicies"], [namespace, name, policy]) => {
            policies::delete(world, request, namespace, name, policy)
        }
        _ => Err(ArmError::method_not_allowed(&request.method, &request.path)),
    }
}

fn list(world: &World, request: &ArmRequest, namespace: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let state = world.lock();
    let namespace = state.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let entry = |authority: &CertificateAuthority| {
        (namespace.certificate_authority_id(&authority.name), body::authority(namespace, authority))
    };
    let entries = namespace.certificate_authorities.values().map(entry).collect();
    ok(paging::page(request, &world.base_url(), state.fleet.page_size, entries, paging::LastPage::Null)?)
}

fn get(world: &World, request: &ArmRequest, namespace: &str, name: &str) -> Result<Response, ArmError> {
    let state = world.lock();
    let (namespace, authority) = found(&state, request, namespace, name)?;
    ok(body::authority(namespace, authority))
}

/// The namespace and its certificate authority.
fn found<'a>(
    state: &'a State,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<(&'a Namespace, &'a CertificateAuthority), ArmError> {
    let id = namespace_id(request, namespace)?;
    let namespace = state.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let authority = namespace
        .certificate_authority(name)
        .ok_or_else(|| ArmError::not_found(&namespace.certificate_authority_id(name)))?;
    Ok((namespace, authority))
}

/// What is being created or deleted cannot be changed.
fn not_busy(what: &str, name: &str, state: &str) -> Result<(), ArmError> {
    match state {
        "Accepted" | "Deleting" => {
            Err(ArmError::conflict("Conflict", format!("The {what} '{name}' is in state {state}.")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
