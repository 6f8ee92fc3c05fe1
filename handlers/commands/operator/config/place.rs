//! The blob that a command is about, with the identity that reads it.

use ambient::Ambient;
use azure::Azure;
use certificate_management::in_force::{LARGEST, Version};
use state::{Document, Reading, Revision, Store};

use crate::commands::operator::command_failure::CommandFailure;
use crate::configuration_blob::{self, Text};
use crate::settings::{self, ConfigurationSource, FleetSettings, StateSettings};
use crate::{application, fleet};

/// The blob, and what it takes to look at it.
pub struct Place {
    /// The settings, with the blob as the configuration.
    pub settings: FleetSettings,
    /// The clients.
    pub azure: Azure,
    /// The clock and the randomness.
    pub ambient: Ambient,
    /// The blob.
    pub document: Document,
    /// The records of the app; `None`: no place for them is set.
    pub records: Option<Store>,
}

/// What the blob has now.
pub enum Current {
    /// Nothing.
    Nothing,
    /// A version, with what it says or why it cannot be used.
    Version(Revision, Result<Text, String>),
}

impl Place {
    /// The blob at an address, or that of `POLICYSYNC_CONFIG`. Sends nothing.
    ///
    /// # Errors
    /// `Usage` when neither is a blob; else which setting is wrong.
    pub fn of(address: Option<&str>, flag: &str) -> Result<Self, CommandFailure> {
        let failed = |error: &dyn std::fmt::Display| CommandFailure::Failed(error.to_string());
        let variables = settings::environment();
        let mut settings = FleetSettings::from_variables(&variables).map_err(|error| failed(&error))?;
        if let Some(address) = address {
            let source = ConfigurationSource::parse(address);
            settings.configuration =
                source.map_err(|problem| CommandFailure::Usage(format!("{flag}: {problem}")))?;
        }
        let ConfigurationSource::Blob(address) = &settings.configuration else {
            return Err(CommandFailure::Usage(format!(
                "{} is a file, and this is about a blob: name its address with {flag}, or in POLICYSYNC_CONFIG",
                settings.configuration
            )));
        };
        let ambient = Ambient::of_system();
        let azure = fleet::clients(&settings, &ambient).map_err(|error| failed(&error))?;
        let document = configuration_blob::open(address, &azure).map_err(|error| failed(&error))?;
        let kept = StateSettings::if_kept(&variables).map_err(|error| failed(&error))?;
        let records = kept.map(|kept| application::records(&kept, &azure, &ambient.randomness)).transpose();
        let records =
            records.map_err(|error| CommandFailure::Failed(format!("AzureWebJobsStorage: {error}")))?;
        Ok(Self { settings, azure, ambient, document, records })
    }

    /// Reads the blob.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn current(&self) -> Result<Current, CommandFailure> {
        let read = self.document.read(None, LARGEST).await;
        match read.map_err(|error| CommandFailure::Failed(error.to_string()))? {
            Reading::Found(revision, bytes) => {
                Ok(Current::Version(revision, configuration_blob::judge(bytes)))
            }
            Reading::TooLarge(revision, bytes) => {
                Ok(Current::Version(revision, Err(certificate_management::in_force::too_large(bytes))))
            }
            Reading::Missing | Reading::Unchanged => Ok(Current::Nothing),
        }
    }
}

impl Current {
    /// The version; `None`: there is none.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Version(revision, _) => Some(configuration_blob::version(revision)),
            Self::Nothing => None,
        }
    }
}
