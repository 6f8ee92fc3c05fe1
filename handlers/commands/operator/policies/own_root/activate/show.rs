//! Shows an activation to a person and to a program. The JSON is `policysync-activation/v1`: later versions add members.

use certificate_chain::{Summary, Verdict};
use certificate_management::generation::Generation;
use certificate_management::next_step;
use certificate_management::plan::condition::Demands;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::groups::Waiting;
use super::hubs::{self, HubProof};
use crate::commands::operator::policies::own_root::lint;
use crate::commands::operator::policies::own_root::named::Named;
use crate::commands::screen::Screen;
use crate::commands::table::{self, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The chain has faults, and nothing was sent.
    Refused,
    /// Nothing was sent; `--apply` would.
    Planned,
    /// The authority works with the chain since this run.
    Activated,
    /// The authority worked with the chain before this run, and nothing was sent.
    AlreadyActive,
    /// The service has refused the chain.
    Failed,
    /// It is not known yet whether the authority works with the chain.
    Waiting,
}

/// What there is to know before anything is sent.
pub struct Plan<'a> {
    /// The authority.
    pub named: &'a Named<'a>,
    /// Whether `POLICYSYNC_MODE=audit` is set.
    pub kill_switch: bool,
    /// Whether a window of `freeze` is open.
    pub is_frozen: bool,
    /// SHA-256 of the key of its request; `None`: none waits.
    pub key: Option<String>,
    /// The certificates of the chain.
    pub certificates: &'a [Summary],
    /// What there is to know about them.
    pub warnings: Vec<Verdict>,
    /// Until when the service takes the chain; `None`: it has it already.
    pub activate_until: Option<OffsetDateTime>,
    /// Names of the policies that issue with the authority.
    pub policies: Vec<String>,
    /// The groups that wait for it.
    pub waiting: Waiting,
}

/// What came of it, with its particulars.
pub struct Shown<'a> {
    /// What came of it.
    pub outcome: Outcome,
    /// The run, where something was written or tried.
    pub run: Option<String>,
    /// The service's words, or what is not known.
    pub detail: Option<String>,
    /// What each hub shows.
    pub hubs: &'a [HubProof],
}

/// For a program: a chain that is refused.
pub fn refusal(name: &str, faults: &[Verdict], warnings: &[Verdict]) -> String {
    table::json(&json!({
        "schema": "policysync-activation/v1",
        "name": name,
        "outcome": Outcome::Refused,
        "proven": false,
        "faults": faults,
        "warnings": warnings,
    }))
}

/// For a program: everything.
pub fn document(plan: &Plan<'_>, result: &Shown<'_>) -> String {
    let authority = &plan.named.authority;
    let until: Option<Value> =
        plan.activate_until.and_then(|until| until.format(&Rfc3339).ok()).map(Value::from);
    table::json(&json!({
        "schema": "policysync-activation/v1",
        "name": authority.name,
        "namespaceId": plan.named.configuration.id,
        "id": authority.id,
        "status": authority.status,
        "keySha256": plan.key,
        "certificates": plan.certificates,
        "warnings": plan.warnings,
        "activateUntil": until,
        "policies": plan.policies,
        "waiting": plan.waiting,
        "run": result.run,
        "outcome": result.outcome,
        "detail": result.detail,
        "proven": hubs::is_proven(result.hubs),
        "hubs": result.hubs,
        "faults": [],
    }))
}

/// For a person: what is about to be done.
pub fn plan(plan: &Plan<'_>) -> Screen {
    let authority = &plan.named.authority;
    let follows = match authority.generation {
        Generation::CertificateAuthorities => "the service pushes it to every linked hub",
        Generation::Credentials => "the hubs get it by a sync of the whole namespace",
    };
    let mut groups: Vec<String> = plan.waiting.groups.iter().map(|group| line(group)).collect();
    groups.extend(plan.waiting.unread.iter().map(|why| format!("not all could be read: {}", line(why))));
    let listed = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join("\n") };
    let rows = [
        ("authority", Some(format!("{} in {}", line(&authority.name), plan.named.configuration.id.name()))),
        ("status", Some(line(&authority.status))),
        ("works until", authority.not_after.map(|end| end.date().to_string())),
        ("SHA-256 of the request's key", plan.key.clone()),
        ("activate it by", plan.activate_until.map(|until| until.date().to_string())),
        ("then", Some(follows.to_owned())),
        ("its policies", Some(listed(plan.policies.iter().map(|name| line(name)).collect()))),
        ("groups that wait for it", Some(listed(groups))),
    ];
    let rows = rows.into_iter().filter_map(|(what, value)| Some(vec![what.to_owned(), value?]));
    let certificates = plan.certificates.iter().map(|one| {
        vec![
            one.position.to_string(),
            line(&one.subject),
            one.not_after.date().to_string(),
            one.sha256.clone(),
        ]
    });
    Screen::default()
        .table(Table::of(&["activation", ""], rows))
        .table(Table::of(&["", "subject", "valid until", "SHA-256"], certificates).titled(2))
        .table(lint::verdicts(&[], &plan.warnings))
}

/// For a person: the proof, and what came of it.
pub fn result(plan: &Plan<'_>, result: &Shown<'_>) -> Screen {
    let name = line(&plan.named.authority.name);
    let is_proven = hubs::is_proven(result.hubs);
    let verdict = match (result.outcome, is_proven) {
        (Outcome::Refused | Outcome::Failed, _) => format!("The service did not activate {name}."),
        (Outcome::Planned, _) => {
            let configuration = plan.named.configuration;
            let demands = Demands::of_namespace(&configuration.id, 1, configuration.mode, plan.is_frozen);
            let next = next_step::to_apply("does it", &demands, plan.kill_switch);
            format!("Nothing was sent. {next}")
        }
        (Outcome::Waiting, _) => format!("Whether {name} works with this chain is not known yet."),
        (Outcome::Activated, true) => format!("{name} works with this chain, and every hub trusts it."),
        (Outcome::Activated, false) => {
            format!("{name} works with this chain, and not every hub was seen to trust it.")
        }
        (Outcome::AlreadyActive, true) => {
            format!("{name} works with this chain already, and every hub trusts it. Nothing was sent.")
        }
        (Outcome::AlreadyActive, false) => format!(
            "{name} works with this chain already, and not every hub was seen to trust it. Nothing was sent."
        ),
    };
    let tone = match result.outcome {
        Outcome::Refused | Outcome::Failed => Tone::Bad,
        Outcome::Planned => Tone::Strong,
        Outcome::Activated | Outcome::AlreadyActive if is_proven => Tone::Good,
        Outcome::Activated | Outcome::AlreadyActive | Outcome::Waiting => Tone::Caution,
    };
    let header = ["hub", "trust", "thumbprint on the hub", "why, and what to do"];
    let screen = Screen::verdict(tone, verdict)
        .text(result.detail.as_deref().map(line).unwrap_or_default())
        .table(Table::of(&header, result.hubs.iter().map(row)).titled(2).states(1));
    let screen = match result.hubs.is_empty() {
        true => screen.text("No hub is linked to the namespace, or none could be read."),
        false => screen,
    };
    screen.text(result.run.as_ref().map_or_else(String::new, |run| format!("Run {run}.")))
}

fn row(hub: &HubProof) -> Vec<String> {
    let thumbprint = hub.evidence.as_ref().and_then(|evidence| evidence.thumbprint.clone());
    let next_step = hub.next_step.as_ref().map(|next| format!("\n→ {}", line(next)));
    let why = format!("{}{}", line(&hub.why), next_step.unwrap_or_default());
    vec![line(&hub.hub), hub.trust.to_string(), thumbprint.unwrap_or_default(), why]
}

#[cfg(test)]
mod tests {
    use azure::OwnAuthority;
    use certificate_management::configuration::Configuration;
    use certificate_management::generation::NamespaceGeneration;
    use certificate_management::model::{Namespace, ProvisioningState};
    use certificate_management::trust::Trust;
    use time::macros::datetime;

    use super::*;
    use crate::commands::golden::{self, GROUP, HUB, NAMESPACE, POLICY, SERVICE};

    fn hub(name: &str, trust: Trust, why: &str, next_step: Option<&str>) -> HubProof {
        HubProof {
            hub: name.to_owned(),
            trust,
            evidence: None,
            why: why.to_owned(),
            next_step: next_step.map(str::to_owned),
            comes: false,
        }
    }

    #[test]
    fn the_golden_activations_fit_the_width() {
        let text = format!("[[namespace]]\nid = \"{NAMESPACE}\"\nmode = \"audit\"\n");
        let configuration = Configuration::parse(&text).unwrap().namespaces.remove(0);
        let id = configuration.id.child("certificateAuthorities", "assembly-lines-ica");
        let named = Named {
            namespace: Namespace {
                id: configuration.id.clone(),
                location: "westeurope".to_owned(),
                provisioning_state: ProvisioningState::Succeeded,
                generation: NamespaceGeneration::CertificateAuthorities,
                links: Vec::new(),
            },
            authority: OwnAuthority {
                id,
                name: "assembly-lines-ica".to_owned(),
                generation: Generation::CertificateAuthorities,
                provisioning_state: ProvisioningState::Succeeded,
                status: "PendingActivation".to_owned(),
                signing_request: None,
                thumbprint: None,
                not_after: None,
            },
            configuration: &configuration,
        };
        let sha256 = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".to_owned();
        let certificates = [Summary {
            position: 1,
            subject: "CN=07b5d73a70e046f288ddc64518bc517e".to_owned(),
            issuer: "O=Contoso Manufacturing, CN=Contoso Plants Root CA".to_owned(),
            key: "EC P-384".to_owned(),
            not_before: datetime!(2026-11-01 00:00 UTC),
            not_after: datetime!(2028-11-01 00:00 UTC),
            sha256: sha256.clone(),
            sha1: "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3".to_owned(),
        }];
        let activation = Plan {
            named: &named,
            kill_switch: false,
            is_frozen: false,
            key: Some(sha256),
            certificates: &certificates,
            warnings: Vec::new(),
            activate_until: Some(datetime!(2027-11-01 00:00 UTC)),
            policies: vec![POLICY.to_owned()],
            waiting: Waiting { groups: vec![format!("{SERVICE}/{GROUP}")], unread: Vec::new() },
        };
        let hubs = [
            hub(HUB, Trust::Trusted, "it has this certificate", None),
            hub(
                "contoso-manufacturing-hub-west-europe-2",
                Trust::Missing,
                "namespace contoso-manufacturing-west-europe has no messaging endpoint for it",
                Some(
                    "Link the hub from the namespace (`az iot adr ns link`), and run the same command again.",
                ),
            ),
        ];
        let shown = |outcome, run: Option<&str>, hubs| Shown {
            outcome,
            run: run.map(str::to_owned),
            detail: None,
            hubs,
        };
        let planned = result(&activation, &shown(Outcome::Planned, None, &[]));
        let text = planned.plain(80);
        assert!(text.contains("--apply --even-in-audit does it"), "{text}");
        let run = Some("01M85A71M08CPV9XGR0PSFA70F");
        let activated = result(&activation, &shown(Outcome::Activated, run, &hubs));
        golden::compare("activate", &plan(&activation).and(planned).and(activated), &[]);
    }
}
