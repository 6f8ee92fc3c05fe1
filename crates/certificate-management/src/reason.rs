//! Every reason code: what it means, how bad it is, what to do next.
//!
//! Codes are stable and kebab-case: pipelines match on them. The rows of `RUNBOOK.md` are written from here.

pub mod failure;

use serde::{Deserialize, Serialize};

/// How much a person is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// No person is needed.
    Information,
    /// A person should look this week.
    Warning,
    /// Devices fail now, or will soon.
    Critical,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}

macro_rules! reasons {
    ($($variant:ident $code:literal $severity:ident $meaning:literal $next_step:literal)*) => {
        /// Why something was decided, refused or reported.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum Reason {
            $(#[doc = $meaning] #[serde(rename = $code)] $variant,)*
        }

        impl Reason {
            /// Every reason there is, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable code, e.g. `audit-mode`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// How much a person is needed.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What it means, as one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do next, as one sentence.
            #[must_use]
            pub const fn next_step(self) -> &'static str {
                match self { $(Self::$variant => $next_step,)* }
            }
        }
    };
}

reasons! {
    // Sync requests.
    AuditMode "audit-mode" Information
        "The namespace is in audit mode, so no function writes to it."
        "Set `mode = \"enforce\"` for the namespace in policysync.toml (and unset POLICYSYNC_MODE) when its plan looks right."
    Frozen "frozen" Information
        "A window of `freeze` in policysync.toml is open, so everything is planned and nothing is written."
        "Nothing, if it can wait: after the window the next reconcile, or the same request again, does it. In an emergency a person writes with `--break-freeze` and a `--reason`."
    NamespaceNotConfigured "namespace-not-configured" Warning
        "The request names a namespace that policysync.toml does not."
        "Check the ARM id in the request, or add a [[namespace]] with this id to policysync.toml."
    NamespaceNotFound "namespace-not-found" Critical
        "Azure does not know the namespace, or certificate management is not enabled on it."
        "Check the id, and that the namespace has a credential (Azure portal: Credential policies)."
    NotPermitted "not-permitted" Critical
        "The identity of the function app may not do what was tried."
        "Grant the role that the message names; role assignments take minutes to arrive."
    ServiceUnavailable "service-unavailable" Warning
        "Azure throttled the call, failed or did not answer; it is tried again by itself."
        "Nothing, unless it lasts: then look at Azure's status page and at the log of the invocation."
    ServiceRejected "service-rejected" Critical
        "Azure rejected the call and would reject it again."
        "Read the service's message; it names what does not fit."
    AddressOutsideCloud "address-outside-cloud" Critical
        "An address that the file or Azure names is outside the configured cloud, so nothing was sent to it."
        "Correct the address that the message names: `provisioning_services` in policysync.toml, or POLICYSYNC_ARM_ENDPOINT. In the public cloud it begins with `https://` and is of that very service; with another POLICYSYNC_ARM_ENDPOINT everything is at its host and port. No role changes that."
    NamespaceLocked "namespace-locked" Critical
        "A lock on the namespace, or on what it belongs to, keeps Azure from syncing it."
        "Remove the lock that the detail names (`az lock list`), then submit again; a lock does not go by waiting."
    SyncConflict "sync-conflict" Warning
        "Azure refused the sync because of another operation on the namespace, until the deadline had passed."
        "Look at the namespace's activity log for what goes on there, then submit again."
    RequestIdTaken "request-id-taken" Warning
        "The id of the request belongs to an earlier request that asks for something else."
        "Give it another id; the message is kept in the parked queue."
    UnknownHub "unknown-hub" Warning
        "The request names a hub that is not linked to the namespace."
        "Check the hub's name, and its link to the namespace in Azure."
    UnknownPolicy "unknown-policy" Warning
        "The request names a policy that the namespace does not have."
        "Check the policy's name against the namespace's credential policies."
    PolicyNotActive "policy-not-active" Warning
        "The policy has no active issuing CA, so there is nothing to sync."
        "Wait until its provisioning state is Succeeded; activate it if it brings its own root."
    NoHubsLinked "no-hubs-linked" Warning
        "No IoT hub is linked to the namespace within the configured scopes."
        "Link a hub to the namespace, or add the hub's subscription to `scopes`."
    NoPolicies "no-policies" Warning
        "The namespace has no active policy."
        "Make a policy in the namespace, below a certificate authority or, in the older generation, below its credential."
    SyncCoversWholeNamespace "sync-covers-whole-namespace" Warning
        "The request names some hubs or policies, but a sync covers the whole namespace and others are out of sync too."
        "Submit it again with `allowWholeNamespace: true` if syncing everything is meant; a sync cannot be undone."
    SyncRunning "sync-running" Information
        "A sync of the namespace is running; its evidence is looked for when it ends."
        "Wait; the request's page shows the outcome of each hub."
    SyncFailed "sync-failed" Critical
        "Azure says that the sync failed, and the hub does not trust the policy."
        "Read the service's message; check the namespace identity's roles on the hub, then submit again."
    EvidenceMissing "evidence-missing" Critical
        "The sync ended, but the hub did not show the policy's current CA before the deadline."
        "Check the hub's link and the namespace identity's Contributor role on the hub, then submit again."
    HubUnreadable "hub-unreadable" Critical
        "The certificates of the hub could not be read, so whether it trusts any policy is not known."
        "Grant Microsoft.Devices/IotHubs/Certificates/Read on the hub, or read the message for the service's error."
    LinkMissing "link-missing" Critical
        "The namespace has no link to the hub, so the service pushes no certificate authority to it."
        "Link the hub from the namespace (`az iot adr ns link`); the service then pushes the authority to it."
    LinkInProgress "link-in-progress" Warning
        "The link between the namespace and the hub is still being made."
        "Wait; if it lasts, look at the endpoint's linkingState on the namespace."
    LinkFailed "link-failed" Critical
        "The link between the namespace and the hub failed, so no certificate authority is pushed to the hub."
        "Do what the detail says about the service's error, and link the hub again; the service then pushes the authority to it."
    PushAwaited "push-awaited" Information
        "The hub is linked, and the service pushes the certificate authority to it by itself; its evidence is looked for."
        "Wait: the service pushes it by itself."
    PushMissing "push-missing" Critical
        "The hub is linked, but the service did not push the policy's certificate authority to it before the deadline."
        "Check the namespace identity's roles on the hub, and that the authority was made after the hub was linked."
    ApiVersionRejected "api-version-rejected" Critical
        "Azure does not answer the API version that Policysync uses for this generation of the service."
        "Update Policysync, or set `api_generation` to the generation that the namespace has; the message names the versions on offer."
    PreviewSurprise "preview-surprise" Information
        "The service sends members or values that this version of Policysync does not know."
        "Nothing at once: they are kept out of every decision. Look for a newer version of Policysync."
    HubGone "hub-gone" Warning
        "The hub was unlinked or deleted while the request was under way."
        "Nothing, if that was meant; else link the hub again."
    // Messages.
    MessageNotJson "message-not-json" Warning
        "The message on the queue is not a JSON object."
        "Correct the sender; the message is kept in the parked queue."
    MessageUnknownSchema "message-unknown-schema" Warning
        "The message has a schema that this version does not know."
        "Update Policysync or the sender; the message is kept in the parked queue."
    MessageInvalid "message-invalid" Warning
        "A field of the message is missing or wrong."
        "Correct the field that the detail names; the message is kept in the parked queue."
    // Assignment.
    Assigned "assigned" Information
        "The group was given the policy that the rules name."
        "Nothing."
    AlreadyAssigned "already-assigned" Information
        "The group has the policy that the rules name."
        "Nothing."
    AssignedElsewhere "assigned-elsewhere" Information
        "The group names another policy than the rules do; it is left alone."
        "Set `reassign = true` on the rule if the rules should win; `default_policy` never does."
    NoRuleMatches "no-rule-matches" Warning
        "No rule matches the group, so it has no policy and its devices get no certificate."
        "Add a rule for the group, or one with `policy = \"none\"` if it should have none; `default_policy` is for all the rest."
    RuleSaysNone "rule-says-none" Information
        "A rule, or the default, says that the group gets no policy."
        "Nothing."
    OptedOut "opted-out" Information
        "A tag of the group's initial twin says that it is to be left alone."
        "Nothing, if that was meant; else remove the tag that the detail names from the group's initial twin."
    PolicyNotFound "policy-not-found" Critical
        "The policy that the group or a rule names does not exist in the namespace."
        "Correct the name in policysync.toml or on the group, or create the policy."
    PolicyAmbiguous "policy-ambiguous" Critical
        "A policy is named by its own name alone, and several certificate authorities of the namespace have one of that name."
        "Write it as `authority/policy`."
    PreviousGeneration "previous-generation" Warning
        "The group names a policy of the previous generation of the service, in a namespace that has certificate authorities."
        "State its successor as [[namespace.migration]], look at `policysync plan`, then run `policysync assign --migrate --apply`."
    ReferenceUnclear "reference-unclear" Warning
        "The group names a policy in part, or one of each generation; it is left alone."
        "Correct the group by hand, or with `policysync assign`: all three names of a certificate policy, or none."
    ReferenceForeign "reference-foreign" Information
        "The group names a policy of another namespace; it is left alone."
        "Nothing, if that was meant; else correct the group by hand, or with `policysync assign`."
    LinkNotReady "link-not-ready" Warning
        "The provisioning service does not know that it is linked to the namespace, so it takes no policy for a group."
        "Wait some minutes after linking: each reconcile tries again. If it lasts, write a tag of the provisioning service, which tells it anew."
    LinkNeedMissing "link-need-missing" Warning
        "A link of the namespace lacks what it needs: a role of an identity, the same region, a tier that has it, or an order in which things are made."
        "Do what the detail says; `policysync check` shows each need. Devices of the hub keep working until a CA has to be pushed."
    WaitingForTrust "waiting-for-trust" Warning
        "A hub of the group does not trust the policy's current CA yet, so assigning now would give devices certificates that it refuses."
        "Nothing where the service pushes it, or where `mode = \"enforce\"` and `sync = \"automatic\"` are set; with `sync = \"ask\"`, `policysync submit --namespace ID`. In audit mode no sync is asked for."
    HubsUnknown "hubs-unknown" Warning
        "A hub that the group can allocate devices to is not known, or could not be seen, so nothing shows that it trusts the policy; the group waits."
        "Make the hub visible as the detail says: name its subscription in `scopes`, link it to the namespace, grant the roles to read it, or link the provisioning service to a hub."
    AttestationUnknown "attestation-unknown" Warning
        "The devices of the group prove who they are in a way that this version does not know, so a write could lose what the service does not show; nothing was written."
        "Assign the policy by hand, or look for a newer version of Policysync."
    WriteWouldChangeMore "write-would-change-more" Critical
        "Writing the policy would have changed something else of the group too, so nothing was written."
        "Assign the policy by hand, and report the group's shape."
    SymmetricKeysUnreadable "symmetric-keys-unreadable" Warning
        "The devices of the group have symmetric keys that the identity may not read; a write without them would replace them, so nothing was written."
        "Deploy with `symmetricKeyAccess = true` if Policysync is to assign such groups; else give them a rule with `policy = \"none\"`."
    GroupMoved "group-moved" Warning
        "Another writer kept changing the group while it was being assigned; nothing was written."
        "Nothing; the next reconcile looks again."
    GroupExists "group-exists" Warning
        "A new enrollment group was asked for, and there is one of this id; it was not touched."
        "Choose another id, or assign a policy to the group that exists."
    PolicyOfAnotherNamespace "policy-of-another-namespace" Warning
        "The group's provisioning service belongs to another namespace than the policy, so it cannot name it."
        "Name a group of the same namespace to copy from."
    Held "held" Information
        "A hold is in force on the group, so no function and no command writes it: a person has taken an assignment back, or keeps the group as it is."
        "Nothing, if that is still meant; else correct the rules, then end the hold with `policysync holds release GROUP --reason TEXT`."
    HoldUnknown "hold-unknown" Warning
        "Whether the group is held could not be learnt, since the records could not be read; nothing was written."
        "Nothing, unless it lasts: then check the storage account's network rules and the identity's Storage Blob Data Owner role."
    GroupGone "group-gone" Information
        "The group does not exist any more."
        "Nothing."
    GroupUnreadable "group-unreadable" Warning
        "The enrollment groups of the provisioning service could not be read."
        "Check the identity's Device Provisioning Service Data role, and the endpoint in policysync.toml."
    // Findings.
    PolicyMissing "policy-missing" Critical
        "A linked hub has no CA certificate of the policy: it refuses the policy's devices."
        "Nothing where the service pushes it, or where `mode = \"enforce\"` and `sync = \"automatic\"` are set; with `sync = \"ask\"`, `policysync submit --namespace ID`. In audit mode no sync is asked for."
    PolicyStale "policy-stale" Critical
        "A linked hub has only an older CA of the policy: it refuses devices with new certificates."
        "Nothing where the service pushes it, or where `mode = \"enforce\"` and `sync = \"automatic\"` are set; with `sync = \"ask\"`, `policysync submit --namespace ID`. In audit mode no sync is asked for."
    CaLeftover "ca-leftover" Warning
        "A linked hub still has an older CA of the policy beside the current one."
        "Delete the older certificate on the hub once no device uses a certificate from it."
    CaRemovedEarly "ca-removed-early" Information
        "A linked hub no longer has an older CA of the policy, of which device certificates may still be valid: it refuses them."
        "Nothing, where devices register again at their provisioning service by themselves when a hub refuses them; else make them do so. By the day of the message the last of those certificates has ended."
    CaExpiring "ca-expiring" Warning
        "The issuing CA of a policy ends soon."
        "Expect a rotation by the service, or renew it if it is signed by your own root. In the older generation a sync follows."
    CaExpired "ca-expired" Critical
        "The issuing CA of a policy has ended: no device certificate under it is valid."
        "Rotate or renew the issuing CA. In the older generation a sync follows."
    GroupUnassigned "group-unassigned" Warning
        "An enrollment group has no policy, so its devices get no operational certificate."
        "Nothing where `mode = \"enforce\"` is set: the next event or reconcile writes it. `policysync explain` shows why it is to have which policy."
    CaShorterThanLeaf "ca-shorter-than-leaf" Warning
        "The issuing CA of a policy ends before a device certificate that is issued today or within a week would."
        "Have the CA renewed now, or shorten the leaf validity; until then devices get shorter certificates, or none."
    HubCertificateWithoutPolicy "hub-certificate-without-policy" Warning
        "A linked hub has a CA certificate of a policy that the namespace does not have any more."
        "Delete the certificate on the hub once no device uses a certificate from it."
    HubCertificateLimit "hub-certificate-limit" Warning
        "A linked hub has almost as many CA certificates as a hub can have."
        "Delete certificates on the hub that no device needs any more, before the next rotation or policy."
    GroupPolicyChanged "group-policy-changed" Warning
        "An enrollment group does not have the policy any more that Policysync gave it; another writer changed it."
        "Ask who changed it: write a rule for what is meant, or take it back with `policysync assign`."
    DevicesBeforePolicy "devices-before-policy" Warning
        "Devices registered with an enrollment group before it had its policy, so they have no operational certificate."
        "Let these devices register again once the group has its policy: a restart does, or a new provisioning call."
    OwnRootPendingActivation "own-root-pending-activation" Warning
        "The issuing CA of a policy waits for its certificate, signed by the customer's own root."
        "`policysync policies csr` shows the policy's signing request and how to sign it with your root; check the chain with `policysync policies lint`, and hand it back with `policysync policies activate`."
    OwnRootPendingRenewal "own-root-pending-renewal" Warning
        "The issuing CA of a policy works, and a renewal of it waits for the signature of the customer's own root."
        "`policysync policies csr` shows the new signing request and how to sign it with your root; `policysync policies activate` checks the chain and hands it back. In the older generation a sync follows."
    DeclaredBlocked "declared-blocked" Warning
        "An authority or a policy that policysync.toml declares is there and cannot be made as declared, or what it stands under is not."
        "Correct policysync.toml as the message says; Policysync never replaces an authority or a policy."
    DeclaredRefused "declared-refused" Warning
        "The service refused to make or change an authority or a policy that policysync.toml declares."
        "Read the service's message: correct the value in policysync.toml, or grant the role. It is tried again within an hour."
    DeclaredNotKept "declared-not-kept" Warning
        "The service took a write of what policysync.toml declares, and did not keep it."
        "Look at the resource's activity log in Azure, and correct the value in policysync.toml. It is tried again after a day."
    DeclaredWaitsForLink "declared-waits-for-link" Warning
        "Declared authorities wait until a hub is linked to the namespace, since an authority is pushed to linked hubs."
        "Link a hub to the namespace (`az iot adr ns link`)."
    ServiceNotNamed "provisioning-service-not-named" Warning
        "A provisioning service is linked to the namespace, and policysync.toml does not name it: its enrollment groups are neither assigned nor counted."
        "Add it to `provisioning_services` of the namespace in policysync.toml."
    NamespaceNotNamed "namespace-not-named" Information
        "Hubs or provisioning services in the scopes of a namespace are linked to another namespace, which policysync.toml does not name."
        "Add it to policysync.toml as a [[namespace]], or keep the finding quiet with a [[suppress]] where it is not for Policysync."
    NamespaceNotSucceeded "namespace-not-succeeded" Warning
        "The provisioning state of the namespace is not Succeeded."
        "Look at the namespace's activity log in Azure; a write that failed has to be repeated."
    ReportOverdue "report-overdue" Warning
        "The report before this one is older than it should be."
        "Look at the invocations of `report-policy-status` in that time, and whether the app was running."
    ConfigurationRefused "configuration-refused" Warning
        "The newest version of the configuration in its blob cannot be used, so an earlier one stays in force; where only the records have one, nothing is written."
        "Correct the file; `policysync config push FILE` checks it, shows what it would do, and says how it is uploaded. Or make an earlier version of the blob the newest one again."
    ConfigurationUnreadable "configuration-unreadable" Warning
        "The blob with the configuration cannot be read, so the version that was read last stays in force; where only the records have one, nothing is written."
        "Read the message. Gone: restore the blob, or upload the file as `policysync config push FILE` says. Denied: grant the app's identity Storage Blob Data Reader on the container. Else look at the storage account's network rules."
    ConfigurationMissing "configuration-missing" Warning
        "The message waited for hours, and in that time there was no version of the configuration by which it could be handled."
        "`policysync config show` says what is wrong with the blob. Once the app has a version in force, the message can be sent from the parked queue once more."
    SectionStale "section-stale" Warning
        "What is known of the namespace is older than it should be."
        "Look at the invocations of `report-policy-status`: each goes on with the namespaces that it has not seen for longest."
    ReconcilePartial "reconcile-partial" Information
        "A run of `reconcile-assignments` does not come to every namespace."
        "Read how long a whole walk takes; each run goes on with the namespaces that waited longest."
    PermissionMissing "permission-missing" Critical
        "The identity of the function app may not read something that it must read."
        "Grant the role that has the action which the message names; role assignments take minutes to arrive."
    RecordsUnreadable "records-unreadable" Warning
        "Records of Policysync itself could not be read, so the report says nothing about them."
        "Check the storage account's network rules and the identity's Storage Blob Data Owner role. Where the message says that what is stored is not JSON, or a record of another type, restore an earlier version of the blob that it names; where there is none, delete that blob, and ask again for each request that stays `queued`, with its id."
    SuppressionExpired "suppression-expired" Warning
        "A suppression of policysync.toml has passed its end date."
        "Correct what it kept quiet, or give it a new date; delete it when there is nothing to keep quiet."
    NamespaceUnreadable "namespace-unreadable" Critical
        "The namespace could not be read, so nothing is known of it."
        "Read the message for the service's error; check the id and the identity's roles."
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_kebab_case_and_the_serde_name() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert!(reason.code().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{reason}");
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{reason}\""));
        }
    }
}
