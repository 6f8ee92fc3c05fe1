//! The registration of a device as both APIs of DPS show it (`azure-wire-facts.md` §4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::dates;
use crate::world::enrollment::{Assignment, Registration};

/// `registrationState`.
pub(super) fn state(registration_id: &str, registration: &Registration) -> Value {
    let mut state = json!({
        "registrationId": registration_id,
        "createdDateTimeUtc": dates::milliseconds(registration.created),
        "lastUpdatedDateTimeUtc": dates::milliseconds(registration.updated),
        "symmetricKey": {"enrollmentGroupId": registration.group},
        "status": status(registration),
    });
    match &registration.assignment {
        Assignment::Unsigned(problem) => {
            state["errorCode"] = 400_000.into();
            state["errorMessage"] = problem.clone().into();
        }
        Assignment::Assigned { hub, chain } => {
            state["assignedHub"] = hub.clone().into();
            state["deviceId"] = registration_id.into();
            state["substatus"] = "initialAssignment".into();
            if !chain.is_empty() {
                let chain: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
                state["issuedCertificateChain"] = chain.into();
            }
        }
    }
    if let Some(payload) = &registration.payload {
        // Written by the device API, from JSON.
        state["payload"] = serde_json::from_str(payload.text()).unwrap_or_default();
    }
    state["etag"] = registration.etag.clone().into();
    state
}

/// The body of the operation once it is done.
pub(super) fn operation(registration_id: &str, registration: &Registration) -> Value {
    json!({
        "status": status(registration),
        "registrationState": state(registration_id, registration),
        "operationId": registration.operation_id,
    })
}

fn status(registration: &Registration) -> &'static str {
    match registration.assignment {
        Assignment::Assigned { .. } => "assigned",
        Assignment::Unsigned(_) => "failed",
    }
}
