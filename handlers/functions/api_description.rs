//! `api-description`: the description of this API as `OpenAPI` 3.1: `docs/openapi.json` without the descriptions of schemas. The
//! types that answer requests write both, so it is always that of this version.

use functions_host::{Definition, Failure, HttpReply, HttpRequest, Invocation, Reply, Trigger};
use http::{Method, header};

use crate::api::accept::Media;
use crate::api::{self, Operation};
use crate::cache;
use crate::page::links::Links;

/// The document.
const DOCUMENT: &str = include_str!("../api/served-openapi.json");

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "api-description",
    trigger: Trigger::Http {
        binding: "req",
        response: "res",
        // All: the host answers 404 for a method that is not listed, and the caller is told 405 instead.
        methods: &[],
        route: Some("openapi.json"),
    },
    outputs: &[],
};

/// What its address has.
pub const OPERATIONS: [Operation; 1] = [Operation { method: Method::GET, media: &[Media::Json] }];

/// Answers one HTTP request.
///
/// # Errors
/// Only when the trigger's data cannot be understood.
pub fn run(invocation: &Invocation) -> Result<Reply, Failure> {
    let request = invocation.http("req")?;
    let response = answer(&request);
    tracing::info!(http.request.method = %request.method, http.response.status_code = response.status().as_u16(), "answered");
    Ok(Reply::success().http("res", response.header(header::VARY, "Accept")))
}

fn answer(request: &HttpRequest) -> HttpReply {
    match api::admit(request, &OPERATIONS) {
        Ok(_) => cache::reply(request, "application/json; charset=utf-8", DOCUMENT.to_owned()),
        Err(problem) => problem.reply(Media::Json, &Links::default()),
    }
}
