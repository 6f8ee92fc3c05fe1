//! Asks which generations of the service a subscription offers (`azure-wire-facts.md` §10c.1): once per process and
//! [`VERSIONS_FOR`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use certificate_management::generation::Generation;
use serde_json::Value;

use crate::api_version::{KNOWN, PROVIDERS, Versions, newest};
use crate::arm::{Arm, subscription_path};
use crate::error::{Error, ErrorKind};
use crate::members::{at, text};
use crate::remembered::{Remembered, VERSIONS_FOR};

/// The versions that both a subscription and this program speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) credentials: Option<Versions>,
    pub(crate) certificate_authorities: Option<Versions>,
}

impl Offer {
    /// The offer where the identity may not ask: both generations, so that the client asks the namespace itself.
    const ASSUMED: Self = Self {
        credentials: Some(crate::api_version::CREDENTIALS),
        certificate_authorities: Some(crate::api_version::CERTIFICATE_AUTHORITIES),
    };

    fn of(self, generation: Generation) -> Option<Versions> {
        match generation {
            Generation::Credentials => self.credentials,
            Generation::CertificateAuthorities => self.certificate_authorities,
        }
    }

    /// Reads the answer: of each generation the newest version that both sides speak.
    fn read(body: &Value) -> Self {
        let types =
            at(body, &["resourceTypes"]).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let offers = |resource_type: &str, version: &str| {
            types.iter().any(|offered| {
                text(offered, &["resourceType"]).is_some_and(|name| name.eq_ignore_ascii_case(resource_type))
                    && at(offered, &["apiVersions"]).and_then(Value::as_array).is_some_and(|versions| {
                        versions.iter().filter_map(Value::as_str).any(|own| own.eq_ignore_ascii_case(version))
                    })
            })
        };
        let newest_of = |generation, resource_type| {
            let mut known = KNOWN.iter().filter(|known| known.generation == generation);
            known.find(|known| offers(resource_type, known.device_registry.as_str())).copied()
        };
        Self {
            credentials: newest_of(Generation::Credentials, "namespaces/credentials"),
            certificate_authorities: newest_of(
                Generation::CertificateAuthorities,
                "namespaces/certificateAuthorities",
            ),
        }
    }
}

/// Remembers the offer of each subscription. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Offers {
    asked: Remembered<Offer>,
    /// The last answer of each, however old, by the subscription in lower case: until there is another one, it is the best
    /// that is known.
    last: Arc<Mutex<HashMap<String, Offer>>>,
}

impl Default for Offers {
    fn default() -> Self {
        Self { asked: Remembered::new(VERSIONS_FOR), last: Arc::default() }
    }
}

impl Offers {
    /// The offer of a subscription. When it has grown old and the service cannot answer now, the old one counts on.
    ///
    /// # Errors When the service cannot answer now and never did; an identity that may not ask is no error.
    pub(super) async fn ask(&self, arm: &Arm, subscription: &str) -> Result<Offer, Error> {
        match self.asked.get(subscription, || ask(arm, subscription)).await {
            Ok(offer) => {
                self.lock().insert(subscription.to_ascii_lowercase(), *offer);
                Ok(*offer)
            }
            Err(error) => {
                let last = self.last(subscription).ok_or_else(|| error.clone())?;
                tracing::warn!(subscription, "what is offered could not be asked again: {error}");
                Ok(last)
            }
        }
    }

    /// The versions to use for a generation: those of the offer where there is one, else the newest.
    pub(super) fn versions(&self, subscription: &str, generation: Generation) -> Versions {
        self.last(subscription).and_then(|offer| offer.of(generation)).unwrap_or_else(|| newest(generation))
    }

    fn last(&self, subscription: &str) -> Option<Offer> {
        self.lock().get(&subscription.to_ascii_lowercase()).copied()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Offer>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(arm: &Arm, subscription: &str) -> Result<Offer, Error> {
    let path = format!("{}/providers/Microsoft.DeviceRegistry", subscription_path(subscription)?);
    match arm.get(&path, PROVIDERS).await {
        Ok(body) => {
            let offer = Offer::read(&body);
            tracing::info!(
                subscription,
                credentials = offer.credentials.map(|known| known.device_registry.as_str()),
                certificate_authorities =
                    offer.certificate_authorities.map(|known| known.device_registry.as_str()),
                "the subscription offers these versions of the device registry"
            );
            Ok(offer)
        }
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => {
            tracing::warn!(subscription, "what is offered could not be asked, so each namespace is: {error}");
            Ok(Offer::ASSUMED)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api_version::{CERTIFICATE_AUTHORITIES, CREDENTIALS};
    use crate::fake::{Fake, Reply};

    fn body(types: &[(&str, &[&str])]) -> Value {
        let types: Vec<_> = types
            .iter()
            .map(|(name, versions)| json!({"resourceType": name, "apiVersions": versions}))
            .collect();
        json!({"namespace": "Microsoft.DeviceRegistry", "resourceTypes": types})
    }

    #[test]
    fn the_newest_version_that_both_sides_speak_is_used() {
        let offer = Offer::read(&body(&[
            ("namespaces/credentials", &["2025-11-01-preview", "2099-01-01"]),
            ("namespaces/certificateauthorities", &["2026-11-01", "2026-11-02-PREVIEW"]),
        ]));
        assert_eq!(offer.credentials.map(|known| known.device_registry.as_str()), Some("2025-11-01-preview"));
        assert_eq!(offer.certificate_authorities, Some(CERTIFICATE_AUTHORITIES));
    }

    #[test]
    fn what_is_not_offered_or_not_spoken_is_absent() {
        let offer = Offer::read(&body(&[
            ("namespaces", &["2026-03-01-preview"]),
            ("namespaces/credentials", &["2026-03-01-preview"]),
            ("namespaces/certificateAuthorities", &["2099-01-01"]),
        ]));
        assert_eq!(offer, Offer { credentials: Some(CREDENTIALS), certificate_authorities: None });
        let nothing = Offer { credentials: None, certificate_authorities: None };
        assert_eq!(Offer::read(&json!({"resourceTypes": "later"})), nothing);
    }

    fn asked(fake: &Fake) -> usize {
        fake.calls().iter().filter(|call| call.ends_with("/providers/Microsoft.DeviceRegistry")).count()
    }

    #[tokio::test]
    async fn the_offer_is_asked_again_when_it_is_old_and_counts_on_while_there_is_no_answer() {
        let fake = Fake::start(|seen, _| match seen.number {
            0 => Reply::json(200, body(&[("namespaces/credentials", &["2025-11-01-preview"])])),
            1 => Reply::json(400, json!({"error": {"code": "Odd", "message": "Not now."}})),
            _ => Reply::json(200, body(&[("namespaces/credentials", &["2026-03-01-preview"])])),
        })
        .await;
        let (arm, offers) = (fake.azure().arm(), Offers::default());
        let version = async || {
            let offer = offers.ask(&arm, "S").await.unwrap();
            let used = offers.versions("s", Generation::Credentials).device_registry;
            assert_eq!(offer.credentials.map(|known| known.device_registry), Some(used));
            used.as_str()
        };
        assert_eq!(
            (version().await, version().await, asked(&fake)),
            ("2025-11-01-preview", "2025-11-01-preview", 1)
        );
        for (seen, calls) in [("2025-11-01-preview", 2), ("2026-03-01-preview", 3)] {
            // Only while nothing is under way: a clock that stands still would end the calls.
            tokio::time::pause();
            tokio::time::advance(VERSIONS_FOR).await;
            tokio::time::resume();
            assert_eq!((version().await, asked(&fake)), (seen, calls));
        }
    }
}
