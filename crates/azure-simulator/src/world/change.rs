//! The changes that the world reports.

use time::OffsetDateTime;

/// A change of a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub resource_id: &'a str,
    pub tenant_id: &'a str,
    pub kind: ResourceKind,
    pub deed: Deed,
    pub at: OffsetDateTime,
}

/// The kind of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    Namespace,
    Credential,
    CredentialPolicy,
    CertificateAuthority,
    CertificatePolicy,
    HubCertificate,
    ProvisioningService,
}

/// The deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// It was made or changed.
    Write,
    Delete,
    /// The issuing CAs of a credential's policies were pushed to the hubs.
    Synchronize,
    /// A credential policy got another issuing CA.
    RevokeIssuer,
    /// A credential policy got an issuing CA that the customer's root signed.
    ActivateBringYourOwnRoot,
    /// A certificate authority got the certificate that an external issuer signed.
    Activate,
    /// A certificate authority got another certificate.
    RevokeAndRotate,
}

/// Gets each change, in their order and while the world is locked.
pub(crate) trait Watcher: Send + Sync {
    fn changed(&self, change: &Change<'_>);
}
