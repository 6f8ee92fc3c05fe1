//! `policies list`: every certificate authority and policy of the configured namespaces, and whether the file owns it.

use std::process::ExitCode;

use certificate_management::ArmId;
use certificate_management::authority::{Authority, AuthorityType};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::Inventory;
use certificate_management::model::Policy;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::commands::operator::fail;
use crate::commands::operator::person::{self, Person};
use crate::commands::table::{self, Output};
use crate::commands::terminal::line;

#[derive(Args)]
pub struct Arguments {
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// A namespace with what it has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    namespace_id: ArmId,
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<Inventory>,
    /// The names that the file owns, of those that are there.
    owned: Vec<String>,
    /// Why the namespace could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

pub async fn run(arguments: &Arguments) -> ExitCode {
    let person = &match person::start().await {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    let mut all = Vec::new();
    for configuration in &person.fleet.configuration.namespaces {
        all.push(one(person, configuration).await);
    }
    let is_whole = all.iter().all(|listed| listed.unreadable.is_none());
    match arguments.output {
        Output::Json => {
            say!("{}", table::json(&json!({"schema": "policysync-inventory/v1", "namespaces": all})));
        }
        Output::Table => all.iter().for_each(show),
    }
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn one(person: &Person, configuration: &NamespaceConfiguration) -> Listed {
    let registry = person.fleet.azure.registry();
    let read = async {
        let namespace = registry.namespace(&configuration.id, configuration.api_generation).await?;
        registry.inventory(&configuration.id, namespace.generation).await
    };
    let (inventory, unreadable) = match read.await {
        Ok(inventory) => (Some(inventory), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let names = inventory.iter().flat_map(|inventory| {
        let authorities = inventory.authorities.iter().map(|authority| &authority.name);
        authorities.chain(inventory.policies.iter().map(|policy| &policy.name))
    });
    let owned = names.filter(|name| is_owned(configuration, name)).cloned().collect();
    Listed { namespace_id: configuration.id.clone(), inventory, owned, unreadable }
}

/// Whether the file declares an authority or a policy of a full name.
fn is_owned(configuration: &NamespaceConfiguration, name: &str) -> bool {
    configuration.authorities.iter().any(|declared| declared.name.eq_ignore_ascii_case(name))
        || configuration.policies.iter().any(|declared| declared.full_name().eq_ignore_ascii_case(name))
}

fn show(listed: &Listed) {
    let name = line(listed.namespace_id.name());
    let inventory = match (&listed.inventory, &listed.unreadable) {
        (Some(inventory), _) => inventory,
        (None, why) => return complain!("namespace {name}: {}", why.as_deref().unwrap_or_default()),
    };
    let owned = |name: &str| match listed.owned.iter().any(|owned| owned == name) {
        true => "yes".to_owned(),
        false => "no".to_owned(),
    };
    let authorities = inventory.authorities.iter().map(|authority| {
        vec!["authority".to_owned(), line(&authority.name), of_authority(authority), owned(&authority.name)]
    });
    let policies = inventory
        .policies
        .iter()
        .map(|policy| vec!["policy".to_owned(), line(&policy.name), of_policy(policy), owned(&policy.name)]);
    let rows: Vec<Vec<String>> = authorities.chain(policies).collect();
    if rows.is_empty() {
        return say!("Namespace {name}: it has no certificate authority and no policy.\n");
    }
    say!("Namespace {name}\n{}\n", table::table(&["resource", "name", "what it is", "declared"], rows));
}

/// An authority in some words: what it signs, who signs it, how far it is, until when it is valid.
fn of_authority(authority: &Authority) -> String {
    let mut words = vec![match authority.kind {
        AuthorityType::Root => "root".to_owned(),
        AuthorityType::Issuing => format!("issuing, {}", authority.issuer),
    }];
    words.push(authority.status.clone().unwrap_or_else(|| authority.provisioning_state.to_string()));
    words.extend(authority.not_after.map(|end| format!("until {}", end.date())));
    table::wrapped(&line(&words.join(", ")), 32)
}

/// A policy in some words: how far it is, how long leaves are valid, until when its issuing CA is.
fn of_policy(policy: &Policy) -> String {
    let own_root = policy.bring_your_own_root.as_ref().map(|own| format!("own root {}", own.status));
    let mut words = vec![own_root.unwrap_or_else(|| policy.provisioning_state.to_string())];
    words.extend(policy.leaf_validity_days.map(|days| format!("leaves of {days} days")));
    words.extend(policy.issuing_ca.not_after.map(|end| format!("CA until {}", end.date())));
    table::wrapped(&line(&words.join(", ")), 32)
}
