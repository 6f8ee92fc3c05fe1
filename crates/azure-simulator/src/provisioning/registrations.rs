//! `POST /registrations/{enrollmentGroupId}/query`: the registration states of a group's devices, without a body (REST
//! reference of DPS, "Device Registration State - Query").

use axum::response::Response;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::error::ServiceError;
use super::paging::Page;
use super::{ServiceRequest, registration};
use crate::cloud::Cloud;
use crate::world::enrollment::Registration;

/// The members of a registration state. It does not show the certificates of the device.
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
    cloud: &Cloud,
    request: &ServiceRequest,
    group: &str,
    now: OffsetDateTime,
) -> Result<Response, ServiceError> {
    let page = Page::asked(request)?;
    let mut world = cloud.lock();
    let page_size = world.fleet.page_size;
    let Some(service) = world.service_mut(&request.service) else {
        return Err(ServiceError::new(404_000, "There is no such provisioning service."));
    };
    if service.group(group).is_none() {
        return Err(ServiceError::no_group(group));
    }
    let own = service.registrations.iter().filter(|(_, one)| one.group.eq_ignore_ascii_case(group));
    let shown = own.map(|(id, registration)| (id.as_str(), shown(id, registration, now)));
    Ok(page.answer(shown, page_size, "deviceRegistration"))
}

fn shown(id: &str, registration: &Registration, now: OffsetDateTime) -> Value {
    let state = registration::state(id, registration);
    let mut shown: Map<String, Value> = MEMBERS
        .iter()
        .filter_map(|member| Some(((*member).to_owned(), state.get(*member)?.clone())))
        .collect();
    if now < registration.finishes {
        shown.insert("status".to_owned(), "assigning".into());
    }
    Value::Object(shown)
}
