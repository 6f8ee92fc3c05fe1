//! A running `policysync host`, and folders to run it over.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that is gone with the test.
pub struct TestFolder(tempfile::TempDir);

impl TestFolder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folder that it is in.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a file that can be executed.
    pub fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        self.write(name, text);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.path().join(name), mode).unwrap();
    }
}

/// The host as a process of its own. It is killed with the test, its handler only if it ends as it should.
pub struct HostProcess {
    child: Child,
    stdout: Option<Lines<BufReader<ChildStdout>>>,
    stderr: Option<JoinHandle<String>>,
    complaints: String,
    seen: String,
}

impl HostProcess {
    /// Starts it over `root`, on any free port.
    pub fn start(root: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_policysync"));
        command.args(["host", "--port", "0", "--root"]).arg(root).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = child.stderr.take().unwrap();
        let stderr = tokio::spawn(async move {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).await.unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self {
            child,
            stdout: Some(stdout),
            stderr: Some(stderr),
            complaints: String::new(),
            seen: String::new(),
        }
    }

    async fn next_line(&mut self) -> String {
        let lines = self.stdout.as_mut().expect("stdout was closed");
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("nothing more was printed:\n{}", self.seen));
        let line = line.unwrap().unwrap_or_else(|| panic!("it has ended:\n{}", self.seen));
        self.seen.push_str(&line);
        self.seen.push('\n');
        line
    }

    /// The next event of `--output json`: every line is one.
    pub async fn event(&mut self) -> Value {
        let line = self.next_line().await;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The next line that holds `words`.
    pub async fn line(&mut self, words: &str) -> String {
        loop {
            let line = self.next_line().await;
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Everything that was read of stdout so far.
    pub fn seen(&self) -> String {
        self.seen.clone()
    }

    /// Stops reading.
    pub fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// Sends a signal and waits for the end; the exit code.
    pub async fn signal(&mut self, name: &str) -> Option<i32> {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
        self.ended().await
    }

    /// Waits for the end; the exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap().code()
    }

    /// What it wrote to stderr, once it has ended.
    pub async fn stderr(&mut self) -> String {
        if let Some(stderr) = self.stderr.take() {
            self.complaints = stderr.await.unwrap();
        }
        self.complaints.clone()
    }

    /// Its resident memory, bytes.
    pub fn memory(&self) -> u64 {
        let pid = self.child.id().unwrap().to_string();
        let text = std::process::Command::new("ps").args(["-o", "rss=", "-p", &pid]).output().unwrap().stdout;
        String::from_utf8(text).unwrap().trim().parse::<u64>().unwrap() * 1024
    }

    /// Waits for the end; all that it printed.
    pub async fn output(mut self) -> Output {
        let mut stdout = String::new();
        while let Some(line) = self.stdout.as_mut().unwrap().next_line().await.unwrap() {
            stdout.push_str(&line);
            stdout.push('\n');
        }
        let status = self.child.wait().await.unwrap();
        let stderr = self.stderr().await.into_bytes();
        Output { status, stdout: stdout.into_bytes(), stderr }
    }
}

/// What a command that failed says about it.
pub fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The processes that run in a folder.
pub fn processes_of(folder: &Path) -> String {
    let mut found = String::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let is_there = std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        if is_there {
            let command = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            found.push_str(&format!("{} {}\n", entry.file_name().display(), command.replace('\0', " ")));
        }
    }
    found
}

/// Waits until a process is gone, or is only waited for by its parent.
pub async fn is_gone(pid: u64) -> bool {
    for _ in 0..200 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if status.is_empty() || status.contains(") Z ") {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}
