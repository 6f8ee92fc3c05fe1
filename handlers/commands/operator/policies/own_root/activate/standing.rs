//! How far an authority is with one chain, as the authority shows itself (`ca-lifecycle-facts.md` §1.7).

use azure::OwnAuthority;
use certificate_chain::Summary;
use certificate_management::model::ProvisioningState;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It works with the chain's first certificate, or, where it shows no thumbprint, with one that cannot be told apart
    /// from it: then the hubs tell.
    InUse,
    /// The service is at work on it, perhaps on this very chain.
    Busy,
    /// A signing request waits for an answer.
    Waits,
    /// It works with another certificate, or not at all, and no request waits.
    Nothing,
}

/// Compares the authority with the first certificate of a chain. An authority that was never activated may show a
/// thumbprint too, so only an active one is believed.
pub fn of(authority: &OwnAuthority, certificate: &Summary) -> Standing {
    let is_same = match &authority.thumbprint {
        Some(shown) => {
            [&certificate.sha1, &certificate.sha256].iter().any(|own| own.eq_ignore_ascii_case(shown))
        }
        // While a renewal waits, one without a thumbprint works with the certificate before.
        None => !authority.is_pending(),
    };
    match authority.provisioning_state {
        _ if authority.is_active() && is_same => Standing::InUse,
        ProvisioningState::Accepted => Standing::Busy,
        ProvisioningState::Deleting => Standing::Nothing,
        _ if authority.is_pending() => Standing::Waits,
        _ => Standing::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use certificate_management::ArmId;
    use certificate_management::generation::Generation;
    use time::OffsetDateTime;

    use super::*;

    fn shown(state: &str, status: &str, thumbprint: Option<&str>) -> Standing {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n/certificateAuthorities/a";
        let authority = OwnAuthority {
            id: ArmId::parse(id).unwrap(),
            name: "a".to_owned(),
            generation: Generation::CertificateAuthorities,
            provisioning_state: state.to_owned().into(),
            status: status.to_owned(),
            signing_request: None,
            thumbprint: thumbprint.map(str::to_owned),
            not_after: None,
        };
        let certificate = Summary {
            position: 1,
            subject: String::new(),
            issuer: String::new(),
            key: String::new(),
            not_before: OffsetDateTime::UNIX_EPOCH,
            not_after: OffsetDateTime::UNIX_EPOCH,
            sha256: "ab12".to_owned(),
            sha1: "cd34".to_owned(),
        };
        of(&authority, &certificate)
    }

    #[test]
    fn either_hash_is_the_thumbprint_and_only_an_active_authority_is_believed() {
        for (state, status, thumbprint, standing) in [
            ("Succeeded", "PendingActivation", None, Standing::Waits),
            ("Succeeded", "PendingActivation", Some("CD34"), Standing::Waits),
            ("Failed", "PendingActivation", None, Standing::Waits),
            ("Accepted", "PendingActivation", None, Standing::Busy),
            ("Succeeded", "Active", Some("CD34"), Standing::InUse),
            ("Succeeded", "active", Some("AB12"), Standing::InUse),
            ("Succeeded", "Active", None, Standing::InUse),
            ("Succeeded", "Active", Some("EE"), Standing::Nothing),
            ("Failed", "Active", Some("CD34"), Standing::Nothing),
            ("Accepted", "Active", Some("CD34"), Standing::Busy),
            ("Succeeded", "ActiveButPendingRenewal", Some("EE"), Standing::Waits),
            ("Succeeded", "ActiveButPendingRenewal", None, Standing::Waits),
            ("Succeeded", "ActiveButPendingRenewal", Some("CD34"), Standing::InUse),
            ("Deleting", "ActiveButPendingRenewal", Some("EE"), Standing::Nothing),
            ("Succeeded", "Revoked", Some("CD34"), Standing::Nothing),
        ] {
            assert_eq!(shown(state, status, thumbprint), standing, "{state} {status} {thumbprint:?}");
        }
    }
}
