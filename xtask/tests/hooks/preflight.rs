//! `infra/hooks/preflight.sh`: the messages before anything is created.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stage::{Stage, fails, prints, writes};
use super::text;

const PROVIDERS: &str = "Microsoft.App\nMicrosoft.EventGrid\nMicrosoft.EventHub\nmicrosoft.insights\n\
    Microsoft.ManagedIdentity\nMicrosoft.Network\nMicrosoft.OperationalInsights\nMicrosoft.ServiceBus\n\
    Microsoft.Storage\nMicrosoft.Web";

/// What `az bicep build-params` writes: the usual parameters, and some.
fn parameters(more: &Value) -> String {
    let mut parameters = json!({
        "environmentName": { "value": "dev" },
        "location": { "value": "westeurope" },
        "namespaceIds": { "value": [
            "/subscriptions/sub-1/resourceGroups/rg-iot/providers/Microsoft.DeviceRegistry/namespaces/contoso",
            "/subscriptions/sub-2/resourceGroups/rg-iot/providers/Microsoft.DeviceRegistry/namespaces/fabrikam",
        ] },
        "provisioningServices": { "value": [
            { "id": "/subscriptions/sub-1/resourceGroups/r/providers/x/y/dps", "location": "eastus2" },
        ] },
    });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::to_string_pretty(&json!({ "$schema": "…", "parameters": parameters })).unwrap()
}

/// A stage on which all is well, with some more parameters.
fn with(more: &Value) -> Stage {
    let mut stage = Stage::new(&["az"]);
    stage
        .on("az account show *", [prints("sub-1")])
        .on("az bicep build-params *", [writes(&parameters(more))])
        .on("az provider list *", [prints(PROVIDERS)])
        .on("az provider operation show *", [prints(&actions().join("\n"))])
        .on("az functionapp list-flexconsumption-runtimes *", [prints("1.0")]);
    stage
}

/// Every action of the table that the roles are made from.
fn actions() -> Vec<String> {
    let table: Value = serde_json::from_str(&text("infra/modules/permissions.json")).unwrap();
    let rows = table["permissions"].as_array().unwrap();
    rows.iter().map(|row| row["action"].as_str().unwrap().to_owned()).collect()
}

fn usual() -> Stage {
    with(&json!({}))
}

#[test]
fn a_region_with_the_runtime_and_registered_providers_is_ready() {
    let ending = usual().run("preflight.sh", &[]).succeeded();
    assert!(ending.out.contains("ready to deploy to westeurope, subscription sub-1"), "{}", ending.out);
    let asked = &ending.calls[ending.place("list-flexconsumption-runtimes")];
    assert!(asked.contains("--location westeurope --runtime custom"), "{asked}");
}

#[test]
fn another_version_of_the_runtime_stops_before_anything_is_created() {
    let mut stage = usual();
    stage.on("az functionapp list-flexconsumption-runtimes *", [prints("2.0\n11.0")]);
    let ending = stage.run("preflight.sh", &[]);
    ending.stopped("offers the runtime `custom` in 2.0 11.0 and the templates ask for 1.0");
}

#[test]
fn a_region_without_flex_consumption_stops_and_one_that_says_nothing_of_custom_is_told() {
    let mut stage = usual();
    stage
        .on("az functionapp list-flexconsumption-runtimes *", [fails("Runtime 'custom' not supported")])
        .on("az functionapp list-flexconsumption-locations *", [prints("eastus2\nwesteurope2")]);
    stage.run("preflight.sh", &[]).stopped("westeurope does not offer Flex Consumption");

    stage.on("az functionapp list-flexconsumption-locations *", [prints("eastus2\nwesteurope")]);
    let ending = stage.run("preflight.sh", &[]).succeeded();
    assert!(ending.out.contains("not confirmed") && ending.err.contains("'custom' not supported"));
}

#[test]
fn a_region_is_known_by_its_long_name_too() {
    let mut stage = with(&json!({ "location": { "value": "West Europe" } }));
    stage
        .on("az functionapp list-flexconsumption-runtimes *", [fails("Runtime 'custom' not supported")])
        .on("az functionapp list-flexconsumption-locations *", [prints("westeurope")]);
    stage.run("preflight.sh", &[]).succeeded();
}

#[test]
fn premium_asks_for_no_runtime() {
    let ending = with(&json!({ "plan": { "value": "premium" } })).run("preflight.sh", &[]).succeeded();
    assert_eq!(ending.count("flexconsumption"), 0);
}

#[test]
fn a_provider_that_is_not_registered_is_named_with_its_command() {
    let mut stage = usual();
    stage
        .on(
            "az provider list --subscription sub-1 *",
            [prints(&PROVIDERS.replace("Microsoft.ServiceBus", "Microsoft.ServiceBusX"))],
        )
        .on("az provider list --subscription sub-2 *", [prints("Microsoft.EventGrid")]);
    let ending = stage.run("preflight.sh", &[]).stopped("resource providers are not registered");
    for command in [
        "az provider register --namespace Microsoft.ServiceBus --subscription sub-1 --wait",
        "az provider register --namespace Microsoft.Insights --subscription sub-2 --wait",
    ] {
        assert!(ending.out.contains(command), "{}", ending.out);
    }
    assert_eq!(ending.out.matches("az provider register").count(), 2, "{}", ending.out);
}

#[test]
fn what_only_a_private_app_needs_only_a_private_app_is_asked_for() {
    let without = PROVIDERS.replace("Microsoft.App\n", "").replace("Microsoft.Network\n", "");
    for (more, missing) in [
        (json!({}), 0),
        (json!({ "privateNetworking": { "value": true } }), 2),
        (json!({ "privateNetworking": { "value": true }, "plan": { "value": "premium" } }), 1),
    ] {
        let mut stage = with(&more);
        stage.on("az provider list *", [prints(&without)]);
        let ending = stage.run("preflight.sh", &[]);
        assert_eq!(ending.out.matches("az provider register").count(), missing, "{}", ending.all());
    }
}

#[test]
fn an_action_that_azure_does_not_know_stops_before_the_role_is_refused() {
    const GROUPS: &str = "Microsoft.Devices/provisioningServices/enrollmentGroups/write";
    let mut stage = usual();
    let known: Vec<String> = actions().into_iter().filter(|action| action != GROUPS).collect();
    stage.on("az provider operation show *", [prints(&known.join("\n").to_uppercase())]);
    let ending = stage.run("preflight.sh", &[]).stopped("InvalidActionOrNotAction");
    assert_eq!(ending.out.lines().collect::<Vec<_>>(), [format!("unknown to Azure: {GROUPS}")]);

    // The script does not ask for the actions of Azure's own built-in roles.
    let asked = |provider: &str| ending.count(&format!("operation show --namespace {provider} "));
    assert_eq!((asked("Microsoft.Devices"), asked("Microsoft.DeviceRegistry")), (1, 1));
    assert_eq!((asked("Microsoft.ServiceBus"), asked("Microsoft.Storage")), (0, 0));

    stage.on("az provider operation show *", [fails("ERROR: no")]);
    stage.run("preflight.sh", &[]).stopped("cannot say which actions");
}

#[test]
fn an_action_of_a_generation_or_of_keys_is_asked_for_where_its_role_is_made() {
    const AUTHORITIES: &str = "/certificateAuthorities/read";
    const SYNC: &str = "/credentials/synchronize/action";
    const KEYS: &str = "/attestationmechanism/details/action";
    for (more, unknown) in [
        (json!({ "generations": { "value": ["credentials"] } }), vec![SYNC]),
        (json!({ "generations": { "value": ["certificate-authorities"] } }), vec![AUTHORITIES]),
        (
            json!({ "generations": { "value": ["credentials", "certificate-authorities"] } }),
            vec![AUTHORITIES, SYNC],
        ),
        (
            json!({ "generations": { "value": ["credentials"] }, "symmetricKeyAccess": { "value": true } }),
            vec![SYNC, KEYS],
        ),
    ] {
        let mut stage = with(&more);
        let is_known = |action: &String| ![AUTHORITIES, SYNC, KEYS].iter().any(|end| action.ends_with(end));
        let known: Vec<String> = actions().into_iter().filter(is_known).collect();
        stage.on("az provider operation show *", [prints(&known.join("\n"))]);
        let ending = stage.run("preflight.sh", &[]).stopped("InvalidActionOrNotAction");
        let told: Vec<&str> = ending.out.lines().collect();
        assert_eq!(told.len(), unknown.len(), "{more}: {told:?}");
        assert!(unknown.iter().all(|end| told.iter().any(|line| line.ends_with(end))), "{more}: {told:?}");
    }
}

#[test]
fn no_answer_is_not_taken_for_a_good_one() {
    let mut stage = usual();
    stage.on("az provider list *", [fails("ERROR: (AuthorizationFailed) no")]);
    stage.run("preflight.sh", &[]).stopped("cannot say which resource providers");

    let mut stage = usual();
    stage.on("az bicep build-params *", [fails("main.bicepparam(3,1) : Error BCP057")]);
    stage.run("preflight.sh", &[]).stopped("does not compile");

    let mut stage = usual();
    stage
        .on("az functionapp list-flexconsumption-runtimes *", [fails("no")])
        .on("az functionapp list-flexconsumption-locations *", [fails("no")]);
    stage.run("preflight.sh", &[]).stopped("cannot say where Flex Consumption is offered");
}

#[test]
fn without_az_without_a_login_and_in_another_subscription_it_says_what_to_do() {
    Stage::new(&[]).run("preflight.sh", &[]).stopped("az) is not on PATH");

    let mut stage = usual();
    stage.on("az account show *", [fails("ERROR: Please run 'az login' to setup account.")]);
    stage.run("preflight.sh", &[]).stopped("run `az login`");

    let mut stage = usual();
    stage.set("AZURE_SUBSCRIPTION_ID", "sub-2");
    stage.run("preflight.sh", &[]).stopped("az account set --subscription sub-2");
}

/// The value of a variable of the script.
fn variable(name: &str) -> String {
    let script = text("infra/hooks/preflight.sh");
    let line = script.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap();
    line.trim_matches('\'').to_owned()
}

fn resources(snapshot: &str) -> Vec<Value> {
    let snapshot: Value = serde_json::from_str(&text(snapshot)).unwrap();
    snapshot["predictedResources"].as_array().unwrap().clone()
}

#[test]
fn it_asks_for_the_runtime_that_the_templates_name() {
    let resources = resources("infra/main.snapshot.json");
    let app = resources.iter().find(|resource| resource["type"] == "Microsoft.Web/sites").unwrap();
    let runtime = &app["properties"]["functionAppConfig"]["runtime"];
    assert_eq!(runtime, &json!({ "name": "custom", "version": variable("runtime") }));
}

#[test]
fn it_asks_for_the_providers_of_what_the_templates_create() {
    // These are registered in every subscription.
    let given = ["Microsoft.Authorization", "Microsoft.Resources"];
    let created = |snapshot: &str| -> BTreeSet<String> {
        let provider =
            |resource: Value| resource["type"].as_str().unwrap().split('/').next().unwrap().to_owned();
        resources(snapshot).into_iter().map(provider).filter(|name| !given.contains(&name.as_str())).collect()
    };
    let asked = |names: &[&str]| -> BTreeSet<String> {
        names
            .iter()
            .flat_map(|name| variable(name).split(' ').map(str::to_owned).collect::<Vec<_>>())
            .collect()
    };
    assert_eq!(created("infra/main.snapshot.json"), asked(&["app_providers"]));
    let private = created("infra/environments/private.snapshot.json");
    assert_eq!(private, asked(&["app_providers", "private_providers"]));
}
