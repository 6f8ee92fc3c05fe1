//! One `policysync serve` process, as the Functions host would run it: killed without warning, started again, and
//! called over HTTP.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, watch};

use crate::error::CampaignError;

/// The `functionTimeout` of host.json.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(900);
const PATIENCE: Duration = Duration::from_secs(20);
/// Another process can take a free port before this one binds it.
const TRIES: usize = 5;

/// The variables that a program needs to have our clock, which `cargo xtask calendar` moves.
pub fn clock() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"];
    names.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// The program, folder and settings of a process.
#[derive(Debug, Clone)]
pub struct HandlerCommand {
    /// The program.
    pub program: PathBuf,
    /// Where it runs.
    pub directory: PathBuf,
    /// Its settings, beside the port.
    pub environment: Vec<(String, String)>,
    /// Where its output goes, over all of its lives.
    pub log: PathBuf,
}

/// A process, over all of its lives.
pub struct Handler {
    /// `first` or `second`.
    pub name: &'static str,
    command: HandlerCommand,
    client: Client,
    process: Mutex<Option<Child>>,
    /// Where it listens; none while it is down.
    port: watch::Sender<Option<u16>>,
    /// Calls that it works on.
    busy: watch::Sender<usize>,
}

impl Handler {
    /// Starts it; it answers when this returns.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(name: &'static str, command: HandlerCommand) -> Result<Self, CampaignError> {
        let client = Client::builder()
            .timeout(FUNCTION_TIMEOUT)
            .build()
            .map_err(|error| CampaignError::unanswered("an HTTP client", error))?;
        let handler = Self {
            name,
            command,
            client,
            process: Mutex::new(None),
            port: watch::Sender::new(None),
            busy: watch::Sender::new(0),
        };
        handler.launch(&mut *handler.process.lock().await).await?;
        Ok(handler)
    }

    /// SIGKILL, and a new process. Answers whether it was working on something at that instant.
    ///
    /// # Errors
    /// When the new process does not come up.
    pub async fn kill_and_restart(&self) -> Result<bool, CampaignError> {
        let mut process = self.process.lock().await;
        let was_busy = *self.busy.borrow() > 0;
        self.port.send_replace(None);
        if let Some(mut killed) = process.take() {
            killed.kill().await.map_err(CampaignError::file(format!("killing the {} process", self.name)))?;
        }
        self.launch(&mut process).await?;
        Ok(was_busy)
    }

    /// The most memory that its present life had at any moment; none while it is down, and where the system does not tell.
    pub async fn peak_memory_bytes(&self) -> Option<u64> {
        self.memory_bytes("VmHWM:").await
    }

    /// The memory that it has now; none while it is down, and where the system does not tell.
    pub async fn resident_bytes(&self) -> Option<u64> {
        self.memory_bytes("VmRSS:").await
    }

    async fn memory_bytes(&self, name: &str) -> Option<u64> {
        let id = self.process.lock().await.as_ref()?.id()?;
        let status = tokio::fs::read_to_string(format!("/proc/{id}/status")).await.ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// Waits until it works on something, at the most so long.
    pub async fn wait_until_busy(&self, patience: Duration) {
        let mut busy = self.busy.subscribe();
        // A kill while the process has nothing to do is as good as any other.
        let _ = tokio::time::timeout(patience, busy.wait_for(|calls| *calls > 0)).await;
    }

    /// Whether it works on nothing.
    pub fn is_idle(&self) -> bool {
        *self.busy.borrow() == 0
    }

    /// Invokes a function, once the process is up. Success is what the real host takes for success: 200 and a JSON
    /// object.
    ///
    /// # Errors
    /// Anything else, as a text.
    pub async fn call(&self, function: &str, envelope: String) -> Result<Value, String> {
        let mut port = self.port.subscribe();
        let port = match port.wait_for(Option::is_some).await {
            Ok(port) => port.unwrap_or_default(),
            Err(_) => return Err("the campaign ends".to_owned()),
        };
        self.busy.send_modify(|calls| *calls += 1);
        let answer = self.post(port, function, envelope).await;
        self.busy.send_modify(|calls| *calls -= 1);
        answer
    }

    async fn post(&self, port: u16, function: &str, envelope: String) -> Result<Value, String> {
        let request = self
            .client
            .post(format!("http://127.0.0.1:{port}/{function}"))
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Azure-Functions-InvocationId", uuid::Uuid::new_v4().to_string())
            .body(envelope);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if status != StatusCode::OK {
            return Err(format!("{status}: {text}"));
        }
        serde_json::from_str::<Value>(&text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| format!("200 and no JSON object: {text}"))
    }

    async fn launch(&self, process: &mut Option<Child>) -> Result<(), CampaignError> {
        let mut problem = String::new();
        for _ in 0..TRIES {
            let port = functions_host_stand_in::free_port().map_err(CampaignError::file("a free port"))?;
            let mut child = self.spawn(port)?;
            match ready(&mut child, port).await {
                Ok(()) => {
                    *process = Some(child);
                    self.port.send_replace(Some(port));
                    return Ok(());
                }
                Err(why) => problem = why,
            }
        }
        let what = format!("{} ({} process)", self.command.program.display(), self.name);
        Err(CampaignError::NotStarted {
            what,
            problem: format!("{problem}; see {}", self.command.log.display()),
        })
    }

    fn spawn(&self, port: u16) -> Result<Child, CampaignError> {
        let command = &self.command;
        let log = || OpenOptions::new().create(true).append(true).open(&command.log);
        let (output, errors) = log()
            .and_then(|output| Ok((output, log()?)))
            .map_err(CampaignError::file(command.log.display().to_string()))?;
        Command::new(&command.program)
            .arg("serve")
            .current_dir(&command.directory)
            .env_clear()
            .envs(clock())
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(command.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("FUNCTIONS_WORKER_RUNTIME", "custom")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .map_err(CampaignError::file(command.program.display().to_string()))
    }
}

/// Readiness is the open port.
async fn ready(child: &mut Child, port: u16) -> Result<(), String> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("it ended with {status}"));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Err("it did not listen in time".to_owned())
}
