//! An app in a temporary folder, answered by a handler in Python's standard library.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{Host, HostError, HostEvent, HostOptions, InvocationReport, LogSource};

/// Answers by the name of the function, with the request's body as a log line. A function `meet-N-SECONDS` succeeds
/// when so many calls of it are under way at the same time, and fails after so many seconds.
const HANDLER: &str = r#"#!/usr/bin/env python3
import http.server, json, os, subprocess, sys, threading

mode = os.environ.get("MODE", "")
port = int(os.environ["FUNCTIONS_CUSTOMHANDLER_PORT"])
counts = {}
barriers = {}
barriers_lock = threading.Lock()

def meet(name, parties, seconds):
    # Whether so many calls of the function are under way at the same time.
    with barriers_lock:
        barrier = barriers.setdefault(name, threading.Barrier(parties))
    try:
        barrier.wait(seconds)
        return True
    except threading.BrokenBarrierError:
        return False

def sleep(seconds):
    # `cargo xtask calendar` moves the clock with libfaketime, under which time.sleep fails.
    threading.Event().wait(seconds)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if mode == "polls":
            counts["/"] = counts.get("/", 0) + 1
            print("poll", self.requestline, [list(header) for header in self.headers.items()], counts["/"], flush=True)
        self.answer(404, b"")

    def do_POST(self):
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while True:
                size = int(self.rfile.readline(), 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    break
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.path.strip("/")
        counts[name] = counts.get(name, 0) + 1
        if name.startswith("fail") or (name.startswith("flaky") and counts[name] < 3):
            return self.answer(500, b"", "Nope")
        if name.startswith("hang"):
            sleep(3600)
        if name.startswith("slow"):
            sleep(1.5)
        if name.startswith("meet") and not meet(name, *map(int, name.split("-")[1:3])):
            return self.answer(500, b"", "Alone")
        if name.startswith("empty"):
            return self.answer(200, b"")
        if name.startswith("exit"):
            sys.stdout.flush()
            os._exit(int(name.split("-")[1]))
        reply = {"Logs": [body.decode()], "Outputs": {"out": ["message"]}}
        if name.startswith("web"):
            req = json.loads(body)["Data"]["req"]
            reply = {"Logs": [body.decode()], "Outputs": {"res": {"statusCode": 201, "headers": {"X-Method": req["Method"]}, "body": req["Params"]}}}
        if name.startswith("api/"):
            return self.answer(418, b"forwarded " + self.path.encode() + b" " + body)
        self.answer(200, json.dumps(reply).encode())

    def answer(self, status, body, reason=None):
        self.send_response(status, reason)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

if mode.startswith("exit"):
    print("it is the wrong day", file=sys.stderr)
    sys.exit(int(mode.split("-")[1]))
if mode == "deaf":
    sleep(3600)
if mode == "mute":
    import socket
    listener = socket.create_server(("127.0.0.1", port))
    sleep(3600)
if mode == "child":
    child = subprocess.Popen(["sleep", "3600"])
    print("child", child.pid, flush=True)
print("environment", json.dumps({name: os.environ.get(name) for name in [
    "FUNCTIONS_CUSTOMHANDLER_PORT", "FUNCTIONS_CUSTOMHANDLER_WORKER_ID", "FUNCTIONS_HTTPWORKER_PORT",
    "FUNCTIONS_HTTPWORKER_ID", "FUNCTIONS_APP_ROOT_PATH", "FUNCTIONS_WORKER_RUNTIME", "SECRET", "CARGO_MANIFEST_DIR"]}), flush=True)
if mode == "loud":
    chunk = b"a line of no use to readers\n" * 4096
    for _ in range(100 * 1024 * 1024 // len(chunk)):
        sys.stdout.buffer.write(chunk)
    sys.stdout.flush()
http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer.request_queue_size = 128
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"#;

/// An app that is being put together.
pub struct TestApp {
    root: tempfile::TempDir,
}

impl TestApp {
    /// An app without functions.
    pub fn new() -> Self {
        let app = Self { root: tempfile::tempdir().unwrap() };
        app.host_json("");
        app.write("handler", HANDLER);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = app.root().join("handler");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        app
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).unwrap();
    }

    /// Writes `host.json` with further members, such as `"functionTimeout":"00:00:01"`.
    pub fn host_json(&self, members: &str) {
        self.host_json_with(members, "");
    }

    /// The same with further members of `customHandler`.
    pub fn host_json_with(&self, members: &str, custom: &str) {
        let comma = |text: &str| if text.is_empty() { String::new() } else { format!(",{text}") };
        let handler = format!(
            r#""customHandler":{{"description":{{"defaultExecutablePath":"handler"}}{}}}"#,
            comma(custom)
        );
        self.write("host.json", &format!(r#"{{"version":"2.0",{handler}{}}}"#, comma(members)));
    }

    /// Adds a function with these bindings.
    pub fn function(&self, name: &str, bindings: &str) {
        self.function_with(name, bindings, "");
    }

    /// The same with further members of `function.json`.
    pub fn function_with(&self, name: &str, bindings: &str, members: &str) {
        std::fs::create_dir_all(self.root().join(name)).unwrap();
        self.write(&format!("{name}/function.json"), &format!(r#"{{"bindings":[{bindings}]{members}}}"#));
    }

    /// Options for a host of this app, and the receiver of its events.
    pub fn options(&self) -> (HostOptions, UnboundedReceiver<HostEvent>) {
        let python = std::process::Command::new("python3").arg("--version").output();
        assert!(python.is_ok(), "these tests need python3 in PATH (its standard library is enough)");
        let (events, receiver) = unbounded_channel();
        let root = self.root().to_owned();
        (HostOptions { root, events: Some(events), manual: true, ..HostOptions::default() }, receiver)
    }

    /// Starts a host in which nothing fires by itself.
    pub async fn start(&self, mode: &str) -> (Result<Host, HostError>, UnboundedReceiver<HostEvent>) {
        let (mut options, receiver) = self.options();
        options.app_settings.insert("MODE".to_owned(), mode.to_owned());
        (Host::start(options).await, receiver)
    }
}

/// Waits for the next event that `pick` takes.
pub async fn next<T>(events: &mut UnboundedReceiver<HostEvent>, pick: impl Fn(HostEvent) -> Option<T>) -> T {
    let found = async {
        loop {
            let event = events.recv().await.expect("the host told nothing of it");
            if let Some(found) = pick(event) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), found).await.expect("the host told nothing of it in time")
}

/// The next invocation that ended.
pub async fn next_invocation(events: &mut UnboundedReceiver<HostEvent>) -> InvocationReport {
    next(events, |event| match event {
        HostEvent::Invocation(report) => Some(*report),
        _ => None,
    })
    .await
}

/// The next line that the handler prints with `start` at its beginning, without it.
pub async fn next_line(events: &mut UnboundedReceiver<HostEvent>, start: &str) -> String {
    next(events, |event| match event {
        HostEvent::Log { source: LogSource::HandlerStdout, message, .. } => {
            message.strip_prefix(start).map(|rest| rest.trim().to_owned())
        }
        _ => None,
    })
    .await
}

/// Whether a process with this id runs. A zombie does not: it waits only for its parent to take notice.
pub fn is_running(pid: u32) -> bool {
    let state =
        std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Waits until a process is gone.
pub async fn is_gone(pid: u32) -> bool {
    for _ in 0..200 {
        if !is_running(pid) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}
