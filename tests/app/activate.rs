//! `policies activate`: what is refused, what is lost on the way, both generations, and renewal.

use serde_json::{Value, json};

use crate::operator::{code, document, leave_out, record, told};
use crate::own_root::{Desk, connect, declared, declared_of_credential, empty};

const APPLY: &str = "policysync policies activate partner-ica --chain partner-ica-chain.pem --apply";
/// The simulated account takes any key.
const KEY: &str = "SharedKey storage:c2ln";
const POST: &str = "POST /certificateAuthorities/partner-ica/activate";

async fn signed(configuration: &str) -> Desk {
    let desk = Desk::new(&empty("certificate-authorities"), configuration).await;
    desk.sign("partner-ica").await;
    desk
}

/// The same where an operation takes longer than a command with `--timeout 1`: the authority shows nothing of an activation
/// when the next command looks at it.
async fn signed_at_a_slow_service() -> Desk {
    let mut fleet = empty("certificate-authorities");
    fleet.operation_seconds = 6;
    let desk = Desk::new(&fleet, &declared()).await;
    desk.sign("partner-ica").await;
    desk
}

async fn control(desk: &Desk, path: &str, body: &Value) {
    let answer = desk.world.post(&desk.world.azure(path), body).await;
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

async fn faults(desk: &Desk, fault: Value) {
    let url = desk.world.azure("/simulator/faults");
    let set = desk.world.client.put(url).json(&json!({ "faults": [fault] })).send().await.unwrap();
    assert!(set.status().is_success(), "{}", set.text().await.unwrap());
}

/// The activations that were sent.
async fn sent(desk: &Desk) -> Vec<String> {
    desk.registry_writes()
        .await
        .into_iter()
        .filter(|write| write.to_ascii_lowercase().contains("/activate"))
        .collect()
}

/// The records of activations, with their keys, in the order of their runs.
async fn kept(desk: &Desk) -> Vec<(String, Value)> {
    let list = desk.world.azure("/storage/policysync?restype=container&comp=list&prefix=registry-writes/");
    let listed = desk.world.client.get(list).header("Authorization", KEY).send().await.unwrap();
    let text = listed.text().await.unwrap();
    let mut found = Vec::new();
    for key in text.split("<Name>").skip(1).map(|rest| rest.split("</Name>").next().unwrap()) {
        found.push((key.to_owned(), record(&desk.world, key).await));
    }
    found.retain(|(_, record)| record["record"] == "registry-activation/v1");
    found
}

async fn records(desk: &Desk) -> Vec<Value> {
    kept(desk).await.into_iter().map(|(_, record)| record).collect()
}

/// Makes the first record as old as `at`.
async fn date_back(desk: &Desk, at: &str) {
    let (key, mut record) = kept(desk).await.swap_remove(0);
    record["at"] = json!(at);
    let body = json!({"writeId": "of-a-test", "value": record}).to_string();
    let blob = desk.world.azure(&format!("/storage/policysync/{key}"));
    let put = desk.world.client.put(blob).header("Authorization", KEY).body(body).send().await.unwrap();
    assert!(put.status().is_success(), "{}", put.status());
}

/// Runs the command with JSON; its document and exit code.
async fn run(desk: &Desk, script: &str) -> (Value, i32) {
    let output = desk.run(&format!("{script} --output json")).await;
    (document(&output), code(&output))
}

#[tokio::test]
async fn it_is_proven_on_every_hub_recorded_by_fingerprint_and_the_same_again_sends_nothing() {
    let desk = signed(&declared()).await;
    let (planned, exit) = run(&desk, APPLY.trim_end_matches(" --apply")).await;
    assert_eq!((exit, &planned["outcome"]), (0, &json!("planned")), "{planned}");
    for hub in planned["hubs"].as_array().unwrap() {
        // Nothing is to be waited for before anything was sent.
        assert_eq!(
            (&hub["why"], &hub["nextStep"]),
            (&json!("it comes after the activation"), &Value::Null),
            "{hub}"
        );
    }
    let (done, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &done["outcome"], &done["proven"]), (0, &json!("activated"), &json!(true)), "{done}");
    let certificate = &done["certificates"][0];
    let hubs = done["hubs"].as_array().unwrap();
    assert_eq!(hubs.len(), 2);
    for hub in hubs {
        let seen = hub["evidence"]["thumbprint"].as_str().unwrap();
        assert!(seen.eq_ignore_ascii_case(certificate["sha1"].as_str().unwrap()), "{hub}");
    }
    let records = records(&desk).await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(
        (&records[0]["stage"], &records[0]["certificateSha256"]),
        (&json!("accepted"), &certificate["sha256"])
    );
    assert!(!records[0].to_string().contains("BEGIN"), "{records:?}");

    let (again, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &again["outcome"]), (0, &json!("already-active")), "{again}");
    assert_eq!((sent(&desk).await, again["run"].is_null()), (vec![POST.to_owned()], true));
    // Another chain for the same request, and one for nothing at all.
    let other = desk
        .run("cp root.pem other.pem; policysync policies activate partner-ica --chain other.pem --apply")
        .await;
    assert!(code(&other) == 1 && told(&other).contains("which is not that of the chain"), "{}", told(&other));
    desk.world.stop().await;
}

#[tokio::test]
async fn what_must_not_be_sent_is_refused_before_anything_is_asked() {
    let desk = signed(&declared()).await;
    let before = desk.world.writes().await;
    let key = std::fs::read_to_string(desk.path().join("root.key")).unwrap();
    let secret: Vec<&str> = key.lines().filter(|line| !line.starts_with('-')).collect();
    for (make, words) in [
        ("cat partner-ica-chain.pem root.key > bad.pem", "holds a private key"),
        ("cp root.key bad.pem", "holds a private key"),
        ("head -c 5000000 /dev/zero | tr '\\0' 'A' > bad.pem", "too-large"),
        ("cat root.pem partner-ica.pem > bad.pem", "wrong-order"),
        ("cp root.pem bad.pem", "wrong-key"),
        ("openssl x509 -in partner-ica.pem -outform DER -out bad.pem", "not-text"),
        (": > bad.pem", "no-certificate"),
    ] {
        let output = desk
            .run(&format!("{make}; policysync policies activate partner-ica --chain bad.pem --apply"))
            .await;
        assert_eq!(code(&output), 1, "{make}: {}", told(&output));
        assert!(told(&output).contains(words), "{make}: {}", told(&output));
        assert!(!secret.iter().any(|line| told(&output).contains(line)), "{make}: {}", told(&output));
    }
    let (refused, exit) = run(&desk, "policysync policies activate partner-ica --chain root.pem").await;
    assert_eq!(
        (exit, &refused["outcome"], &refused["faults"][0]["code"]),
        (1, &json!("refused"), &json!("wrong-key"))
    );
    assert_eq!((desk.world.writes().await, records(&desk).await.len()), (before, 0));
    desk.world.stop().await;
}

#[tokio::test]
async fn audit_and_the_kill_switch_send_nothing_and_a_person_who_insists_does() {
    let desk = signed(&declared()).await;
    let file = desk.world.local.configured.clone();
    std::fs::write(&file, declared().replace("mode = \"enforce\"", "mode = \"audit\"")).unwrap();
    let stopped = desk.run(APPLY).await;
    assert!(code(&stopped) == 1 && told(&stopped).contains("--even-in-audit"), "{}", told(&stopped));
    let stopped = desk.run(&format!("export POLICYSYNC_MODE=audit; {APPLY} --even-in-audit")).await;
    assert!(code(&stopped) == 1 && told(&stopped).contains("POLICYSYNC_MODE=audit"), "{}", told(&stopped));
    assert_eq!((sent(&desk).await, records(&desk).await.len()), (Vec::<String>::new(), 0));
    desk.done(&format!("{APPLY} --even-in-audit")).await;
    assert_eq!(sent(&desk).await, [POST]);
    desk.world.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_found_out_and_nothing_is_sent_twice() {
    let desk = signed_at_a_slow_service().await;
    faults(
        &desk,
        json!({"method": "POST", "path": "*/activate", "afterwards": true, "close": true, "times": 1}),
    )
    .await;
    let output = desk.run(&format!("{APPLY} --timeout 1")).await;
    assert!([0, 3].contains(&code(&output)), "{}", told(&output));
    let (done, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &done["proven"]), (0, &json!(true)), "{done}");
    assert_eq!(sent(&desk).await, [POST]);
    assert_eq!(
        records(&desk).await[0]["stage"],
        "planned",
        "its outcome was not learnt by the run that sent it"
    );
    desk.world.stop().await;
}

#[tokio::test]
async fn a_chain_that_never_arrived_is_sent_again_only_when_it_cannot_be_on_its_way() {
    let desk = signed(&declared()).await;
    faults(&desk, json!({"method": "POST", "path": "*/activate", "close": true, "times": 1})).await;
    let output = desk.run(&format!("{APPLY} --timeout 1")).await;
    assert_eq!(code(&output), 3, "{}", told(&output));
    let (waiting, exit) = run(&desk, &format!("{APPLY} --timeout 1")).await;
    assert_eq!((exit, &waiting["outcome"]), (3, &json!("waiting")), "{waiting}");
    let run_before = records(&desk).await[0]["run"].as_str().unwrap().to_owned();
    let detail = waiting["detail"].as_str().unwrap();
    for words in ["this run has sent nothing", &run_before, "the same command sends it then"] {
        assert!(detail.contains(words), "{words}: {detail}");
    }
    assert_eq!((sent(&desk).await, records(&desk).await.len()), (vec![POST.to_owned()], 1));
    date_back(&desk, "2026-01-01T00:00:00Z").await;
    let (done, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &done["outcome"]), (0, &json!("activated")), "{done}");
    assert_eq!(sent(&desk).await, [POST, POST]);
    desk.world.stop().await;
}

#[tokio::test]
async fn what_became_of_an_operation_is_learnt_by_the_run_after_the_one_that_began_it() {
    let desk = signed_at_a_slow_service().await;
    let id = desk.authority().await["id"].clone();
    let ends = json!({"id": id, "code": "InvalidPropertyValue", "message": "No clientAuth."});
    control(&desk, "/simulator/operation-ends", &ends).await;
    let output = desk.run(&format!("{APPLY} --timeout 1")).await;
    assert_eq!(code(&output), 3, "{}", told(&output));
    assert_eq!(records(&desk).await[0]["stage"], "accepted");
    let (failed, exit) = run(&desk, APPLY).await;
    let words = failed["detail"].as_str().unwrap();
    assert!(exit == 1 && words.contains("InvalidPropertyValue: No clientAuth."), "{failed}");
    assert_eq!((sent(&desk).await.len(), &records(&desk).await[0]["stage"]), (1, &json!("refused")));
    // What has failed can be sent again at once.
    let (done, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &done["outcome"]), (0, &json!("activated")), "{done}");
    assert_eq!(sent(&desk).await.len(), 2);
    desk.world.stop().await;
}

#[tokio::test]
async fn two_runs_at_the_same_time_send_one_chain() {
    let desk = signed_at_a_slow_service().await;
    let apply = format!("{APPLY} --timeout 1");
    tokio::join!(desk.run(&apply), desk.run(&apply), desk.run(&apply));
    assert!(sent(&desk).await.len() <= 1, "{:?}", sent(&desk).await);
    // Where each stood back for another, the next one sends.
    let (done, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &done["proven"]), (0, &json!(true)), "{done}");
    assert_eq!(sent(&desk).await, [POST]);
    desk.world.stop().await;
}

#[tokio::test]
async fn without_the_records_of_earlier_runs_nothing_is_sent() {
    let desk = signed(&declared()).await;
    faults(&desk, json!({"method": "GET", "path": "/storage/policysync", "status": 403})).await;
    let output = desk.run(APPLY).await;
    assert!(code(&output) == 1 && told(&output).contains("nothing was sent, since"), "{}", told(&output));
    assert_eq!(sent(&desk).await, Vec::<String>::new());
    desk.world.stop().await;
}

#[tokio::test]
async fn an_operation_that_may_not_be_asked_about_is_proven_by_reads() {
    let desk = signed(&declared()).await;
    leave_out(
        &desk.world,
        json!(["Microsoft.DeviceRegistry/locations/asyncOperationStatuses/read"]),
        json!([]),
    )
    .await;
    let (done, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &done["outcome"]), (0, &json!("activated")), "{done}");
    desk.world.stop().await;
}

#[tokio::test]
async fn what_the_service_refuses_is_told_in_its_words_at_once_or_at_the_end() {
    let desk = signed(&declared()).await;
    let refusal = json!({"method": "POST", "path": "*/activate", "status": 400, "times": 1,
        "body": {"error": {"code": "CertificateExpiringSoon", "message": "It ends too soon."}}});
    faults(&desk, refusal).await;
    let (refused, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &refused["outcome"]), (1, &json!("failed")), "{refused}");
    let words = refused["detail"].as_str().unwrap();
    assert!(words.contains("CertificateExpiringSoon") && words.contains("It ends too soon."), "{words}");
    assert_eq!(records(&desk).await[0]["stage"], "refused");

    let id = desk.authority().await["id"].clone();
    let lifecycle = json!({"operation_failure": "wrapped"});
    let set = desk
        .world
        .client
        .put(desk.world.azure("/simulator/lifecycle"))
        .json(&lifecycle)
        .send()
        .await
        .unwrap();
    assert!(set.status().is_success());
    control(
        &desk,
        "/simulator/operation-ends",
        &json!({"id": id, "code": "InvalidPropertyValue", "message": "No clientAuth."}),
    )
    .await;
    let (failed, exit) = run(&desk, APPLY).await;
    let words = failed["detail"].as_str().unwrap();
    assert!(exit == 1 && words.contains("InvalidPropertyValue: No clientAuth."), "{failed}");
    // The request waits still, so the same command can be tried again.
    let (done, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &done["outcome"]), (0, &json!("activated")), "{done}");
    desk.world.stop().await;
}

#[tokio::test]
async fn a_hub_that_the_service_cannot_write_to_is_named_and_the_command_ends_with_3() {
    let desk = signed(&declared()).await;
    let state = desk.world.get(&desk.world.azure("/simulator/state")).await;
    let hub = state["hubs"][0]["id"].clone();
    let role = json!({"id": hub, "granted": false});
    let set =
        desk.world.client.put(desk.world.azure("/simulator/hub-role")).json(&role).send().await.unwrap();
    assert!(set.status().is_success(), "{}", set.text().await.unwrap());
    let (done, exit) = run(&desk, &format!("{APPLY} --timeout 8")).await;
    assert_eq!((exit, &done["outcome"], &done["proven"]), (3, &json!("activated"), &json!(false)), "{done}");
    let trusts: Vec<&Value> = done["hubs"].as_array().unwrap().iter().map(|hub| &hub["trust"]).collect();
    assert_eq!(trusts, [&json!("missing"), &json!("trusted")], "{done}");
    let next_step = done["hubs"][0]["nextStep"].as_str().unwrap();
    assert!(next_step.contains("Grant the role") && next_step.contains("same command again"), "{done}");
    // What cannot come is not waited for.
    let begun = std::time::Instant::now();
    let (again, exit) = run(&desk, &format!("{APPLY} --timeout 60")).await;
    assert_eq!((exit, &again["outcome"]), (3, &json!("already-active")), "{again}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    desk.world.stop().await;
}

#[tokio::test]
async fn a_renewal_goes_the_same_way_while_the_certificate_before_works_on() {
    let desk = signed(&declared()).await;
    desk.done(APPLY).await;
    desk.done("policysync policies apply --apply").await;
    let before = desk.authority().await["properties"]["issuer"]["thumbprint"].clone();
    let id = desk.authority().await["id"].clone();
    control(&desk, "/simulator/renew", &json!({ "id": id })).await;
    desk.until_status("ActiveButPendingRenewal").await;
    // The chain of before answers the request no more; the authority works with it, so nothing is sent either.
    let (old, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &old["outcome"], sent(&desk).await.len()), (0, &json!("already-active"), 1), "{old}");
    assert!(old["detail"].as_str().unwrap().contains("renewal"), "{old}");

    let csr = desk.done("policysync policies csr partner-ica").await;
    assert!(csr.contains("activate it by"), "the day by which it must be done: {csr}");
    desk.sign_again("partner-ica").await;
    desk.done("policysync policies lint partner-ica --chain partner-ica-chain.pem").await;
    let (done, exit) = run(&desk, APPLY).await;
    assert_eq!((exit, &done["outcome"], &done["proven"]), (0, &json!("activated"), &json!(true)), "{done}");
    assert_eq!(sent(&desk).await, [POST, POST]);
    assert_ne!(desk.authority().await["properties"]["issuer"]["thumbprint"], before);
    desk.world.stop().await;
}

#[tokio::test]
async fn in_the_older_generation_a_sync_follows_and_without_one_the_command_says_so() {
    let activate = APPLY.replace("partner-ica ", "gates ");
    let ask = declared_of_credential().replace("mode = \"enforce\"", "mode = \"enforce\"\nsync = \"ask\"");
    let desk = Desk::new(&empty("credentials"), &ask).await;
    desk.sign("gates").await;
    let (done, exit) = run(&desk, &activate).await;
    assert_eq!((exit, &done["outcome"], &done["proven"]), (3, &json!("activated"), &json!(false)), "{done}");
    let next_step = done["hubs"][0]["nextStep"].as_str().unwrap();
    assert!(next_step.contains("policysync submit --namespace"), "{next_step}");
    assert_eq!(sent(&desk).await, ["POST /credentials/default/policies/gates/activateBringYourOwnRoot"]);
    desk.world.stop().await;

    let desk = Desk::new(&empty("credentials"), &declared_of_credential()).await;
    desk.sign("gates").await;
    let (done, exit) = run(&desk, &activate).await;
    assert_eq!((exit, &done["proven"]), (0, &json!(true)), "{done}");
    desk.world
        .until("the group is assigned", async || {
            desk.world.fire("reconcile-assignments").await;
            let policy = crate::operator::policy_of(&desk.world, "contoso-plants-dps", "gates").await;
            (policy.as_deref() == Some("gates")).then_some(())
        })
        .await;
    connect(&desk.world, "2025-07-01-preview").await;
    desk.world.stop().await;
}
