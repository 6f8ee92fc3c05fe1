//! Measures how soon the packaged handler serves after its start, and how much memory it holds while it waits for work:
//! with the file that ships, started as the host does.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time from exec to the first answer (`contracts.md` §5).
const READY_WITHIN: Duration = Duration::from_millis(25);
/// Most memory that is resident while nothing happens, in KiB (`contracts.md` §5).
const IDLE_KIB: u64 = 20 * 1024;
/// Starts that are measured; their median counts.
const STARTS: usize = 21;
/// A busy machine makes a median late, so a late one is measured again.
const ROUNDS: usize = 3;
/// After this a handler is not slow but broken.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it is left alone before its memory is read.
const IDLE_FOR: Duration = Duration::from_secs(1);

/// A namespace that exists nowhere. The package's own configuration may be the default, with which the handler rightly
/// refuses to start: it looks after nothing.
const CONFIGURATION: &str = "[[namespace]]\nid = \"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.DeviceRegistry/namespaces/contoso\"\n";

/// Settings with which the handler starts and calls no service.
const SETTINGS: [(&str, &str); 2] = [
    ("POLICYSYNC_STATE", "memory"),
    ("ServiceBusConnection__fullyQualifiedNamespace", "contoso.servicebus.windows.net"),
];

/// Starts the handler of an unpacked package with a configuration beside it. Answers the figures, and those that are
/// over their limit.
pub fn measured(package: &Path, handler: &str) -> Result<(String, Vec<String>), String> {
    let beside =
        tempfile::NamedTempFile::new().map_err(|error| format!("no file to configure by: {error}"))?;
    std::fs::write(beside.path(), CONFIGURATION)
        .map_err(|error| format!("no file to configure by: {error}"))?;
    let start = || Serving::start(package, handler, beside.path());
    let mut ready = Duration::MAX;
    for _ in 0..ROUNDS {
        let mut times = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            times.push(start()?.ready_after);
        }
        times.sort_unstable();
        ready = ready.min(times[STARTS / 2]);
        if ready <= READY_WITHIN {
            break;
        }
    }
    let serving = start()?;
    std::thread::sleep(IDLE_FOR);
    let idle = resident_kib(serving.child.id())?;
    let text = format!(
        "ready to serve {:.1} ms after exec (median of {STARTS}), {:.1} MB when idle",
        ready.as_secs_f64() * 1000.0,
        idle as f64 / 1024.0
    );
    Ok((text, judge(ready, idle)))
}

fn judge(ready: Duration, idle_kib: u64) -> Vec<String> {
    let mut problems = Vec::new();
    if ready > READY_WITHIN {
        problems.push(format!("it takes longer than {} ms to serve", READY_WITHIN.as_millis()));
    }
    if idle_kib > IDLE_KIB {
        problems.push(format!("it holds more than {} MB when idle", IDLE_KIB / 1024));
    }
    problems
}

/// A handler that serves. It ends when this is dropped.
struct Serving {
    child: Child,
    ready_after: Duration,
}

impl Serving {
    fn start(package: &Path, handler: &str, configuration: &Path) -> Result<Self, String> {
        let port = free_port()?;
        let mut command = Command::new(package.join(handler));
        command.arg("serve").current_dir(package).env_clear().envs(SETTINGS);
        command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
        command.env("POLICYSYNC_CONFIG", configuration);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let since = Instant::now();
        let child = command.spawn().map_err(|error| format!("{handler} does not start: {error}"))?;
        let mut serving = Self { child, ready_after: Duration::ZERO };
        while !answers(port) {
            if let Ok(Some(status)) = serving.child.try_wait() {
                return Err(format!("{handler} ended with {status} before it served"));
            }
            if since.elapsed() > PATIENCE {
                return Err(format!("{handler} does not serve after {} s", PATIENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        serving.ready_after = since.elapsed();
        Ok(serving)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It is a child of ours, so nothing else can have its id yet.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("there is no free port: {error}"))
}

/// Whether `GET /` is answered with 200, which is how the host asks.
fn answers(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else { return false };
    let mut status = [0; 12];
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read_exact(&mut status).is_ok()
        && status.ends_with(b" 200")
}

/// `VmRSS` of a process.
fn resident_kib(process: u32) -> Result<u64, String> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| format!("{path} does not say how much memory is resident"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_a_limit_is_told() {
        assert_eq!(judge(READY_WITHIN, IDLE_KIB), Vec::<String>::new());
        assert_eq!(judge(READY_WITHIN + Duration::from_micros(1), IDLE_KIB).len(), 1);
        assert_eq!(judge(READY_WITHIN, IDLE_KIB + 1).len(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_memory_is_read_and_a_program_that_never_serves_is_noticed() {
        assert!(resident_kib(std::process::id()).unwrap() > 100);
        let error = Serving::start(Path::new("/bin"), "false", Path::new("none")).err().unwrap();
        assert!(error.contains("before it served"), "{error}");
    }
}
