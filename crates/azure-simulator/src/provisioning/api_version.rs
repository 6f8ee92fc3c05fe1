//! The api-versions of the DPS service API: data (`azure-wire-facts.md` §0, §3).

use super::error::ServiceError;
use crate::fleet::Generation;

/// An api-version that the simulated service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiVersion {
    /// The version of the published SDKs. It does not know policies: a write with it drops them.
    V2021_10_01,
    /// Generation A.
    V2025_07_01Preview,
    /// Generation B.
    V2026_11_01,
    /// Generation B.
    V2026_11_02Preview,
}

const ALL: [(&str, ApiVersion, Generation); 4] = [
    ("2021-10-01", ApiVersion::V2021_10_01, Generation::Both),
    ("2025-07-01-preview", ApiVersion::V2025_07_01Preview, Generation::Credentials),
    ("2026-11-01", ApiVersion::V2026_11_01, Generation::CertificateAuthorities),
    ("2026-11-02-preview", ApiVersion::V2026_11_02Preview, Generation::CertificateAuthorities),
];

impl ApiVersion {
    /// Reads the query parameter. `offered`: the generations of the cloud.
    ///
    /// # Errors
    /// 400 when it is missing or not offered, with those that are.
    pub(crate) fn parse(query: &str, offered: Generation) -> Result<Self, ServiceError> {
        let asked = url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name.eq_ignore_ascii_case("api-version"))
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default();
        let is_offered =
            |of: Generation| of == Generation::Both || offered == Generation::Both || of == offered;
        let known: Vec<_> = ALL.into_iter().filter(|(_, _, of)| is_offered(*of)).collect();
        known.iter().find(|(name, _, _)| *name == asked).map(|(_, version, _)| *version).ok_or_else(|| {
            let names = known.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ");
            ServiceError::new(
                400_000,
                format!("The api-version {asked:?} is not supported. Supported are {names}."),
            )
        })
    }
}
