//! Sends one chain to the service, with a record before and after it, and follows what it does with it. The only place that
//! activates.

use std::time::Duration;

use azure::{Error, ErrorKind, LongRunningOperation, OperationStatus, OwnAuthority};
use certificate_chain::Summary;
use certificate_management::ArmId;
use certificate_management::attribution::Attribution;
use certificate_management::declared::Stage;
use certificate_management::digest;
use certificate_management::plan::permit;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::earlier::{self, Before, Earlier, SETTLES, WITHIN};
use super::standing::{self, Standing};
use crate::authorities;
use crate::commands::operator::intent::Intent;
use crate::commands::operator::person::Person;
use crate::commands::operator::policies::own_root::named::Named;
use crate::commands::operator::progress::Progress;

/// Pause before the next look where the service names none.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest pause before the next look.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The record of an activation. It holds fingerprints, and nothing of the file. No `Debug`: the address of the operation may
/// hold a signature.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    /// `registry-activation/v1`.
    record: String,
    /// Id of the run.
    run: String,
    /// The command and its person.
    woken_by: String,
    /// Who sent it and why, and the hash of the chain.
    attribution: Attribution,
    /// ARM id of the namespace.
    namespace_id: ArmId,
    /// ARM id of the authority; of the policy in the first generation.
    authority_id: ArmId,
    /// SHA-256 of the certificate that the authority is to work with.
    certificate_sha256: String,
    /// When the run was about to send it.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// How far it is.
    stage: Stage,
    /// What the service said against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The address of the operation's status, once the service has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
}

/// What came of sending.
pub enum Sent {
    /// Nothing was sent: an earlier run has sent this certificate, and the service may be at work on it.
    Earlier(Earlier),
    /// It has taken the chain.
    Taken(LongRunningOperation),
    /// The answer was lost, or another operation is in the way, which may be an earlier run's: the authority tells.
    Unclear(String),
    /// It has refused the chain, in its words.
    Refused(String),
}

/// How following it ended.
pub enum Ended {
    /// The authority works with the certificate.
    InUse,
    /// The service has not done what it had taken, in its words.
    Failed(String),
    /// It is not known to be done; why.
    Waiting(String),
}

/// Sends the chain, unless an earlier run has.
///
/// # Errors
/// When nothing was sent: audit mode, the kill switch, a freeze, a record that could not be kept, or records of earlier
/// runs that could not be read.
pub async fn send(
    person: &Person,
    named: &Named<'_>,
    certificate: &Summary,
    chain: &str,
    even_in_audit: bool,
    intent: &Intent,
) -> Result<Sent, String> {
    let by = permit::Writer::Person(intent.insistence(even_in_audit));
    person.fleet.guard(named.configuration, by).activation().map_err(|forbidden| forbidden.why)?;
    let run = person.run.to_string();
    if let Some(earlier) = earlier(person, named, certificate, &run).await? {
        return Ok(Sent::Earlier(earlier));
    }
    let record = Record {
        record: "registry-activation/v1".to_owned(),
        run: run.clone(),
        woken_by: person.woken_by("policies activate"),
        attribution: person.attribution(intent.reason.clone(), Some(digest::of::<16>(chain))).await,
        namespace_id: named.configuration.id.clone(),
        authority_id: named.authority.id.clone(),
        certificate_sha256: certificate.sha256.clone(),
        at: person.fleet.now(),
        stage: Stage::Planned,
        error: None,
        operation: None,
    };
    let place = earlier::place(&run, &named.authority.id);
    let unrecorded = |error| format!("the activation could not be recorded, so it was not made: {error}");
    person.store.put(&place, &record).await.map_err(unrecorded)?;
    // Another run may have looked and recorded meanwhile. One of two that begin at the same time sees the record of the other.
    if let Some(stop) = earlier(person, named, certificate, &run).await.transpose() {
        let error = Some("nothing was sent: another run may be sending the same".to_owned());
        complete(person, &place, &Record { stage: Stage::PutOff, error, ..record }).await;
        return stop.map(Sent::Earlier);
    }
    let answer = person.fleet.azure.registry().activate(&named.authority, chain, WITHIN).await;
    let stage = answer.as_ref().map_or_else(authorities::stage, |_| Stage::Accepted);
    let error = answer.as_ref().err().map(ToString::to_string);
    let operation = answer.as_ref().ok().and_then(|operation| operation.url.clone()).map(String::from);
    complete(person, &place, &Record { stage, error, operation, ..record }).await;
    Ok(match answer {
        Ok(operation) => Sent::Taken(operation),
        Err(error) if error.may_have_taken_effect() || error.kind() == ErrorKind::Conflict => {
            Sent::Unclear(error.to_string())
        }
        Err(error) => Sent::Refused(error.to_string()),
    })
}

/// A chain with this certificate that another run has sent, and that may be on its way.
async fn earlier(
    person: &Person,
    named: &Named<'_>,
    certificate: &Summary,
    run: &str,
) -> Result<Option<Earlier>, String> {
    let (id, sha256) = (&named.authority.id, &certificate.sha256);
    match earlier::find(&person.store, run, id, sha256, person.fleet.now()).await {
        Ok(Before::Nothing) => Ok(None),
        Ok(Before::Sent(earlier)) => Ok(Some(earlier)),
        Ok(Before::Unreadable(key)) => Err(format!(
            "nothing was sent, since the record `{key}` cannot be read, and may be that of a run that has sent this chain. Look \
             at {} with `policysync policies list`. If the service is not at work on it, delete the record, and run the same \
             command again",
            named.authority.name
        )),
        Err(error) => Err(format!(
            "nothing was sent, since the records could not be read, and an earlier run may have sent this chain: {error}. Run \
             the same command again once they can be read"
        )),
    }
}

/// Records that the service has not done what it had taken from a run, so that the same chain can be sent again.
pub async fn record_failure(person: &Person, run: &str, named: &Named<'_>, why: &str) {
    let place = earlier::place(run, &named.authority.id);
    match person.store.get::<Record>(&place).await {
        Ok(Some(record)) => {
            let failed = Record { stage: Stage::Refused, error: Some(why.to_owned()), ..record.value };
            complete(person, &place, &failed).await;
        }
        Ok(None) => {}
        Err(error) => tracing::warn!("the record of the activation could not be read: {error}"),
    }
}

async fn complete(person: &Person, place: &str, record: &Record) {
    if let Err(error) = person.store.put(place, record).await {
        tracing::warn!("the record of the activation could not be completed: {error}");
    }
}

/// Looks at the authority until it works with the certificate, or the service says that it will not, until `end` at the
/// most. `operation`: what the service said goes on; `doubt`: why it is not known whether anything does.
pub async fn follow(
    person: &Person,
    named: &Named<'_>,
    certificate: &Summary,
    mut operation: Option<LongRunningOperation>,
    doubt: Option<String>,
    end: Instant,
    progress: &mut Progress,
) -> Ended {
    let mut until = if operation.is_some() { end } else { end.min(Instant::now() + SETTLES) };
    let mut why = doubt.unwrap_or_else(|| "the service has not said that it is done".to_owned());
    loop {
        let mut shown = "not known".to_owned();
        match authority(person, named).await {
            Ok(Some(authority)) => {
                if standing::of(&authority, certificate) == Standing::InUse {
                    return Ended::InUse;
                }
                shown = format!("{}, {}", authority.status, authority.provisioning_state);
            }
            Ok(None) => return Ended::Failed("the authority is gone".to_owned()),
            Err(error) => why = format!("the authority could not be looked at: {error}"),
        }
        progress.show(&format!("{} is {shown}", named.authority.name));
        let mut pause = operation.as_ref().and_then(|one| one.retry_after_seconds).map(Duration::from_secs);
        if let Some(open) = &operation {
            match person.fleet.azure.arm().operation_status(open).await {
                Ok(OperationStatus::Failed { code, message }) => {
                    return Ended::Failed(format!("{code}: {message}"));
                }
                Ok(OperationStatus::Running { retry_after }) => pause = retry_after.or(pause),
                // It has ended or may not be asked about: only the authority tells, and for a while it may not yet.
                Ok(OperationStatus::Succeeded | OperationStatus::Unknown) => {
                    (operation, until) = (None, end.min(Instant::now() + SETTLES));
                    why = "the operation is over, and the authority does not show the certificate".to_owned();
                }
                Err(error) => why = format!("the operation could not be asked about: {error}"),
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ended::Waiting(format!("{} is {shown}: {why}", named.authority.name));
        }
        sleep(pause.unwrap_or(PAUSE).clamp(PAUSE, LONGEST_PAUSE).min(left)).await;
    }
}

/// The authority as it is now; `None`: it is gone.
async fn authority(person: &Person, named: &Named<'_>) -> Result<Option<OwnAuthority>, Error> {
    let all = person.fleet.azure.registry().own_authorities(&named.namespace).await?;
    Ok(all.into_iter().find(|one| one.id == named.authority.id))
}
