//! Commands on a terminal: what a person sees there, and what stays on it.
#![cfg(target_os = "linux")]

mod emulator;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Instant;

use policysync::commands::laptop::local_world::{Schedules, app_settings};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use self::emulator::screen;
use crate::world::{PATIENCE, World, clock};

const WIDTH: u16 = 80;
const HEIGHT: u16 = 50;
/// A frame of the line that shows that something runs.
const FRAMES: std::ops::RangeInclusive<char> = '\u{2801}'..='\u{28ff}';

/// A program whose stdout and stderr are a terminal of 80 columns.
struct OnTerminal {
    child: Child,
    master: File,
    /// Everything that it has written.
    written: Vec<u8>,
}

impl OnTerminal {
    fn start(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: HEIGHT, ws_col: WIDTH, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let side =
            || Stdio::from(ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
        let child = command.stdin(Stdio::null()).stdout(side()).stderr(side()).spawn().unwrap();
        // The command holds the other side of the terminal, which is closed only when the program and the command have ended.
        drop(command);
        Self { child, master: File::from(master), written: Vec::new() }
    }

    /// Reads what comes next; whether more may come.
    fn read(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "nothing came in time after:\n{}", self.text());
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        let left = Timespec { tv_sec: left.as_secs().try_into().unwrap(), tv_nsec: 0 };
        if poll(&mut ready, Some(&left)).unwrap() == 0 {
            return true;
        }
        let mut chunk = [0; 4096];
        match self.master.read(&mut chunk) {
            Ok(0) => false,
            Ok(count) => {
                self.written.extend_from_slice(&chunk[..count]);
                true
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            // Linux says EIO when the other side is closed.
            Err(_) => false,
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// Reads until something was written.
    fn wait_for(&mut self, is_there: impl Fn(&str) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_there(&self.text()) {
            assert!(self.read(until), "it ended before:\n{}", self.text());
        }
    }

    /// What Ctrl-C does.
    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Reads to the end; what is on the screen then, and how it ended.
    fn end(mut self) -> (Vec<String>, ExitStatus) {
        let until = Instant::now() + PATIENCE;
        while self.read(until) {}
        let ended = self.child.wait().unwrap();
        (screen(&self.text(), usize::from(HEIGHT)), ended)
    }
}

fn policysync(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_policysync"));
    command.args(arguments).env_clear().env("TERM", "xterm-256color").envs(clock());
    command.envs(variables.iter().copied());
    command
}

fn in_world(world: &World, arguments: &[&str]) -> Command {
    let mut command = policysync(arguments, &[]);
    command
        .envs(app_settings(world.local.simulator.url(), Schedules::default()))
        .env("POLICYSYNC_CONFIG", &world.local.configured);
    command
}

/// A file with a rule that can never match, in a folder of its own.
fn with_a_fault() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policysync.toml");
    let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    std::fs::write(&path, format!("[[namespace]]\nid = \"{id}\"\nopt_out_tag = \"\"\n")).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn piped(command: &mut Command) -> Output {
    command.output().unwrap()
}

#[test]
fn colours_are_on_a_terminal_alone_unless_a_person_says_otherwise() {
    let (_folder, path) = with_a_fault();
    let check = |variables: &[(&'static str, &'static str)]| {
        policysync(
            &["check", "--offline"],
            &[&[("POLICYSYNC_CONFIG", path.as_str())][..], variables].concat(),
        )
    };
    let on_terminal = |variables: &[(&'static str, &'static str)]| {
        let mut program = OnTerminal::start(check(variables));
        let until = Instant::now() + PATIENCE;
        while program.read(until) {}
        program.child.wait().unwrap();
        program.text()
    };
    let plain = String::from_utf8(piped(&mut check(&[])).stdout).unwrap();
    assert!(plain.contains("FAILED") && !plain.contains('\u{1b}'), "{plain:?}");
    let coloured = on_terminal(&[]);
    assert!(coloured.contains("\u{1b}[1;31mFAILED\u{1b}[0m"), "{coloured:?}");
    let without = on_terminal(&[("NO_COLOR", "1")]);
    assert!(without.contains("FAILED") && !without.contains('\u{1b}'), "{without:?}");
    let forced = String::from_utf8(piped(&mut check(&[("CLICOLOR_FORCE", "1")])).stdout).unwrap();
    assert!(forced.contains("\u{1b}[1;31mFAILED\u{1b}[0m"), "{forced:?}");
}

#[test]
fn a_message_fits_the_terminal_and_is_one_line_in_a_log() {
    let variables = [(
        "POLICYSYNC_CONFIG",
        "a/path/that/is/not/there/and/that/is/as/long/as/a/path/may/be/policysync.toml",
    )];
    let (lines, ended) = OnTerminal::start(policysync(&["status"], &variables)).end();
    assert_eq!(ended.code(), Some(3));
    let is_one_word = |line: &str| !line.trim().contains(' ');
    assert!(
        lines.iter().all(|line| line.chars().count() <= usize::from(WIDTH) || is_one_word(line)),
        "{lines:#?}"
    );
    let piped = piped(&mut policysync(&["status"], &variables));
    assert_eq!(String::from_utf8(piped.stderr).unwrap().lines().count(), 1);
}

/// An Azure that takes connections and never answers.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn nothing_of_the_progress_line_stays_after_ctrl_c() {
    let (_listener, url) = silent();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("policysync.toml");
    let identity = format!("{url}/identity");
    let variables = [
        ("POLICYSYNC_ARM_ENDPOINT", url.as_str()),
        ("IDENTITY_ENDPOINT", &identity),
        ("IDENTITY_HEADER", "x"),
    ];
    let init = policysync(&["init", "--out", out.to_str().unwrap()], &variables);
    let mut program = OnTerminal::start(init);
    program.wait_for(|text| text.contains(|c| FRAMES.contains(&c)));
    program.interrupt();
    let (lines, ended) = program.end();
    assert_eq!(ended.code(), Some(130));
    assert!(lines.iter().all(|line| line.trim().is_empty()), "{lines:#?}");
}

#[tokio::test]
async fn nothing_of_the_progress_line_stays_when_a_command_has_ended() {
    let world = World::default().await;
    let out = world.local.folder.path().join("proposed.toml");
    let init = in_world(&world, &["init", "--out", out.to_str().unwrap()]);
    let (text, lines) = tokio::task::spawn_blocking(|| {
        let mut program = OnTerminal::start(init);
        let until = Instant::now() + PATIENCE;
        while program.read(until) {}
        program.child.wait().unwrap();
        (program.text(), screen(&program.text(), 1000))
    })
    .await
    .unwrap();
    assert!(text.contains(|c| FRAMES.contains(&c)), "it was shown: {text:?}");
    assert!(!lines.iter().any(|line| line.contains(|c| FRAMES.contains(&c))), "{lines:#?}");
    assert!(lines[0].starts_with("Written: "), "the verdict stands first: {lines:#?}");
    world.stop().await;
}

#[tokio::test]
async fn a_watch_draws_the_verdict_and_ends_with_its_exit_code() {
    let world = World::default().await;
    let status = in_world(&world, &["status", "--watch", "30"]);
    let (lines, ended) = tokio::task::spawn_blocking(|| {
        let mut program = OnTerminal::start(status);
        program.wait_for(|text| text.contains("Ctrl-C ends it."));
        program.interrupt();
        program.end()
    })
    .await
    .unwrap();
    let once = crate::operator::policysync(&world, &["status"], &[]).await;
    assert_eq!(ended.code(), once.status.code());
    let once = String::from_utf8(once.stdout).unwrap();
    assert_eq!(lines[0], once.lines().next().unwrap(), "{lines:#?}");
    assert!(lines.iter().all(|line| line.chars().count() <= usize::from(WIDTH)), "{lines:#?}");
    world.stop().await;
}

#[tokio::test]
async fn a_watch_without_a_terminal_tells_each_change_in_a_line() {
    use tokio::io::{AsyncBufReadExt, BufReader};

    let world = World::default().await;
    let status = in_world(&world, &["status", "--watch", "30"]);
    let mut status = tokio::process::Command::from(status).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(status.stdout.take().unwrap()).lines();
    let first = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let once = crate::operator::policysync(&world, &["status"], &[]).await;
    let verdict = String::from_utf8(once.stdout).unwrap().lines().next().unwrap().to_owned();
    assert!(first.ends_with(&format!("Z {verdict}")), "{first} and {verdict}");
    let process = Pid::from_raw(status.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(process, Signal::INT).unwrap();
    assert_eq!(status.wait().await.unwrap().code(), once.status.code());
    world.stop().await;
}

#[test]
fn a_watch_is_refused_where_it_would_ask_too_often_or_print_for_a_program() {
    for (arguments, word) in [
        (&["status", "--watch", "1"][..], "30"),
        (&["status", "--watch", "60", "--output", "json"], "--watch is for a person"),
        (&["status", "--watch", "--list"], "--list"),
    ] {
        let output = piped(&mut policysync(arguments, &[]));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(64) && told.contains(word), "{arguments:?}: {told}");
    }
}
