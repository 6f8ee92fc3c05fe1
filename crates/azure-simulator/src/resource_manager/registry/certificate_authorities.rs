//! Generation B: certificate authorities, and below them certificate policies (`azure-wire-facts.md` §2.4).

mod actions;
mod body;
mod policies;
mod write;

use axum::response::Response;

use super::namespace_id;
use crate::arm::{ArmRequest, ok, paging};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::world::World;
use crate::world::certificate_authority::CertificateAuthority;
use crate::world::namespace::Namespace;

/// Answers a request about a certificate authority or its policies.
pub(super) fn handle(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    let (verb, types, names) = request.shape();
    match (verb, &types[1..], names.as_slice()) {
        ("GET", ["certificateauthorities"], [namespace]) => list(cloud, request, namespace),
        ("GET", ["certificateauthorities"], [namespace, name]) => get(cloud, request, namespace, name),
        ("PUT", ["certificateauthorities"], [namespace, name]) => write::put(cloud, request, namespace, name),
        ("PATCH", ["certificateauthorities"], [namespace, name]) => {
            write::patch(cloud, request, namespace, name)
        }
        ("DELETE", ["certificateauthorities"], [namespace, name]) => {
            write::delete(cloud, request, namespace, name)
        }
        ("POST", ["certificateauthorities", "activate"], [namespace, name]) => {
            actions::activate(cloud, request, namespace, name)
        }
        ("POST", ["certificateauthorities", "revokeandrotate"], [namespace, name]) => {
            actions::revoke_and_rotate(cloud, request, namespace, name)
        }
        ("GET", ["certificateauthorities", "certificatepolicies"], [namespace, name]) => {
            policies::list(cloud, request, namespace, name)
        }
        ("GET", ["certificateauthorities", "certificatepolicies"], [namespace, name, policy]) => {
            policies::get(cloud, request, namespace, name, policy)
        }
        ("PUT", ["certificateauthorities", "certificatepolicies"], [namespace, name, policy]) => {
            policies::put(cloud, request, namespace, name, policy)
        }
        ("PATCH", ["certificateauthorities", "certificatepolicies"], [namespace, name, policy]) => {
            policies::patch(cloud, request, namespace, name, policy)
        }
        ("DELETE", ["certificateauthorities", "certificatepolicies"], [namespace, name, policy]) => {
            policies::delete(cloud, request, namespace, name, policy)
        }
        _ => Err(ArmError::method_not_allowed(&request.method, &request.path)),
    }
}

fn list(cloud: &Cloud, request: &ArmRequest, namespace: &str) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let world = cloud.lock();
    let namespace = world.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let entry = |authority: &CertificateAuthority| {
        (namespace.certificate_authority_id(&authority.name), body::authority(&world, namespace, authority))
    };
    let entries = namespace.certificate_authorities.values().map(entry).collect();
    ok(paging::page(request, &cloud.base_url(), world.fleet.page_size, entries, paging::LastPage::Null)?)
}

fn get(cloud: &Cloud, request: &ArmRequest, namespace: &str, name: &str) -> Result<Response, ArmError> {
    let world = cloud.lock();
    let (namespace, authority) = found(&world, request, namespace, name)?;
    ok(body::authority(&world, namespace, authority))
}

/// The namespace and its certificate authority.
fn found<'a>(
    world: &'a World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<(&'a Namespace, &'a CertificateAuthority), ArmError> {
    let id = namespace_id(request, namespace)?;
    let namespace = world.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let authority = namespace
        .certificate_authority(name)
        .ok_or_else(|| ArmError::not_found(&namespace.certificate_authority_id(name)))?;
    Ok((namespace, authority))
}

/// The same, for a policy of the CA or an action on it.
fn parent<'a>(
    world: &'a World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<(&'a Namespace, &'a CertificateAuthority), ArmError> {
    found(world, request, namespace, name).map_err(|mut error| {
        // Of a namespace that is missing the code is not known to differ.
        if error.message.contains("/certificateAuthorities/") {
            error.code = "ParentResourceNotFound".into();
        }
        error
    })
}

#[cfg(test)]
mod action_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod renewal_tests;
#[cfg(test)]
mod tests;
