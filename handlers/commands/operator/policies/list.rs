//! `policies list`: every certificate authority and policy of the configured namespaces, and whether the file owns it.

use std::process::ExitCode;

use certificate_management::ArmId;
use certificate_management::authority::{Authority, AuthorityType};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::Inventory;
use certificate_management::model::Policy;
use certificate_management::plural;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::commands::operator::fail;
use crate::commands::operator::person::{self, Person};
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

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
        Output::Table => {
            screen(&all).print();
            let unreadable = all.iter().filter_map(|listed| Some((listed, listed.unreadable.as_ref()?)));
            for (listed, why) in unreadable {
                complain!("namespace {}: {why}", line(listed.namespace_id.name()));
            }
        }
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

fn screen(all: &[Listed]) -> Screen {
    let read = || all.iter().filter_map(|listed| Some((listed, listed.inventory.as_ref()?)));
    let authorities: usize = read().map(|(_, inventory)| inventory.authorities.len()).sum();
    let policies: usize = read().map(|(_, inventory)| inventory.policies.len()).sum();
    let unread = all.len() - read().count();
    let unread = if unread == 0 { String::new() } else { format!(", {unread} of them unreadable") };
    let mut screen = Screen::verdict(
        Tone::Strong,
        format!(
            "{} and {} in {}{unread}.",
            plural::count(authorities, "certificate authority"),
            plural::count(policies, "policy"),
            plural::count(all.len(), "namespace")
        ),
    );
    for (listed, inventory) in read() {
        let name = line(listed.namespace_id.name());
        let rows = rows(listed, inventory);
        screen = match rows.is_empty() {
            true => screen.text(format!("Namespace {name}: it has no certificate authority and no policy.")),
            false => screen
                .heading(format!("Namespace {name}"))
                .table(Table::of(&["name", "resource", "what it is", "declared"], rows).titled(2)),
        };
    }
    screen
}

fn rows(listed: &Listed, inventory: &Inventory) -> Vec<Vec<String>> {
    let owned = |name: &str| match listed.owned.iter().any(|owned| owned == name) {
        true => "yes".to_owned(),
        false => "no".to_owned(),
    };
    let authorities = inventory.authorities.iter().map(|authority| {
        vec![line(&authority.name), "authority".to_owned(), of_authority(authority), owned(&authority.name)]
    });
    let policies = inventory
        .policies
        .iter()
        .map(|policy| vec![line(&policy.name), "policy".to_owned(), of_policy(policy), owned(&policy.name)]);
    authorities.chain(policies).collect()
}

/// An authority in some words: what it signs, who signs it, how far it is, until when it is valid.
fn of_authority(authority: &Authority) -> String {
    let mut words = vec![match authority.kind {
        AuthorityType::Root => "root".to_owned(),
        AuthorityType::Issuing => format!("issuing, {}", authority.issuer),
    }];
    words.push(authority.status.clone().unwrap_or_else(|| authority.provisioning_state.to_string()));
    words.extend(authority.not_after.map(|end| format!("until {}", end.date())));
    line(&words.join(", "))
}

/// A policy in some words: how far it is, how long leaves are valid, until when its issuing CA is.
fn of_policy(policy: &Policy) -> String {
    let own_root = policy.bring_your_own_root.as_ref().map(|own| format!("own root {}", own.status));
    let mut words = vec![own_root.unwrap_or_else(|| policy.provisioning_state.to_string())];
    words.extend(policy.leaf_validity_days.map(|days| format!("leaves of {}", plural::count(days, "day"))));
    words.extend(policy.issuing_ca.not_after.map(|end| format!("CA until {}", end.date())));
    line(&words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::golden::{self, NAMESPACE, POLICY};

    #[test]
    fn the_golden_list_fits_the_width() {
        let policy = |name: &str| {
            json!({"id": format!("{NAMESPACE}/certificateAuthorities/x/policies/{}", name.replace('/', "-")), "name": name,
                "provisioningState": "Succeeded", "leafValidityDays": 7, "bringYourOwnRoot": null,
                "issuingCa": {"subject": null, "notBefore": null, "notAfter": "2027-11-23T05:00:00Z", "thumbprint": null}})
        };
        let inventory = json!({
            "namespace": {"id": NAMESPACE, "location": "westeurope", "provisioningState": "Succeeded"},
            "credential": null,
            "authorities": [{"id": format!("{NAMESPACE}/certificateAuthorities/assembly-lines-ica"), "name": "assembly-lines-ica",
                "type": "issuing", "issuer": "external", "provisioningState": "Succeeded", "status": "ActiveButPendingRenewal",
                "notAfter": "2027-11-23T05:00:00Z"}],
            "policies": [policy(POLICY)],
        });
        let listed = Listed {
            namespace_id: ArmId::parse(NAMESPACE).unwrap(),
            inventory: Some(serde_json::from_value(inventory).unwrap()),
            owned: vec![POLICY.to_owned()],
            unreadable: None,
        };
        let unread = Listed {
            namespace_id: listed.namespace_id.clone(),
            inventory: None,
            owned: Vec::new(),
            unreadable: Some("403".to_owned()),
        };
        golden::compare("policies-list", &screen(&[listed, unread]), &[]);
    }
}
