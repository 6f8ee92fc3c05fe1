//! `infra/hooks/deploy.sh`: the package on each plan, the wait for the functions, the second stage.

use super::stage::{Ending, Stage, fails, prints, succeeds};

const PACKAGE_URL: &str = "https://stpackages.blob.core.windows.net/packages/policysync.zip";
const UNAVAILABLE: &str = "WARNING: Deployment endpoint responded with status code 503 for deployment id \n\
    ERROR: An error occured during deployment. Status Code: 503, Details: Site Unavailable";
const REFUSED: &str = "ERROR: (AuthorizationPermissionMismatch) This request is not authorized to perform this \
    operation using this permission. Status code: 403";
const LISTED: &str = "func-policysync-abc/assign-policy\nfunc-policysync-abc/handle-resource-event";

/// Where everything works at once, on Flex Consumption.
fn flex() -> Stage {
    let mut stage = Stage::new(&["az", "cargo"]);
    stage
        .on("az account show *", [prints("sub-1")])
        .on("cargo xtask package*", [succeeds()])
        .on("az functionapp config appsettings list *", [succeeds()])
        .on("az functionapp deployment source config-zip *", [prints("Deployment was successful.")])
        .on("az functionapp show *", [prints("/subscriptions/sub-1/sites/func-policysync-abc")])
        .on("az rest --method post *", [succeeds()])
        .on("az functionapp function list *", [prints(LISTED)])
        .on("az deployment sub create *", [succeeds()]);
    for (name, value) in [
        ("AZURE_ENV_NAME", "dev"),
        ("AZURE_FUNCTION_NAME", "func-policysync-abc"),
        ("AZURE_LOCATION", "westeurope"),
        ("AZURE_RESOURCE_GROUP", "rg-policysync-dev"),
        ("AZURE_SUBSCRIPTION_ID", "sub-1"),
        ("POLICYSYNC_PACKAGE_OPTIONS", "--regions 2"),
    ] {
        stage.set(name, value);
    }
    stage
}

/// The same on Elastic Premium, where a zip deployment is refused.
fn premium() -> Stage {
    let mut stage = flex();
    stage
        .on("az functionapp config appsettings list *", [prints(PACKAGE_URL)])
        .on(
            "az functionapp deployment source config-zip *",
            [fails(
                "Status Code: 409, Details: Run-From-Zip is set to a remote URL using WEBSITE_RUN_FROM_PACKAGE",
            )],
        )
        .on("az storage blob upload *", [succeeds()])
        .on("az functionapp restart *", [succeeds()]);
    stage
}

fn run(stage: &Stage) -> Ending {
    stage.run("deploy.sh", &[])
}

#[test]
fn the_package_comes_before_the_functions_and_these_before_the_events() {
    let ending = run(&flex()).succeeded();
    let order = ["cargo xtask package --regions 2", "config-zip", "function list", "deployment sub create"];
    assert!(order.map(|part| ending.place(part)).is_sorted(), "{:#?}", ending.calls);
    assert!(ending.calls[ending.place("deployment sub create")].contains("eventSubscriptions=true"));
    assert_eq!(ending.count("sleep"), 0, "nothing had to be waited for");
}

#[test]
fn on_premium_the_package_goes_to_the_blob_that_the_app_runs_from() {
    let ending = run(&premium()).succeeded();
    assert_eq!(ending.count("config-zip"), 0, "it would be refused with 409");
    let upload = &ending.calls[ending.place("storage blob upload")];
    for part in
        ["--account-name stpackages ", "--container-name packages ", "--name policysync.zip ", "--overwrite"]
    {
        assert!(upload.contains(part), "{upload}");
    }
    let order = ["storage blob upload", "functionapp restart", "host/default/sync", "deployment sub create"];
    assert!(order.map(|part| ending.place(part)).is_sorted(), "{:#?}", ending.calls);
}

#[test]
fn a_503_of_the_deployment_is_tried_again_and_not_for_ever() {
    let mut stage = flex();
    stage.on(
        "az functionapp deployment source config-zip *",
        [fails(UNAVAILABLE), fails(UNAVAILABLE), succeeds()],
    );
    let ending = run(&stage).succeeded();
    assert_eq!((ending.count("config-zip"), ending.count("sleep 30")), (3, 2));
    let word = "deploying the package: the service is unavailable; that was try 2 of 4";
    assert!(ending.out.contains(word), "{}", ending.out);

    let mut stage = flex();
    stage.on("az functionapp deployment source config-zip *", [fails(UNAVAILABLE)]);
    let ending = run(&stage).stopped("the package is not deployed");
    assert_eq!((ending.count("config-zip"), ending.count("sleep"), ending.count("sub create")), (4, 3, 0));
    assert!(ending.out.contains("Site Unavailable"), "the words of az are shown");
}

#[test]
fn another_deployment_that_runs_is_waited_for() {
    let mut stage = flex();
    stage.on(
        "az functionapp deployment source config-zip *",
        [fails("ERROR: There may be an ongoing deployment. Please track your deployment in …"), succeeds()],
    );
    let ending = run(&stage).succeeded();
    assert!(ending.out.contains("deploying the package: it is not ready for that yet"), "{}", ending.out);
    assert_eq!((ending.count("config-zip"), ending.count("sleep")), (2, 1));
}

#[test]
fn what_does_not_pass_by_itself_is_not_tried_again() {
    let mut stage = flex();
    stage.on("az functionapp deployment source config-zip *", [fails("ERROR: Package content is invalid")]);
    let ending = run(&stage).stopped("the package is not deployed");
    assert_eq!((ending.count("config-zip"), ending.count("sleep")), (1, 0));
}

#[test]
fn a_deployed_app_that_the_cli_calls_unhealthy_is_looked_at() {
    let mut stage = flex();
    stage.on(
        "az functionapp deployment source config-zip *",
        [fails("ERROR: Deployment was successful but the app appears to be unhealthy.")],
    );
    let ending = run(&stage).succeeded();
    assert_eq!((ending.count("config-zip"), ending.count("sub create")), (1, 1));
    assert!(ending.out.contains("az found the app unhealthy"), "{}", ending.out);
    assert!(!run(&flex()).out.contains("unhealthy"));
}

#[test]
fn a_role_that_is_on_its_way_is_waited_for_with_a_word() {
    for (mut stage, call, what) in [
        (premium(), "az storage blob upload *", "uploading the package"),
        (flex(), "az functionapp deployment source config-zip *", "deploying the package"),
        (flex(), "az deployment sub create *", "letting events wake the app"),
    ] {
        stage.on(call, [fails(REFUSED), fails(REFUSED), succeeds()]);
        let ending = run(&stage).succeeded();
        let word = format!("{what}: a role assignment takes minutes to arrive; that was try 2 of 4");
        assert!(ending.out.contains(&word), "{}", ending.out);
        assert_eq!(ending.count("sleep 30"), 2, "{what}");
    }
}

#[test]
fn a_role_that_never_comes_is_named() {
    let mut stage = premium();
    stage.on("az storage blob upload *", [fails(REFUSED)]);
    let ending = run(&stage).stopped("`Storage Blob Data Contributor` on the storage account stpackages");
    assert_eq!((ending.count("upload"), ending.count("restart")), (4, 0));
}

#[test]
fn functions_that_are_listed_on_the_third_look_are_waited_for() {
    let mut stage = flex();
    stage.on(
        "az functionapp function list *",
        [succeeds(), fails("(BadGateway)"), prints("func-policysync-abc/WarmUp"), prints(LISTED)],
    );
    let ending = run(&stage).succeeded();
    assert_eq!(
        (ending.count("function list"), ending.count("host/default/sync"), ending.count("sleep")),
        (4, 4, 3)
    );
    assert!(ending.place("sub create") > ending.place("function list"));
}

#[test]
fn without_the_functions_no_event_subscription_is_made() {
    let mut stage = flex();
    stage.on("az functionapp function list *", [prints("func-policysync-abc/not-handle-resource-event")]);
    let ending =
        run(&stage).stopped("does not list the function handle-resource-event after 4 looks, so no event");
    assert_eq!((ending.count("function list"), ending.count("sub create")), (4, 0));
    assert!(ending.err.contains("not-handle-resource-event"), "what is listed is told");
}

#[test]
fn a_private_app_waits_for_the_function_that_its_package_has() {
    let mut stage = flex();
    stage
        .set("POLICYSYNC_PACKAGE_OPTIONS", "--regions 1 --streamed-events")
        .on("az functionapp function list *", [prints(LISTED), prints("app/handle-streamed-events")]);
    let ending = run(&stage).succeeded();
    assert_eq!((ending.count("function list"), ending.count("sub create")), (2, 1));
}

#[test]
fn events_can_be_left_out_where_a_subscription_has_its_one_topic_already() {
    let mut stage = flex();
    stage.set("DEPLOY_EVENTS", "no");
    let ending = run(&stage).succeeded();
    assert_eq!((ending.count("function list"), ending.count("sub create")), (1, 0));
    assert!(ending.out.contains("no event subscriptions"), "{}", ending.out);
}

#[test]
fn an_endpoint_that_event_grid_does_not_find_yet_is_tried_again() {
    let mut stage = flex();
    stage.on(
        "az deployment sub create *",
        [
            fails(r#"{"code":"Endpoint validation","message":"Destination endpoint not found."}"#),
            fails("(InvalidTemplate) no"),
        ],
    );
    let ending = run(&stage).stopped("the event subscriptions were not made");
    assert_eq!(ending.count("sub create"), 2);
}

#[test]
fn nothing_is_built_without_az_without_a_login_or_in_another_subscription() {
    let ending = Stage::new(&["cargo"]).run("deploy.sh", &[]).stopped("az) is not on PATH");
    assert_eq!(ending.calls, Vec::<String>::new());

    let mut stage = flex();
    stage.on("az account show *", [fails("ERROR: Please run 'az login' to setup account.")]);
    let ending = run(&stage).stopped("run `az login`");
    assert!(ending.err.contains("Please run 'az login'"), "the words of az are shown");
    assert_eq!(ending.count("cargo"), 0);

    let mut stage = flex();
    stage.on("az account show *", [prints("sub-2")]);
    let ending = run(&stage).stopped("az account set --subscription sub-1");
    assert_eq!(ending.count("cargo"), 0);
}

#[test]
fn a_package_that_does_not_build_and_a_value_that_is_missing_are_the_end() {
    let mut stage = flex();
    stage.on("cargo xtask package*", [fails("error: could not compile")]);
    let ending = run(&stage).stopped("could not compile");
    assert_eq!(ending.count("config-zip"), 0);

    let mut stage = flex();
    stage.set("AZURE_RESOURCE_GROUP", "");
    let ending = run(&stage).stopped("AZURE_RESOURCE_GROUP is not set");
    assert_eq!(ending.count("cargo"), 0);
}

#[test]
fn what_windows_adds_to_the_ends_of_lines_changes_nothing() {
    let mut stage = premium();
    stage
        .on("az account show *", [prints("sub-1\r")])
        .on("az functionapp config appsettings list *", [prints(&format!("{PACKAGE_URL}\r"))])
        .on("az functionapp function list *", [prints(&LISTED.replace('\n', "\r\n"))]);
    let ending = run(&stage).succeeded();
    assert!(ending.calls[ending.place("blob upload")].contains("--name policysync.zip "));
}
