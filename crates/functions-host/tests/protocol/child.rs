//! A handler in a process of its own: this test binary, started again with the name of the test that started it.
//!
//! In the child that same test sees the variable and serves instead of testing.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use functions_host::{Reply, Router, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::served::TIMER;

const VARIABLE: &str = "FUNCTIONS_HOST_TEST_SERVES";
/// The id of an invocation that waits for a line on standard input.
pub const WAITS: &str = "waits-for-a-line";
/// Far longer than anything here takes, so that an event which does not happen fails the test.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Serves and exits, if this process is such a child.
pub async fn serve_if_child() {
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    let server = Server::bind(0).expect("a free port");
    println!("\nhandler {} {}", std::process::id(), server.local_addr());
    let router = Router::new().function(TIMER, |invocation| async move {
        invocation.timer("timer")?;
        if invocation.id == WAITS {
            println!("\nstarted");
            // Until the test writes a line.
            let line = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
            line.expect("no panic").expect("a line");
        }
        Ok(Reply::success())
    });
    let stopped = server.serve(router).await.expect("signals can be watched");
    std::process::exit(stopped.status().into());
}

/// A handler process, or a shell that has started one.
pub struct Process {
    pub child: Child,
    pub address: SocketAddr,
    /// The handler's own process id.
    pub id: u32,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts the handler as our own child, or (`below_a_shell`) as the child of a shell that ends when its input does.
    pub async fn start(test: &str, below_a_shell: bool) -> Self {
        let program = std::env::current_exe().expect("this binary");
        let arguments = ["--exact", test, "--nocapture", "--test-threads=1"];
        let mut command = if below_a_shell {
            let mut shell = Command::new("sh");
            shell.args(["-c", r#""$0" "$@" & read -r line"#]).arg(program).args(arguments);
            shell
        } else {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        };
        command.env(VARIABLE, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("the handler starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let announced = line_with(&mut output, "handler ").await;
        let (id, address) = announced.split_once(' ').expect("id and address");
        let (id, address) = (id.parse().expect("a number"), address.parse().expect("an address"));
        Self { child, address, id, output }
    }

    /// Waits until the invocation [`WAITS`] runs.
    pub async fn has_started(&mut self) {
        line_with(&mut self.output, "started").await;
    }

    /// Sends a signal to the handler.
    pub async fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.id.to_string()];
        let status = Command::new("kill").args(arguments).status().await.expect("kill runs");
        assert!(status.success());
    }

    /// Waits until the handler itself has ended, which closes its output. Kills it if it does not.
    pub async fn ended(&mut self) -> bool {
        let closed = async { while self.output.next_line().await.expect("text").is_some() {} };
        let ended = timeout(PATIENCE, closed).await.is_ok();
        if !ended {
            self.signal("KILL").await;
        }
        ended
    }

    /// Everything that was written to standard error.
    pub async fn errors(&mut self) -> String {
        let mut text = String::new();
        let mut pipe = self.child.stderr.take().expect("a pipe");
        timeout(PATIENCE, pipe.read_to_string(&mut text)).await.expect("closed").expect("text");
        text
    }
}

/// The rest of the line that starts so. Other lines are of the test harness.
async fn line_with(output: &mut Lines<BufReader<ChildStdout>>, start: &str) -> String {
    let found = async {
        loop {
            let line = output.next_line().await.expect("text").expect("more output");
            if let Some(rest) = line.strip_prefix(start) {
                return rest.to_owned();
            }
        }
    };
    timeout(PATIENCE, found).await.expect("in time")
}
