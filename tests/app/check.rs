//! `check` names the permission that a feature lacks, and the command that grants it.

use azure_simulator::fleet::{Attestation, Fleet};
use serde_json::{Value, json};

use crate::generations::{AUTHORITIES, AUTHORITIES_RULES};
use crate::operator::{ATTESTATION, document, leave_out, policysync, told};
use crate::world::World;

const CERTIFICATES: &str = "Microsoft.Devices/IotHubs/certificates/read";

fn rows<'a>(document: &'a Value, check: &str) -> Vec<&'a Value> {
    document["checks"].as_array().unwrap().iter().filter(|row| row["check"] == check).collect()
}

#[tokio::test]
async fn with_every_permission_each_namespace_is_one_row_and_nothing_is_written() {
    let world = World::default().await;
    let output = policysync(&world, &["check", "--output", "json"], &[]).await;
    assert!(output.status.success(), "{}", told(&output));
    let document = document(&output);
    let permissions = rows(&document, "permissions");
    assert_eq!(permissions.len(), world.local.configuration.namespaces.len(), "{document}");
    assert!(permissions.iter().all(|row| row["status"] == "ok"), "{document}");
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn what_is_missing_is_told_by_feature_with_the_command_that_grants_it() {
    let world = World::default().await;
    leave_out(&world, json!([CERTIFICATES]), json!([ATTESTATION])).await;
    let output = policysync(&world, &["check", "--output", "json", "--principal", "P"], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let document = document(&output);
    let missing: Vec<&Value> =
        rows(&document, "permissions").into_iter().filter(|row| row["status"] == "failed").collect();
    for (feature, action) in [("observe", CERTIFICATES), ("assign", ATTESTATION)] {
        let message = format!("missing for `{feature}`: {action}");
        let row = missing
            .iter()
            .find(|row| row["message"].as_str().unwrap().starts_with(&message))
            .unwrap_or_else(|| panic!("{document}"));
        let grant = row["grant"].as_str().unwrap();
        assert!(grant.starts_with("az role assignment create --assignee-object-id P "), "{grant}");
        assert!(grant.contains("--scope \"/subscriptions/"), "{grant}");
    }
    // The same list refuses the calls themselves.
    assert!(rows(&document, "hub").iter().all(|row| row["status"] == "failed"), "{document}");
    assert!(rows(&document, "enrollment-groups").iter().all(|row| row["status"] == "ok"), "{document}");
    let table = told(&policysync(&world, &["check"], &[]).await);
    assert!(table.contains("These grant what is missing") && table.contains("az identity list"), "{table}");
    world.stop().await;
}

#[tokio::test]
async fn who_may_not_ask_is_told_what_to_grant() {
    let world = World::default().await;
    leave_out(&world, json!(["Microsoft.Authorization/permissions/read"]), json!([])).await;
    let output = policysync(&world, &["check", "--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let document = document(&output);
    let row = rows(&document, "permissions")[0];
    assert!(row["nextStep"].as_str().unwrap().contains("Reader"), "{row}");
    world.stop().await;
}

#[tokio::test]
async fn the_right_to_keys_is_missed_only_where_a_group_has_some() {
    let world = World::default().await;
    leave_out(&world, json!([]), json!([ATTESTATION])).await;
    let output = policysync(&world, &["check", "--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let all = document(&output);
    let failed = rows(&all, "permissions").into_iter().find(|row| row["status"] == "failed").unwrap();
    assert!(failed["message"].as_str().unwrap().contains("(symmetric-keys-unreadable)"), "{failed}");
    assert!(failed["nextStep"].as_str().unwrap().contains("symmetricKeyAccess = true"), "{failed}");
    assert!(failed["grant"].as_str().unwrap().contains("'Policysync symmetric keys ('"), "{failed}");
    world.stop().await;

    let world = World::with_fleet(|fleet| {
        let services = fleet.namespaces.iter_mut().flat_map(|namespace| &mut namespace.provisioning_services);
        for group in services.flat_map(|service| &mut service.enrollment_groups) {
            group.attestation = Attestation::X509Ca;
        }
    })
    .await;
    leave_out(&world, json!([]), json!([ATTESTATION])).await;
    let output = policysync(&world, &["check", "--output", "json"], &[]).await;
    assert!(output.status.success(), "{}", told(&output));
    world.stop().await;
}

#[tokio::test]
async fn an_inferred_action_that_is_missing_comes_with_how_to_see_what_the_provider_has() {
    let world = World::default().await;
    leave_out(
        &world,
        json!(["Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action"]),
        json!([]),
    )
    .await;
    let table = told(&policysync(&world, &["check"], &[]).await);
    for words in ["inferred", "InvalidActionOrNotAction", "provider operation show"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    assert!(table.contains("'Policysync credentials ('"), "{table}");
    world.stop().await;
}

#[tokio::test]
async fn what_only_the_other_generation_needs_is_not_missed() {
    let fleet = Fleet::from_toml(AUTHORITIES).unwrap();
    let world = World::of(&fleet, AUTHORITIES_RULES).await;
    let of_credentials = ["credentials/policies/read", "credentials/synchronize/action"];
    let of_credentials = of_credentials.map(|end| format!("Microsoft.DeviceRegistry/namespaces/{end}"));
    leave_out(&world, json!(of_credentials), json!([])).await;
    let output = policysync(&world, &["check", "--output", "json"], &[]).await;
    let all = document(&output);
    assert!(rows(&all, "permissions").iter().all(|row| row["status"] == "ok"), "{all}");

    leave_out(&world, json!(["*/certificatePolicies/read"]), json!([])).await;
    let output = policysync(&world, &["check", "--output", "json"], &[]).await;
    let all = document(&output);
    let failed = rows(&all, "permissions").into_iter().find(|row| row["status"] == "failed").unwrap();
    assert!(failed["grant"].as_str().unwrap().contains("'Policysync certificate authorities ('"), "{failed}");
    world.stop().await;
}

#[tokio::test]
async fn the_right_to_make_authorities_is_missed_only_where_functions_keep_them() {
    let writes = json!([
        "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/*/write",
        "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/write"
    ]);
    let by_hand = crate::declared::file("enforce", crate::declared::AUTHORITIES, "lines-ica/short-lived");
    let managed = crate::managed::managed("enforce", crate::declared::AUTHORITIES, "lines-ica/short-lived");
    for (configuration, expected) in [(by_hand, 0), (managed, 2)] {
        let world = World::of(&crate::declared::empty("certificate-authorities"), &configuration).await;
        leave_out(&world, writes.clone(), json!([])).await;
        let all = document(&policysync(&world, &["check", "--output", "json"], &[]).await);
        let rows = rows(&all, "permissions").into_iter();
        let failed: Vec<_> = rows.filter(|row| row["status"] == "failed").collect();
        assert_eq!(failed.len(), expected, "{failed:?}");
        for row in failed {
            assert!(row["message"].as_str().unwrap().starts_with("missing for `declare`"), "{row}");
            assert!(row["nextStep"].as_str().unwrap().contains("manageAuthorities = true"), "{row}");
            let grant = row["grant"].as_str().unwrap();
            assert!(grant.contains("'Policysync declared certificate authorities ('"), "{row}");
        }
        world.stop().await;
    }
}

/// Check, status and subject of the rows about links that are not ok.
fn astray(document: &Value) -> Vec<String> {
    let all = document["checks"].as_array().unwrap().iter();
    let links = all.filter(|row| row["check"].as_str().unwrap().starts_with("link-"));
    let wrong = links.filter(|row| row["status"] != "ok");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    wrong
        .map(|row| format!("{} {}: {}", text(&row["check"]), text(&row["subject"]), text(&row["message"])))
        .collect()
}

#[tokio::test]
async fn links_that_are_ready_are_one_row_of_each_aspect() {
    let world = World::default().await;
    let all = document(&policysync(&world, &["check", "--output", "json"], &[]).await);
    assert_eq!(astray(&all), Vec::<String>::new(), "{all}");
    let namespaces = world.local.configuration.namespaces.len();
    for check in ["link-order", "link-state", "link-region", "link-tier", "link-limits", "link-roles"] {
        assert_eq!(rows(&all, check).len(), namespaces, "{check}: {all}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_role_that_a_link_needs_is_missed_with_the_command_that_grants_it() {
    let mut fleet = Fleet::from_toml(AUTHORITIES).unwrap();
    fleet.namespaces[0].hubs[1].lacks_role = true;
    let world = World::of(&fleet, AUTHORITIES_RULES).await;
    let output = policysync(&world, &["check", "--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let all = document(&output);
    let told_of = astray(&all);
    let is_told = |words: &[&str]| told_of.iter().any(|row| words.iter().all(|word| row.contains(word)));
    assert!(
        is_told(&["link-roles contoso-plants / contoso-plants-hub-2", "lacks `Contributor`"]),
        "{told_of:?}"
    );
    assert!(is_told(&["link-roles contoso-plants / contoso-plants-hub-2", "inferred"]), "{told_of:?}");
    assert!(is_told(&["link-state contoso-vans / contoso-vans-hub-2", "AdrMiNotAuthorized"]), "{told_of:?}");
    let roles = rows(&all, "link-roles");
    let wrong = roles.iter().find(|row| row["status"] == "failed").unwrap();
    let grant = wrong["grant"].as_str().unwrap();
    assert!(grant.starts_with("az role assignment create --assignee-object-id "), "{grant}");
    assert!(grant.contains("--role \"Contributor\" --scope \"/subscriptions/") && grant.ends_with("hub-2\""));
    let owner_confirms = roles.iter().find(|row| row["status"] == "warning").unwrap();
    assert!(
        owner_confirms["grant"].as_str().unwrap().contains("IoT Hub Data Contributor"),
        "{owner_confirms}"
    );
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}

/// How often the roles of identities were asked for.
async fn role_reads(world: &World) -> usize {
    let log = world.get(&world.azure("/simulator/log")).await;
    let entries = log.as_array().unwrap().iter();
    entries
        .filter(|entry| entry["path"].as_str().unwrap().to_ascii_lowercase().ends_with("/roleassignments"))
        .count()
}

#[tokio::test]
async fn the_report_tells_what_a_link_lacks_and_reads_it_once_a_day() {
    let mut fleet = Fleet::from_toml(AUTHORITIES).unwrap();
    fleet.namespaces[0].hubs[1].lacks_role = true;
    let world = World::of(&fleet, AUTHORITIES_RULES).await;
    let report = world.report().await;
    let findings = report["findings"].as_array().unwrap();
    let lacking: Vec<&Value> = findings
        .iter()
        .filter(|one| one["reason"] == "link-need-missing" && one["subject"]["hub"] == "contoso-plants-hub-2")
        .collect();
    let next_steps: Vec<&str> = lacking.iter().map(|one| one["nextStep"].as_str().unwrap()).collect();
    assert!(
        next_steps.iter().any(|step| step.contains("az role assignment create --assignee-object-id ")
            && step.contains("--role \"Contributor\"")
            && step.contains("contoso-plants-hub-2")),
        "{lacking:?}"
    );
    let links = &report["namespaces"][0]["links"];
    assert!(links["unmet"].as_u64() >= Some(1) && links["unchecked"] == 0, "{links}");
    let reads = role_reads(&world).await;
    assert!(reads > 0);
    world.report().await;
    assert_eq!(role_reads(&world).await, reads, "they change seldom");
    world.stop().await;
}

#[tokio::test]
async fn explain_waits_for_no_push_to_a_hub_whose_link_lacks_a_role() {
    let explained = async |lacks_role: bool| {
        let mut fleet = Fleet::from_toml(AUTHORITIES).unwrap();
        fleet.namespaces[0].hubs[1].lacks_role = lacks_role;
        let world = World::of(&fleet, AUTHORITIES_RULES).await;
        let namespace = world.namespace("contoso-plants").await;
        let authority = format!("{}/certificateAuthorities/lines-ica", namespace["id"].as_str().unwrap());
        world.rotate(&authority).await;
        let output = policysync(&world, &["explain", "line-1", "--output", "json"], &[]).await;
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        world.stop().await;
        document(&output)["plan"]["nextStep"].as_str().unwrap().to_owned()
    };
    let (without, with) = (explained(true).await, explained(false).await);
    assert!(without.starts_with("Grant the role that its link lacks"), "{without}");
    assert!(with.starts_with("Wait"), "{with}");
}

#[tokio::test]
async fn a_report_that_may_not_read_roles_says_so_and_finds_nothing_by_that() {
    let world = World::default().await;
    leave_out(&world, json!(["Microsoft.Authorization/roleAssignments/read"]), json!([])).await;
    let report = world.report().await;
    for namespace in report["namespaces"].as_array().unwrap() {
        let links = &namespace["links"];
        assert!(links["unchecked"].as_u64() >= Some(1) && links["unmet"] == 0, "{links}");
        assert!(links["whyUnchecked"].as_str().unwrap().contains("role assignments"), "{links}");
    }
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.iter().any(|one| one["check"] == "link-unready"), "{findings:?}");
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_of_a_link_is_never_fine() {
    let world = World::default().await;
    leave_out(&world, json!(["Microsoft.Authorization/roleAssignments/read"]), json!([])).await;
    let output = policysync(&world, &["check", "--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let all = document(&output);
    for row in rows(&all, "link-roles") {
        assert!(row["message"].as_str().unwrap().starts_with("could not be checked"), "{row}");
        assert!(row["status"] == "failed" && row["nextStep"].as_str().unwrap().contains("Reader"), "{row}");
    }
    let provisioning = "Microsoft.Devices/provisioningServices/read";
    leave_out(&world, json!(["Microsoft.DeviceRegistry/namespaces/read", provisioning]), json!([])).await;
    let all = document(&policysync(&world, &["check", "--output", "json"], &[]).await);
    assert!(rows(&all, "link-state").iter().all(|row| row["status"] == "failed"), "{all}");
    world.stop().await;
}
