//! The renewals that the service begins by itself before a certificate ends (`ca-lifecycle-facts.md` §1.8).
//!
//! A CA of generation B that Microsoft signs gets its next certificate, hubs trust both while the old one lasts, and
//! device certificates come from the next one as soon as it is pushed. That the push comes first is inferred: otherwise
//! devices would be refused in the meantime. In generation A hubs stay as they are until a sync; no source says that
//! the service syncs by itself. An external CA gets a new signing request in either generation.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::certificate_authority::{Arriving, CertificateAuthority, Kind};
use super::credential::Policy;
use super::namespace::Namespace;
use super::resource::ProvisioningState;
use super::{ActionError, World};
use crate::pki::Authority;

/// A step of a renewal that is due.
#[derive(Debug)]
pub(super) struct Step {
    pub at: OffsetDateTime,
    namespace_id: String,
    target: Target,
    deed: Deed,
}

/// The issuer that is renewed, by its name.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A credential policy.
    Policy(String),
    CertificateAuthority(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Begin,
    /// The next certificate takes the place of the current one.
    HandOver,
    /// The certificate before is trusted no longer.
    Retire,
}

impl World {
    /// The next step of any renewal.
    pub(super) fn next_renewal(&self) -> Option<Step> {
        let window = self.fleet.lifecycle.renewal_window_days.map(|days| Duration::days(i64::from(days)));
        // What a root signs may not outlive it.
        let life_below = Duration::days(i64::from(self.fleet.issuing_ca_validity_days));
        let mut first: Option<Step> = None;
        let mut offer = |at: OffsetDateTime, namespace: &Namespace, target: Target, deed: Deed| {
            if first.as_ref().is_none_or(|first| at < first.at) {
                first = Some(Step { at, namespace_id: namespace.id.clone(), target, deed });
            }
        };
        for namespace in &self.namespaces {
            for authority in namespace.certificate_authorities.values() {
                let target = || Target::CertificateAuthority(authority.name.clone());
                if let Some(arriving) = &authority.arriving {
                    offer(arriving.at, namespace, target(), Deed::HandOver);
                }
                if let Some(leaving) = &authority.leaving {
                    offer(leaving.not_after(), namespace, target(), Deed::Retire);
                }
                let lead = if authority.kind == Kind::Root { life_below } else { Duration::ZERO };
                let at = window.and_then(|window| begin_of_authority(namespace, authority, window + lead));
                if let Some(at) = at {
                    offer(at, namespace, target(), Deed::Begin);
                }
            }
            for policy in namespace.policies() {
                if let Some(at) = window.and_then(|window| begin_of_policy(namespace, policy, window)) {
                    offer(at, namespace, Target::Policy(policy.name.clone()), Deed::Begin);
                }
            }
        }
        first
    }

    /// Does a step.
    pub(super) fn take(&mut self, step: &Step) {
        let Step { at, namespace_id, target, deed } = step;
        let done = match (deed, target) {
            (Deed::Begin, _) => self.begin_renewal(namespace_id, target, *at),
            (_, Target::CertificateAuthority(name)) => self.go_on(namespace_id, name, *deed, *at),
            (_, Target::Policy(_)) => Ok(()),
        };
        if let Err(error) = done {
            // A failed one is not renewed again, so the same step does not come back for ever.
            tracing::warn!(%error, namespace.id = namespace_id, "a renewal has failed");
            let owner = self.namespace_mut(namespace_id);
            match (owner, target) {
                (Some(owner), Target::Policy(name)) => {
                    if let Some(policy) = owner.policy_mut(name) {
                        policy.provisioning_state = ProvisioningState::Failed;
                    }
                }
                (Some(owner), Target::CertificateAuthority(name)) => {
                    if let Some(authority) = owner.certificate_authority_mut(name) {
                        authority.provisioning_state = ProvisioningState::Failed;
                    }
                }
                (None, _) => {}
            }
        }
    }

    /// Begins the renewal of an issuer now. Of one whose renewal runs, does nothing.
    pub(super) fn begin_renewal(
        &mut self,
        namespace_id: &str,
        target: &Target,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        let name = match target {
            Target::Policy(name) => {
                let policy = self.namespace(namespace_id).and_then(|namespace| namespace.policy(name));
                return match policy.is_some_and(|policy| policy.pending.is_some()) {
                    true => Ok(()),
                    false => self.renew_policy(namespace_id, name, at),
                };
            }
            Target::CertificateAuthority(name) => name,
        };
        let handover = self.push_time(at);
        let (root, authority, common_name) = self.for_renewal(namespace_id, name)?;
        match authority.kind {
            Kind::Microsoft if authority.arriving.is_some() => {}
            Kind::Microsoft => {
                let next = authority.next(root.as_deref(), &common_name, at)?.map(Arc::new);
                authority.arriving = next.map(|authority| Arriving { authority, at: handover });
                self.plan_push(namespace_id, name, at);
            }
            Kind::External if authority.pending.is_some() => {}
            // Hubs do not hold a root, and what the old one has signed stays good.
            Kind::External | Kind::Root => authority.renew(None, &common_name, at)?,
        }
        Ok(())
    }

    fn go_on(
        &mut self,
        namespace_id: &str,
        name: &str,
        deed: Deed,
        at: OffsetDateTime,
    ) -> Result<(), ActionError> {
        let authority = self.namespace_mut(namespace_id).and_then(|one| one.certificate_authority_mut(name));
        let authority = authority.ok_or_else(|| ActionError::not_found(name))?;
        if deed == Deed::HandOver {
            if let Some(arriving) = authority.arriving.take() {
                authority.leaving = authority.authority.replace(arriving.authority);
            }
        } else {
            authority.leaving = None;
            self.plan_push(namespace_id, name, at);
        }
        Ok(())
    }
}

/// When the renewal of a certificate begins, that far before its end: never before half of its life is over, so that
/// there is always time between two renewals.
fn begin(current: &Authority, window: Duration) -> OffsetDateTime {
    let half = (current.not_after() - current.not_before()) / 2;
    (current.not_after() - window).max(current.not_before() + half)
}

fn begin_of_authority(
    namespace: &Namespace,
    authority: &CertificateAuthority,
    window: Duration,
) -> Option<OffsetDateTime> {
    let is_free = match authority.kind {
        Kind::Root => true,
        Kind::Microsoft => {
            authority.arriving.is_none() && authority.leaving.is_none() && namespace.root().is_some()
        }
        Kind::External => authority.pending.is_none(),
    };
    let current = authority.authority.as_ref()?;
    (is_free && authority.provisioning_state == ProvisioningState::Succeeded).then(|| begin(current, window))
}

fn begin_of_policy(namespace: &Namespace, policy: &Policy, window: Duration) -> Option<OffsetDateTime> {
    let has_root = namespace.credential.as_ref().is_some_and(|credential| credential.root.is_some());
    let is_free = if policy.bring_your_own_root { policy.pending.is_none() } else { has_root };
    policy.active_authority().filter(|_| is_free).map(|current| begin(current, window))
}
