//! Azurite, the storage emulator, which holds the records that both processes share. It keeps them in memory, so it
//! leaves no files behind. A campaign may put it at a distance, and let it be away for a while.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::distance::{Distance, Passage};
use crate::error::CampaignError;

/// The emulator's public account key.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Azurite. It is killed when dropped.
pub struct Azurite {
    address: String,
    _process: Child,
    way: Option<Distance>,
}

impl Azurite {
    /// Starts `program` on a free port.
    ///
    /// # Errors
    /// When it does not start or does not listen within a minute.
    pub async fn start(program: &Path) -> Result<Self, CampaignError> {
        let mut process = Command::new(program)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--inMemoryPersistence", "--silent", "--disableTelemetry"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let Some(output) = process.stdout.take() else { return Err(failed("it has no output")) };
        let mut lines = BufReader::new(output).lines();
        let listening = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, address)) = line.split_once("successfully listens on ") {
                    return Some(address.trim().to_owned());
                }
            }
            None
        };
        let address = tokio::time::timeout(PATIENCE, listening)
            .await
            .map_err(|_| failed("it did not listen within a minute"))?
            .ok_or_else(|| failed("it ended before it listened"))?;
        // Azurite may print more later, and must not stop because its pipe is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { address, _process: process, way: None })
    }

    /// The same behind a way that can be closed: each call to it takes `latency` longer than it would.
    ///
    /// # Errors
    /// As [`Azurite::start`], and when no port is free.
    pub async fn start_behind(program: &Path, latency: Duration) -> Result<Self, CampaignError> {
        let azurite = Self::start(program).await?;
        let target = azurite.address.trim_start_matches("http://").parse();
        let target = target.map_err(|error| failed(format!("{} is no address: {error}", azurite.address)))?;
        let way = Distance::to(target, latency).await.map_err(CampaignError::file("a free port"))?;
        Ok(Self { address: format!("http://{}", way.address), way: Some(way), ..azurite })
    }

    /// Opens the way to it, or closes it. Does nothing without a way.
    pub fn set(&self, passage: Passage) {
        if let Some(way) = &self.way {
            way.set(passage);
        }
    }

    /// For `AzureWebJobsStorage`.
    pub fn connection_string(&self) -> String {
        let address = &self.address;
        format!("BlobEndpoint={address}/devstoreaccount1;AccountName=devstoreaccount1;AccountKey={KEY}")
    }
}

fn failed(problem: impl Into<String>) -> CampaignError {
    CampaignError::NotStarted { what: "Azurite".to_owned(), problem: problem.into() }
}
