//! `policysync host` as a process: the app of docs/host.md, and everything that can be wrong with an app.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::host_process::{HostProcess, TestFolder, complaint, is_gone, processes_of};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

const HOST: &str = r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"},"initializationTimeout":"00:00:04"}}"#;
const QUEUE: &str = r#"{"bindings":[{"type":"queueTrigger","name":"item","queueName":"q"}]}"#;

/// The block of docs/host.md below the heading that starts with `heading`, whose line above names the file.
fn documented(heading: &str, file: &str) -> String {
    let text = include_str!("../../docs/host.md");
    let section = &text[text.find(&format!("\n{heading}")).unwrap()..];
    let block = &section[section.find(&format!("\n`{file}`\n\n```")).unwrap() + file.len() + 5..];
    let (_, block) = block.split_once('\n').unwrap();
    block.split_once("```\n").unwrap().0.to_owned()
}

fn documented_app(language: &str, files: &[&str]) -> TestFolder {
    let folder = TestFolder::new();
    for file in ["hello/function.json", "orders/function.json"] {
        folder.write(file, &documented("## An app", file));
    }
    for file in files {
        folder.write(file, &documented(&format!("### {language}"), file));
    }
    folder
}

fn no_functions(handler: &str) -> TestFolder {
    let folder = TestFolder::new();
    folder.write("host.json", HOST);
    folder.write("job/function.json", QUEUE);
    folder.program("handler", &format!("#!/bin/sh\n{handler}\n"));
    folder
}

async fn fire(url: &str, function: &str, input: &str) -> u16 {
    let client = reqwest::Client::new();
    let request = client.post(format!("{url}/admin/functions/{function}")).json(&json!({"input": input}));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_documented_python_handler_runs_unchanged() {
    let app = documented_app("Python", &["host.json", "handler.py"]);
    let mut host = HostProcess::start(app.path(), &["--output", "json"]);
    let started = host.event().await;
    assert_eq!(
        started,
        json!({"event": "handler", "action": "started", "pid": started["pid"], "code": null})
    );
    let ready = host.event().await;
    let url = ready["url"].as_str().unwrap().to_owned();
    assert_eq!(ready, json!({"event": "ready", "url": url}));

    let answer = reqwest::get(format!("{url}/api/hello?name=Ada")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "Hello, Ada!"));
    let called = host.event().await;
    assert_eq!(names(&called), "event function invocationId outcome error logs outputs durationMs");
    assert_eq!((&called["event"], &called["function"]), (&json!("invocation"), &json!("hello")));
    assert_eq!((&called["outcome"], &called["error"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(called["logs"], json!(["greeted Ada"]));

    assert_eq!(fire(&url, "orders", r#"{"id":7}"#).await, 202);
    let fired = host.event().await;
    assert_eq!((&fired["function"], &fired["outcome"]), (&json!("orders"), &json!("succeeded")));
    assert_eq!(fired["logs"], json!(["order 7 accepted"]));
    let receipt: Value = serde_json::from_str(fired["outputs"]["receipts"][0].as_str().unwrap()).unwrap();
    assert_eq!(receipt, json!({"accepted": 7}));

    assert_eq!(fire(&url, "orders", "no JSON").await, 202);
    let failed = host.event().await;
    assert_eq!((&failed["outcome"], &failed["logs"]), (&json!("failed"), &json!([])));
    assert!(failed["error"].as_str().unwrap().contains("500"), "{failed}");
    assert_eq!(fire(&url, "nothing", "x").await, 404);

    let pid = started["pid"].as_u64().unwrap();
    assert_eq!(host.signal("INT").await, Some(0));
    assert_eq!(host.event().await, json!({"event": "handler", "action": "killed", "pid": pid, "code": 137}));
    assert!(is_gone(pid).await);
    assert!(host.stderr().await.contains("JSONDecodeError"), "what the handler printed is on stderr");
}

fn names(value: &Value) -> String {
    value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_person_sees_the_functions_first_and_then_what_they_do() {
    let app = documented_app("Python", &["host.json", "handler.py"]);
    let mut host = HostProcess::start(app.path(), &[]);
    let ready = host.line("ready at ").await;
    let url = ready.split("ready at ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let seen = host.seen();
    assert!(seen.contains(&format!("GET, POST {url}/api/hello")), "{seen}");
    assert!(seen.contains(&format!("POST {url}/admin/functions/orders")), "{seen}");
    fire(&url, "orders", r#"{"id":7}"#).await;
    assert!(host.line("orders ").await.contains("succeeded in "));
    assert!(host.line("log  ").await.ends_with("order 7 accepted"));
    fire(&url, "orders", "no JSON").await;
    // The lines that the handler prints and its answers come by two ways, in either order.
    let expected =
        ["JSONDecodeError", "FAILED in ", "because  Response status code does not indicate success: 500"];
    while !expected.iter().all(|words| host.seen().contains(words)) {
        host.line("").await;
    }
    assert_eq!(host.signal("TERM").await, Some(0));
}

#[test]
fn the_documented_rust_handler_is_the_one_that_is_compiled() {
    let compiled = include_str!("../../crates/functions-host-stand-in/examples/host_handler.rs");
    assert_eq!(documented("### Rust", "handler.rs"), compiled);
}

#[tokio::test]
async fn local_settings_are_app_settings_unless_the_environment_has_them() {
    let app = no_functions(r#"echo "ONE=$ONE PATH=$PATH" >&2; exec sleep 60"#);
    app.write(
        "local.settings.json",
        r#"{"IsEncrypted":false,"Values":{"ONE":"from the file","PATH":"lost","NONE":null,"QUEUE":"jobs"}}"#,
    );
    app.write("job/function.json", &QUEUE.replace("\"q\"", "\"%QUEUE%\""));
    let mut host = HostProcess::start(app.path(), &[]);
    assert!(host.line("host ").await.ends_with("local.settings.json: 2 app settings"));
    assert!(host.line("PATH is left out, since the environment holds it").await.contains("warning"));
    assert!(host.line("NONE is left out, since its value is null").await.contains("warning"));
    let printed = host.line("ONE=").await;
    assert!(printed.contains("ONE=from the file PATH=/") && !printed.contains("lost"), "{printed}");
    assert_eq!(host.signal("TERM").await, Some(0), "also while it waits for its handler");
    assert_eq!(processes_of(app.path()), "");
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_host() {
    let app = documented_app("Python", &["host.json", "handler.py"]);
    let mut host = HostProcess::start(app.path(), &[]);
    let ready = host.line("ready at ").await;
    let url = ready.split("ready at ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    host.close_stdout();
    fire(&url, "orders", r#"{"id":7}"#).await;
    assert_eq!(host.ended().await, Some(0));
    assert_eq!(processes_of(app.path()), "");
}

/// Runs a host that cannot start, and checks that it leaves no process behind. Answers its complaint.
async fn refused(app: &Path) -> String {
    let output =
        tokio::time::timeout(PATIENCE, HostProcess::start(app, &[]).output()).await.expect("it hangs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(processes_of(app), "", "a process is left");
    complaint(&output)
}

#[tokio::test]
async fn a_root_without_host_json_is_named() {
    let folder = TestFolder::new();
    let error = refused(folder.path()).await;
    assert!(error.contains("host.json") && error.contains(folder.path().to_str().unwrap()), "{error}");
    let error = refused(&folder.path().join("nowhere")).await;
    assert!(error.contains("nowhere"), "{error}");
}

#[tokio::test]
async fn a_handler_that_does_not_exist_is_named() {
    let folder = TestFolder::new();
    folder.write("host.json", HOST);
    let error = refused(folder.path()).await;
    let expected =
        "host.json: customHandler.description.defaultExecutablePath: \"handler\" is neither a file in";
    assert!(error.contains(expected), "{error}");
}

#[tokio::test]
async fn a_handler_that_is_not_executable_is_named_with_the_remedy() {
    let folder = TestFolder::new();
    folder.write("host.json", HOST);
    folder.write("handler", "#!/bin/sh\n");
    let error = refused(folder.path()).await;
    assert!(error.contains("is not executable: chmod +x"), "{error}");
}

#[tokio::test]
async fn a_handler_that_no_system_can_run_is_told() {
    let folder = TestFolder::new();
    folder.write("host.json", HOST);
    folder.program("handler", "#!/no/such/interpreter\n");
    let error = refused(folder.path()).await;
    assert!(error.contains("cannot be started"), "{error}");
}

#[tokio::test]
async fn a_handler_that_exits_at_once_is_quoted() {
    let error = refused(no_functions("echo 'the table is missing' >&2; exit 3").path()).await;
    assert!(error.contains("exit code 3") && error.contains("the table is missing"), "{error}");
    let error = refused(no_functions("exit 0").path()).await;
    assert!(error.contains("exit code 0"), "{error}");
}

#[tokio::test]
async fn a_handler_that_listens_elsewhere_is_told_where_to_listen() {
    // `time.sleep` fails under libfaketime, with which `cargo xtask calendar` moves the clock.
    let elsewhere = r#"exec python3 -c 'import socket, threading; s = socket.create_server(("127.0.0.1", 0)); threading.Event().wait(60)'"#;
    let error = refused(no_functions(elsewhere).path()).await;
    assert!(
        error.contains("must listen on 127.0.0.1") && error.contains("FUNCTIONS_CUSTOMHANDLER_PORT"),
        "{error}"
    );
}

#[tokio::test]
async fn a_handler_that_accepts_and_never_answers_is_told_so() {
    let mute = r#"exec python3 -c 'import os, socket, threading; s = socket.create_server(("127.0.0.1", int(os.environ["FUNCTIONS_CUSTOMHANDLER_PORT"]))); threading.Event().wait(60)'"#;
    let error = refused(no_functions(mute).path()).await;
    assert!(error.contains("has not answered GET /"), "{error}");
}

#[tokio::test]
async fn a_hundred_megabytes_on_stdout_do_no_harm() {
    let app = documented_app("Python", &["host.json", "handler.py"]);
    let loud = "import sys\nfor _ in range(100): sys.stdout.write('a line of no use to readers\\n' * 37500)\nsys.stdout.flush()\n";
    app.write("handler.py", &format!("{loud}{}", documented("### Python", "handler.py")));
    let mut host = HostProcess::start(app.path(), &["--output", "json"]);
    let url = loop {
        let event = host.event().await;
        if event["event"] == "ready" {
            break event["url"].as_str().unwrap().to_owned();
        }
    };
    assert_eq!(reqwest::get(format!("{url}/api/hello")).await.unwrap().status().as_u16(), 200);
    assert_eq!(host.event().await["outcome"], "succeeded");
    assert!(host.memory() < 200 * 1024 * 1024, "{}", host.memory());
    assert_eq!(host.signal("INT").await, Some(0));
    assert!(host.stderr().await.contains("left out"));
}

#[tokio::test]
async fn functions_in_error_are_told_and_the_others_run() {
    let app = documented_app("Python", &["host.json", "handler.py"]);
    app.write("Orders/function.json", QUEUE);
    app.write("fax/function.json", r#"{"bindings":[{"type":"faxTrigger","name":"fax"}]}"#);
    let mut host = HostProcess::start(app.path(), &[]);
    let ready = host.line("ready at ").await;
    let url = ready.split("ready at ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let seen = host.seen();
    for words in [
        "\"Orders\" and \"orders\" differ only by the case",
        "fax/function.json: bindings[0].type: \"faxTrigger\" is no known binding type; allowed: ",
    ] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    assert_eq!(reqwest::get(format!("{url}/api/hello")).await.unwrap().status().as_u16(), 200);
    assert_eq!(fire(&url, "fax", "x").await, 400);
    assert_eq!(host.signal("HUP").await, Some(0));
}
