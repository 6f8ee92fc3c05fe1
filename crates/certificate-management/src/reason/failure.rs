//! How a call to a service failed, and the one table from there to the reason that a person is told.
//!
//! The app reads the errors of its Azure clients into [`CallFailure`] at one place (`handlers/failure.rs`); what a
//! failure means depends on what the call was about.

use super::Reason;

/// How a call to a service failed: one variant for each consequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallFailure {
    /// Throttled, not reachable, failing or silent: it passes.
    Unavailable,
    /// Another operation or resource is in the way (409).
    Conflict,
    /// There is no valid token (401).
    Unauthorized,
    /// The identity may not do this (403).
    Forbidden,
    /// What was asked for does not exist (404, 410).
    NotFound,
    /// It was changed since it was read (412).
    Moved,
    /// The service does not answer the API version.
    ApiVersionRejected,
    /// The provisioning service does not know its namespace yet (`azure-wire-facts.md` §2.3, §3).
    LinkNotReady,
    /// The address is outside the configured cloud.
    OutsideCloud,
    /// Anything else that the service would say again.
    Rejected,
}

/// What a call was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// A namespace, or something of it.
    Namespace,
    /// An enrollment group.
    EnrollmentGroup,
}

impl CallFailure {
    /// Every kind there is.
    pub const ALL: &[Self] = &[
        Self::Unavailable,
        Self::Conflict,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Moved,
        Self::ApiVersionRejected,
        Self::LinkNotReady,
        Self::OutsideCloud,
        Self::Rejected,
    ];

    /// The reason that a person is told.
    #[must_use]
    pub const fn reason(self, about: About) -> Reason {
        match (self, about) {
            (Self::Unavailable, _) => Reason::ServiceUnavailable,
            (Self::Unauthorized | Self::Forbidden, _) => Reason::NotPermitted,
            (Self::ApiVersionRejected, _) => Reason::ApiVersionRejected,
            (Self::LinkNotReady, _) => Reason::LinkNotReady,
            (Self::OutsideCloud, _) => Reason::AddressOutsideCloud,
            (Self::NotFound, About::Namespace) => Reason::NamespaceNotFound,
            (Self::NotFound, About::EnrollmentGroup) => Reason::GroupGone,
            (Self::Moved, About::EnrollmentGroup) => Reason::GroupMoved,
            (Self::Conflict, About::Namespace) => Reason::SyncConflict,
            (Self::Conflict, About::EnrollmentGroup)
            | (Self::Moved, About::Namespace)
            | (Self::Rejected, _) => Reason::ServiceRejected,
        }
    }
}
