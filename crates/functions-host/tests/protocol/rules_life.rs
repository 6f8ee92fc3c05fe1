//! Rules 1, 2, 16, 17, 20, 21 and 27: from the first poll to the last breath.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use functions_host::{BindError, Reply, Router, Server, Stopped};
use tokio::io::AsyncWriteExt;
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::child::{PATIENCE, Process, WAITS, serve_if_child};
use super::client::{Connection, get, post};
use super::logs;
use super::served::{Served, TIMER, timer_body};

/// Polls `/` on a new connection, as the host does, and fails if that takes long.
async fn assert_ready(address: std::net::SocketAddr) {
    let poll = async { Connection::open(address).await.exchange(&get("/")).await.status };
    assert_eq!(timeout(Duration::from_secs(2), poll).await.expect("a fast answer"), 200);
}

#[tokio::test]
async fn rules_01_and_20_a_hundred_invocations_at_once_and_readiness_in_between() {
    const CALLS: usize = 100;
    let (arrived, leave) = (Arc::new(Barrier::new(CALLS + 1)), Arc::new(Barrier::new(CALLS + 1)));
    let barriers = (arrived.clone(), leave.clone());
    let served = Served::function(TIMER, move |_| {
        let (arrived, leave) = barriers.clone();
        async move {
            arrived.wait().await;
            leave.wait().await;
            Ok(Reply::success())
        }
    });
    assert_ready(served.address).await;
    let mut calls = Vec::new();
    for call in 0..CALLS {
        let mut connection = served.connect().await;
        let request = post("/tick", &format!("rule-20-{call}"), timer_body().as_bytes());
        calls.push(tokio::spawn(async move {
            connection.exchange(&request).await.assert_success();
            connection
        }));
    }
    timeout(PATIENCE, arrived.wait()).await.expect("all of them run at the same time");
    assert_ready(served.address).await;
    leave.wait().await;
    for call in calls {
        let mut connection = call.await.expect("answered");
        assert_eq!(connection.exchange(&get("/")).await.status, 200, "the connection is kept alive");
    }
}

#[tokio::test]
async fn rule_02_only_the_loopback_address_and_never_a_taken_port() {
    let server = Server::bind(0).expect("a free port");
    assert_eq!(server.local_addr().ip(), Ipv4Addr::LOCALHOST);
    let port = server.local_addr().port();
    // The same port of another address of this machine is still free. (Elsewhere there is no second loopback address.)
    #[cfg(target_os = "linux")]
    TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)).expect("free, since only 127.0.0.1 is taken");
    let error = Server::bind(port).expect_err("taken");
    assert!(matches!(error, BindError::Taken { port: taken } if taken == port));
    let text = error.to_string();
    assert!(text.contains(&port.to_string()) && text.contains("choose another port"), "{text}");
    let missing = Server::from_environment().expect_err("the variable is not set in tests");
    assert!(missing.to_string().contains("FUNCTIONS_CUSTOMHANDLER_PORT"), "{missing}");
}

#[tokio::test]
async fn rule_16_a_signal_ends_the_handler_but_never_with_status_0() {
    serve_if_child().await;
    let name = "rules_life::rule_16_a_signal_ends_the_handler_but_never_with_status_0";
    for (signal, stopped) in [("TERM", Stopped::Terminated), ("INT", Stopped::Interrupted)] {
        let mut process = Process::start(name, false).await;
        assert_ready(process.address).await;
        process.signal(signal).await;
        let status = timeout(PATIENCE, process.child.wait()).await.expect("it ends").expect("a status");
        assert_eq!(status.code(), Some(i32::from(stopped.status())), "SIG{signal}");
    }
    for stopped in [Stopped::ParentGone, Stopped::Terminated, Stopped::Interrupted] {
        assert!(![0, 200].contains(&stopped.status()), "neither `never again` nor `again, on purpose`");
    }
}

#[tokio::test]
async fn rule_16_a_running_invocation_may_finish_after_a_signal() {
    serve_if_child().await;
    let name = "rules_life::rule_16_a_running_invocation_may_finish_after_a_signal";
    let mut process = Process::start(name, false).await;
    let mut connection = Connection::open(process.address).await;
    connection.write(&post("/tick", WAITS, timer_body().as_bytes())).await;
    process.has_started().await;
    process.signal("TERM").await;
    let refused = async { while tokio::net::TcpStream::connect(process.address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("nothing new is accepted");
    process.child.stdin.as_mut().expect("a pipe").write_all(b"\n").await.expect("the function reads");
    connection.answer().await.assert_success();
    let status = timeout(PATIENCE, process.child.wait()).await.expect("it ends").expect("a status");
    assert_eq!(status.code(), Some(i32::from(Stopped::Terminated.status())));
}

#[tokio::test]
async fn rule_17_one_line_with_the_invocation_id_and_nothing_on_standard_error() {
    serve_if_child().await;
    let name = "rules_life::rule_17_one_line_with_the_invocation_id_and_nothing_on_standard_error";
    let mut process = Process::start(name, false).await;
    let request = post("/tick", "rule-17-child", timer_body().as_bytes());
    Connection::open(process.address).await.exchange(&request).await.assert_success();
    process.signal("TERM").await;
    assert!(process.ended().await);
    assert_eq!(process.errors().await, "");

    let served = Served::function(TIMER, |_| async { Ok(Reply::success()) });
    served.post("/tick", "rule-17", &timer_body()).await.assert_success();
    let lines = logs::of("rule-17");
    assert_eq!(lines.len(), 1);
    let (span, fields) = (&lines[0]["span"], &lines[0]["fields"]);
    assert_eq!((span["name"].as_str(), span["faas.name"].as_str()), (Some("invocation"), Some("tick")));
    assert_eq!((lines[0]["level"].as_str(), fields["outcome"].as_str()), (Some("INFO"), Some("succeeded")));
    assert!(fields["duration_ms"].is_u64());
}

#[tokio::test]
async fn rule_17_an_invocation_that_the_host_abandons_leaves_a_line_too() {
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let served = Served::function(TIMER, move |_| {
        let _ = started.send(());
        std::future::pending()
    });
    let mut connection = served.connect().await;
    connection.write(&post("/tick", "rule-17-abandoned", timer_body().as_bytes())).await;
    starts.recv().await.expect("it has started");
    drop(connection);
    let logged = async {
        while logs::of("rule-17-abandoned").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, logged).await.expect("a line");
    assert_eq!(logs::of("rule-17-abandoned")[0]["fields"]["outcome"], "abandoned");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_21_readiness_waits_for_nothing() {
    // The host may connect between bind and serve: that poll is answered as soon as there is a server.
    let server = Server::bind(0).expect("a free port");
    let address = server.local_addr();
    let mut early = Connection::open(address).await;
    early.write(&get("/")).await;

    // A function that blocks its thread blocks that thread only.
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = std::sync::Mutex::new(blocked);
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let router = Router::new().function(TIMER, move |_| {
        let _ = started.send(());
        let _ = blocked.lock().map(|blocked| blocked.recv());
        async { Ok(Reply::success()) }
    });
    let serving = tokio::spawn(server.serve(router));
    assert_eq!(early.answer().await.status, 200);
    let mut busy = Connection::open(address).await;
    busy.write(&post("/tick", "rule-21", timer_body().as_bytes())).await;
    starts.recv().await.expect("it has started");
    assert_ready(address).await;
    release.send(()).expect("the function waits");
    busy.answer().await.assert_success();
    serving.abort();
}

#[tokio::test]
async fn rule_27_the_handler_ends_when_its_parent_is_gone() {
    serve_if_child().await;
    let name = "rules_life::rule_27_the_handler_ends_when_its_parent_is_gone";
    let mut process = Process::start(name, true).await;
    assert_ready(process.address).await;
    assert_ne!(process.child.id(), Some(process.id), "the shell is in between");
    // The shell ends without a word to its child, like a host that crashes.
    drop(process.child.stdin.take());
    timeout(PATIENCE, process.child.wait()).await.expect("the shell ends").expect("a status");
    assert!(process.ended().await, "the handler has noticed");
    assert!(tokio::net::TcpStream::connect(process.address).await.is_err(), "its port is free again");
}
