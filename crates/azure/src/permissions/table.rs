//! The rows.

use certificate_management::generation::Generation;

use super::{Evidence, Feature, Permission, PermissionScope, Role, Who};

const fn row(
    feature: Feature,
    action: &'static str,
    scope: PermissionScope,
    role: Role,
    calls: &'static [&'static str],
) -> Permission {
    Permission {
        feature,
        action,
        data: false,
        scope,
        who: Who::App,
        role,
        generation: None,
        evidence: Evidence::Published,
        calls,
    }
}

const fn data_row(
    feature: Feature,
    action: &'static str,
    scope: PermissionScope,
    role: Role,
    calls: &'static [&'static str],
) -> Permission {
    Permission { data: true, ..row(feature, action, scope, role, calls) }
}

/// A permission to make what the file declares. The app has it where it keeps the file's authorities and policies by itself; a person
/// brings it, as `Azure Device Registry Administrator` does.
const fn declared(
    action: &'static str,
    generation: Generation,
    calls: &'static [&'static str],
) -> Permission {
    let role = match generation {
        Generation::Credentials => Role::DeclaredCredentials,
        Generation::CertificateAuthorities => Role::DeclaredCertificateAuthorities,
    };
    Permission {
        generation: Some(generation),
        evidence: Evidence::Inferred,
        ..row(Feature::Declare, action, PermissionScope::Namespace, role, calls)
    }
}

/// A permission to hand a signed chain back.
const fn own_root(action: &'static str, generation: Generation, evidence: Evidence) -> Permission {
    Permission {
        who: Who::Person,
        generation: Some(generation),
        evidence,
        ..row(
            Feature::OwnRoot,
            action,
            PermissionScope::Namespace,
            Role::DeviceRegistryAdministrator,
            &["registry::activate"],
        )
    }
}

/// Every permission that the app needs.
pub const PERMISSIONS: &[Permission] = &[
    row(
        Feature::Observe,
        "Microsoft.DeviceRegistry/namespaces/read",
        PermissionScope::Namespace,
        Role::Resources,
        &["registry::namespace", "links::namespace_side"],
    ),
    Permission {
        generation: Some(Generation::Credentials),
        ..row(
            Feature::Observe,
            "Microsoft.DeviceRegistry/namespaces/credentials/policies/read",
            PermissionScope::Namespace,
            Role::Credentials,
            &[
                "registry::issuing",
                "registry::policies",
                "registry/credentials::policies",
                "registry/credentials::bodies",
            ],
        )
    },
    Permission {
        generation: Some(Generation::CertificateAuthorities),
        evidence: Evidence::Inferred,
        ..row(
            Feature::Observe,
            "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/read",
            PermissionScope::Namespace,
            Role::CertificateAuthorities,
            &[
                "registry::namespace",
                "registry::own_authorities",
                "registry/certificate_authorities::authorities",
            ],
        )
    },
    Permission {
        generation: Some(Generation::CertificateAuthorities),
        evidence: Evidence::Inferred,
        ..row(
            Feature::Observe,
            "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies/read",
            PermissionScope::Namespace,
            Role::CertificateAuthorities,
            &["registry::issuing", "registry::policies", "registry/certificate_authorities::policies"],
        )
    },
    // `api_generation = "auto"` asks which versions the subscription offers; without this permission it asks each
    // namespace.
    row(
        Feature::Observe,
        "Microsoft.Resources/subscriptions/providers/read",
        PermissionScope::Subscription,
        Role::Subscription,
        &["registry/offered::ask"],
    ),
    row(
        Feature::Observe,
        "Microsoft.Devices/IotHubs/read",
        PermissionScope::Subscription,
        Role::Subscription,
        &["hubs::in_subscription", "links::hub_side"],
    ),
    row(
        Feature::Observe,
        "Microsoft.Devices/IotHubs/certificates/read",
        PermissionScope::Hub,
        Role::Resources,
        &["hubs::certificates"],
    ),
    row(
        Feature::Observe,
        "Microsoft.Devices/provisioningServices/read",
        PermissionScope::Subscription,
        Role::Subscription,
        &["provisioning/services::in_subscription"],
    ),
    row(
        Feature::Observe,
        "Microsoft.Devices/provisioningServices/read",
        PermissionScope::ProvisioningService,
        Role::Resources,
        &["provisioning/services::get", "links::provisioning_service_side"],
    ),
    data_row(
        Feature::Observe,
        "Microsoft.Devices/provisioningServices/enrollmentGroups/read",
        PermissionScope::ProvisioningService,
        Role::Resources,
        &["provisioning/groups::list", "provisioning/groups::get"],
    ),
    // The report counts the devices that registered before their group was assigned.
    data_row(
        Feature::Observe,
        "Microsoft.Devices/provisioningServices/registrationStates/read",
        PermissionScope::ProvisioningService,
        Role::Resources,
        &["provisioning/groups/registrations::registrations_before"],
    ),
    Permission {
        generation: Some(Generation::Credentials),
        evidence: Evidence::Inferred,
        ..row(
            Feature::Sync,
            "Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action",
            PermissionScope::Namespace,
            Role::Credentials,
            &["registry::synchronize", "registry/credentials::synchronize"],
        )
    },
    Permission {
        generation: Some(Generation::Credentials),
        evidence: Evidence::Inferred,
        ..row(
            Feature::Sync,
            "Microsoft.DeviceRegistry/locations/operationStatuses/read",
            PermissionScope::Subscription,
            Role::Subscription,
            &["arm::operation_status"],
        )
    },
    data_row(
        Feature::Assign,
        "Microsoft.Devices/provisioningServices/enrollmentGroups/write",
        PermissionScope::ProvisioningService,
        Role::Resources,
        &[
            "provisioning/groups::put",
            "provisioning/write_guard::assign",
            "provisioning/write_guard::set_policy",
            "provisioning/groups/creation::create",
        ],
    ),
    // A read of a group leaves its symmetric keys out, and a write without them would replace them. This permission
    // opens every symmetric key of the provisioning service, so it is in a role of its own; without it the app refuses
    // such groups (`symmetric-keys-unreadable`).
    data_row(
        Feature::Assign,
        "Microsoft.Devices/provisioningServices/attestationmechanism/details/action",
        PermissionScope::ProvisioningService,
        Role::SymmetricKeys,
        &["provisioning/groups::attestation", "provisioning/write_guard::check_keys"],
    ),
    data_row(
        Feature::Queue,
        "Microsoft.ServiceBus/namespaces/messages/send/action",
        PermissionScope::Queues,
        Role::ServiceBusDataSender,
        &["service_bus::send"],
    ),
    // `announce`, run by the people and pipelines that create groups.
    Permission {
        who: Who::Person,
        ..data_row(
            Feature::Assign,
            "Microsoft.EventGrid/events/send/action",
            PermissionScope::Topic,
            Role::EventGridDataSender,
            &["event_grid::publish"],
        )
    },
    // `policies blast-radius` looks for individual enrollments that name what a person thinks of deleting.
    Permission {
        who: Who::Person,
        ..data_row(
            Feature::Observe,
            "Microsoft.Devices/provisioningServices/enrollments/read",
            PermissionScope::ProvisioningService,
            Role::ProvisioningServiceDataReader,
            &["provisioning/groups/individuals::individual_enrollments"],
        )
    },
    // `manage = true`, and `policies` and `apply`, run by the people who own the authorities.
    declared(
        "Microsoft.DeviceRegistry/namespaces/credentials/read",
        Generation::Credentials,
        &["registry::inventory", "registry/inventory::read", "registry/credentials::state"],
    ),
    declared(
        "Microsoft.DeviceRegistry/namespaces/credentials/write",
        Generation::Credentials,
        &["registry::write"],
    ),
    declared(
        "Microsoft.DeviceRegistry/namespaces/credentials/policies/write",
        Generation::Credentials,
        &["registry::write"],
    ),
    declared(
        "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/write",
        Generation::CertificateAuthorities,
        &["registry::write"],
    ),
    declared(
        "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies/write",
        Generation::CertificateAuthorities,
        &["registry::write"],
    ),
    // `policies activate`, run by the person who holds the root. No function activates.
    own_root(
        "Microsoft.DeviceRegistry/namespaces/credentials/policies/activateBringYourOwnRoot/action",
        Generation::Credentials,
        Evidence::Inferred,
    ),
    own_root(
        "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/activate/action",
        Generation::CertificateAuthorities,
        Evidence::Published,
    ),
    // Only the status of an operation says why the service did not do what it had taken. The app does not wait for it: each run looks
    // anew.
    Permission {
        who: Who::Person,
        generation: Some(Generation::CertificateAuthorities),
        ..row(
            Feature::Declare,
            "Microsoft.DeviceRegistry/locations/asyncOperationStatuses/read",
            PermissionScope::Subscription,
            Role::DeviceRegistryAdministrator,
            &["arm::operation_status"],
        )
    },
    // The report tells which role of an identity a link lacks. Without this permission it says that it could not look.
    row(
        Feature::Observe,
        "Microsoft.Authorization/roleAssignments/read",
        PermissionScope::Subscription,
        Role::Subscription,
        &["access::assigned"],
    ),
    // `init` looks for what there is, in every subscription that its caller can see.
    Permission {
        who: Who::Person,
        ..row(
            Feature::Observe,
            "Microsoft.Resources/subscriptions/read",
            PermissionScope::Subscription,
            Role::Reader,
            &["subscriptions::visible"],
        )
    },
    Permission {
        who: Who::Person,
        ..row(
            Feature::Observe,
            "Microsoft.DeviceRegistry/namespaces/read",
            PermissionScope::Subscription,
            Role::Reader,
            &["registry::namespaces_of"],
        )
    },
    // `check` asks what its caller may do.
    Permission {
        who: Who::Person,
        ..row(
            Feature::Observe,
            "Microsoft.Authorization/permissions/read",
            PermissionScope::Subscription,
            Role::Reader,
            &["access::at"],
        )
    },
    // Reading parked messages and dead letters: the host receives for the app, so only a person's commands need this. The report
    // counts the dead letters of the requests' queue where it may.
    Permission {
        who: Who::Person,
        ..data_row(
            Feature::Queue,
            "Microsoft.ServiceBus/namespaces/messages/receive/action",
            PermissionScope::Queues,
            Role::ServiceBusDataReceiver,
            &[
                "service_bus/receiver::lock_next",
                "service_bus/receiver::complete",
                "service_bus/receiver::unlock",
            ],
        )
    },
    data_row(
        Feature::Records,
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
        PermissionScope::StorageAccount,
        Role::StorageBlobDataOwner,
        &[
            "store::get",
            "store::list",
            "newest::newest",
            "store::create",
            "store::update",
            "modify::modify",
            "retention::purge",
            "retention::purge_where",
        ],
    ),
    data_row(
        Feature::Records,
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
        PermissionScope::StorageAccount,
        Role::StorageBlobDataOwner,
        &["store::create", "store::update", "store::put", "modify::modify"],
    ),
    data_row(
        Feature::Records,
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
        PermissionScope::StorageAccount,
        Role::StorageBlobDataOwner,
        &["store::delete", "retention::purge", "retention::purge_where"],
    ),
    // The first write that finds the container missing makes it.
    row(
        Feature::Records,
        "Microsoft.Storage/storageAccounts/blobServices/containers/write",
        PermissionScope::StorageAccount,
        Role::StorageBlobDataOwner,
        &["store::create", "store::update", "store::put"],
    ),
    data_row(
        Feature::Configuration,
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
        PermissionScope::ConfigurationContainer,
        Role::StorageBlobDataReader,
        &["document::read", "document::read_version"],
    ),
    // Only people and pipelines upload: the app never changes what it is told to do.
    Permission {
        who: Who::Person,
        ..data_row(
            Feature::Configuration,
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
            PermissionScope::ConfigurationContainer,
            Role::StorageBlobDataContributor,
            &["document::write"],
        )
    },
];
