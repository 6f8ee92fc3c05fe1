//! Reports as the app makes them, of worlds that the simulator does not have: as large as `contracts.md` §5 goes, with
//! everything wrong at once, and with hostile names.

use certificate_management::ArmId;
use certificate_management::configuration::Configuration;
use certificate_management::issuers::SeenIssuers;
use certificate_management::model::{
    Attestation, BringYourOwnRoot, EnrollmentGroup, Hub, HubCertificate, IssuingCa, Namespace, Policy,
    ProvisioningState, ReadFailure,
};
use certificate_management::plan::{Observation, ObservedHub};
use certificate_management::report::snapshot::Snapshot;
use certificate_management::report::{
    self, Counted, Looks, NamespaceInput, ProvisioningServiceInput, Records, Report, ReportInput,
};
use certificate_management::request::{HubOutcome, Outcome, RequestRecord, SyncRequest};
use certificate_management::trust_over_time::TrustOverTime;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// The time at which every report was made.
pub const NOW: OffsetDateTime = datetime!(2026-11-25 16:05 UTC);

/// How large a world is.
pub struct Size {
    pub namespaces: usize,
    pub hubs: usize,
    pub policies: usize,
    /// Each belongs to a namespace of its own, from the first on.
    pub provisioning_services: usize,
    pub enrollment_groups: usize,
}

/// The largest (`contracts.md` §5): 1,000 namespaces × 10 hubs × 3 policies, 200 DPS × 50 groups.
pub const LARGEST: Size =
    Size { namespaces: 1000, hubs: 10, policies: 3, provisioning_services: 200, enrollment_groups: 50 };
/// One that fits on a screen.
pub const SMALL: Size =
    Size { namespaces: 3, hubs: 4, policies: 3, provisioning_services: 2, enrollment_groups: 40 };

/// A world that a test can change before its report is made.
pub struct World {
    pub configuration: Configuration,
    pub observations: Vec<Result<Observation, ReadFailure>>,
    pub services: Vec<Vec<ProvisioningServiceInput>>,
    pub records: Records,
    pub surprises: Vec<String>,
}

impl World {
    /// One in which nothing is wrong.
    pub fn new(size: &Size) -> Self {
        let names: Vec<String> = (1..=size.namespaces).map(|n| format!("plant-{n:04}")).collect();
        let tables = names.iter().map(|name| {
            format!(
                "[[namespace]]\nid = \"{}\"\nmode = \"enforce\"\ndefault_policy = \"short-lived\"\n",
                id(name)
            )
        });
        let mut services = vec![Vec::new(); size.namespaces];
        for (service, name) in services.iter_mut().zip(&names).take(size.provisioning_services) {
            service.push(ProvisioningServiceInput {
                endpoint: format!("https://{name}-dps.azure-devices-provisioning.net"),
                hubs: Vec::new(),
                enrollment_groups: Ok((0..size.enrollment_groups).map(|n| group(n, size.policies)).collect()),
            });
        }
        Self {
            configuration: Configuration::parse(&tables.collect::<String>()).unwrap(),
            observations: names.iter().map(|name| Ok(observation(name, size))).collect(),
            services,
            records: Records::default(),
            surprises: Vec::new(),
        }
    }

    /// One in which everything goes wrong somewhere.
    pub fn troubled(size: &Size) -> Self {
        let mut world = Self::new(size);
        for (number, observation) in world.observations.iter_mut().enumerate() {
            let Ok(seen) = observation else { continue };
            match number % 3 {
                0 => trouble(seen),
                1 => seen.policies[0].issuing_ca.not_after = Some(NOW + Duration::days(41)),
                _ => {}
            }
        }
        let last = world.observations.len() - 1;
        world.observations[last] = Err(ReadFailure::other(
            "GET the namespace: 403 AuthorizationFailed: the client does not have authorization to perform action \
             'Microsoft.DeviceRegistry/namespaces/read'",
        ));
        for services in &mut world.services {
            for groups in services.iter_mut().filter_map(|service| service.enrollment_groups.as_mut().ok()) {
                groups[0].policy = Some("long-gone".to_owned());
                groups[1].policy = None;
                groups[2].policy = None;
            }
        }
        world.records.requests = requests(&id("plant-0001"));
        world
    }

    pub fn report(self) -> Report {
        self.report_with_snapshot().0
    }

    /// The report, and what is kept of it.
    pub fn report_with_snapshot(self) -> (Report, Snapshot) {
        let namespaces = self.configuration.namespaces.iter().zip(self.observations).zip(self.services).map(
            |((configuration, observation), provisioning_services)| NamespaceInput {
                configuration,
                observation,
                provisioning_services: Ok(provisioning_services),
                counted: Counted::default(),
                declared: None,
                links: None,
                issuers: SeenIssuers::default(),
                trust: TrustOverTime::default(),
                looks: Looks::at(NOW - Duration::seconds(40)),
            },
        );
        report::build_with_snapshot(&ReportInput {
            configuration: &self.configuration,
            kill_switch: false,
            namespaces: namespaces.collect(),
            records: Some(self.records),
            surprises: self.surprises,
            standing: None,
            now: NOW,
        })
    }
}

/// The ARM id of a namespace.
pub fn id(name: &str) -> String {
    format!(
        "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-{name}/providers/Microsoft.DeviceRegistry/namespaces/{name}"
    )
}

/// The newest first, one of each outcome.
pub fn requests(namespace: &str) -> Vec<RequestRecord> {
    let outcomes = [
        Outcome::Syncing,
        Outcome::Queued,
        Outcome::Trusted,
        Outcome::AlreadyTrusted,
        Outcome::Unverified,
        Outcome::Refused,
        Outcome::Failed,
    ];
    let request = |(number, outcome): (usize, Outcome)| {
        let at = NOW - Duration::minutes(7 * i64::try_from(number).unwrap() + 3);
        let body = format!("{{\"namespaceId\":\"{namespace}\",\"requestedBy\":\"release pipeline 1284\"}}");
        let id = format!("01KAXG7Z0000000000000000{number:02}");
        let mut record = RequestRecord::queued(SyncRequest::from_submission(&body, &id).unwrap(), at);
        let hubs = (1..=4).map(|hub| HubOutcome {
            hub: format!("plant-0001-hub-{hub:02}"),
            policy: "default".to_owned(),
            outcome: if hub == 1 { outcome } else { Outcome::Trusted },
            reason: None,
            detail: None,
            evidence: None,
        });
        if outcome != Outcome::Queued {
            record.conclude_hubs(hubs.collect(), None, at + Duration::minutes(2));
        }
        record
    };
    outcomes.into_iter().enumerate().map(request).collect()
}

fn trouble(seen: &mut Observation) {
    seen.policies[1].issuing_ca.not_after = Some(NOW + Duration::days(5));
    seen.policies[2].provisioning_state = ProvisioningState::Failed;
    seen.policies[2].bring_your_own_root = Some(BringYourOwnRoot { status: "PendingActivation".to_owned() });
    seen.hubs[0].certificates.as_mut().unwrap().remove(0);
    seen.hubs[1].certificates = Err(ReadFailure::other("GET the certificates: 503 ServiceUnavailable"));
    let older = HubCertificate {
        name: "rotated-out".to_owned(),
        expiry: Some(NOW + Duration::days(20)),
        thumbprint: Some(thumbprint(77)),
        ..seen.hubs[2].certificates.as_ref().unwrap()[0].clone()
    };
    seen.hubs[2].certificates.as_mut().unwrap().push(older);
}

fn observation(name: &str, size: &Size) -> Observation {
    let namespace_id = ArmId::parse(&id(name)).unwrap();
    let policies: Vec<Policy> = (0..size.policies).map(|number| policy(&namespace_id, number)).collect();
    let hub = |number: usize| {
        let hub_name = format!("{name}-hub-{number:02}");
        let hub_id =
            format!("/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/{hub_name}");
        ObservedHub {
            hub: Hub {
                id: ArmId::parse(&hub_id).unwrap(),
                host_name: format!("{hub_name}.azure-devices.net"),
                name: hub_name,
                namespace_id: Some(namespace_id.clone()),
            },
            certificates: Ok(policies.iter().enumerate().map(|(n, policy)| certificate(policy, n)).collect()),
        }
    };
    Observation {
        authorities: Vec::new(),
        hubs: (1..=size.hubs).map(hub).collect(),
        policies: policies.clone(),
        namespace: Namespace {
            id: namespace_id.clone(),
            location: "westeurope".to_owned(),
            provisioning_state: ProvisioningState::Succeeded,
            generation: Default::default(),
            links: Vec::new(),
        },
        seen_at: NOW - Duration::seconds(40),
    }
}

fn policy(namespace: &ArmId, number: usize) -> Policy {
    let name = ["default", "short-lived", "bring-your-own"].get(number).map_or("more", |name| name);
    let days = [400, 180, 1500].get(number).copied().unwrap_or(900);
    Policy {
        id: namespace.child("credentials", "default").child("policies", name),
        name: name.to_owned(),
        provisioning_state: ProvisioningState::Succeeded,
        issuing_ca: IssuingCa {
            subject: Some(format!("CN={:032x}", 0x7b5d_73a7_u64 * (number as u64 + 3))),
            not_before: Some(NOW - Duration::days(days / 2)),
            not_after: Some(NOW + Duration::days(days)),
            ..IssuingCa::default()
        },
        leaf_validity_days: Some(if number == 1 { 7 } else { 45 }),
        bring_your_own_root: None,
    }
}

fn certificate(policy: &Policy, number: usize) -> HubCertificate {
    HubCertificate {
        name: format!("policy-{number}"),
        issuer_id: Some(policy.id.clone()),
        subject: policy.issuing_ca.subject.clone(),
        thumbprint: Some(thumbprint(number)),
        expiry: policy.issuing_ca.not_after,
        is_verified: Some(true),
    }
}

fn thumbprint(number: usize) -> String {
    format!("{:040X}", 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C834_u128.wrapping_mul(number as u128 * 2 + 3))
        .chars()
        .rev()
        .collect()
}

fn group(number: usize, policies: usize) -> EnrollmentGroup {
    let policy = ["default", "short-lived", "bring-your-own"][number % policies.min(3)];
    EnrollmentGroup {
        id: format!("line-{number:03}"),
        etag: None,
        policy: Some(policy.to_owned()),
        attestation: Attestation::SymmetricKey,
        hubs: Vec::new(),
        enabled: true,
        created_at: None,
        tags: serde_json::Map::new(),
    }
}
