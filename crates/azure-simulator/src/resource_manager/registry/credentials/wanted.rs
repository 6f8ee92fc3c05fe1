//! Reads the body of a credential policy.

use serde_json::{Map, Value};

use crate::arm_error::ArmError;

/// The wanted properties.
pub(super) struct Wanted {
    pub leaf_validity_days: Option<u32>,
    pub bring_your_own_root: Option<bool>,
}

impl Wanted {
    /// # Errors
    /// 400 for a member that the service would not take.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, ArmError> {
        let invalid = |problem: &str| Err(ArmError::bad_request("InvalidParameter", problem));
        let certificate = body.get("properties").and_then(|properties| properties.get("certificate"));
        let at = |path: &str| certificate.and_then(|certificate| certificate.pointer(path));
        match at("/certificateAuthorityConfiguration/keyType") {
            None => {}
            Some(Value::String(kind)) if kind == "ECC" => {}
            Some(_) => return invalid("certificateAuthorityConfiguration.keyType is not ECC."),
        }
        let bring_your_own_root = match at("/certificateAuthorityConfiguration/bringYourOwnRoot/enabled") {
            None => None,
            Some(Value::Bool(enabled)) => Some(*enabled),
            Some(_) => return invalid("bringYourOwnRoot.enabled is not a boolean."),
        };
        // The sources give 7..90, 1..30 and 1..90 days; the simulator takes the widest range (`azure-wire-facts.md`
        // §1.2).
        let leaf_validity_days = match at("/leafCertificateConfiguration/validityPeriodInDays") {
            None => None,
            Some(days) => match days.as_u64().and_then(|days| u32::try_from(days).ok()) {
                Some(days @ 1..=90) => Some(days),
                _ => {
                    return invalid(
                        "leafCertificateConfiguration.validityPeriodInDays is not between 1 and 90.",
                    );
                }
            },
        };
        Ok(Self { leaf_validity_days, bring_your_own_root })
    }
}
