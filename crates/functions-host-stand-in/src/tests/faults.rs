//! Bad input: each one a clear message, no orphan, no hang.

use std::time::{Duration, Instant};

use super::app::{TestApp, is_gone, is_running, next, next_line};
use crate::{Host, HostEvent, HostOptions, LogLevel};

const BUS: &str = r#"{"type":"serviceBusTrigger","name":"m","queueName":"q"}"#;

async fn error(app: &TestApp, mode: &str) -> String {
    let started = Instant::now();
    let (host, _events) = app.start(mode).await;
    assert!(started.elapsed() < Duration::from_secs(8), "{mode} took {:?}", started.elapsed());
    host.unwrap_err().to_string()
}

#[tokio::test]
async fn a_handler_that_does_not_exist_or_cannot_run_is_named() {
    let app = TestApp::new();
    app.write("data", "no program");
    for (executable, words) in [
        ("no-such-handler", "neither a file in"),
        ("./no/such/handler", "neither a file in"),
        ("data", "chmod +x"),
    ] {
        app.write("host.json", &format!(r#"{{"version":"2.0","customHandler":{{"description":{{"defaultExecutablePath":"{executable}"}}}}}}"#));
        let error = error(&app, "").await;
        assert!(error.starts_with("host.json: customHandler.description.defaultExecutablePath: "), "{error}");
        assert!(error.contains(words), "{error}");
    }
    let (options, _events) = app.options();
    let options = HostOptions { handler_executable: Some(app.root().join("gone")), ..options };
    assert!(Host::start(options).await.unwrap_err().to_string().contains("is not a file"));
}

#[tokio::test]
async fn a_handler_that_exits_at_once_is_quoted() {
    let error_1 = error(&TestApp::new(), "exit-1").await;
    assert!(error_1.contains("exit code 1") && error_1.contains("it is the wrong day"), "{error_1}");
    let error_0 = error(&TestApp::new(), "exit-0").await;
    assert!(error_0.contains("exit code 0"), "{error_0}");
}

#[tokio::test]
async fn a_handler_that_listens_elsewhere_or_never_answers_is_told() {
    let app = TestApp::new();
    app.host_json_with("", r#""initializationTimeout":"00:00:01""#);
    let (deaf, mute) = tokio::join!(error(&app, "deaf"), error(&app, "mute"));
    assert!(deaf.contains("must listen on 127.0.0.1"), "{deaf}");
    assert!(mute.contains("has not answered GET /"), "{mute}");
}

#[tokio::test]
async fn a_hundred_megabytes_of_output_do_no_harm() {
    let app = TestApp::new();
    app.function("job", BUS);
    let (host, mut events) = app.start("loud").await;
    let host = host.unwrap();
    assert!(host.fire("job", None).await.unwrap().succeeded());
    let dropped = next(&mut events, |event| match event {
        HostEvent::Log { level: LogLevel::Warning, message, .. } => Some(message),
        _ => None,
    });
    assert!(dropped.await.contains("left out"));
    assert!(events.len() < 600_000, "{}", events.len());
    host.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let app = TestApp::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (options, _events) = app.options();
    let error = Host::start(HostOptions { port: Some(port), ..options }).await.unwrap_err().to_string();
    assert!(error.contains(&port.to_string()) && error.contains("choose another port"), "{error}");
}

#[tokio::test]
async fn stop_and_drop_leave_no_process_behind() {
    for stop in [true, false] {
        let app = TestApp::new();
        let (host, mut events) = app.start("child").await;
        let host = host.unwrap();
        let child = next_line(&mut events, "child").await.parse().unwrap();
        let handler = host.handler_pid().unwrap();
        assert!(is_running(handler) && is_running(child));
        if stop {
            host.stop().await;
        } else {
            drop(host);
        }
        assert!(is_gone(handler).await && is_gone(child).await);
    }
}

#[test]
fn a_panic_leaves_no_process_behind() {
    let (told, pids) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = TestApp::new();
            let (host, mut events) = app.start("child").await;
            let host = host.unwrap();
            let child: u32 = next_line(&mut events, "child").await.parse().unwrap();
            told.send([host.handler_pid().unwrap(), child]).unwrap();
            panic!("a mistake of the caller");
        });
    });
    let pids = pids.recv().unwrap();
    assert!(thread.join().is_err());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for pid in pids {
        assert!(runtime.block_on(is_gone(pid)));
    }
}

#[tokio::test]
async fn an_app_with_ten_functions_starts_quickly() {
    let app = TestApp::new();
    for index in 0..10 {
        app.function(&format!("job-{index}"), BUS);
    }
    let started = Instant::now();
    let (host, _events) = app.start("").await;
    // Most of it is Python's own start.
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    host.unwrap().stop().await;
}
