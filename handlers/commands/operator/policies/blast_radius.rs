//! `policies blast-radius`: what a step would break that a person takes elsewhere and cannot take back. It reads, and ends
//! with the command as a text.
//!
//! - [`finding`]: what the person means by the name.
//! - [`reading`]: everything that the judgement looks at.
//! - [`print`]: the answer on 80 columns.

mod finding;
mod print;
mod reading;

use std::process::ExitCode;

use ambient::Ambient;
use certificate_management::blast_radius::target::Kind;
use certificate_management::blast_radius::{Action, Radius, assess};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::reader;
use crate::commands::table::{self, Output};
use crate::fleet::{Fleet, Outside};
use crate::observation::Observer;

/// The exit code when something stops at once, or may.
const HARMFUL: u8 = 2;

#[derive(Args)]
#[command(after_help = "Nothing here takes the step.")]
pub struct Arguments {
    /// A policy, an authority or AUTHORITY/POLICY; for `unlink` a hub or a provisioning service; each also by its ARM id.
    name: String,
    /// The step that you think of.
    #[arg(long, value_enum, value_name = "STEP")]
    of: Of,
    /// The namespace, by name or ARM id, where several could be meant.
    #[arg(long)]
    namespace: Option<String>,
    /// What the name is of, where several could be meant.
    #[arg(long, value_enum)]
    kind: Option<KindOf>,
    /// Calls to the provisioning services for counting, at the most. Each counts up to 1,000 devices or individual
    /// enrollments; what is not counted is told as "at least" or "unknown".
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    calls: u16,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// [`Action`], as the command line has it.
#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// Give up an issuing CA; the service makes another.
    Revoke,
    /// Replace an issuing CA.
    Rotate,
    /// Delete a policy or an authority.
    Delete,
    /// Take a hub or a provisioning service off its namespace.
    Unlink,
}

impl From<Of> for Action {
    fn from(of: Of) -> Self {
        match of {
            Of::Revoke => Self::Revoke,
            Of::Rotate => Self::Rotate,
            Of::Delete => Self::Delete,
            Of::Unlink => Self::Unlink,
        }
    }
}

/// [`Kind`], as the command line has it.
#[derive(Clone, Copy, ValueEnum)]
enum KindOf {
    Policy,
    Authority,
    Hub,
    ProvisioningService,
}

impl From<KindOf> for Kind {
    fn from(kind: KindOf) -> Self {
        match kind {
            KindOf::Policy => Self::Policy,
            KindOf::Authority => Self::Authority,
            KindOf::Hub => Self::Hub,
            KindOf::ProvisioningService => Self::ProvisioningService,
        }
    }
}

#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    #[serde(flatten)]
    radius: &'r Radius,
}

pub async fn run(arguments: &Arguments) -> ExitCode {
    let radius = match judged(arguments).await {
        Ok(radius) => radius,
        Err(failure) => return failure.tell(),
    };
    match arguments.output {
        Output::Json => {
            let document = Document { schema: "policysync-blast-radius/v1", radius: &radius };
            say!("{}", table::json(&document));
        }
        Output::Table => print::screen(&radius).print(),
    }
    match radius.verdict.is_harmful() {
        true => ExitCode::from(HARMFUL),
        false => ExitCode::SUCCESS,
    }
}

async fn judged(arguments: &Arguments) -> Result<Radius, CommandFailure> {
    let failed = |error: &dyn std::fmt::Display| CommandFailure::Failed(error.to_string());
    let settings = reader::settings().map_err(|error| failed(&error))?;
    let fleet = Fleet::read(&settings, Outside::of(Ambient::of_system())).await;
    let fleet = fleet.map_err(|error| failed(&error))?;
    let observer = Observer::new(&fleet);
    let wanted = finding::Wanted {
        name: &arguments.name,
        action: arguments.of.into(),
        kind: arguments.kind.map(Kind::from),
        namespace: arguments.namespace.as_deref(),
    };
    let found = finding::find(&fleet, &observer, &wanted).await?;
    let calls = usize::from(arguments.calls);
    Ok(assess(&reading::facts(&fleet, &observer, found, wanted.action, calls).await))
}
