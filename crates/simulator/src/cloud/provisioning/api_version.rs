//! The api-versions of the DPS service API: data (`azure-wire-facts.md` §0, §3).

use super::error::ServiceError;

/// An api-version that the simulated service answers.
///
/// Generation B adds `2026-11-01` with three fields in place of one; it is not simulated yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiVersion {
    /// What the published SDKs speak. It does not know policies: a write with it drops them.
    V2021_10_01,
    /// Generation A.
    V2025_07_01Preview,
}

impl ApiVersion {
    /// The newest.
    pub(crate) const NEWEST: Self = Self::V2025_07_01Preview;

    /// Reads the query parameter.
    ///
    /// # Errors
    /// 400 when it is missing or unknown.
    pub(crate) fn parse(query: &str) -> Result<Self, ServiceError> {
        let asked = url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name.eq_ignore_ascii_case("api-version"))
            .map(|(_, value)| value.into_owned());
        match asked.as_deref() {
            Some("2021-10-01") => Ok(Self::V2021_10_01),
            Some("2025-07-01-preview") => Ok(Self::V2025_07_01Preview),
            other => Err(ServiceError::new(
                400_000,
                format!(
                    "The api-version {:?} is not supported. Supported are 2021-10-01 and 2025-07-01-preview.",
                    other.unwrap_or_default()
                ),
            )),
        }
    }

    /// Whether `credentialPolicyName` exists in it.
    pub(crate) fn knows_policies(self) -> bool {
        self == Self::V2025_07_01Preview
    }
}
