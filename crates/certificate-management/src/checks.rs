//! The checks: each looks for one kind of trouble in what was observed. One file per check, each a pure function over
//! [`Facts`].
//!
//! A check that cannot know says nothing: [`CheckId::Unreadable`] and [`CheckId::PermissionMissing`] report what could
//! not be read, so that one missing role does not look like a hundred broken policies.

mod bring_your_own_root;
mod ca_expiring;
mod ca_leftover;
mod ca_removed_early;
mod ca_shorter_than_leaf;
mod configuration_behind;
mod declared_resource;
mod devices_before_policy;
mod group_dangling;
mod group_policy_changed;
mod group_previous_generation;
mod group_unassigned;
mod hub_certificate_limit;
mod hub_certificate_without_policy;
mod hub_untrusting;
mod ladder;
mod link_unready;
mod not_in_file;
mod nothing_to_sync;
mod permission_missing;
mod preview_surprise;
mod reconcile_partial;
mod report_overdue;
mod section_stale;
mod state_not_succeeded;
mod suppression_expired;
mod sync_unverified;
#[cfg(test)]
pub(crate) mod testing;
mod unreadable;

use serde::{Deserialize, Serialize};

use crate::configuration::{CaExpiring, HubCertificateLimit, Thresholds};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::next_step;
use crate::reason::Severity;

macro_rules! checks {
    ($($variant:ident $code:literal $severity:ident $module:ident $description:literal $next_step:literal)*) => {
        /// A check, by its stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum CheckId {
            $(#[doc = $description] #[serde(rename = $code)] $variant,)*
        }

        impl CheckId {
            /// Every check there is, in the order of the runbook.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable code, e.g. `ca-expiring`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// How much a person is needed, unless the check knows better for one finding.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// One sentence that says what the check looks for.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)* }
            }

            /// What to do about what it finds, more than the reason of a finding says. Links are relative to `RUNBOOK.md`.
            #[must_use]
            pub const fn next_step(self) -> &'static str {
                match self { $(Self::$variant => $next_step,)* }
            }

            fn run(self, facts: &Facts<'_>) -> Vec<Finding> {
                match self { $(Self::$variant => $module::check(facts),)* }
            }
        }
    };
}

checks! {
    CaExpiring "ca-expiring" Warning ca_expiring
        "The issuing CA of a policy ends soon or has ended; told again at each step of a ladder of days."
        "A CA that the service manages is rotated by the service: look whether it was, and sync then. Renew one \
         that your own root signs: sign its request and activate it."
    CaShorterThanLeaf "ca-shorter-than-leaf" Warning ca_shorter_than_leaf
        "The issuing CA of a policy ends before a device certificate that is issued today or within a week would."
        "Have the CA renewed now, or shorten the leaf validity of the policy: until then devices get shorter \
         certificates, or none."
    HubUntrusting "hub-untrusting" Critical hub_untrusting
        "A linked hub does not trust the current issuing CA of a policy: it has none, or an older one."
        "Do what the finding says. Where that is a sync, `policysync submit --namespace ID --wait` shows its outcome per hub. Do \
         not provision devices to that hub before."
    CaLeftover "ca-leftover" Warning ca_leftover
        "A linked hub still has an older CA of a policy beside the current one."
        "Wait until the last device certificate of the older CA has ended; the message says when, where the older CA was \
         seen at work, and else it is one leaf validity after the rotation. Then delete the certificate that the evidence \
         names on the hub."
    CaRemovedEarly "ca-removed-early" Information ca_removed_early
        "A linked hub no longer has an older CA of a policy, of which device certificates may still be valid."
        "A sync takes the older CA from the hubs, so this follows most rotations: devices that the hub refuses register again at \
         their provisioning service. Where yours do not do so by themselves, make them; the message says until when there may \
         be any. A short leaf validity keeps that time short."
    HubCertificateWithoutPolicy "hub-certificate-without-policy" Warning hub_certificate_without_policy
        "A linked hub has a CA certificate of a policy that the namespace does not have."
        "Find out which devices still use its certificates; when there are none, delete the certificate on the \
         hub."
    HubCertificateLimit "hub-certificate-limit" Warning hub_certificate_limit
        "A linked hub has almost as many CA certificates as a hub can have, and a sync needs one more for each new CA."
        "Delete certificates on the hub that no device needs, those of `ca-leftover` and \
         `hub-certificate-without-policy` first."
    GroupUnassigned "group-unassigned" Warning group_unassigned
        "An enrollment group has no policy, so its devices get no operational certificate."
        "`policysync explain GROUP` shows each rule that was tried. Add a rule, or do what the finding \
         says of the hub that it waits for."
    GroupDangling "group-dangling" Critical group_dangling
        "An enrollment group names a policy that the namespace does not have."
        "Correct the name on the group, or create the policy. Devices that provision now get no operational \
         certificate."
    GroupPolicyChanged "group-policy-changed" Warning group_policy_changed
        "Another writer changed the policy of an enrollment group that Policysync had assigned."
        "Ask who changed it. Where that is meant, write a rule for it; else `policysync assign --from GROUP --to \
         GROUP` takes it back."
    DevicesBeforePolicy "devices-before-policy" Warning devices_before_policy
        "Devices registered with an enrollment group before it had its policy."
        "Let them register again once the group has its policy. Create groups with `policysync group create`, or \
         `announce` them, so that no device comes first."
    GroupPreviousGeneration "group-previous-generation" Warning group_previous_generation
        "An enrollment group names a policy of the previous generation of the service, in a namespace that has the next one."
        "State what takes the place of its policy as `[[namespace.migration]]`, look at `policysync plan`, then \
         run `policysync assign --migrate --apply` ([docs/generations.md](docs/generations.md))."
    BringYourOwnRoot "bring-your-own-root" Warning bring_your_own_root
        "A policy under the customer's own root waits for its activation or renewal; a renewal is told again at each step \
         of the ladder of `ca-expiring`."
        "`policysync policies csr` shows the request and how to sign it with your root; `policysync policies activate \
         --apply` hands back the chain and proves it on every hub ([docs/authorities.md](docs/authorities.md)). The \
         message of a renewal names the day by which that must be done."
    DeclaredResource "declared-resource" Warning declared_resource
        "With `manage = true`: an authority or a policy that policysync.toml declares cannot be made so without a person."
        "Do what the finding says: it names the key, the service's own words, or the link or signature that is missing. \
         `policysync policies apply` shows the whole plan, with `--apply` it tries again at once ([docs/authorities.md](docs/authorities.md))."
    StateNotSucceeded "state-not-succeeded" Warning state_not_succeeded
        "The provisioning state of a namespace or policy is not Succeeded."
        "Read the activity log of the resource in Azure, and repeat the write that failed."
    LinkUnready "link-unready" Warning link_unready
        "A link of a namespace to a hub or a provisioning service does not stand, or lacks a role, a region or a tier that it needs. \
         Where a hub lacks a CA because of it, `hub-untrusting` tells so instead."
        "`policysync check` shows the roles, regions, tiers and states that the links need, each with its next step. A hub \
         whose link does not stand gets no new CA."
    NothingToSync "nothing-to-sync" Warning nothing_to_sync
        "A namespace has no linked hub within the configured scopes."
        "Link a hub to the namespace, or add the subscription of its hubs to `scopes`."
    NotInFile "not-in-file" Warning not_in_file
        "A provisioning service that is linked to a namespace, or a namespace that hubs in its scopes are linked to, is not named in policysync.toml."
        "Name it: the service in `provisioning_services` of its namespace, the namespace as a `[[namespace]]` of its own. Where it is \
         not for Policysync, keep the finding quiet with a `[[suppress]]`."
    SyncUnverified "sync-unverified" Critical sync_unverified
        "A sync ended or failed without the evidence that a hub trusts the policy."
        "Check the hub's link and the roles of the namespace's identity on the hub, then submit the sync again."
    ReportOverdue "report-overdue" Warning report_overdue
        "The report before this one is older than it should be: the timer did not fire, or its runs failed."
        "Look at the invocations of `report-policy-status` in the gap, and whether the app was stopped or could \
         not reach its storage."
    ConfigurationBehind "configuration-behind" Warning configuration_behind
        "The newest version of the configuration in its blob is not in force: it cannot be used, or the blob cannot be read. The last \
         good version stays in force."
        "Do what the finding says; it clears with the first run after a good version was read. \
         [docs/configuration.md](docs/configuration.md) says how to go back to an earlier version."
    SectionStale "section-stale" Warning section_stale
        "What the report says of a namespace was seen longer ago than it should be: the runs did not come to it."
        "Look at the invocations of `report-policy-status`: whether they fail, or are cut off, or whether the fleet needs \
         more calls than the budget of its subscription has in that time."
    ReconcilePartial "reconcile-partial" Information reconcile_partial
        "A run of reconcile-assignments does not come to every namespace, so that a whole walk takes several runs."
        "Nothing, where that is soon enough: an event about a group is handled at once, and this walk catches what no event has \
         told. Else find out why visits are slow, or divide the fleet between two apps with an identity each."
    PermissionMissing "permission-missing" Critical permission_missing
        "The identity may not read something that it must read."
        "Grant the action that the finding names on the resource that it names; `policysync check` shows whether \
         it arrived."
    Unreadable "unreadable" Critical unreadable
        "A namespace, hub, provisioning service or record could not be read."
        "Read the message: an id that is wrong, a network rule, or a service that fails. What stands in the \
         report about it is nothing, not good news."
    PreviewSurprise "preview-surprise" Information preview_surprise
        "The service sends members or values that this version does not know; they are kept out of every decision."
        "Nothing at once. Look for a newer version of Policysync, and report the names that the message gives."
    SuppressionExpired "suppression-expired" Warning suppression_expired
        "A [[suppress]] of policysync.toml has passed its end date and suppresses nothing any more."
        "Correct what it kept quiet, or give it a new date; delete it when there is nothing to keep quiet."
}

impl CheckId {
    /// Its row in the runbook.
    #[must_use]
    pub fn runbook(self) -> String {
        format!("RUNBOOK.md#check-{}", self.code())
    }

    /// Its thresholds with their values, as a person reads them; empty for a check without any.
    #[must_use]
    pub fn thresholds(self, thresholds: &Thresholds) -> String {
        // `[checks]` holds them under the code of their check. They are numbers and lists of numbers, which can always
        // be written as JSON.
        let all = serde_json::to_value(thresholds).unwrap_or_default();
        let members = all[self.code()].as_object().into_iter().flatten();
        let texts = members.map(|(key, value)| format!("{key} = {}", value.to_string().replace(',', ", ")));
        texts.collect::<Vec<_>>().join(", ")
    }
}

impl CheckId {
    /// From when on it tells what it looks for, with the thresholds in words; `None` for a check without any.
    #[must_use]
    pub fn told_when(self, thresholds: &Thresholds) -> Option<String> {
        let minutes = |minutes: u32| format!("{minutes} {}", if minutes == 1 { "minute" } else { "minutes" });
        let days = |days: u16| format!("{days} {}", if days == 1 { "day" } else { "days" });
        Some(match self {
            Self::CaExpiring => {
                let CaExpiring { days: ladder, critical_days } = &thresholds.ca_expiring;
                format!("Told {}; critical from {} before the end on.", steps(ladder), days(*critical_days))
            }
            Self::BringYourOwnRoot => {
                let CaExpiring { days: ladder, critical_days } = &thresholds.ca_expiring;
                let critical = days(*critical_days);
                format!("A renewal is told {}; critical from {critical} before the end on.", steps(ladder))
            }
            Self::HubCertificateLimit => {
                let HubCertificateLimit { limit, margin } = thresholds.hub_certificate_limit;
                format!(
                    "Told from {} certificates on; a hub takes {limit}, and with so many it is critical.",
                    limit.saturating_sub(margin)
                )
            }
            Self::GroupUnassigned => format!(
                "A new group that the next reconcile gives its policy is told when it is {} old.",
                minutes(thresholds.group_unassigned.minutes)
            ),
            Self::SyncUnverified => {
                format!("Told for {} after the end of the sync.", days(thresholds.sync_unverified.days))
            }
            Self::ReportOverdue => {
                format!(
                    "Told when the report before is more than {} old.",
                    minutes(thresholds.report_overdue.minutes)
                )
            }
            Self::SectionStale => {
                format!("Told when that was more than {} ago.", minutes(thresholds.section_stale.minutes))
            }
            _ => return None,
        })
    }
}

/// The days of a ladder in words.
fn steps(days: &[u16]) -> String {
    let texts: Vec<String> = days.iter().map(u16::to_string).collect();
    match texts.split_last() {
        None => "at no step, since `days` is empty".to_owned(),
        Some((only, [])) => format!("{only} {} before the end", if only == "1" { "day" } else { "days" }),
        Some((last, before)) => format!("{} and {last} days before the end", before.join(", ")),
    }
}

impl std::fmt::Display for CheckId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

/// Every finding of every check, the worst first, each once.
#[must_use]
pub fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let found = CheckId::ALL.iter().flat_map(|check| check.run(facts));
    let mut findings: Vec<Finding> = found.map(|finding| with_next_step(finding, facts)).collect();
    put_in_order(&mut findings, |finding| finding);
    findings
}

/// With what is to be done where it was found, unless the check knows better than the reason.
fn with_next_step(finding: Finding, facts: &Facts<'_>) -> Finding {
    match finding.next_step == finding.reason.next_step() {
        true => {
            let next_step = next_step::of(finding.reason, &facts.situation(&finding.subject));
            finding.with_next_step(next_step)
        }
        false => finding,
    }
}

/// The most urgent first, each once; the order depends on nothing but the findings.
pub(crate) fn put_in_order<T>(findings: &mut Vec<T>, finding: impl Fn(&T) -> &Finding) {
    findings.sort_by(|a, b| {
        let (a, b) = (finding(a), finding(b));
        let by_urgency = a.urgency().cmp(&b.urgency());
        by_urgency.then_with(|| (a.check, &a.subject.text, &a.id).cmp(&(b.check, &b.subject.text, &b.id)))
    });
    findings.dedup_by(|a, b| finding(a).id == finding(b).id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_shown_as_the_configuration_writes_them() {
        let shown = |check: CheckId| check.thresholds(&Thresholds::default());
        assert_eq!(shown(CheckId::CaExpiring), "days = [90, 60, 30, 14, 7, 1], critical_days = 14");
        assert_eq!(shown(CheckId::HubCertificateLimit), "limit = 25, margin = 3");
        assert_eq!(shown(CheckId::NothingToSync), "");
        let with_some = CheckId::ALL.iter().filter(|check| !shown(**check).is_empty()).count();
        let all = serde_json::to_value(Thresholds::default()).unwrap();
        assert_eq!(
            with_some,
            all.as_object().unwrap().len(),
            "a table of [checks] is not the code of a check"
        );
    }

    #[test]
    fn the_words_about_thresholds_are_made_of_the_thresholds() {
        let words = |check: CheckId, text: &str| {
            let id = crate::checks::testing::NAMESPACE;
            let text = format!("{text}\n[[namespace]]\nid = \"{id}\"");
            check.told_when(&crate::configuration::Configuration::parse(&text).unwrap().checks).unwrap()
        };
        for (check, text, told) in [
            (
                CheckId::CaExpiring,
                "",
                "Told 90, 60, 30, 14, 7 and 1 days before the end; critical from 14 days before the end on.",
            ),
            (
                CheckId::CaExpiring,
                "[checks.ca-expiring]\ndays = [40, 20]\ncritical_days = 20",
                "Told 40 and 20 days before the end; critical from 20 days before the end on.",
            ),
            (
                CheckId::HubCertificateLimit,
                "[checks.hub-certificate-limit]\nlimit = 10\nmargin = 4",
                "Told from 6 certificates on; a hub takes 10, and with so many it is critical.",
            ),
            (
                CheckId::ReportOverdue,
                "[checks.report-overdue]\nminutes = 1",
                "Told when the report before is more than 1 minute old.",
            ),
        ] {
            assert_eq!(words(check, text), told);
        }
        for check in CheckId::ALL {
            let texts = [check.description(), check.next_step()];
            assert!(
                check.told_when(&Thresholds::default()).is_none()
                    || !texts.concat().contains(|c: char| c.is_ascii_digit()),
                "{check}: a number of a threshold belongs into `told_when`"
            );
            assert!(
                check.thresholds(&Thresholds::default()).is_empty()
                    || check.told_when(&Thresholds::default()).is_some(),
                "{check}: its thresholds have no words"
            );
        }
    }

    #[test]
    fn every_check_says_what_to_do_in_a_cell_of_a_table() {
        for check in CheckId::ALL {
            let next_step = check.next_step();
            assert!(next_step.len() > 20 && !next_step.contains(['|', '\n']), "{check}: {next_step}");
        }
    }
}
