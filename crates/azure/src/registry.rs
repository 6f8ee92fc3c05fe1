//! Azure Device Registry. Each generation of the service has a module of its own; this one is for callers, and decides
//! with which of them to read a namespace.

mod certificate_authorities;
mod credentials;
mod inventory;
pub(crate) mod offered;
mod own_authorities;
mod write;

use std::time::Duration;

use certificate_management::ArmId;
use certificate_management::authority::Authority;
use certificate_management::configuration::ApiGeneration;
use certificate_management::declared::{Inventory, Resource, Write};
use certificate_management::generation::{Generation, NamespaceGeneration};
use certificate_management::model::{Namespace, Policy, ProvisioningState};
use reqwest::Method;
use serde_json::{Value, json};

use self::offered::{Offer, Offers};
pub use self::own_authorities::OwnAuthority;
use crate::api_version::ApiVersion;
use crate::arm::{Arm, LongRunningOperation, subscription_path};
use crate::error::{Error, ErrorKind};
use crate::members::{arm_id, owned, text};
use crate::surprises::Surprises;

/// Values of `provisioningState` (`azure-wire-facts.md` §1.2).
const PROVISIONING_STATES: &[&str] = &["Succeeded", "Failed", "Canceled", "Accepted", "Deleting"];
/// Values of the status of a customer's own root (`azure-wire-facts.md` §1.2).
const OWN_ROOT_STATES: &[&str] = &["PendingActivation", "Active", "ActiveButPendingRenewal"];

/// A client of the device registry. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeviceRegistry {
    arm: Arm,
    offers: Offers,
    surprises: Surprises,
}

/// What a namespace issues certificates by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuing {
    /// Its certificate authorities, its root too; the older generation has none.
    pub authorities: Vec<Authority>,
    /// Its policies.
    pub policies: Vec<Policy>,
}

impl DeviceRegistry {
    /// A client over Resource Manager.
    #[must_use]
    pub fn new(arm: Arm) -> Self {
        Self { arm, offers: Offers::default(), surprises: Surprises::default() }
    }

    /// Shares what it has learnt with other clients.
    #[must_use]
    pub(crate) fn remembering(mut self, offers: Offers, surprises: Surprises) -> Self {
        (self.offers, self.surprises) = (offers, surprises);
        self
    }

    /// Reads a namespace, and finds out which generation it is of where the configuration does not say.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `NotFound` when there is no such namespace.
    pub async fn namespace(&self, id: &ArmId, choice: ApiGeneration) -> Result<Namespace, Error> {
        let generation = match choice {
            ApiGeneration::Credentials => NamespaceGeneration::Credentials,
            ApiGeneration::CertificateAuthorities => NamespaceGeneration::CertificateAuthorities,
            ApiGeneration::Auto => self.found_generation(id).await?,
        };
        let reads_links = generation.has(Generation::CertificateAuthorities);
        let version = if reads_links { Generation::CertificateAuthorities } else { Generation::Credentials };
        let body = self.arm.get(id.as_str(), self.version(id, version)).await?;
        Ok(Namespace {
            id: arm_id(&body, &["id"]).unwrap_or_else(|| id.clone()),
            location: owned(&body, &["location"]).unwrap_or_default(),
            provisioning_state: provisioning_state(&body),
            generation,
            links: if reads_links {
                certificate_authorities::links(&body, &self.surprises)
            } else {
                Vec::new()
            },
        })
    }

    /// Lists the ids of the namespaces of a subscription, of either generation. A subscription that is not registered for the
    /// device registry has none (`azure-wire-facts.md` §1.7).
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `Invalid` when `subscription` is not a subscription's id.
    pub async fn namespaces_of(&self, subscription: &str) -> Result<Vec<ArmId>, Error> {
        let path =
            format!("{}/providers/Microsoft.DeviceRegistry/namespaces", subscription_path(subscription)?);
        let offer = self.offers.ask(&self.arm, subscription).await?;
        let newer = offer.certificate_authorities.map(|versions| versions.device_registry);
        let version = newer
            .unwrap_or_else(|| self.offers.versions(subscription, Generation::Credentials).device_registry);
        let read = |body: Value| arm_id(&body, &["id"]);
        match self.arm.list_of(&path, version, read).await {
            Err(error) if error.service_code().is_some_and(is_unregistered) => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// Lists the authorities and the policies of a namespace, of each generation that it has.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `NotFound` when the namespace or its credential does not exist.
    pub async fn issuing(&self, namespace: &Namespace) -> Result<Issuing, Error> {
        let id = &namespace.id;
        let (mut authorities, mut policies) = (Vec::new(), Vec::new());
        if namespace.generation.has(Generation::Credentials) {
            let version = self.version(id, Generation::Credentials);
            policies.append(&mut credentials::policies(&self.arm, id, version, &self.surprises).await?);
        }
        if namespace.generation.has(Generation::CertificateAuthorities) {
            let version = self.version(id, Generation::CertificateAuthorities);
            let bodies = certificate_authorities::authorities(&self.arm, id, version).await?;
            let found = certificate_authorities::policies(&self.arm, id, &bodies, version, &self.surprises);
            policies.append(&mut found.await?);
            authorities.extend(bodies.iter().filter_map(|body| certificate_authorities::resource(id, body)));
        }
        Ok(Issuing { authorities, policies })
    }

    /// Lists the policies of a namespace, of each generation that it has.
    ///
    /// # Errors
    /// As [`DeviceRegistry::issuing`].
    pub async fn policies(&self, namespace: &Namespace) -> Result<Vec<Policy>, Error> {
        Ok(self.issuing(namespace).await?.policies)
    }

    /// Reads what a namespace has of the authorities and policies of the generations `of`. What is not there yet is absent
    /// and no error; neither is a generation that the service does not know.
    ///
    /// # Errors
    /// Any [`ErrorKind`]; `NotFound` when there is no such namespace.
    pub async fn inventory(&self, id: &ArmId, of: NamespaceGeneration) -> Result<Inventory, Error> {
        inventory::read(self, id, of).await
    }

    /// Makes a resource that the operator's file declares, or changes it. The answer is that the service has taken it;
    /// whether it was done shows in the next [`inventory`](Self::inventory), and its operation says why if not. `within`
    /// limits the call with all attempts and waits.
    ///
    /// # Errors
    /// As [`Arm::write`].
    pub async fn write(
        &self,
        namespace: &ArmId,
        resource: &Resource,
        write: &Write,
        within: Duration,
    ) -> Result<LongRunningOperation, Error> {
        let request = write::request(namespace, resource, write);
        let version = self.version(namespace, request.generation);
        let arm = self.arm.clone().within(within);
        arm.write(request.method, request.path.as_str(), version, &request.body).await
    }

    /// Lists the issuing CAs of a namespace that the customer's own root signs, those without a policy too.
    ///
    /// # Errors
    /// As [`DeviceRegistry::policies`].
    pub async fn own_authorities(&self, namespace: &Namespace) -> Result<Vec<OwnAuthority>, Error> {
        let id = &namespace.id;
        let mut found = Vec::new();
        if namespace.generation.has(Generation::Credentials) {
            let version = self.version(id, Generation::Credentials);
            let bodies = credentials::bodies(&self.arm, id, version).await?;
            found.extend(bodies.iter().filter_map(|body| own_authorities::of_policy(id, body)));
        }
        if namespace.generation.has(Generation::CertificateAuthorities) {
            let version = self.version(id, Generation::CertificateAuthorities);
            let bodies = certificate_authorities::authorities(&self.arm, id, version).await?;
            found.extend(bodies.iter().filter_map(|body| own_authorities::of_authority(id, body)));
        }
        Ok(found)
    }

    /// Hands the service the chain that answers the signing request of an authority, PEM: the signed certificate first. The
    /// answer is that the service has taken it; whether the authority works with it shows in
    /// [`own_authorities`](Self::own_authorities), and the operation says why if not. It is sent once: no key makes two of
    /// them one (`ca-lifecycle-facts.md` §1.7). `within` limits the call with all attempts and waits.
    ///
    /// # Errors
    /// As [`Arm::write`].
    pub async fn activate(
        &self,
        authority: &OwnAuthority,
        chain: &str,
        within: Duration,
    ) -> Result<LongRunningOperation, Error> {
        let action = match authority.generation {
            Generation::Credentials => "activateBringYourOwnRoot",
            Generation::CertificateAuthorities => "activate",
        };
        let version = self.version(&authority.id, authority.generation);
        let body = json!({ "certificateChain": chain });
        let arm = self.arm.clone().within(within);
        arm.write(Method::POST, &format!("{}/{action}", authority.id), version, &body).await
    }

    /// Starts a sync: the service syncs every credential policy of the namespace to every linked hub. A sync cannot be
    /// undone or narrowed, and there is none for certificate authorities. `within` limits the call with all attempts
    /// and waits.
    ///
    /// # Errors
    /// As [`Arm::post_long_running`].
    pub async fn synchronize(
        &self,
        namespace: &ArmId,
        within: Duration,
    ) -> Result<LongRunningOperation, Error> {
        let version = self.version(namespace, Generation::Credentials);
        credentials::synchronize(&self.arm.clone().within(within), namespace, version).await
    }

    /// The generation of a namespace: with certificate authorities it is of the second, and with policies of a
    /// credential beside them it is being migrated.
    async fn found_generation(&self, id: &ArmId) -> Result<NamespaceGeneration, Error> {
        let offer = self.offers.ask(&self.arm, id.subscription()).await?;
        let versions = match offer {
            Offer { certificate_authorities: None, .. } => return Ok(NamespaceGeneration::Credentials),
            Offer { credentials: None, .. } => return Ok(NamespaceGeneration::CertificateAuthorities),
            Offer { certificate_authorities: Some(versions), .. } => versions,
        };
        let authorities = certificate_authorities::authorities(&self.arm, id, versions.device_registry).await;
        let credential_policies = || async {
            let version = self.version(id, Generation::Credentials);
            credentials::policies(&self.arm, id, version, &self.surprises).await
        };
        match authorities {
            Ok(authorities) if authorities.is_empty() => Ok(NamespaceGeneration::Credentials),
            Ok(_) => match credential_policies().await {
                Ok(policies) if policies.is_empty() => Ok(NamespaceGeneration::CertificateAuthorities),
                Ok(_) => Ok(NamespaceGeneration::Migrating),
                Err(error) if is_absent(&error) => Ok(NamespaceGeneration::CertificateAuthorities),
                // The app of a deployment for this generation alone has no right to read the other's policies.
                Err(error) if error.kind() == ErrorKind::Forbidden => {
                    tracing::warn!(namespace.id = %id, "taken for one without a credential: {error}");
                    Ok(NamespaceGeneration::CertificateAuthorities)
                }
                Err(error) => Err(error),
            },
            // The service knows no authorities, or the namespace does not exist, which the next read will tell.
            Err(error) if is_absent(&error) => Ok(NamespaceGeneration::Credentials),
            // The identity of an older deployment may not read certificate authorities, and an older namespace has
            // none.
            Err(error) if error.kind() == ErrorKind::Forbidden => match credential_policies().await {
                Ok(policies) if !policies.is_empty() => {
                    tracing::warn!(namespace.id = %id, "taken for one without certificate authorities: {error}");
                    Ok(NamespaceGeneration::Credentials)
                }
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The API version with which this client speaks to a namespace, as far as it has asked which the subscription offers.
    #[must_use]
    pub fn version(&self, id: &ArmId, generation: Generation) -> ApiVersion {
        self.offers.versions(id.subscription(), generation).device_registry
    }
}

/// Whether a code means that the subscription is not registered for the provider, so that it has nothing of it
/// (`azure-wire-facts.md` §1.7).
fn is_unregistered(code: &str) -> bool {
    code.eq_ignore_ascii_case("MissingSubscriptionRegistration")
        || code.eq_ignore_ascii_case("SubscriptionNotRegistered")
}

/// Whether an answer means that there is no such thing, or that the service does not know what it is.
fn is_absent(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.rejects_api_version()
}

/// `properties.provisioningState`; a body without one gives `Other("")`.
fn provisioning_state(body: &Value) -> ProvisioningState {
    ProvisioningState::from(text(body, &["properties", "provisioningState"]).unwrap_or_default().to_owned())
}
