//! Controls over the life of certificate authorities and of what is around them.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use time::Duration;

use super::{Control, FURTHEST, json_body, push, refuse};
use crate::arm_error::ArmError;
use crate::fleet::Lifecycle;
use crate::world::ActionError;
use crate::world::operation::Verdict;
use crate::world::resource::ProvisioningState;

/// The code of an operation that is made to fail, when none is given.
const MESSAGE: &str = "The operation was made to fail.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Expire {
    id: String,
    #[serde(default)]
    seconds_before: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    id: String,
    state: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    id: String,
    code: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    id: String,
    granted: bool,
}

pub(super) async fn renew(State(control): State<Control>, request: Request) -> Response {
    answer(body(request).await, |Named { id }| {
        control.cloud.renew(&id)?;
        Ok(Json(json!({"id": id})).into_response())
    })
}

pub(super) async fn expire(State(control): State<Control>, request: Request) -> Response {
    let Expire { id, seconds_before } = match body(request).await {
        Ok(given) => given,
        Err(refusal) => return *refusal,
    };
    let end = match control.cloud.lock().end_of(&id) {
        Ok(end) => end,
        Err(error) => return ArmError::from(error).into_response(),
    };
    let step = end - Duration::seconds(i64::from(seconds_before)) - control.clock.now();
    if step < Duration::ZERO {
        return refuse("secondsBefore is later already, and the clock does not go back.");
    }
    if control.clock.advanced().saturating_add(step) > FURTHEST {
        return refuse("The certificate ends more than a thousand years from now.");
    }
    push(&control, step).await
}

pub(super) async fn set_state(State(control): State<Control>, request: Request) -> Response {
    answer(body(request).await, |Put { id, state }| {
        let Some(known) = ProvisioningState::of_word(&state) else {
            return Ok(refuse("state must be Succeeded, Failed, Canceled, Accepted or Deleting."));
        };
        control.cloud.lock().set_provisioning_state(&id, known)?;
        Ok(Json(json!({"id": id, "state": state})).into_response())
    })
}

pub(super) async fn end_operation(State(control): State<Control>, request: Request) -> Response {
    answer(body(request).await, |Ends { id, code, message }| {
        let message = message.unwrap_or_else(|| MESSAGE.to_owned());
        let failure = code.map(|code| ActionError::Wanted { code, message });
        control.cloud.lock().verdicts.push(Verdict { resource_id: id.clone(), failure });
        Ok(Json(json!({"id": id})).into_response())
    })
}

pub(super) async fn set_role(State(control): State<Control>, request: Request) -> Response {
    answer(body(request).await, |Role { id, granted }| {
        let mut world = control.cloud.lock();
        let hub = world.hubs.iter_mut().find(|hub| hub.id.eq_ignore_ascii_case(&id));
        hub.ok_or_else(|| ActionError::NotFound(id.clone()))?.lacks_role = !granted;
        Ok(Json(json!({"id": id, "granted": granted})).into_response())
    })
}

pub(super) async fn choices(State(control): State<Control>) -> Response {
    Json(control.cloud.lock().fleet.lifecycle).into_response()
}

pub(super) async fn choose(State(control): State<Control>, request: Request) -> Response {
    answer(body(request).await, |lifecycle: Lifecycle| {
        if let Err((key, problem)) = lifecycle.check() {
            return Ok(refuse(&format!("{key} {problem}.")));
        }
        control.cloud.lock().fleet.lifecycle = lifecycle;
        Ok(Json(lifecycle).into_response())
    })
}

async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Box<Response>> {
    let given = json_body(request).await?;
    serde_json::from_value(given).map_err(|error| Box::new(refuse(&error.to_string())))
}

fn answer<T>(
    given: Result<T, Box<Response>>,
    act: impl FnOnce(T) -> Result<Response, ActionError>,
) -> Response {
    match given {
        Ok(given) => act(given).unwrap_or_else(|error| ArmError::from(error).into_response()),
        Err(refusal) => *refusal,
    }
}
