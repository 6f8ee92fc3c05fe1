//! The commands of the step, as texts for a person's shell. This program has no code that could run them.

use super::effects::{Signer, signer};
use super::facts::Facts;
use super::radius::{Basis, CommandText};
use super::target::{Action, Target};
use super::usage;
use crate::ArmId;
use crate::generation::Generation;

pub(super) fn of(facts: &Facts) -> Vec<CommandText> {
    let is_policy_of_first = facts.generation() == Generation::Credentials;
    match (facts.action, signer(&facts.target)) {
        (Action::Unlink, _) => unlink(facts),
        (Action::Delete, _) => delete(facts),
        (Action::Revoke | Action::Rotate, Signer::Root) => Vec::new(),
        (Action::Rotate, Signer::Own(_)) => renew(facts),
        (Action::Revoke, Signer::Own(_)) if !is_policy_of_first => vec![CommandText {
            does: "revokes it at your own root, with the configuration of that CA".to_owned(),
            text: format!(
                "openssl ca -config root.cnf -revoke {}",
                word(&format!("{}.pem", facts.target.name()))
            ),
            basis: Basis::Inferred,
        }],
        (Action::Revoke | Action::Rotate, _) => {
            let deed = if is_policy_of_first { "revokeIssuer" } else { "revokeAndRotate" };
            let url = facts.target.id().map(|id| url(id, Some(deed), &facts.wire.registry));
            let does = "revokes the issuing CA and makes another".to_owned();
            url.map(|url| command("post", &url, does)).into_iter().collect()
        }
    }
}

fn delete(facts: &Facts) -> Vec<CommandText> {
    let own: Vec<&ArmId> = match &facts.target {
        Target::Authority(authority) if signer(&facts.target) != Signer::Root => usage::policies(facts)
            .filter(|policy| policy.id.is_within(&authority.id))
            .map(|policy| &policy.id)
            .collect(),
        _ => Vec::new(),
    };
    let ids = own.into_iter().chain(facts.target.id());
    ids.map(|id| command("delete", &url(id, None, &facts.wire.registry), format!("deletes {}", id.name())))
        .collect()
}

fn renew(facts: &Facts) -> Vec<CommandText> {
    let deed = match facts.generation() {
        Generation::Credentials => "activateBringYourOwnRoot",
        Generation::CertificateAuthorities => "activate",
    };
    let Some(id) = facts.target.id() else { return Vec::new() };
    let program = "import json,sys; print(json.dumps({\"certificateChain\": open(sys.argv[1]).read()}))";
    let url = url(id, Some(deed), &facts.wire.registry);
    vec![
        CommandText {
            does: "makes the body of the call from the signed chain".to_owned(),
            text: format!("python3 -c {} \\\n  CHAIN.pem > activate.json", word(program)),
            basis: Basis::Published,
        },
        CommandText {
            does: "activates the signed chain".to_owned(),
            text: format!("az rest --method post --body @activate.json --url \\\n  {}", word(&url)),
            basis: Basis::Published,
        },
    ]
}

fn unlink(facts: &Facts) -> Vec<CommandText> {
    let Some(id) = facts.target.id() else { return Vec::new() };
    match facts.generation() {
        Generation::CertificateAuthorities => delete_and_forget(facts, id),
        Generation::Credentials => {
            let (member, version) = match &facts.target {
                Target::Hub(_) => (facts.wire.hub_link, &facts.wire.hub),
                _ => (facts.wire.provisioning_service_link, &facts.wire.provisioning_service),
            };
            let does =
                "reads the resource and writes it back without the link; try it on one without devices first";
            vec![CommandText {
                does: does.to_owned(),
                text: format!(
                    "az resource update --api-version {} \\\n  --remove properties.{member} --ids \\\n  {}",
                    word(version),
                    word(id.as_str())
                ),
                basis: Basis::Inferred,
            }]
        }
    }
}

/// The resource goes first, then its endpoint in the namespace.
fn delete_and_forget(facts: &Facts, id: &ArmId) -> Vec<CommandText> {
    const WITHOUT: &str = "import json, sys
namespace = json.load(open(\"namespace.json\"))
for side in (\"messaging\", \"provisioning\"):
    endpoints = (namespace[\"properties\"].get(side) or {}).get(\"endpoints\") or {}
    for name in [name for name, end in endpoints.items()
                 if end.get(\"resourceId\", \"\").lower() == sys.argv[1].lower()]:
        del endpoints[name]
json.dump(namespace, open(\"namespace.json\", \"w\"))";
    let namespace = word(&url(&facts.namespace.id, None, &facts.wire.registry));
    let id = word(id.as_str());
    vec![
        CommandText {
            does: format!("deletes the {} itself", facts.target.kind()),
            text: format!("az resource delete --ids \\\n  {id}"),
            basis: Basis::Published,
        },
        CommandText {
            does: "reads the namespace".to_owned(),
            text: format!("az rest --method get --url \\\n  {namespace} \\\n  > namespace.json"),
            basis: Basis::Published,
        },
        CommandText {
            does: "takes the endpoint out of what was read".to_owned(),
            text: format!("python3 -c {} \\\n  {id}", word(WITHOUT)),
            basis: Basis::Inferred,
        },
        CommandText {
            does: "writes the namespace without the endpoint".to_owned(),
            text: format!("az rest --method put --body @namespace.json --url \\\n  {namespace}"),
            basis: Basis::Inferred,
        },
    ]
}

fn command(method: &str, url: &str, does: String) -> CommandText {
    let text = format!("az rest --method {method} --url \\\n  {}", word(url));
    CommandText { does, text, basis: Basis::Published }
}

/// The address of a resource or of an action on it. `az rest` puts the endpoint of Resource Manager before it.
fn url(id: &ArmId, deed: Option<&str>, version: &str) -> String {
    let deed = deed.map(|deed| format!("/{deed}")).unwrap_or_default();
    format!("{id}{deed}?api-version={version}")
}

/// A text as one word of a POSIX shell, whatever is in it.
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
