//! Azurite, the storage emulator, which holds the records that both processes share. It keeps them in memory, so it
//! leaves no files behind. A campaign may put it at a distance.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::distance::Distance;
use crate::error::CampaignError;

/// The emulator's public account key.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Azurite. It is killed when dropped.
pub struct Azurite {
    endpoint: String,
    _process: Child,
    _distance: Option<Distance>,
}

impl Azurite {
    /// Starts `program` on a free port. Each call to it takes `latency` longer than it would.
    ///
    /// # Errors
    /// When it does not start or does not listen within a minute.
    pub async fn start(program: &Path, latency: Duration) -> Result<Self, CampaignError> {
        let failed = |problem: String| CampaignError::NotStarted { what: "Azurite".to_owned(), problem };
        let mut process = Command::new(program)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--inMemoryPersistence", "--silent", "--disableTelemetry"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let Some(output) = process.stdout.take() else { return Err(failed("it has no output".to_owned())) };
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
            .map_err(|_| failed("it did not listen within a minute".to_owned()))?
            .ok_or_else(|| failed("it ended before it listened".to_owned()))?;
        // Azurite may print more later, and must not stop because its pipe is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let distance = match latency {
            Duration::ZERO => None,
            latency => {
                let target = address.trim_start_matches("http://").parse();
                let target = target.map_err(|error| failed(format!("{address} is no address: {error}")))?;
                let way = Distance::to(target, latency).await;
                Some(way.map_err(CampaignError::file("a free port"))?)
            }
        };
        let address = distance.as_ref().map_or(address, |distance| format!("http://{}", distance.address));
        let endpoint = format!("{address}/devstoreaccount1");
        Ok(Self { endpoint, _process: process, _distance: distance })
    }

    /// For `AzureWebJobsStorage`.
    pub fn connection_string(&self) -> String {
        format!("BlobEndpoint={};AccountName=devstoreaccount1;AccountKey={KEY}", self.endpoint)
    }
}
