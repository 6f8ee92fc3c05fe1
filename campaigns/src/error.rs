//! Why a campaign could not be run. A result that a campaign does not accept is no error but a broken rule (`rules`).

use std::path::PathBuf;

use azure_simulator::StartError;
use azure_simulator::fleet::FleetError;

/// Why a campaign could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// There is no program to attack.
    #[error(
        "there is no policysync at {0}; build it with `cargo build --package policysync` (with --release for a release campaign), or name it with --handler"
    )]
    NoHandler(PathBuf),
    /// There is no Azurite.
    #[error(
        "AZURITE is not set; `cargo xtask bench sync` installs Azurite, the storage emulator, and sets it"
    )]
    NoAzurite,
    /// Instructions cannot be counted.
    #[error("{0}; without it no instruction is counted")]
    NoValgrind(String),
    /// A process did not come up.
    #[error("{what} did not start: {problem}")]
    NotStarted {
        /// Which one.
        what: String,
        /// What it did instead.
        problem: String,
    },
    /// The simulated Azure did not start.
    #[error("the simulated Azure did not start: {0}")]
    Simulator(#[from] StartError),
    /// The fleet of a campaign does not hold together.
    #[error("the fleet: {0}")]
    Fleet(#[from] FleetError),
    /// A file or folder.
    #[error("{place}: {source}")]
    File {
        /// Which one.
        place: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The simulated Azure or a handler did not answer as it should.
    #[error("{asked}: {problem}")]
    Unanswered {
        /// What was asked.
        asked: String,
        /// What came back.
        problem: String,
    },
}

impl CampaignError {
    /// A call over HTTP without the answer that it should have.
    pub fn unanswered(asked: impl Into<String>, problem: impl ToString) -> Self {
        Self::Unanswered { asked: asked.into(), problem: problem.to_string() }
    }

    /// A file or folder.
    pub fn file(place: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let place = place.into();
        move |source| Self::File { place, source }
    }
}
