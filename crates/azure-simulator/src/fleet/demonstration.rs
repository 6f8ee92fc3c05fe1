//! The fleet that a demonstration starts with.

use indexmap::IndexMap;

use super::default;
use super::{
    Attestation, EnrollmentGroup, Fleet, Hub, Lifecycle, Namespace, Policy, ProvisioningService,
    UnknownPolicy, UnknownReference, UnlinkedHub,
};

impl Fleet {
    /// Three namespaces of one subscription, each with hubs and a provisioning service, every policy active and
    /// trusted by every hub. Most enrollment groups have a policy, some do not; two hubs belong to no namespace.
    #[must_use]
    pub fn default_fleet() -> Self {
        Self {
            subscription: "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40".to_owned(),
            location: "westeurope".to_owned(),
            seed: None,
            synchronize_seconds: default::synchronize_seconds(),
            operation_seconds: default::operation_seconds(),
            retry_after_seconds: default::retry_after_seconds(),
            registration_seconds: 0,
            diagnostics_delay_seconds: default::diagnostics_delay_seconds(),
            issuing_ca_validity_days: default::issuing_ca_validity_days(),
            revoke_pushes_to_hubs: true,
            unknown_policy: UnknownPolicy::Accept,
            unknown_reference: UnknownReference::Drop,
            offers: None,
            push_seconds: default::push_seconds(),
            hold_push: false,
            link_pushes_to_hubs: false,
            hub_certificate_casing: None,
            page_size: default::page_size(),
            lifecycle: Lifecycle::default(),
            namespaces: vec![contoso_plants(), contoso_logistics(), fabrikam_energy()],
            hubs: vec![
                UnlinkedHub {
                    name: "contoso-telemetry".to_owned(),
                    resource_group: "rg-contoso-shared".to_owned(),
                    subscription: None,
                },
                UnlinkedHub {
                    name: "fabrikam-lab".to_owned(),
                    resource_group: "rg-fabrikam-energy".to_owned(),
                    subscription: None,
                },
            ],
            provisioning_services: Vec::new(),
        }
    }
}

fn contoso_plants() -> Namespace {
    Namespace {
        policies: vec![policy("default", 30, None), policy("short-lived", 7, Some(180))],
        hubs: hubs(&["contoso-plants-north", "contoso-plants-south", "contoso-plants-test"]),
        provisioning_services: vec![service(
            "contoso-plants-dps",
            vec![
                group("line-1", Attestation::SymmetricKey, Some("short-lived"), "north"),
                group("line-2", Attestation::SymmetricKey, Some("short-lived"), "south"),
                group("packing", Attestation::X509Ca, Some("default"), "north"),
                group("warehouse-gates", Attestation::SymmetricKey, None, "south"),
            ],
        )],
        ..Namespace::new("contoso-plants", "rg-contoso-plants")
    }
}

fn contoso_logistics() -> Namespace {
    let mut trucks = group("trucks", Attestation::X509Signing, Some("default"), "fleet");
    trucks.hubs = vec!["contoso-logistics-road".to_owned()];
    let mut retired = group("trucks-2019", Attestation::SymmetricKey, Some("default"), "fleet");
    retired.enabled = false;
    Namespace {
        policies: vec![policy("default", 45, None)],
        hubs: hubs(&["contoso-logistics-road", "contoso-logistics-rail"]),
        provisioning_services: vec![service(
            "contoso-logistics-dps",
            vec![trucks, retired, group("containers", Attestation::SymmetricKey, Some("default"), "depot")],
        )],
        ..Namespace::new("contoso-logistics", "rg-contoso-logistics")
    }
}

fn fabrikam_energy() -> Namespace {
    Namespace {
        policies: vec![
            policy("default", 30, Some(730)),
            policy("short-lived", 10, None),
            policy("substations", 90, Some(1825)),
        ],
        hubs: hubs(&["fabrikam-grid", "fabrikam-solar"]),
        provisioning_services: vec![service(
            "fabrikam-energy-dps",
            vec![
                group("substations", Attestation::X509Ca, Some("substations"), "grid"),
                group("inverters", Attestation::SymmetricKey, Some("short-lived"), "solar"),
                group("meters-pilot", Attestation::SymmetricKey, None, "grid"),
            ],
        )],
        ..Namespace::new("fabrikam-energy", "rg-fabrikam-energy")
    }
}

fn policy(name: &str, leaf_validity_days: u32, issuing_ca_validity_days: Option<u32>) -> Policy {
    Policy {
        name: name.to_owned(),
        leaf_validity_days,
        issuing_ca_validity_days,
        provisioning_state: default::succeeded(),
        bring_your_own_root: false,
    }
}

fn hubs(names: &[&str]) -> Vec<Hub> {
    names.iter().map(|name| Hub::new(name)).collect()
}

fn service(name: &str, enrollment_groups: Vec<EnrollmentGroup>) -> ProvisioningService {
    ProvisioningService { enrollment_groups, ..ProvisioningService::new(name) }
}

fn group(name: &str, attestation: Attestation, policy: Option<&str>, site: &str) -> EnrollmentGroup {
    EnrollmentGroup {
        attestation,
        policy: policy.map(str::to_owned),
        tags: IndexMap::from([("site".to_owned(), site.to_owned())]),
        ..EnrollmentGroup::new(name)
    }
}
