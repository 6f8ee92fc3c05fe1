//! A token for the services, as an identity gives it and a call takes it.

use time::OffsetDateTime;

use crate::secret::Secret;

/// A bearer token and the moment it stops being valid. `Debug` does not show the token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    secret: Secret,
    expires_on: OffsetDateTime,
}

impl AccessToken {
    /// A token that is valid until `expires_on`.
    #[must_use]
    pub fn new(secret: impl Into<String>, expires_on: OffsetDateTime) -> Self {
        Self { secret: Secret::new(secret), expires_on }
    }

    /// The token itself, for the `Authorization` header.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secret.expose()
    }

    /// When it stops being valid.
    #[must_use]
    pub fn expires_on(&self) -> OffsetDateTime {
        self.expires_on
    }
}
