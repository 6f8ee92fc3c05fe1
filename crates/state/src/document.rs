//! One blob that is no record: a text that people write and the app reads, with what the service tells of its version.
//!
//! Unlike a [`Store`](crate::Store), it never makes the container: a name that is misspelt must not become one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, ObjectStore, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use time::OffsetDateTime;
use url::form_urlencoded;

use crate::blob::address::BlobAddress;
use crate::blob::first_use::OnFirstUse;
use crate::blob::settings::BlobSettings;
use crate::blob::token::TokenProvider;
use crate::blob::{self, container};
use crate::error::{Error, ErrorKind, WriteError};
use crate::store::{is_conflict, within_deadline};

/// A blob. Cheap to clone.
#[derive(Clone)]
pub struct Document {
    backend: Arc<dyn ObjectStore>,
    path: Path,
    place: Arc<str>,
}

/// A version of a document, as the service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its `ETag`.
    pub e_tag: String,
    /// Its version id, where the account keeps versions (`messaging-and-state.md` §3.7).
    pub version_id: Option<String>,
    /// When it was written, by the clock of the service.
    pub modified_at: OffsetDateTime,
    /// What its writer has noted beside it.
    pub notes: BTreeMap<String, String>,
}

/// What a look at a document has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It is the version that the caller knows.
    Unchanged,
    /// There is no blob of this name, or no container.
    Missing,
    /// It has more bytes than the caller takes; they were not read.
    TooLarge(Revision, u64),
    /// Another version than the caller knows, with its bytes.
    Found(Revision, Vec<u8>),
}

/// Names of notes; those of the service have to be identifiers (`messaging-and-state.md` §3.7).
pub const NOTES: [&str; 2] = ["reason", "by"];

impl Document {
    /// The blob at an address, read and written with tokens; that of a storage emulator on this machine, whose account and key are
    /// public, with its key. It sends nothing until the first call.
    ///
    /// # Errors
    /// Kind `Invalid` when the client cannot be made.
    pub fn open(address: &BlobAddress, tokens: Arc<dyn TokenProvider>) -> Result<Self, Error> {
        let settings = BlobSettings::of_blob(address, tokens)?;
        let backend = blob::connect_only(settings, Arc::new(OnFirstUse))?;
        Self::over(backend, address)
    }

    /// A blob in any backend, such as one that a simulation has put faults into. `address` says which one it is, and names it in messages.
    ///
    /// # Errors
    /// Kind `Invalid` when the name of the blob cannot be used.
    pub fn over(backend: Arc<dyn ObjectStore>, address: &BlobAddress) -> Result<Self, Error> {
        let path =
            Path::parse(&address.name).map_err(|_| Error::settings("the name of the blob cannot be used"))?;
        Ok(Self { backend, path, place: address.to_string().into() })
    }

    /// Reads it, unless it is still the version whose `ETag` is `known`; at most `most` bytes of it.
    ///
    /// # Errors
    /// Any error of the service; also when nothing comes within 10 seconds.
    pub async fn read(&self, known: Option<&str>, most: u64) -> Result<Reading, Error> {
        let options = GetOptions { if_none_match: known.map(str::to_owned), ..GetOptions::default() };
        self.get(options, most).await
    }

    /// Reads an earlier version of it, by its version id; at most `most` bytes of it.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub async fn read_version(&self, version_id: &str, most: u64) -> Result<Reading, Error> {
        let options = GetOptions { version: Some(version_id.to_owned()), ..GetOptions::default() };
        self.get(options, most).await
    }

    async fn get(&self, options: GetOptions, most: u64) -> Result<Reading, Error> {
        let doing = format!("reading {}", self.place);
        within_deadline(&doing, async {
            let found = match self.backend.get_opts(&self.path, options).await {
                Ok(found) => found,
                Err(object_store::Error::NotModified { .. }) => return Ok(Reading::Unchanged),
                Err(object_store::Error::NotFound { .. }) => return Ok(Reading::Missing),
                Err(error) if container::is_missing(&error) => return Ok(Reading::Missing),
                Err(error) => return Err(Error::from_backend(&doing, &error)),
            };
            let e_tag = found.meta.e_tag.clone();
            let revision = Revision {
                e_tag: e_tag
                    .ok_or_else(|| Error::new(ErrorKind::Unexpected, &doing, "the service gave no ETag"))?,
                version_id: found.meta.version.clone(),
                modified_at: OffsetDateTime::from_unix_timestamp(found.meta.last_modified.timestamp())
                    .unwrap_or(OffsetDateTime::UNIX_EPOCH),
                notes: notes(&found.attributes),
            };
            if found.meta.size > most {
                return Ok(Reading::TooLarge(revision, found.meta.size));
            }
            let bytes = found.bytes().await.map_err(|error| Error::from_backend(&doing, &error))?;
            Ok(Reading::Found(revision, bytes.into()))
        })
        .await
    }

    /// Writes it over the version whose `ETag` is `over`, and over no other; `None`: only where there is none yet. Answers the `ETag` and
    /// the version id of what is written.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] when another version is there. After any other error but `Forbidden` it is not known whether it was written.
    pub async fn write(
        &self,
        text: &str,
        over: Option<&str>,
        notes: &BTreeMap<&str, String>,
    ) -> Result<(String, Option<String>), WriteError> {
        let doing = format!("writing {}", self.place);
        let mode = match over {
            Some(e_tag) => PutMode::Update(UpdateVersion { e_tag: Some(e_tag.to_owned()), version: None }),
            None => PutMode::Create,
        };
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, "application/toml".into());
        for (name, value) in notes {
            // A header takes ASCII alone.
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            attributes.insert(Attribute::Metadata((*name).to_owned().into()), value.into());
        }
        let options = PutOptions { mode, attributes, ..PutOptions::default() };
        let payload = PutPayload::from(text.as_bytes().to_vec());
        let put = async {
            match self.backend.put_opts(&self.path, payload, options).await {
                Ok(put) => Ok(Some((put.e_tag.unwrap_or_default(), put.version))),
                Err(error) if is_conflict(&error) => Ok(None),
                Err(error) => Err(Error::from_backend(&doing, &error)),
            }
        };
        if let Some(written) = within_deadline(&doing, put).await? {
            return Ok(written);
        }
        self.is_there(text, notes).await?.ok_or(WriteError::Conflict)
    }

    /// The version that is there, where it is what was to be written: the client sends a write again whose answer got lost, and the second
    /// send meets the result of the first (`messaging-and-state.md` §3.5).
    async fn is_there(
        &self,
        text: &str,
        noted: &BTreeMap<&str, String>,
    ) -> Result<Option<(String, Option<String>)>, Error> {
        let Reading::Found(revision, bytes) = self.read(None, text.len() as u64).await? else {
            return Ok(None);
        };
        let has_notes = noted.iter().all(|(name, value)| revision.notes.get(*name) == Some(value));
        let is_ours = bytes == text.as_bytes() && has_notes;
        Ok(is_ours.then_some((revision.e_tag, revision.version_id)))
    }
}

/// What a writer has noted; a note of another writer's kind is left out.
fn notes(attributes: &Attributes) -> BTreeMap<String, String> {
    let of = |name: &str| {
        let value = attributes.get(&Attribute::Metadata(name.to_owned().into()))?;
        let decoded = form_urlencoded::parse(value.as_ref().as_bytes()).next()?.0.into_owned();
        Some((name.to_owned(), decoded))
    };
    NOTES.iter().filter_map(|name| of(name)).collect()
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for Document {
    /// Leaves the client out, which holds credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Document").field(&self.place).finish()
    }
}
