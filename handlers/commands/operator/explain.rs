//! `explain`: shows which rules were tried for a group, what matched, what did not and why, and what the plan would do.
//!
//! It reads a group that exists from Azure. Flags describe a group that does not exist yet, and then it needs the
//! configuration only. It writes nothing.

mod live;
mod print;

use std::process::ExitCode;

use ambient::Ambient;
use certificate_management::configuration::{Configuration, Examined, Freeze, Mode, NamespaceConfiguration};
use certificate_management::generation::NamespaceGeneration;
use certificate_management::hold::Hold;
use certificate_management::milestones::Milestone;
use certificate_management::model::{Attestation, EnrollmentGroup};
use certificate_management::plan::{self, AssignmentPlan};
use certificate_management::reason::Reason;
use certificate_management::rules::{self, Subject};
use clap::Args;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::person::STATE;
use super::table::Output;
use super::{USAGE, fail, reader};
use crate::application;
use crate::fleet::Fleet;
use crate::holds::Known;
use crate::observation::LinkedService;
use crate::settings::{self, FleetSettings, StateSettings};

#[derive(Args)]
pub struct Arguments {
    /// The enrollment group: its id, or DPS/ID where several DPS have one of this id.
    #[arg(value_name = "[DPS/]GROUP")]
    group: String,
    /// The namespace, by ARM id or by name; needed where several could be meant.
    #[arg(long, value_name = "ID")]
    namespace: Option<String>,
    /// Describe a group that does not exist yet: a tag of its initial twin. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Describe it: x509-ca-reference, x509-signing-certificate, symmetric-key or tpm.
    #[arg(long, value_name = "KIND", value_parser = attestation)]
    attestation: Option<Attestation>,
    /// Describe it: name or host name of a hub that it can allocate to. May be repeated.
    #[arg(long, value_name = "HUB")]
    hubs: Vec<String>,
    /// Describe it: devices cannot provision through it.
    #[arg(long)]
    disabled: bool,
    /// Explain from the configuration alone, without reading Azure; a description by flags implies it.
    #[arg(long)]
    offline: bool,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Why there is no explanation.
#[derive(Debug, PartialEq, Eq)]
enum Unexplained {
    /// The arguments are wrong.
    Usage(String),
    /// A call or a file has failed.
    Failed(String),
}

/// Where the facts of the group come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum Source {
    /// The group exists and was read.
    Live,
    /// No such group exists; only its id is known.
    Absent,
    /// The flags describe it; Azure was not asked.
    Described,
}

/// A group with everything that the explanation shows.
struct Explained<'a> {
    namespace: &'a NamespaceConfiguration,
    mode: Mode,
    kill_switch: bool,
    /// When it is explained: a window of `freeze` may be open then.
    now: OffsetDateTime,
    generation: NamespaceGeneration,
    /// The name of its DPS, where it is known.
    provisioning_service: Option<String>,
    source: Source,
    subject: Subject,
    plan: AssignmentPlan,
    /// What keeps the group from being written beside the mode.
    restraint: Restraint,
    /// How far the group is on the way to its policy; empty where it is not known, or the rules want none.
    milestones: Vec<Milestone>,
}

/// What keeps a group from being written beside the mode.
#[derive(Debug, Default)]
struct Restraint {
    /// Its hold, as a sentence; nothing where it is not held, or is not known to be.
    hold: Option<String>,
    /// Why it is not known whether it is held: then no function writes it either, as long as that lasts.
    hold_unknown: Option<String>,
    /// The window of `freeze` that is open.
    freeze: Option<String>,
}

impl Restraint {
    /// Of a group that does not exist yet: with these tags, or without any that are known.
    fn foreseen(
        namespace: &NamespaceConfiguration,
        tags: Option<&Map<String, Value>>,
        now: OffsetDateTime,
    ) -> Self {
        Self { freeze: namespace.frozen(tags, now).map(Freeze::why), ..Self::default() }
    }

    /// Of a group that was found.
    async fn of(
        fleet: &Fleet,
        namespace: &NamespaceConfiguration,
        service: &str,
        group: &EnrollmentGroup,
    ) -> Self {
        let (hold, hold_unknown) = match read_hold(fleet, service, &group.id).await {
            Ok(Known::Read(holds)) => {
                (holds.as_ref().and_then(|holds| holds.in_force()).map(Hold::why), None)
            }
            Ok(Known::Unread(why)) | Err(why) => (None, Some(why)),
            Ok(Known::NoRecords) => (None, Some(STATE.to_owned())),
        };
        Self { hold, hold_unknown, ..Self::foreseen(namespace, Some(&group.tags), fleet.now()) }
    }

    /// The plan as the steps on the way to the policy have to see it: what would be written and is not.
    fn applied(&self, plan: &AssignmentPlan) -> AssignmentPlan {
        match self.reason() {
            Some((reason, why)) if plan.write.is_some() => {
                AssignmentPlan { write: None, reason, detail: why.to_owned(), ..plan.clone() }
            }
            _ => plan.clone(),
        }
    }

    /// The reason that it gives, with the particulars.
    fn reason(&self) -> Option<(Reason, &str)> {
        let held = self.hold.as_deref().map(|why| (Reason::Held, why));
        held.or_else(|| self.freeze.as_deref().map(|why| (Reason::Frozen, why)))
    }
}

/// What the records say of the hold of a group.
async fn read_hold(fleet: &Fleet, service: &str, group: &str) -> Result<Known, String> {
    let kept = StateSettings::if_kept(&settings::environment()).map_err(|error| error.to_string())?;
    let Some(kept) = kept else { return Ok(Known::NoRecords) };
    let store = application::records(&kept, &fleet.azure, &fleet.ambient.randomness);
    let store = store.map_err(|error| format!("AzureWebJobsStorage: {error}"))?;
    Ok(Known::read(Some(&store), service, group).await)
}

pub async fn run(arguments: Arguments) -> ExitCode {
    match explain(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Unexplained::Failed(message)) => fail(&message),
        Err(Unexplained::Usage(message)) => {
            complain!("{message}");
            ExitCode::from(USAGE)
        }
    }
}

async fn explain(arguments: &Arguments) -> Result<(), Unexplained> {
    let settings = reader::settings().map_err(|error| Unexplained::Failed(error.to_string()))?;
    let text = reader::configuration_text(&settings).await.map_err(|problem| {
        Unexplained::Failed(format!("{problem}\nSet POLICYSYNC_CONFIG to the path of a policysync.toml."))
    })?;
    let path = &settings.configuration;
    let Examined { configuration, problems, .. } = Configuration::examine(&text)
        .map_err(|error| Unexplained::Failed(format!("the configuration {path} cannot be used:\n{error}")))?;
    // A failing rule test is a good reason to ask for an explanation, so the command does not refuse one because of it.
    for problem in problems {
        complain!("{path}: {problem}");
    }
    let wanted = Wanted::of(arguments);
    let is_described = arguments.offline
        || arguments.disabled
        || arguments.attestation.is_some()
        || !arguments.tags.is_empty()
        || !arguments.hubs.is_empty();
    if is_described {
        let candidates = wanted.candidates(&configuration, true)?;
        let now = Ambient::of_system().now();
        let explained = described(arguments, &wanted, only(&candidates)?, &settings, now);
        print::show(&explained, arguments.output);
        return Ok(());
    }
    let fleet = reader::fleet(&settings, configuration)
        .map_err(|error| Unexplained::Failed(format!("{error}\n{OFFLINE}")))?;
    let candidates = wanted.candidates(&fleet.configuration, false)?;
    let explained = live::explain(&fleet, &wanted, &candidates).await?;
    print::show(&explained, arguments.output);
    Ok(())
}

const OFFLINE: &str = "`--offline`, or a description of the group by flags, needs the configuration only.";

fn described<'a>(
    arguments: &Arguments,
    wanted: &Wanted<'_>,
    namespace: &'a NamespaceConfiguration,
    settings: &FleetSettings,
    now: OffsetDateTime,
) -> Explained<'a> {
    let tags = arguments.tags.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    let subject = Subject {
        tags: tags.collect::<Map<String, Value>>(),
        attestation: arguments.attestation,
        hubs: arguments.hubs.clone(),
        enabled: !arguments.disabled,
        ..Subject::named(wanted.group)
    };
    let plan = plan::foresee_assignment(wanted.group, rules::decide(namespace, &subject));
    Explained {
        namespace,
        mode: namespace.effective_mode(settings.kill_switch),
        kill_switch: settings.kill_switch,
        now,
        generation: NamespaceGeneration::default(),
        provisioning_service: wanted.service.map(str::to_owned),
        source: Source::Described,
        restraint: Restraint::foreseen(namespace, Some(&subject.tags), now),
        subject,
        plan,
        milestones: Vec::new(),
    }
}

/// The group as the person names it.
struct Wanted<'a> {
    group: &'a str,
    /// The name of its DPS.
    service: Option<&'a str>,
    namespace: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Ids of groups have no slash (`azure-wire-facts.md` §3).
    fn of(arguments: &'a Arguments) -> Self {
        let (service, group) = match arguments.group.split_once('/') {
            Some((service, group)) => (Some(service), group),
            None => (None, arguments.group.as_str()),
        };
        Self { group, service, namespace: arguments.namespace.as_deref() }
    }

    /// The namespaces that the person can mean. `by_configuration`: compares the DPS with the names in the file, since
    /// Azure is not asked.
    fn candidates<'c>(
        &self,
        configuration: &'c Configuration,
        by_configuration: bool,
    ) -> Result<Vec<&'c NamespaceConfiguration>, Unexplained> {
        if self.group.is_empty() || self.group.contains('/') {
            return Err(Unexplained::Usage("GROUP is the id of a group, or DPS/ID".to_owned()));
        }
        let mut found = reader::namespaces(configuration, self.namespace).map_err(Unexplained::Usage)?;
        if let Some(service) = self.service.filter(|_| by_configuration) {
            found.retain(|namespace| {
                namespace.provisioning_services.iter().any(|known| is_service(service, known))
            });
            if found.is_empty() {
                let message =
                    format!("no namespace of the configuration has a provisioning service `{service}`");
                return Err(Unexplained::Usage(message));
            }
        }
        Ok(found)
    }
}

/// Whether a DPS is the one that the configuration names by endpoint or ARM id.
fn is_service(name: &str, configured: &str) -> bool {
    let service = LinkedService {
        endpoint: String::new(),
        name: name.to_owned(),
        hubs: Vec::new(),
        id: None,
        generation: NamespaceGeneration::default(),
    };
    service.is_named(configured)
}

/// The only candidate.
fn only<'c>(candidates: &[&'c NamespaceConfiguration]) -> Result<&'c NamespaceConfiguration, Unexplained> {
    match candidates {
        [one] => Ok(one),
        several => Err(Unexplained::Usage(format!(
            "several namespaces could be meant; name one with --namespace, or the DPS as DPS/GROUP:\n{}",
            names(several)
        ))),
    }
}

fn names(namespaces: &[&NamespaceConfiguration]) -> String {
    namespaces.iter().map(|namespace| format!("  {}", namespace.as_typed())).collect::<Vec<_>>().join("\n")
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a tag is NAME=VALUE".to_owned()),
    }
}

fn attestation(text: &str) -> Result<Attestation, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| {
        "the kinds are x509-ca-reference, x509-signing-certificate, symmetric-key, tpm and other".to_owned()
    })
}

#[cfg(test)]
mod tests;
