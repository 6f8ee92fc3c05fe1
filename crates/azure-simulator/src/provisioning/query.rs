//! `POST /enrollmentGroups/query` and `POST /enrollments/query`, with paging by header (`azure-wire-facts.md` §3, §10a).

use axum::response::Response;
use serde_json::Value;

use super::error::ServiceError;
use super::paging::Page;
use super::{ServiceRequest, document};
use crate::cloud::Cloud;

/// All groups, page by page in the order of their ids.
pub(super) fn query(cloud: &Cloud, request: &ServiceRequest) -> Result<Response, ServiceError> {
    understood(request)?;
    let page = Page::asked(request)?;
    let mut world = cloud.lock();
    let page_size = world.fleet.page_size;
    let Some(service) = world.service_mut(&request.service) else {
        return Err(ServiceError::new(404_000, "There is no such provisioning service."));
    };
    let groups =
        service.groups.iter().map(|(id, group)| (id.as_str(), document::shown(group, request.version)));
    Ok(page.answer(groups, page_size, "enrollmentGroup"))
}

/// The individual enrollments: a simulated service has none, since no fleet file and no call makes one.
pub(super) fn individuals(cloud: &Cloud, request: &ServiceRequest) -> Result<Response, ServiceError> {
    understood(request)?;
    let page_size = cloud.lock().fleet.page_size;
    Ok(Page::asked(request)?.answer(std::iter::empty(), page_size, "enrollment"))
}

/// Takes only the query for everything, as the command line and the samples send it. It is not documented whether a
/// `WHERE` works (`azure-wire-facts.md` §3), so the simulator refuses it instead of guessing.
fn understood(request: &ServiceRequest) -> Result<(), ServiceError> {
    let body = request.object()?;
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let words: Vec<String> = query.split_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["select", "*"] | ["select", "*", "from", "enrollmentgroups" | "enrollments"] => Ok(()),
        _ => Err(ServiceError::new(400_000, format!("The query {query:?} is not supported."))),
    }
}
