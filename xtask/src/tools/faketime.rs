//! A clock that is ahead: libfaketime, from Debian.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::steps::{self, Outcome};
use crate::tools::debian;

/// Where Debian puts libraries, a folder for each architecture.
const LIBRARIES: &str = "/usr/lib";
/// For programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// How far the clock may be from where it was put: the time that starting a program takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the campaigns find it.
pub const VARIABLE: &str = "FAKETIME_LIBRARY";

/// Environment variables of a program, by name.
pub type Environment = Vec<(&'static str, OsString)>;

/// Installs the library if it is missing. Returns the environment in which a program, and every program that it starts
/// with the same environment, is so many days ahead; durations stay as they are. Otherwise says in words why there is
/// none.
pub fn ahead(days: u32) -> Result<Environment, String> {
    let library = install()?;
    let environment = vec![
        ("LD_PRELOAD", library.into_os_string()),
        ("FAKETIME", format!("+{days}d").into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ];
    moved(&environment, days)?;
    Ok(environment)
}

/// Installs the library if it is missing. Returns its file, or says in words why there is none.
pub fn install() -> Result<PathBuf, String> {
    debian::ensure_that(|| library().is_some(), "libfaketime", &["faketime"])?;
    library().ok_or_else(|| "libfaketime is nowhere".to_owned())
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir(LIBRARIES).ok()?.flatten();
    folders.map(|folder| folder.path().join(LIBRARY)).find(|library| library.is_file())
}

/// Checks that the clock moved: a library that does not load is only a line on stderr, and then the tests would prove
/// nothing.
fn moved(environment: &Environment, days: u32) -> Result<(), String> {
    let wanted = SystemTime::now() + Duration::from_secs(u64::from(days) * 24 * 60 * 60);
    let said = match steps::output(Command::new("date").arg("+%s").envs(environment.iter().cloned())) {
        Ok(said) => said,
        Err(Outcome::Failed(why) | Outcome::Skipped(why)) => return Err(why),
        Err(Outcome::Passed) => String::new(),
    };
    let seconds = said.trim().parse().map_err(|_| format!("`date` said {said}"))?;
    let shown = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let apart = shown.duration_since(wanted).unwrap_or_else(|error| error.duration());
    if apart > PATIENCE {
        return Err(format!("the clock is {} s away from where it was put", apart.as_secs()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_did_not_move_is_noticed() {
        assert_eq!(moved(&Vec::new(), 0), Ok(()));
        assert!(moved(&Vec::new(), 1).is_err());
    }
}
