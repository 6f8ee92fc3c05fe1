//! `policies activate`: hands the service the chain that answers the signing request of an authority, and proves on every
//! hub that it is trusted.
//!
//! - [`standing`]: how far the authority is with this chain. The same command again finds out, and sends nothing twice.
//! - [`earlier`]: what earlier runs have sent. [`sending`]: sends it, records it and follows it.
//! - [`hubs`]: the proof. [`groups`]: who waits for it. [`show`]: what the person sees of it.

mod earlier;
mod groups;
mod hubs;
mod sending;
mod show;
mod standing;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use certificate_chain::{Linted, Summary};
use certificate_management::generation::Generation;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use tokio::time::{Instant, sleep};

use self::earlier::Earlier;
use self::hubs::HubProof;
use self::sending::{Ended, Sent};
use self::show::{Outcome, Plan};
use self::standing::Standing;
use super::named::{self, Named};
use super::{file, lint, pending};
use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::intent::Intent;
use crate::commands::operator::person::{self, Person};
use crate::commands::operator::progress::Progress;
use crate::commands::table::Output;
use crate::commands::terminal::line;
use crate::links;
use crate::observation::{Observer, soon};

/// How long it waits without `--timeout`: as long as Azure's own tools do.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// Pause before the second look at the hubs; each further one is longer.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between two looks at the hubs, which draw from the budget of the subscription.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// Exit code when something is not proven yet.
const WAITS: u8 = 3;

#[derive(Args)]
pub struct Arguments {
    /// A certificate authority, a policy, or AUTHORITY/POLICY.
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The chain as PEM: the signed certificate first, then each that signed the one before it.
    #[arg(long, value_name = "FILE")]
    chain: PathBuf,
    /// The namespace, by ARM id or by name; needed where several could be meant.
    #[arg(long, value_name = "ID")]
    namespace: Option<String>,
    /// Activate it. That cannot be undone.
    #[arg(long)]
    apply: bool,
    /// Activate also where policysync.toml has the namespace in audit mode.
    #[arg(long, requires = "apply")]
    even_in_audit: bool,
    #[command(flatten)]
    intent: Intent,
    /// How long to wait at most until every hub trusts; ten minutes without it.
    #[arg(long, value_name = "SECONDS", requires = "apply", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode, CommandFailure> {
    // The file comes first, so that a key in it is refused before anything is asked or sent.
    let bytes = file::read(&arguments.chain)?;
    let certificates = match certificate_chain::certificates(&bytes) {
        Ok(certificates) => certificates,
        Err(faults) => return Ok(refuse(arguments, &unread(faults))),
    };
    let Some(certificate) = certificates.first() else {
        return Err(CommandFailure::Failed("the file holds no certificate".to_owned()));
    };
    let person = person::start().await.map_err(CommandFailure::Failed)?;
    if arguments.apply {
        person.may_write().map_err(CommandFailure::Failed)?;
    }
    let named = named::find(&person.fleet, &arguments.name, arguments.namespace.as_deref()).await?;
    let standing = standing::of(&named.authority, certificate);
    let answer = match standing {
        Standing::InUse | Standing::Busy => None,
        Standing::Nothing => return Err(CommandFailure::Failed(nothing_waits(&named))),
        Standing::Waits => {
            let request = pending::of(&named)?.request;
            let linted = certificate_chain::lint(&request, &bytes, person.fleet.now());
            // A chain without faults is there to be sent.
            let Some(chain) = linted.chain.clone() else { return Ok(refuse(arguments, &linted)) };
            Some(Answer { chain, key: request.key_fingerprint(), linted })
        }
    };
    let plan = plan(&person, &named, &certificates, answer.as_ref()).await?;
    if arguments.output == Output::Table {
        show::plan(&plan).print();
        say!("");
    }
    let end = Instant::now() + arguments.timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let mut progress = Progress::start(arguments.output);
    let (outcome, detail) = match (standing, answer, arguments.apply) {
        (Standing::InUse, ..) => (Outcome::AlreadyActive, renewal(&named)),
        (_, Some(_), false) => (Outcome::Planned, None),
        (_, None, false) => (Outcome::Waiting, Some("The service is at work on it; look again.".to_owned())),
        (_, answer, true) => {
            let chain = answer.as_ref().map(|answer| answer.chain.as_str());
            activated(&person, &named, certificate, chain, arguments, end, &mut progress).await?
        }
    };
    let is_active = matches!(outcome, Outcome::Activated | Outcome::AlreadyActive);
    let looks_until = if arguments.apply && is_active { end } else { Instant::now() };
    let hubs = watch(&person, &named, certificate, looks_until, &mut progress).await;
    drop(progress);
    let hubs = if outcome == Outcome::Planned { hubs.map(hubs::before) } else { hubs };
    Ok(tell(arguments, &plan, &person, outcome, detail, hubs))
}

/// A chain that answers the request.
struct Answer {
    /// It, as it is sent.
    chain: String,
    /// SHA-256 of the request's key.
    key: String,
    /// The judgement about it.
    linted: Linted,
}

/// What there is to know before anything is sent.
async fn plan<'a>(
    person: &Person,
    named: &'a Named<'a>,
    certificates: &'a [Summary],
    answer: Option<&Answer>,
) -> Result<Plan<'a>, CommandFailure> {
    let observer = Observer::new(&person.fleet);
    let observation = observer.namespace(named.configuration, soon()).await.map_err(|error| {
        CommandFailure::Failed(format!("namespace {} cannot be read: {error}", named.configuration.id.name()))
    })?;
    let id = &named.authority.id;
    let policies = observation.policies.iter().filter(|policy| policy.issuer_id() == id);
    Ok(Plan {
        named,
        kill_switch: person.fleet.kill_switch,
        is_frozen: named.configuration.frozen(None, person.fleet.now()).is_some(),
        key: answer.map(|answer| answer.key.clone()),
        certificates,
        warnings: answer.map(|answer| answer.linted.warnings.clone()).unwrap_or_default(),
        activate_until: answer.and_then(|answer| answer.linted.activate_until),
        policies: policies.map(|policy| policy.name.clone()).collect(),
        waiting: groups::waiting(&person.fleet, &observer, named.configuration, &observation, id).await,
    })
}

/// Sends the chain and follows it; without a chain, or where an earlier run has sent it, follows what goes on already.
async fn activated(
    person: &Person,
    named: &Named<'_>,
    certificate: &Summary,
    chain: Option<&str>,
    arguments: &Arguments,
    end: Instant,
    progress: &mut Progress,
) -> Result<(Outcome, Option<String>), CommandFailure> {
    let mut before = None;
    let (operation, doubt) = match chain {
        None => (None, Some("the service was at work on it before".to_owned())),
        Some(chain) => {
            progress.show(&format!("activating {}", named.authority.name));
            let sent =
                sending::send(person, named, certificate, chain, arguments.even_in_audit, &arguments.intent)
                    .await;
            match sent.map_err(CommandFailure::Failed)? {
                Sent::Earlier(earlier) => {
                    let following = (earlier.operation(), Some(earlier.why()));
                    before = Some(earlier);
                    following
                }
                Sent::Taken(operation) => (Some(operation), None),
                Sent::Unclear(why) => (None, Some(why)),
                Sent::Refused(why) => return Ok((Outcome::Failed, Some(why))),
            }
        }
    };
    // An operation that goes on is followed further than a record counts.
    let counts_for = before.as_ref().map(|earlier| earlier.counts_for(person.fleet.now()));
    let counts_until =
        counts_for.filter(|_| operation.is_none()).and_then(|left| Instant::now().checked_add(left));
    let end = counts_until.map_or(end, |until| until.min(end));
    let ended = sending::follow(person, named, certificate, operation, doubt, end, progress).await;
    Ok(match (ended, before) {
        (Ended::InUse, _) => (Outcome::Activated, None),
        (Ended::Failed(why), before) => {
            let own = person.run.to_string();
            let run = before.as_ref().map_or(own.as_str(), Earlier::run);
            sending::record_failure(person, run, named, &why).await;
            (Outcome::Failed, Some(why))
        }
        (Ended::Waiting(why), None) => (Outcome::Waiting, Some(why)),
        (Ended::Waiting(why), Some(earlier)) => {
            (Outcome::Waiting, Some(format!("{why}. {}", earlier.next_step())))
        }
    })
}

/// Looks at the hubs until each trusts the certificate, or what is left does not come by itself.
async fn watch(
    person: &Person,
    named: &Named<'_>,
    certificate: &Summary,
    end: Instant,
    progress: &mut Progress,
) -> Result<Vec<HubProof>, azure::Error> {
    let mut pause = FIRST_PAUSE;
    let mut links = None;
    loop {
        // A link may have been made since the look before.
        let looked = Observer::new(&person.fleet).namespace(named.configuration, soon()).await;
        let is_pushed = named.authority.generation == Generation::CertificateAuthorities;
        if let (Ok(observation), None, true) = (&looked, &links, is_pushed) {
            links = Some(links::of_hubs(&person.fleet, observation).await);
        }
        let hubs = looked.map(|observation| {
            let (kill_switch, seen) = (person.fleet.kill_switch, (&observation, links.as_ref()));
            hubs::judge(seen, named.configuration, kill_switch, &named.authority, certificate)
        });
        let left = end.saturating_duration_since(Instant::now());
        let is_over = match &hubs {
            Ok(hubs) => {
                let trusting = hubs.iter().filter(|hub| hub.trust.admits_current()).count();
                progress.show(&format!("{trusting} of {} hubs trust {}", hubs.len(), named.authority.name));
                !hubs.iter().any(|hub| !hub.trust.admits_current() && hub.comes)
            }
            Err(error) => !error.is_retryable(),
        };
        if is_over || left.is_zero() {
            return hubs;
        }
        sleep(pause.min(left)).await;
        pause = pause.mul_f64(1.5).min(LONGEST_PAUSE);
    }
}

fn tell(
    arguments: &Arguments,
    plan: &Plan<'_>,
    person: &Person,
    outcome: Outcome,
    detail: Option<String>,
    hubs: Result<Vec<HubProof>, azure::Error>,
) -> ExitCode {
    let (hubs, unread) = match hubs {
        Ok(hubs) => (hubs, None),
        Err(error) => (Vec::new(), Some(format!("the hubs could not be looked at: {error}"))),
    };
    let wrote = arguments.apply && outcome != Outcome::AlreadyActive;
    let result = show::Shown {
        outcome,
        run: wrote.then(|| person.run.to_string()),
        detail: detail.or(unread),
        hubs: &hubs,
    };
    match arguments.output {
        Output::Json => say!("{}", show::document(plan, &result)),
        Output::Table => show::result(plan, &result).print(),
    }
    match outcome {
        Outcome::Planned => ExitCode::SUCCESS,
        Outcome::Refused | Outcome::Failed => ExitCode::FAILURE,
        Outcome::Activated | Outcome::AlreadyActive if hubs::is_proven(&hubs) => ExitCode::SUCCESS,
        Outcome::Activated | Outcome::AlreadyActive | Outcome::Waiting => ExitCode::from(WAITS),
    }
}

/// Shows what is wrong with the chain.
fn refuse(arguments: &Arguments, linted: &Linted) -> ExitCode {
    lint::complain_of_key(&arguments.chain, &linted.faults);
    match arguments.output {
        Output::Json => say!("{}", show::refusal(&arguments.name, &linted.faults, &linted.warnings)),
        Output::Table => lint::screen(&arguments.name, linted).text("Nothing was sent.").print(),
    }
    ExitCode::FAILURE
}

/// The judgement about a file that could not be read whole.
fn unread(faults: Vec<certificate_chain::Verdict>) -> Linted {
    Linted { certificates: Vec::new(), faults, warnings: Vec::new(), activate_until: None, chain: None }
}

/// What there is to say of an authority that works with the chain and waits for the next one.
fn renewal(named: &Named<'_>) -> Option<String> {
    named.authority.is_pending().then(|| {
        "A renewal waits: its request wants a certificate of its own, `policysync policies csr` shows it."
            .to_owned()
    })
}

fn nothing_waits(named: &Named<'_>) -> String {
    let authority = &named.authority;
    let works = match &authority.thumbprint {
        Some(thumbprint) if authority.is_active() => {
            format!("; it works with the certificate {thumbprint}, which is not that of the chain")
        }
        _ => String::new(),
    };
    format!(
        "no signing request of {} waits for a signature: its status is `{}` and its provisioning state `{}`{works}",
        line(&authority.name),
        line(&authority.status),
        line(&authority.provisioning_state.to_string()),
    )
}
