//! Create, change and delete a certificate authority.

use axum::response::Response;
use serde_json::{Map, Value};

use super::{body, found};
use crate::arm::{ArmRequest, ok, operations};
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::fleet::Moment;
use crate::resource_manager::registry::words::{is_to_be_made_again, not_busy, not_deleting};
use crate::resource_manager::registry::{
    Start, location, namespace_id, no_content, not_running, start, start_by_location, tags,
};
use crate::resource_names::is_policy_name;
use crate::world::World;
use crate::world::certificate_authority::{CertificateAuthority, Kind, root_validity_days};
use crate::world::change::{Deed, ResourceKind};
use crate::world::namespace::Namespace;
use crate::world::operation::{AuthorityChange, Effect, Polling};
use crate::world::resource::{ProvisioningState, Tags};

/// Most issuing CAs of a namespace, beside its one root (`azure-wire-facts.md` §1.2).
const MOST_ISSUING: usize = 3;
/// The code of the service beyond a limit is not published; this one is made up.
const LIMIT: &str = "CertificateAuthorityLimitExceeded";

pub(super) fn put(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let given = request.json()?;
    let (location, tags) = (location(&given)?, tags(&given)?.unwrap_or_default());
    let (kind, issuer) = wanted(&given)?;
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let owner = world.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    not_deleting(owner)?;
    if let Some(existing) = owner.certificate_authority(name) {
        not_busy("certificate authority", &existing.name, existing.provisioning_state)?;
        check_unchanged(owner, existing, kind, issuer.as_deref())?;
        if !is_to_be_made_again(existing.provisioning_state) {
            return retag(cloud, &mut world, request, namespace, name, tags);
        }
    } else {
        if !is_policy_name(name) {
            return Err(ArmError::bad_request(
                "InvalidResourceName",
                format!("The certificate authority name '{name}' is not valid."),
            ));
        }
        within_limits(owner, kind)?;
    }
    if kind == Kind::Microsoft {
        check_issuer(owner, issuer.as_deref())?;
    }
    let days = match kind {
        Kind::Root => root_validity_days(),
        Kind::Microsoft | Kind::External => world.fleet.issuing_ca_validity_days,
    };
    let fresh = CertificateAuthority::accepted(name, kind, days, location, &mut world.names, now);
    let owner = world.namespace_mut(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let authority = owner.certificate_authorities.entry(name.to_ascii_lowercase()).or_insert(fresh);
    authority.provisioning_state = ProvisioningState::Accepted;
    (authority.tags, authority.times.modified) = (tags, now);
    let own_name = authority.name.clone();
    let (owner, authority) = found(&world, request, namespace, name)?;
    let (resource_id, answer) =
        (owner.certificate_authority_id(&own_name), body::authority(&world, owner, authority));
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::ForStatus,
        effect: Effect::CertificateAuthority { name: own_name, change: AuthorityChange::Create },
    };
    let path = start(&mut world, request, what, now);
    Ok(operations::created(cloud, request, &path, world.fleet.retry_after_seconds, answer))
}

/// Tags only, at once or in an operation: both are documented.
pub(super) fn patch(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let tags = tags(&request.json()?)?;
    let mut world = cloud.lock();
    let (owner, authority) = found(&world, request, namespace, name)?;
    not_busy("certificate authority", &authority.name, authority.provisioning_state)?;
    let tags = tags.unwrap_or_else(|| authority.tags.clone());
    if world.fleet.lifecycle.updates == Moment::AtOnce {
        return retag(cloud, &mut world, request, namespace, name, tags);
    }
    let what = Start {
        namespace_id: owner.id.clone(),
        resource_id: owner.certificate_authority_id(&authority.name),
        polling: Polling::UntilDone,
        effect: Effect::CertificateAuthority {
            name: authority.name.clone(),
            change: AuthorityChange::Retag(tags),
        },
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}

/// Policies go before their CA, and issuing CAs before the root that signed them: the latter and the code are inferred
/// (`ca-lifecycle-facts.md` §1.10).
pub(super) fn delete(
    cloud: &Cloud,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let mut world = cloud.lock();
    let owner = world.namespace(&id).ok_or_else(|| ArmError::not_found(&id))?;
    let Some(authority) = owner.certificate_authority(name) else { return Ok(no_content()) };
    not_busy("certificate authority", &authority.name, authority.provisioning_state)?;
    let own_name = authority.name.clone();
    let signs = authority.kind == Kind::Root
        && owner.certificate_authorities.values().any(|one| one.kind == Kind::Microsoft);
    if signs || !authority.policies.is_empty() {
        let problem = "The certificate authority still has policies or issuing CAs; delete them first.";
        return Err(ArmError::conflict("CannotDeleteResource", problem));
    }
    let resource_id = owner.certificate_authority_id(&own_name);
    not_running(&world, &resource_id)?;
    if let Some(authority) = world.namespace_mut(&id).and_then(|owner| owner.certificate_authority_mut(name))
    {
        authority.provisioning_state = ProvisioningState::Deleting;
    }
    let what = Start {
        namespace_id: id,
        resource_id,
        polling: Polling::UntilDone,
        effect: Effect::CertificateAuthority { name: own_name, change: AuthorityChange::Delete },
    };
    Ok(start_by_location(cloud, &mut world, request, what))
}

fn retag(
    cloud: &Cloud,
    world: &mut World,
    request: &ArmRequest,
    namespace: &str,
    name: &str,
    tags: Tags,
) -> Result<Response, ArmError> {
    let id = namespace_id(request, namespace)?;
    let now = cloud.clock().now();
    if let Some(authority) = world.namespace_mut(&id).and_then(|owner| owner.certificate_authority_mut(name))
    {
        (authority.tags, authority.times.modified) = (tags, now);
    }
    let (owner, authority) = found(world, request, namespace, name)?;
    let resource_id = owner.certificate_authority_id(&authority.name);
    world.tell(&resource_id, ResourceKind::CertificateAuthority, Deed::Write, now);
    ok(body::authority(world, owner, authority))
}

/// Reads the kind from a body, and the id of the issuer for a CA that Microsoft signs.
fn wanted(body: &Map<String, Value>) -> Result<(Kind, Option<String>), ArmError> {
    let invalid = |problem: &str| Err(ArmError::bad_request("InvalidParameter", problem));
    let text = |pointer: &str| {
        let properties = body.get("properties")?;
        properties.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    };
    if text("/keyType").as_deref() != Some("ECC") {
        return invalid("keyType is not ECC.");
    }
    match (text("/certificateAuthorityType").as_deref(), text("/issuer/issuerType").as_deref()) {
        (Some("Root"), None) => Ok((Kind::Root, None)),
        (Some("Root"), Some(_)) => invalid("A certificate authority of type Root has no issuer."),
        (Some("ICA"), Some("External")) => Ok((Kind::External, None)),
        (Some("ICA"), Some("Microsoft")) => {
            Ok((Kind::Microsoft, text("/issuer/certificateAuthorityResourceId")))
        }
        (Some("ICA"), _) => invalid("issuer.issuerType is not one of Microsoft, External."),
        _ => invalid("certificateAuthorityType is not one of Root, ICA."),
    }
}

/// Type, key type and issuer are create-only (`ca-lifecycle-facts.md` §1.2). The code is made up.
fn check_unchanged(
    namespace: &Namespace,
    existing: &CertificateAuthority,
    kind: Kind,
    issuer: Option<&str>,
) -> Result<(), ArmError> {
    let mut all = namespace.certificate_authorities.values();
    let root =
        all.find(|one| one.kind == Kind::Root).map(|root| namespace.certificate_authority_id(&root.name));
    let is_same_issuer = kind != Kind::Microsoft
        || matches!((issuer, &root), (Some(given), Some(root)) if given.eq_ignore_ascii_case(root));
    if existing.kind == kind && is_same_issuer {
        return Ok(());
    }
    let problem = "The type and the issuer cannot be changed after creation.";
    Err(ArmError::bad_request("PropertyChangeNotAllowed", problem))
}

fn within_limits(namespace: &Namespace, kind: Kind) -> Result<(), ArmError> {
    let issuing = namespace.certificate_authorities.values().filter(|one| one.is_issuing()).count();
    let roots = namespace.certificate_authorities.len() - issuing;
    let problem = match kind {
        Kind::Root if roots > 0 => "A namespace has one certificate authority of type Root.".to_owned(),
        Kind::Microsoft | Kind::External if issuing >= MOST_ISSUING => {
            format!("A namespace has {MOST_ISSUING} certificate authorities of type ICA at the most.")
        }
        _ => return Ok(()),
    };
    Err(ArmError::conflict(LIMIT, problem))
}

/// The issuer is the root of the same namespace, and is there already.
fn check_issuer(namespace: &Namespace, issuer: Option<&str>) -> Result<(), ArmError> {
    let Some(issuer) = issuer else {
        let problem = "issuer.certificateAuthorityResourceId is required.";
        return Err(ArmError::bad_request("InvalidParameter", problem));
    };
    let mut all = namespace.certificate_authorities.values();
    let found = all.find(|one| namespace.certificate_authority_id(&one.name).eq_ignore_ascii_case(issuer));
    match found {
        Some(root) if root.kind != Kind::Root => Err(ArmError::bad_request(
            "InvalidParameter",
            "issuer.certificateAuthorityResourceId does not name a certificate authority of type Root.",
        )),
        Some(root) if root.provisioning_state != ProvisioningState::Succeeded => Err(ArmError::conflict(
            "Conflict",
            format!("The certificate authority '{}' is not ready.", root.name),
        )),
        Some(_) => Ok(()),
        None => Err(ArmError::bad_request(
            "InvalidParameter",
            format!("The issuer '{issuer}' was not found in the namespace."),
        )),
    }
}
