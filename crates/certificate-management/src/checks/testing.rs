//! A small world in which nothing is wrong, for tests that make one thing wrong: namespace `contoso`, policy `short`, hub
//! `h1`, one DPS. Rules: `line-*` gets `short`, `test-*` gets none.

use time::OffsetDateTime;
use time::macros::datetime;

use super::CheckId;
use crate::ArmId;
use crate::authority::{Authority, AuthorityType, Issuer};
use crate::configuration::Configuration;
use crate::declared;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::in_force::VersionInForce;
use crate::issuers::SeenIssuers;
use crate::model::{
    Attestation, EnrollmentGroup, Hub, HubCertificate, IssuingCa, Namespace, Policy, ProvisioningState,
    ReadFailure,
};
use crate::plan::{Observation, ObservedHub};
use crate::readiness::Sides;
use crate::readiness::seen::{Identities, NamespaceSide};
use crate::report::{self, Report};
use crate::report_input::{Counted, Looks, NamespaceInput, ProvisioningServiceInput, Records, ReportInput};
use crate::request::{HubOutcome, Outcome, RequestRecord, SyncRequest};
use crate::trust_over_time::TrustOverTime;

pub(crate) const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
pub(crate) const DPS: &str = "https://contoso-dps.azure-devices-provisioning.net";
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);
pub(crate) const FAR: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);

pub(crate) struct World {
    pub configuration: Configuration,
    pub kill_switch: bool,
    pub observation: Result<Observation, ReadFailure>,
    pub services: Result<(), ReadFailure>,
    pub groups: Result<Vec<EnrollmentGroup>, ReadFailure>,
    pub declared: Option<Result<declared::Seen, ReadFailure>>,
    pub records: Option<Records>,
    pub counted: Counted,
    pub links: Option<Sides>,
    pub surprises: Vec<String>,
    pub standing: Option<VersionInForce>,
    pub issuers: SeenIssuers,
    pub trust: TrustOverTime,
    /// `None`: everything was looked at now.
    pub looks: Option<Looks>,
    pub now: OffsetDateTime,
}

impl World {
    pub fn healthy() -> Self {
        let text = format!(
            "[[namespace]]\nid = \"{NAMESPACE}\"\n[[namespace.rule]]\nname = \"none\"\n\
             enrollment_groups = [\"test-*\"]\npolicy = \"none\"\n[[namespace.rule]]\nname = \"lines\"\n\
             enrollment_groups = [\"line-*\"]\npolicy = \"short\""
        );
        Self {
            configuration: Configuration::parse(&text).unwrap(),
            kill_switch: false,
            observation: Ok(observation()),
            services: Ok(()),
            groups: Ok(Vec::new()),
            declared: None,
            records: None,
            counted: Counted::default(),
            links: Some(no_links()),
            surprises: Vec::new(),
            standing: None,
            issuers: SeenIssuers::default(),
            trust: TrustOverTime::default(),
            looks: None,
            now: NOW,
        }
    }

    pub fn seen(&mut self) -> &mut Observation {
        self.observation.as_mut().unwrap()
    }

    pub fn policy(&mut self) -> &mut Policy {
        &mut self.seen().policies[0]
    }

    pub fn hub(&mut self) -> &mut ObservedHub {
        &mut self.seen().hubs[0]
    }

    pub fn certificate(&mut self) -> &mut HubCertificate {
        &mut self.hub().certificates.as_mut().unwrap()[0]
    }

    pub fn groups(&mut self, groups: Vec<EnrollmentGroup>) {
        self.groups = Ok(groups);
    }

    pub fn input(&self) -> ReportInput<'_> {
        let service = ProvisioningServiceInput {
            endpoint: DPS.into(),
            hubs: vec!["h1.azure-devices.net".into()],
            enrollment_groups: self.groups.clone(),
        };
        let namespace = NamespaceInput {
            configuration: &self.configuration.namespaces[0],
            observation: self.observation.clone(),
            provisioning_services: self.services.clone().map(|()| vec![service]),
            counted: self.counted.clone(),
            declared: self.declared.clone(),
            links: self.links.clone().map(|sides| (self.now, sides)),
            issuers: self.issuers.clone(),
            trust: self.trust.clone(),
            looks: self.looks.unwrap_or(Looks::at(self.now)),
        };
        ReportInput {
            configuration: &self.configuration,
            kill_switch: self.kill_switch,
            namespaces: vec![namespace],
            records: self.records.clone(),
            surprises: self.surprises.clone(),
            standing: self.standing.clone(),
            now: self.now,
        }
    }

    pub fn report(&self) -> Report {
        report::build(&self.input())
    }

    /// What one check finds.
    pub fn found(&self, check: CheckId) -> Vec<Finding> {
        let mut found = super::run(&Facts::of(&self.input()));
        found.retain(|finding| finding.check == check);
        found
    }
}

/// Links of which nothing is to be told.
pub(crate) fn no_links() -> Sides {
    let side = NamespaceSide {
        location: "westeurope".into(),
        uuid: None,
        identities: Identities::default(),
        outbound: None,
        endpoints: Vec::new(),
        modified_at: None,
    };
    Sides { side: Ok(side), linked: Vec::new(), grants: Vec::new() }
}

fn observation() -> Observation {
    let id = ArmId::parse(NAMESPACE).unwrap();
    let policy_id = id.child("credentials", "default").child("policies", "short");
    let hub = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/h1";
    Observation {
        authorities: Vec::new(),
        policies: vec![Policy {
            id: policy_id.clone(),
            name: "short".into(),
            provisioning_state: ProvisioningState::Succeeded,
            issuing_ca: IssuingCa { not_after: Some(FAR), ..IssuingCa::default() },
            leaf_validity_days: Some(30),
            bring_your_own_root: None,
        }],
        hubs: vec![ObservedHub {
            hub: Hub {
                id: ArmId::parse(hub).unwrap(),
                name: "h1".into(),
                host_name: "h1.azure-devices.net".into(),
                namespace_id: Some(id.clone()),
            },
            certificates: Ok(vec![HubCertificate {
                name: "c".into(),
                issuer_id: Some(policy_id),
                subject: None,
                thumbprint: Some("AB".into()),
                expiry: Some(FAR),
                is_verified: Some(true),
            }]),
        }],
        namespace: Namespace {
            id,
            location: "westeurope".into(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: Default::default(),
            links: Vec::new(),
        },
        seen_at: NOW,
    }
}

/// An authority that Azure signs and that says nothing of itself.
pub(crate) fn authority(name: &str) -> Authority {
    Authority {
        id: ArmId::parse(NAMESPACE).unwrap().child("certificateAuthorities", name),
        name: name.to_owned(),
        kind: AuthorityType::Issuing,
        issuer: Issuer::Microsoft,
        provisioning_state: ProvisioningState::Succeeded,
        status: None,
        subject: None,
        not_after: None,
    }
}

pub(crate) fn group(id: &str, policy: Option<&str>) -> EnrollmentGroup {
    EnrollmentGroup {
        id: id.into(),
        etag: None,
        policy: policy.map(str::to_owned),
        attestation: Attestation::SymmetricKey,
        hubs: Vec::new(),
        enabled: true,
        created_at: None,
        tags: serde_json::Map::new(),
    }
}

/// A request for the one pair of the world.
pub(crate) fn request(id: &str, outcome: Outcome, at: OffsetDateTime) -> RequestRecord {
    let text = format!("{{\"namespaceId\":\"{NAMESPACE}\"}}");
    let mut record = RequestRecord::queued(SyncRequest::from_submission(&text, id).unwrap(), at);
    let hub = HubOutcome {
        hub: "h1".into(),
        policy: "short".into(),
        outcome,
        reason: None,
        detail: None,
        evidence: None,
    };
    record.conclude_hubs(vec![hub], None, at);
    record
}
