//! `POST /registrations/{enrollmentGroupId}/query`: the registration states of a group's devices, without a body (REST
//! reference of DPS, "Device Registration State - Query").

use axum::response::Response;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::ServiceRequest;
use super::error::ServiceError;
use super::paging::Page;
use crate::world::World;
use crate::world::enrollment::Registration;

/// What a registration state shows; the certificates that a device was given are not among it.
const MEMBERS: [&str; 11] = [
    "registrationId",
    "createdDateTimeUtc",
    "assignedHub",
    "deviceId",
    "status",
    "substatus",
    "errorCode",
    "errorMessage",
    "lastUpdatedDateTimeUtc",
    "etag",
    "payload",
];

/// A page of them, in the order of their ids: devices that registered through the device API.
pub(super) fn query(
    world: &World,
    request: &ServiceRequest,
    group: &str,
    now: OffsetDateTime,
) -> Result<Response, ServiceError> {
    let page = Page::asked(request)?;
    let mut state = world.lock();
    let page_size = state.fleet.page_size;
    let Some(service) = state.service_mut(&request.service) else {
        return Err(ServiceError::new(404_000, "There is no such provisioning service."));
    };
    if service.group(group).is_none() {
        return Err(ServiceError::no_group(group));
    }
    let own = service.registrations.iter().filter(|(_, registration)| is_of(registration, group));
    let shown = own.map(|(id, registration)| (id.as_str(), shown(registration, now)));
    Ok(page.answer(shown, page_size, "deviceRegistration"))
}

fn is_of(registration: &Registration, group: &str) -> bool {
    let id = &registration.result["registrationState"]["symmetricKey"]["enrollmentGroupId"];
    id.as_str().is_some_and(|id| id.eq_ignore_ascii_case(group))
}

fn shown(registration: &Registration, now: OffsetDateTime) -> Value {
    let state = &registration.result["registrationState"];
    let mut shown: Map<String, Value> = MEMBERS
        .iter()
        .filter_map(|member| Some(((*member).to_owned(), state.get(*member)?.clone())))
        .collect();
    if now < registration.finishes {
        shown.insert("status".to_owned(), "assigning".into());
    }
    Value::Object(shown)
}
