//! Foresees the outcome of a sync request from one look at Azure. It writes nothing and submits nothing.

use certificate_management::ArmId;
use certificate_management::configuration::Freeze;
use certificate_management::generation::Generation;
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::plan::{self, Observation, Pair, RequestPlan};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::About;
use certificate_management::request::{Outcome, SyncRequest};
use certificate_management::trust::{Evidence, Trust};
use serde::Serialize;

use crate::failure;
use crate::fleet::Fleet;
use crate::observation::{Observer, soon};

/// What would happen to a pair of a hub and a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Would {
    /// Nothing: the hub trusts it.
    AlreadyTrusted,
    /// A sync would give the hub the CA.
    Sync,
    /// The request does not name it, and the sync would cover it too.
    SyncToo,
    /// The app would look for its evidence, since the service pushes by itself.
    Verify,
    /// Nothing: the request would be refused.
    Refuse,
    /// Nothing. The request does not name it, but it is out of sync as well.
    NotAskedFor,
}

impl Would {
    /// The same as a phrase.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::AlreadyTrusted => "nothing, already-trusted",
            Self::Sync => "would sync",
            Self::SyncToo => "would sync too, not asked for",
            Self::Verify => "would verify",
            Self::Refuse => "refused",
            Self::NotAskedFor => "nothing, not asked for",
        }
    }
}

/// The trust of a pair now, and what would happen to it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PairVerdict {
    /// Name of the hub.
    pub hub: String,
    /// Name of the policy.
    pub policy: String,
    /// Whether the hub trusts it now.
    pub trust: Trust,
    /// Why the trust is judged so.
    pub why: String,
    /// What would happen.
    pub would: Would,
    /// Why, where there is more to say.
    pub reason: Option<Reason>,
    /// What was seen on the hub.
    pub evidence: Option<Evidence>,
}

/// What would become of a request as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Foreseen {
    /// Nothing: every hub trusts.
    AlreadyTrusted,
    /// A sync of the namespace.
    Sync,
    /// A look for evidence, since the service pushes by itself.
    Verify,
    /// A further look: this one could not tell.
    Undecided,
    /// Nothing: it would be refused.
    Refuse,
}

/// The outcome of the request as a whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What would become of it.
    pub plan: Foreseen,
    /// Why it would be refused.
    pub reason: Option<Reason>,
    /// With the particulars.
    pub detail: Option<String>,
    /// What to do about that.
    pub next_step: Option<String>,
}

/// Looks at Azure once, and plans the request.
///
/// # Errors
/// When the namespace cannot be read.
pub async fn planned(
    fleet: &Fleet,
    request: &SyncRequest,
) -> Result<(Verdict, Vec<PairVerdict>), azure::Error> {
    let configured = fleet.configuration.namespace(&request.namespace_id);
    let situation = match configured {
        Some(configuration) => {
            Situation::of(configuration, fleet.kill_switch, Caller::Person).at(fleet.now())
        }
        None => Situation::of_fleet(fleet.kill_switch, Caller::Person),
    };
    let refused = |reason, detail, situation: &Situation<'_>| {
        let next_step = Some(next_step::of(reason, situation));
        Verdict { plan: Foreseen::Refuse, reason: Some(reason), detail: Some(detail), next_step }
    };
    let planned = |plan, detail| Verdict { plan, reason: None, detail, next_step: None };
    let Some(configuration) = configured else {
        let detail = format!("policysync.toml has no namespace {}", request.namespace_id);
        return Ok((refused(Reason::NamespaceNotConfigured, detail, &situation), Vec::new()));
    };
    let observation = match Observer::new(fleet).namespace(configuration, soon()).await {
        Ok(observation) => observation,
        Err(error) if failure::reason(&error, About::Namespace) == Reason::NamespaceNotFound => {
            return Ok((refused(Reason::NamespaceNotFound, error.to_string(), &situation), Vec::new()));
        }
        Err(error) => return Err(error),
    };
    let situation = situation.in_generation(observation.namespace.generation);
    let freeze = configuration.frozen(None, fleet.now()).map(Freeze::why);
    let plan = plan::plan_request(request, fleet.mode(configuration), &observation);
    let plan = plan.unless_frozen(request, freeze.as_deref());
    let rows = rows(request, &plan, &observation);
    let verdict = match plan {
        RequestPlan::AlreadyTrusted(_) => planned(Foreseen::AlreadyTrusted, None),
        RequestPlan::Sync(_) => planned(Foreseen::Sync, None),
        RequestPlan::Verify(_) => planned(Foreseen::Verify, None),
        RequestPlan::Undecided { detail, .. } => planned(Foreseen::Undecided, Some(detail)),
        RequestPlan::Refuse { reason: Reason::AuditMode, detail, .. } if fleet.kill_switch => {
            refused(Reason::AuditMode, format!("{detail}: POLICYSYNC_MODE=audit is set here"), &situation)
        }
        RequestPlan::Refuse { reason, detail, .. } => refused(reason, detail, &situation),
    };
    Ok((verdict, rows))
}

/// Every pair that the request is for, and every other that is out of sync.
fn rows(request: &SyncRequest, plan: &RequestPlan, observation: &Observation) -> Vec<PairVerdict> {
    let row = |pair: Pair<'_>| {
        let is_asked_for = plan::covers(request, &pair);
        let is_trusted = pair.assessment.trust.admits_current();
        let (would, reason) = match plan {
            RequestPlan::Refuse { reason, hubs, .. } if is_asked_for => {
                let own = hubs.iter().find(|hub| hub.hub == pair.hub.name && hub.policy == pair.policy.name);
                match own {
                    Some(hub) if hub.outcome == Outcome::AlreadyTrusted => {
                        (Would::AlreadyTrusted, hub.reason)
                    }
                    _ => (Would::Refuse, Some(*reason)),
                }
            }
            _ if is_asked_for && is_trusted => (Would::AlreadyTrusted, None),
            _ if is_trusted => return None,
            _ if pair.has_ended => {
                (if is_asked_for { Would::Refuse } else { Would::NotAskedFor }, Some(Reason::CaExpired))
            }
            RequestPlan::Verify(hubs) | RequestPlan::Undecided { hubs, .. } if is_asked_for => {
                let own = hubs.iter().find(|hub| hub.hub == pair.hub.name && hub.policy == pair.policy.name);
                (Would::Verify, own.and_then(|hub| hub.reason))
            }
            RequestPlan::Sync(_) if pair.policy.generation() == Generation::CertificateAuthorities => {
                (if is_asked_for { Would::Verify } else { Would::NotAskedFor }, None)
            }
            // A hub that could not be read is no need, so no sync is made for it.
            RequestPlan::Sync(_) if !pair.needs_sync() => {
                (if is_asked_for { Would::Verify } else { Would::NotAskedFor }, Some(Reason::HubUnreadable))
            }
            RequestPlan::Sync(_) if is_asked_for => (Would::Sync, None),
            RequestPlan::Sync(_) => (Would::SyncToo, None),
            _ => (Would::NotAskedFor, None),
        };
        Some(PairVerdict {
            hub: pair.hub.name.clone(),
            policy: pair.policy.name.clone(),
            trust: pair.assessment.trust,
            why: pair.assessment.why,
            would,
            reason,
            evidence: pair.assessment.evidence.as_deref().cloned(),
        })
    };
    observation.pairs().into_iter().filter_map(row).collect()
}

/// The plan of a request, for programs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanView<'a> {
    /// The id that the caller chose.
    pub request_id: Option<&'a str>,
    /// Its namespace.
    pub namespace_id: &'a ArmId,
    /// Always true.
    pub dry_run: bool,
    /// What would become of it.
    pub plan: Foreseen,
    /// Why it would be refused.
    pub reason: Option<Reason>,
    /// The particulars, as a sentence.
    pub detail: Option<&'a str>,
    /// What a person does next, where there is a reason.
    pub next_step: Option<&'a str>,
    /// Every pair that the request is for, and every other that is out of sync.
    pub hubs: &'a [PairVerdict],
}

/// The plan for a program. `request_id` is one that the caller chose.
#[must_use]
pub fn document<'a>(
    request: &'a SyncRequest,
    request_id: Option<&'a str>,
    verdict: &'a Verdict,
    rows: &'a [PairVerdict],
) -> PlanView<'a> {
    PlanView {
        request_id,
        namespace_id: &request.namespace_id,
        dry_run: true,
        plan: verdict.plan,
        reason: verdict.reason,
        detail: verdict.detail.as_deref(),
        next_step: verdict.next_step.as_deref(),
        hubs: rows,
    }
}
