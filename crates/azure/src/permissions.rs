//! What the app may do, one row per call: feature, action, scope and who. The roles in `infra/` are made from this table
//! (`infra/modules/permissions.json` is written from it), so the identity can do what the code calls and nothing more.
//!
//! A test reads the sources of the clients and fails for a call without a row, and for a row without a call. Actions are
//! those of `azure-wire-facts.md` §6; `synchronize` follows ARM's rule for the names of actions.

mod document;

pub use self::document::to_json;

/// What a permission is for, as people know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Looking: the status report, and the look before any decision.
    Observe,
    /// Syncing policies to hubs.
    Sync,
    /// Giving policies to enrollment groups.
    Assign,
    /// Putting requests, follow-ups and parked messages on a queue.
    Queue,
    /// Keeping records.
    Records,
}

impl Feature {
    /// In kebab-case, e.g. `observe`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Sync => "sync",
            Self::Assign => "assign",
            Self::Queue => "queue",
            Self::Records => "records",
        }
    }
}

/// The narrowest thing that the action can be granted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionScope {
    /// Each subscription of `scopes`, and of the namespaces.
    Subscription,
    /// Each namespace.
    Namespace,
    /// Each hub.
    Hub,
    /// Each provisioning service. Not per group: its data plane knows no narrower scope.
    ProvisioningService,
    /// The request queue and the parked queue.
    Queues,
    /// The parked queue alone.
    ParkedQueue,
    /// The custom topic.
    Topic,
    /// The storage account of the app, which is the host's too.
    StorageAccount,
}

impl PermissionScope {
    /// In kebab-case, e.g. `provisioning-service`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Namespace => "namespace",
            Self::Hub => "hub",
            Self::ProvisioningService => "provisioning-service",
            Self::Queues => "queues",
            Self::ParkedQueue => "parked-queue",
            Self::Topic => "topic",
            Self::StorageAccount => "storage-account",
        }
    }
}

/// The role that brings an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Our own role, for namespaces, hubs and provisioning services.
    Resources,
    /// Our own role, for subscriptions.
    Subscription,
    /// Built in: `Azure Service Bus Data Sender`.
    ServiceBusDataSender,
    /// Built in: `Azure Service Bus Data Receiver`.
    ServiceBusDataReceiver,
    /// Built in: `EventGrid Data Sender`.
    EventGridDataSender,
    /// Built in: `Reader`.
    Reader,
    /// Built in: `Storage Blob Data Owner`, which the Functions host needs on the same account anyway.
    StorageBlobDataOwner,
}

impl Role {
    /// As `permissions.json` names it: `resources`, `subscription`, or the name of a built-in role.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Subscription => "subscription",
            Self::ServiceBusDataSender => "Azure Service Bus Data Sender",
            Self::ServiceBusDataReceiver => "Azure Service Bus Data Receiver",
            Self::EventGridDataSender => "EventGrid Data Sender",
            Self::Reader => "Reader",
            Self::StorageBlobDataOwner => "Storage Blob Data Owner",
        }
    }
}

/// Who needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The identity of the function app.
    App,
    /// Who runs a command, with a login of their own. The templates grant nothing to people.
    Person,
}

impl Who {
    /// In kebab-case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Person => "person",
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// What it is for.
    pub feature: Feature,
    /// The action, as role definitions name it.
    pub action: &'static str,
    /// Whether it is a data action.
    pub data: bool,
    /// What it is granted on.
    pub scope: PermissionScope,
    /// Who needs it.
    pub who: Who,
    /// The role that brings it.
    pub role: Role,
    /// The calls that need it: `file::function` below `crates/azure/src` or `crates/state/src`.
    pub calls: &'static [&'static str],
}

impl Permission {
    /// The command that grants it. `role` is the role's name in the tenant, since roles of our own end in a token there.
    #[must_use]
    pub fn grant_command(&self, role: &str, principal_id: &str, scope_id: &str) -> String {
        format!(
            "az role assignment create --assignee-object-id {principal_id} --assignee-principal-type ServicePrincipal \
             --role \"{role}\" --scope \"{scope_id}\""
        )
    }
}

const fn row(
    feature: Feature,
    action: &'static str,
    scope: PermissionScope,
    role: Role,
    calls: &'static [&'static str],
) -> Permission {
    Permission { feature, action, data: false, scope, who: Who::App, role, calls }
}

const fn data_row(
    feature: Feature,
    action: &'static str,
    scope: PermissionScope,
    role: Role,
    calls: &'static [&'static str],
) -> Permission {
    Permission { feature, action, data: true, scope, who: Who::App, role, calls }
}

/// Every permission that the app needs.
pub const PERMISSIONS: &[Permission] = &[
    row(
        Feature::Observe,
        "Microsoft.DeviceRegistry/namespaces/read",
        PermissionScope::Namespace,
        Role::Resources,
        &["registry/mod::namespace"],
    ),
    row(
        Feature::Observe,
        "Microsoft.DeviceRegistry/namespaces/credentials/policies/read",
        PermissionScope::Namespace,
        Role::Resources,
        &["registry/mod::policies", "registry/credentials::policies"],
    ),
    row(
        Feature::Observe,
        "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/read",
        PermissionScope::Namespace,
        Role::Resources,
        &["registry/mod::namespace", "registry/certificate_authorities::authorities"],
    ),
    row(
        Feature::Observe,
        "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies/read",
        PermissionScope::Namespace,
        Role::Resources,
        &["registry/mod::policies", "registry/certificate_authorities::policies"],
    ),
    // `api_generation = "auto"` asks which versions there are; where it may not, each namespace is asked.
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
        &["hubs::in_subscription"],
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
        &["provisioning/services::get"],
    ),
    data_row(
        Feature::Observe,
        "Microsoft.Devices/provisioningServices/enrollmentGroups/read",
        PermissionScope::ProvisioningService,
        Role::Resources,
        &["provisioning/groups::list", "provisioning/groups::get"],
    ),
    // How many devices registered before their group was assigned.
    data_row(
        Feature::Observe,
        "Microsoft.Devices/provisioningServices/registrationStates/read",
        PermissionScope::ProvisioningService,
        Role::Resources,
        &["provisioning/groups/registrations::registrations_before"],
    ),
    row(
        Feature::Sync,
        "Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action",
        PermissionScope::Namespace,
        Role::Resources,
        &["registry/mod::synchronize", "registry/credentials::synchronize"],
    ),
    row(
        Feature::Sync,
        "Microsoft.DeviceRegistry/locations/operationStatuses/read",
        PermissionScope::Subscription,
        Role::Subscription,
        &["arm/mod::operation_status"],
    ),
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
    // A group with symmetric keys is read without them and would be written without them.
    data_row(
        Feature::Assign,
        "Microsoft.Devices/provisioningServices/attestationmechanism/details/action",
        PermissionScope::ProvisioningService,
        Role::Resources,
        &["provisioning/groups::attestation"],
    ),
    data_row(
        Feature::Queue,
        "Microsoft.ServiceBus/namespaces/messages/send/action",
        PermissionScope::Queues,
        Role::ServiceBusDataSender,
        &["service_bus/mod::send"],
    ),
    // `announce`, by whoever creates groups.
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
    // Reading what was parked: the host receives for the app, so only a person's commands do it.
    Permission {
        who: Who::Person,
        ..data_row(
            Feature::Queue,
            "Microsoft.ServiceBus/namespaces/messages/receive/action",
            PermissionScope::ParkedQueue,
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
    // The container is made by the first write that finds it missing.
    row(
        Feature::Records,
        "Microsoft.Storage/storageAccounts/blobServices/containers/write",
        PermissionScope::StorageAccount,
        Role::StorageBlobDataOwner,
        &["store::create", "store::update", "store::put"],
    ),
];

#[cfg(test)]
mod tests;
