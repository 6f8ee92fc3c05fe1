//! A clock that every process of one machine shares, and that a person pushes ahead to see what will be: a file says by how much
//! it is ahead of the operating system's. Who pushes writes the file; who follows reads it at each look at the clock, so no two
//! processes ever disagree.
//!
//! Only builds with the feature `rehearsal` have it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use time::{Duration, OffsetDateTime};

/// The file that the clock of this process follows.
static FOLLOWED: OnceLock<Follower> = OnceLock::new();

/// Lets [`Clock::of_system`](crate::Clock::of_system) follow `file` in this process, from now on. A second file is not taken.
///
/// # Errors
/// When the file cannot be read, or does not say by how much the clock is ahead.
pub fn follow(file: PathBuf) -> io::Result<()> {
    let follower = Follower::open(file)?;
    FOLLOWED.get_or_init(|| follower);
    Ok(())
}

/// Says in `file` by how much the clock is ahead, in place of what was there. A reader sees the one or the other, whole.
///
/// # Errors
/// When the file cannot be written; then it says what it said before.
pub fn push(file: &Path, ahead: Duration) -> io::Result<()> {
    let next = file.with_extension("next");
    fs::write(&next, ahead.whole_nanoseconds().to_string())?;
    fs::rename(&next, file)
}

/// The time of the operating system, and what a followed file adds to it.
pub(crate) fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    FOLLOWED.get().map_or(now, |follower| now.saturating_add(follower.ahead()))
}

/// A file, and what it said last: when the world whose clock it is has ended, time does not jump back.
#[derive(Debug)]
struct Follower {
    file: PathBuf,
    last: Mutex<Duration>,
}

impl Follower {
    fn open(file: PathBuf) -> io::Result<Self> {
        let last = Mutex::new(read(&file)?);
        Ok(Self { file, last })
    }

    fn ahead(&self) -> Duration {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(ahead) = read(&self.file) {
            *last = ahead;
        }
        *last
    }
}

fn read(file: &Path) -> io::Result<Duration> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it does not hold a number of nanoseconds");
    let nanoseconds: i128 = fs::read_to_string(file)?.trim().parse().map_err(|_| wrong())?;
    let seconds = i64::try_from(nanoseconds / 1_000_000_000).map_err(|_| wrong())?;
    let rest = i32::try_from(nanoseconds % 1_000_000_000).map_err(|_| wrong())?;
    Ok(Duration::new(seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_is_as_far_ahead_as_the_file_says_at_each_look_and_stays_there_when_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        push(&file, Duration::ZERO).unwrap();
        let follower = Follower::open(file.clone()).unwrap();
        assert_eq!(follower.ahead(), Duration::ZERO);
        for ahead in [Duration::days(60) + Duration::NANOSECOND, Duration::days(365 * 1_000)] {
            push(&file, ahead).unwrap();
            assert_eq!(follower.ahead(), ahead);
        }
        fs::write(&file, "soon").unwrap();
        assert_eq!(follower.ahead(), Duration::days(365 * 1_000));
        fs::remove_file(&file).unwrap();
        assert_eq!(follower.ahead(), Duration::days(365 * 1_000));
    }

    #[test]
    fn a_file_that_is_none_or_says_nothing_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        assert_eq!(follow(file.clone()).unwrap_err().kind(), io::ErrorKind::NotFound);
        for text in ["", "1.5", "a day", "99999999999999999999999999999999999999"] {
            fs::write(&file, text).unwrap();
            assert_eq!(follow(file.clone()).unwrap_err().kind(), io::ErrorKind::InvalidData, "{text}");
        }
        assert!((now() - OffsetDateTime::now_utc()).abs() < Duration::MINUTE);
    }
}
