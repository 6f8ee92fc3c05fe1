//! What both the judgement and the recipe take for required (`ca-lifecycle-facts.md` §1.6).

use time::Duration;

/// Most certificates in a file. A bound of ours: no source publishes one.
pub const MOST_CERTIFICATES: usize = 8;

/// How long the certificate of an issuing CA must be valid when it is activated.
pub const LEAST_VALIDITY: Duration = Duration::days(365);

/// What the key of an issuing CA must be allowed to do.
pub const KEY_USAGES: [&str; 3] = ["digitalSignature", "keyCertSign", "cRLSign"];

/// The path length of an issuing CA: what its request asks for, or that of Microsoft's script. Of an absurd one the most
/// that a chain can use.
pub fn issuing_path_length(asked: Option<u32>) -> u32 {
    asked.unwrap_or(0).min(u32::try_from(MOST_CERTIFICATES).unwrap_or(u32::MAX))
}

/// The value of `basicConstraints` in OpenSSL's configuration.
pub fn basic_constraints(path_length: u32) -> String {
    format!("critical, CA:TRUE, pathlen:{path_length}")
}
