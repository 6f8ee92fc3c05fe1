//! One process of a contestant: when it answers, what memory it holds, and what processor time it took. What the system does
//! not tell is none.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::wire::{Answer, Connection, invocation, poll};
use super::{Contestant, load};
use crate::error::CampaignError;
use crate::handler::clock;

const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it answers.
const LOOK_AGAIN: Duration = Duration::from_micros(100);

/// A process that answers. It is killed when this is dropped.
pub struct Process {
    /// From exec to its first answer.
    pub ready_after: Duration,
    name: String,
    child: Child,
    port: u16,
    connection: Connection,
}

impl Process {
    /// Starts it, as the host does: `GET /` until it answers, whatever it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(contestant: &Contestant) -> Result<Self, CampaignError> {
        let wrong = |problem: String| CampaignError::NotStarted { what: contestant.name.clone(), problem };
        let port = functions_host_stand_in::free_port().map_err(CampaignError::file("a free port"))?;
        let request = poll(port);
        let mut command = Command::new(&contestant.program);
        command
            .args(&contestant.arguments)
            .env_clear()
            .envs(clock())
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(contestant.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let since = Instant::now();
        let mut child = command.spawn().map_err(|error| wrong(error.to_string()))?;
        loop {
            let answered = Connection::open(port).and_then(|mut connection| {
                connection.call(&request)?;
                Ok(connection)
            });
            if let Ok(connection) = answered {
                let ready_after = since.elapsed();
                return Ok(Self { ready_after, name: contestant.name.clone(), child, port, connection });
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(wrong(format!("it ended with {status}")));
            }
            if since.elapsed() > PATIENCE {
                // It is a child of ours, so nothing else can have its id yet.
                let _ = child.kill();
                let _ = child.wait();
                return Err(wrong(format!("it did not answer within {} s", PATIENCE.as_secs())));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// The bytes of an invocation with that body.
    pub fn invocation(&self, envelope: &str) -> Vec<u8> {
        invocation(self.port, load::FUNCTION, envelope)
    }

    /// One invocation, and how long it took.
    ///
    /// # Errors
    /// When no answer came.
    pub fn call(&mut self, request: &[u8]) -> Result<(Answer, Duration), CampaignError> {
        let since = Instant::now();
        let answer = self.connection.call(request);
        let took = since.elapsed();
        match answer {
            Ok(answer) => Ok((answer, took)),
            Err(error) => Err(CampaignError::unanswered(format!("an invocation of {}", self.name), error)),
        }
    }

    /// Memory that is resident, in bytes.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// Processor time of all of its threads until now.
    pub fn cpu_time(&self) -> Option<Duration> {
        let mut nanoseconds = 0_u64;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()? {
            // A thread that has just ended has no file any more.
            let Ok(text) = std::fs::read_to_string(task.ok()?.path().join("schedstat")) else { continue };
            nanoseconds += text.split_whitespace().next()?.parse::<u64>().ok()?;
        }
        Some(Duration::from_nanos(nanoseconds))
    }

    /// SIGTERM, and its end.
    ///
    /// # Errors
    /// When it cannot be told, or waited for.
    pub fn terminate(mut self) -> Result<ExitStatus, CampaignError> {
        let failed = || CampaignError::file(format!("ending {}", self.name));
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.ok_or_else(|| CampaignError::unanswered(&self.name, "it has no id"))?;
        kill_process(id, Signal::TERM).map_err(|error| failed()(error.into()))?;
        let failed = failed();
        self.child.wait().map_err(failed)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is a child of ours that was not waited for, so nothing else can have its id; or it was, and then nothing is done.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
