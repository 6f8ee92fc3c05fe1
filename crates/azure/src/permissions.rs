//! The permissions of the app, one row per call: feature, action, scope and who. `infra/modules/permissions.json` is
//! written from this table, and the roles in `infra/` are made from that file, so the identity can do what the code
//! calls and nothing more.
//!
//! A test reads the sources of the clients and fails for a call without a row, and for a row without a call. Actions are
//! those of `azure-wire-facts.md` §6; the rows that no public source confirms are [`Evidence::Inferred`].

mod document;
mod table;

use certificate_management::generation::Generation;
pub use certificate_management::readiness::roles::grant_command;

pub use self::document::to_json;
pub use self::table::PERMISSIONS;

/// The feature of the app that needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Looking: the status report, and the look before any decision.
    Observe,
    /// Syncing policies to hubs.
    Sync,
    /// Giving policies to enrollment groups.
    Assign,
    /// Making the certificate authorities and policies that the file declares: by the app with `manage = true`, and by people
    /// with `policies apply`.
    Declare,
    /// Activating an authority under the customer's own root.
    OwnRoot,
    /// Putting requests, follow-ups and parked messages on a queue.
    Queue,
    /// Keeping records.
    Records,
    /// Reading the configuration where it is a blob, and uploading it.
    Configuration,
}

impl Feature {
    /// In kebab-case, e.g. `observe`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Sync => "sync",
            Self::Assign => "assign",
            Self::Declare => "declare",
            Self::OwnRoot => "own-root",
            Self::Queue => "queue",
            Self::Records => "records",
            Self::Configuration => "configuration",
        }
    }
}

/// The narrowest scope on which the action can be granted.
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
    /// The custom topic.
    Topic,
    /// The storage account of the app, which is the host's too.
    StorageAccount,
    /// The container of the configuration, and nothing else of its account.
    ConfigurationContainer,
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
            Self::Topic => "topic",
            Self::StorageAccount => "storage-account",
            Self::ConfigurationContainer => "configuration-container",
        }
    }
}

/// The role that grants an action.
///
/// Azure refuses the definition of a role whole when it does not know one of its actions, so a role of its own holds
/// the actions that only one generation of the service has; a deployment makes the roles that it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Our own role, for namespaces, hubs and provisioning services.
    Resources,
    /// Our own role, for subscriptions.
    Subscription,
    /// Our own role, for namespaces with a credential.
    Credentials,
    /// Our own role, for namespaces with certificate authorities.
    CertificateAuthorities,
    /// Our own role, for provisioning services with groups whose devices have symmetric keys.
    SymmetricKeys,
    /// Our own role, for namespaces with a credential whose policies the app makes as the file declares them.
    DeclaredCredentials,
    /// Our own role, for namespaces whose certificate authorities the app makes as the file declares them.
    DeclaredCertificateAuthorities,
    /// Built in: `Azure Service Bus Data Sender`.
    ServiceBusDataSender,
    /// Built in: `Azure Service Bus Data Receiver`.
    ServiceBusDataReceiver,
    /// Built in: `EventGrid Data Sender`.
    EventGridDataSender,
    /// Built in: `Device Provisioning Service Data Reader`.
    ProvisioningServiceDataReader,
    /// Built in: `Reader`.
    Reader,
    /// Built in: `Azure Device Registry Administrator`. The role that documentation names for certificate authorities has
    /// actions on credentials only (`azure-wire-facts.md` §6).
    DeviceRegistryAdministrator,
    /// Built in: `Storage Blob Data Reader`.
    StorageBlobDataReader,
    /// Built in: `Storage Blob Data Contributor`.
    StorageBlobDataContributor,
    /// Built in: `Storage Blob Data Owner`, which the Functions host needs on the same account anyway.
    StorageBlobDataOwner,
}

impl Role {
    /// Our own roles.
    pub const OWN: &[Self] = &[
        Self::Resources,
        Self::Subscription,
        Self::Credentials,
        Self::CertificateAuthorities,
        Self::SymmetricKeys,
        Self::DeclaredCredentials,
        Self::DeclaredCertificateAuthorities,
    ];

    /// As `permissions.json` names it: e.g. `resources`, or the name of a built-in role.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Subscription => "subscription",
            Self::Credentials => "credentials",
            Self::CertificateAuthorities => "certificate-authorities",
            Self::SymmetricKeys => "symmetric-keys",
            Self::DeclaredCredentials => "declared-credentials",
            Self::DeclaredCertificateAuthorities => "declared-certificate-authorities",
            Self::ServiceBusDataSender => "Azure Service Bus Data Sender",
            Self::ServiceBusDataReceiver => "Azure Service Bus Data Receiver",
            Self::EventGridDataSender => "EventGrid Data Sender",
            Self::ProvisioningServiceDataReader => "Device Provisioning Service Data Reader",
            Self::Reader => "Reader",
            Self::DeviceRegistryAdministrator => "Azure Device Registry Administrator",
            Self::StorageBlobDataReader => "Storage Blob Data Reader",
            Self::StorageBlobDataContributor => "Storage Blob Data Contributor",
            Self::StorageBlobDataOwner => "Storage Blob Data Owner",
        }
    }
}

impl Role {
    /// The name of one of our own roles in the tenant, before the token in parentheses that tells several apps apart,
    /// and the description in its definition; `None` for a built-in role.
    #[must_use]
    pub fn definition(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Resources => (
                "Policysync",
                "What Policysync does with the namespaces, IoT hubs and provisioning services that it looks after.",
            ),
            Self::Subscription => (
                "Policysync finder",
                "What Policysync reads across a subscription: where hubs and provisioning services are, and how operations go.",
            ),
            Self::Credentials => (
                "Policysync credentials",
                "What Policysync does with the credential and the policies of a namespace of the first generation.",
            ),
            Self::CertificateAuthorities => (
                "Policysync certificate authorities",
                "What Policysync reads of the certificate authorities of a namespace of the second generation.",
            ),
            Self::SymmetricKeys => (
                "Policysync symmetric keys",
                "Reads the symmetric keys of enrollment groups, so that Policysync can write such a group without changing them.",
            ),
            Self::DeclaredCredentials => (
                "Policysync declared credentials",
                "Makes the credential of a namespace of the first generation and its policies as policysync.toml declares them. It revokes and deletes nothing.",
            ),
            Self::DeclaredCertificateAuthorities => (
                "Policysync declared certificate authorities",
                "Makes the certificate authorities of a namespace of the second generation and their policies as policysync.toml declares them. It revokes, rotates and deletes nothing.",
            ),
            _ => return None,
        })
    }
}

/// Where the name of an action is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Microsoft's documentation or a built-in role names it (`azure-wire-facts.md` §6).
    Published,
    /// It follows ARM's rule for the names of actions; no public source has it. `az provider operation show` tells.
    Inferred,
}

impl Evidence {
    /// In kebab-case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Inferred => "inferred",
        }
    }
}

/// Who needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The identity of the function app.
    App,
    /// A person who runs a command, with a login of their own. The templates grant nothing to people.
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
    /// The feature that needs it.
    pub feature: Feature,
    /// The action, as role definitions name it.
    pub action: &'static str,
    /// Whether it is a data action.
    pub data: bool,
    /// The scope on which it is granted.
    pub scope: PermissionScope,
    /// Who needs it.
    pub who: Who,
    /// The role that grants it.
    pub role: Role,
    /// The generation of the service whose namespaces need it; `None`: both do.
    pub generation: Option<Generation>,
    /// Where the name of the action is known from.
    pub evidence: Evidence,
    /// The calls that need it: `file::function` below `crates/azure/src` or `crates/state/src`.
    pub calls: &'static [&'static str],
}

impl Permission {
    /// The provider of the action, e.g. `Microsoft.DeviceRegistry`.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.action.split('/').next().unwrap_or_default()
    }

    /// The command that grants it. `role` is the role's name in the tenant, where the names of our own roles end in a
    /// token.
    #[must_use]
    pub fn grant_command(&self, role: &str, principal_id: &str, scope_id: &str) -> String {
        grant_command(role, principal_id, scope_id)
    }
}

#[cfg(test)]
mod tests;
