//! The clocks of the two processes: that of the machine, or one behind it and one ahead, by libfaketime.

use std::path::PathBuf;
use std::process::Command;

use crate::error::CampaignError;

/// How far the clock of a process may be from where it was put, in seconds: the time that starting a program takes.
const PATIENCE_SECONDS: i64 = 20;

/// How far apart the clocks are.
#[derive(Debug, Clone)]
pub enum Clocks {
    /// Both processes go by the clock of the machine.
    Machine,
    /// One is so many seconds behind it, and the other ahead.
    Apart {
        /// Seconds.
        seconds: u32,
        /// libfaketime.
        library: PathBuf,
    },
}

/// Which of the two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It is behind.
    Behind,
    /// It is ahead.
    Ahead,
}

impl Clocks {
    /// Clocks that are so many seconds away from the machine's.
    ///
    /// # Errors
    /// Without the library, and where the clock of this program was moved already.
    pub fn apart(seconds: u32, library: Option<PathBuf>) -> Result<Self, CampaignError> {
        let wrong = |problem: &str| CampaignError::NotStarted {
            what: "clocks that are apart".to_owned(),
            problem: problem.to_owned(),
        };
        if seconds == 0 {
            return Ok(Self::Machine);
        }
        if std::env::var_os("FAKETIME").is_some() {
            return Err(wrong("the clock of this program was moved by FAKETIME already"));
        }
        let library = library.ok_or_else(|| {
            wrong("libfaketime is not named: set FAKETIME_LIBRARY, as `cargo xtask` does, or --faketime-library")
        })?;
        let clocks = Self::Apart { seconds, library };
        for side in [Side::Behind, Side::Ahead] {
            clocks.moved(side)?;
        }
        Ok(clocks)
    }

    /// The variables that give a process its clock.
    pub fn variables(&self, side: Side) -> Vec<(String, String)> {
        let Self::Apart { library, .. } = self else { return Vec::new() };
        [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME", format!("{:+}s", self.seconds(side))),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// How far ahead of the machine's clock that of a process is, in seconds.
    fn seconds(&self, side: Side) -> i64 {
        match (self, side) {
            (Self::Machine, _) => 0,
            (Self::Apart { seconds, .. }, Side::Behind) => -i64::from(*seconds),
            (Self::Apart { seconds, .. }, Side::Ahead) => i64::from(*seconds),
        }
    }

    /// Checks that a clock moves: a library that does not load is only a line on stderr, and then a campaign would prove nothing.
    fn moved(&self, side: Side) -> Result<(), CampaignError> {
        let wrong = |problem: String| CampaignError::NotStarted { what: "a clock".to_owned(), problem };
        let wanted = time::OffsetDateTime::now_utc().unix_timestamp() + self.seconds(side);
        let date = Command::new("date").arg("+%s").envs(self.variables(side)).output();
        let date = date.map_err(|error| wrong(format!("`date` did not run: {error}")))?;
        let said = String::from_utf8_lossy(&date.stdout);
        let shown: i64 = said.trim().parse().map_err(|_| wrong(format!("`date` said {said}")))?;
        match (shown - wanted).abs() {
            0..=PATIENCE_SECONDS => Ok(()),
            away => Err(wrong(format!("it is {away} s away from where it was put"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_moves_no_clock_and_that_is_noticed() {
        let clocks = Clocks::Apart { seconds: 60, library: "no-such-library.so".into() };
        assert!(clocks.moved(Side::Behind).is_err() && clocks.moved(Side::Ahead).is_err());
        assert!(Clocks::Machine.moved(Side::Ahead).is_ok());
    }

    #[test]
    fn clocks_without_the_library_are_an_error_and_none_apart_needs_it() {
        assert!(Clocks::apart(60, None).is_err());
        assert!(matches!(Clocks::apart(0, None), Ok(Clocks::Machine)));
    }
}
