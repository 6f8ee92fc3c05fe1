//! The configuration where it is a blob: opening it, and reading it in the words of the domain.

use azure::Azure;
use certificate_management::configuration::Configuration;
use certificate_management::in_force::{self, Event, Failure, LARGEST, Version};
use certificate_management::model::ReadFailure;
use state::{BlobAddress, Document, Reading, Revision};

use crate::failure;
use crate::storage_tokens::StorageTokens;

/// A configuration with the text that it was read from, which the records keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What it says.
    pub configuration: std::sync::Arc<Configuration>,
    /// As it was written.
    pub text: std::sync::Arc<str>,
}

/// The blob at an address, with the tokens of the identity. Sends nothing.
///
/// # Errors
/// When the client cannot be made.
pub fn open(address: &BlobAddress, azure: &Azure) -> Result<Document, state::Error> {
    Document::open(address, StorageTokens::of(azure))
}

/// The version that a revision is.
#[must_use]
pub fn version(revision: &Revision) -> Version {
    let Revision { e_tag, version_id, modified_at, .. } = revision;
    Version { e_tag: e_tag.clone(), version_id: version_id.clone(), modified_at: *modified_at }
}

/// The configuration of these bytes.
///
/// # Errors
/// As [`in_force::judge`].
pub fn judge(bytes: Vec<u8>) -> Result<Text, String> {
    let configuration = in_force::judge(&bytes)?;
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    Ok(Text { configuration: configuration.into(), text: text.into() })
}

/// Looks at the blob once; `known` is the `ETag` of the version that was read last.
pub async fn look(document: &Document, known: Option<&str>) -> Event<Text> {
    match document.read(known, LARGEST).await {
        Ok(Reading::Unchanged) => Event::Unchanged,
        Ok(Reading::Missing) => Event::Failed(gone(document)),
        Ok(Reading::TooLarge(revision, bytes)) => {
            Event::Read { version: version(&revision), judged: Err(in_force::too_large(bytes)) }
        }
        Ok(Reading::Found(revision, bytes)) => {
            Event::Read { version: version(&revision), judged: judge(bytes) }
        }
        Err(error) => Event::Failed(failure::of_records(&error).into()),
    }
}

fn gone(document: &Document) -> Failure {
    ReadFailure::other(format!("there is no blob {document}, or no such container")).into()
}

/// The text of the blob now, for a command.
///
/// # Errors
/// A text for a person: why it cannot be read.
pub async fn text(address: &BlobAddress, azure: &Azure) -> Result<String, String> {
    let document = open(address, azure).map_err(|error| error.to_string())?;
    match document.read(None, LARGEST).await.map_err(|error| error.to_string())? {
        Reading::Found(_, bytes) => {
            String::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))
        }
        Reading::TooLarge(_, bytes) => Err(in_force::too_large(bytes)),
        Reading::Missing | Reading::Unchanged => Err(gone(&document).message),
    }
}
