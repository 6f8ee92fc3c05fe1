//! The store: get, create, update, put, delete and list, each with a deadline and a size limit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ambient::Randomness;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::blob::first_use::OnFirstUse;
use crate::blob::{self, settings::BlobSettings};
use crate::error::{Answer, Error, ErrorKind, WriteError};
use crate::key;
use crate::record::{self, Stored, Version, WriteId};

/// How long any call takes at the most, retries included. Six of them fit into a sync step (`contracts.md` §5).
pub const DEADLINE: Duration = Duration::from_secs(10);

/// How many keys [`Store::list`] returns at most.
pub const LIST_LIMIT: usize = 10_000;

/// How often a guarded write is sent when no answer comes.
const SENDS: u32 = 2;

/// Records under keys. Cheap to clone; clones share the records.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn ObjectStore>,
    place: Arc<str>,
    randomness: Randomness,
}

/// Keys that start with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// In alphabetical order, which is how both backends list.
    pub keys: Vec<String>,
    /// There are more keys than [`LIST_LIMIT`]; these are the first.
    pub cut: bool,
}

impl Store {
    /// A store in the memory of this process: for a laptop and for tests. Empty, and gone with its last clone. Its randomness
    /// is that of a fixed seed, since its writes meet no other store's.
    pub fn memory() -> Self {
        Self::over(Arc::new(InMemory::new()), "memory", Randomness::of_seed(0))
    }

    /// A store in a container of an Azure Storage account. It sends nothing until the first call; the first write that
    /// finds the container missing makes it. Write ids must differ between processes, and so must `randomness`.
    ///
    /// # Errors
    /// Kind `Invalid` when the settings cannot be used.
    pub fn open(settings: BlobSettings, randomness: Randomness) -> Result<Self, Error> {
        let place = settings.to_string();
        Ok(Self::over(blob::connect(settings, Arc::new(OnFirstUse))?, &place, randomness))
    }

    /// A store over any backend, such as one that a simulation has put faults into. `place` names it in debug output. Write ids must
    /// differ between the stores over one backend, and so must `randomness`.
    pub fn over(backend: Arc<dyn ObjectStore>, place: &str, randomness: Randomness) -> Self {
        Self { backend, place: place.into(), randomness }
    }

    /// The same records, written with ids and pauses of another sequence.
    #[must_use]
    pub fn drawing_from(self, randomness: Randomness) -> Self {
        Self { randomness, ..self }
    }

    pub(crate) fn randomness(&self) -> &Randomness {
        &self.randomness
    }

    pub(crate) fn backend(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.backend)
    }

    /// The record at `key`; `None` when there is none.
    ///
    /// # Errors
    /// Kind `Corrupt` when what is stored is not a record with a `T`, `TooLarge` over 8 MiB.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Stored<T>>, Error> {
        let path = key::checked(key)?;
        let doing = format!("reading the record `{key}`");
        let Some((bytes, version)) = within_deadline(&doing, self.read(&doing, &path)).await? else {
            return Ok(None);
        };
        Ok(Some(Stored { value: record::decode(&doing, &bytes)?, version }))
    }

    /// Stores a record where there is none yet.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] when there is one already.
    pub async fn create<T: Serialize>(&self, key: &str, value: &T) -> Result<Version, WriteError> {
        let doing = format!("creating the record `{key}`");
        self.write_guarded(key, &doing, value, PutMode::Create).await
    }

    /// Replaces the record at `key` if `version` is still its version.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] when it has another version or is gone.
    pub async fn update<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        version: &Version,
    ) -> Result<Version, WriteError> {
        let doing = format!("updating the record `{key}`");
        let guard = UpdateVersion { e_tag: Some(version.0.clone()), version: None };
        self.write_guarded(key, &doing, value, PutMode::Update(guard)).await
    }

    /// Stores a record over any that is there: the last writer wins.
    ///
    /// # Errors Any error of the service, and `TooLarge`; there is no conflict.
    pub async fn put<T: Serialize>(&self, key: &str, value: &T) -> Result<Version, Error> {
        let path = key::checked(key)?;
        let doing = format!("storing the record `{key}`");
        let payload = PutPayload::from(record::encode(&doing, &WriteId::draw(&self.randomness), value)?);
        within_deadline(&doing, async {
            let put = self.backend.put(&path, payload).await;
            version_of(&doing, put.map_err(|e| Error::from_backend(&doing, &e))?.e_tag)
        })
        .await
    }

    /// Removes the record at `key`. It is no error when there is none.
    ///
    /// # Errors
    /// Any error of the service.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let path = key::checked(key)?;
        let doing = format!("deleting the record `{key}`");
        within_deadline(&doing, async {
            match self.backend.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) if blob::container::is_missing(&error) => Ok(()),
                Err(error) => Err(Error::from_backend(&doing, &error)),
            }
        })
        .await
    }

    /// The keys under `prefix`, which is whole segments without a trailing `/`; `""` means all. At most
    /// [`LIST_LIMIT`] of them: [`Listing::cut`] tells when there are more.
    ///
    /// # Errors
    /// Any error of the service.
    pub async fn list(&self, prefix: &str) -> Result<Listing, Error> {
        self.list_at_most(prefix, LIST_LIMIT).await
    }

    pub(crate) async fn list_at_most(&self, prefix: &str, most: usize) -> Result<Listing, Error> {
        let path = if prefix.is_empty() { Path::default() } else { key::checked(prefix)? };
        let doing = format!("listing the records under `{prefix}`");
        within_deadline(&doing, async {
            let mut found = self.backend.list((!prefix.is_empty()).then_some(&path));
            let mut listing = Listing { keys: Vec::new(), cut: false };
            loop {
                match found.try_next().await {
                    Ok(Some(_)) if listing.keys.len() == most => {
                        listing.cut = true;
                        break;
                    }
                    Ok(Some(object)) => listing.keys.push(object.location.to_string()),
                    Ok(None) => break,
                    Err(error) if blob::container::is_missing(&error) => break,
                    Err(error) => return Err(Error::from_backend(&doing, &error)),
                }
            }
            Ok(listing)
        })
        .await
    }

    /// Writes under a condition, and tells a conflict from a meeting with our own earlier send.
    async fn write_guarded<T: Serialize>(
        &self,
        key: &str,
        doing: &str,
        value: &T,
        mode: PutMode,
    ) -> Result<Version, WriteError> {
        let path = key::checked(key)?;
        let id = WriteId::draw(&self.randomness);
        let payload = PutPayload::from(record::encode(doing, &id, value)?);
        let send = async {
            let mut sends = 0;
            loop {
                sends += 1;
                match self.backend.put_opts(&path, payload.clone(), mode.clone().into()).await {
                    Ok(put) => return Ok(version_of(doing, put.e_tag)?),
                    Err(error) if is_conflict(&error) => {
                        return self.ours_or_conflict(doing, &path, &id).await;
                    }
                    Err(error) => {
                        let error = Error::from_backend(doing, &error);
                        // The write id makes a second send harmless where the first may have been done.
                        if sends == SENDS || !error.kind().is_transient() {
                            return Err(error.into());
                        }
                    }
                }
            }
        };
        tokio::time::timeout(DEADLINE, send).await.unwrap_or_else(|_| Err(late(doing).into()))
    }

    async fn ours_or_conflict(&self, doing: &str, path: &Path, id: &WriteId) -> Result<Version, WriteError> {
        match self.read(doing, path).await? {
            // A blob that is no record is certainly another writer's.
            Some((bytes, version)) if record::write_id(doing, &bytes).is_ok_and(|found| found == *id) => {
                Ok(version)
            }
            _ => Err(WriteError::Conflict),
        }
    }

    async fn read(&self, doing: &str, path: &Path) -> Result<Option<(Vec<u8>, Version)>, Error> {
        let found = match self.backend.get(path).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(Error::from_backend(doing, &error)),
        };
        record::check_size(doing, found.meta.size)?;
        let version = version_of(doing, found.meta.e_tag.clone())?;
        let bytes = found.bytes().await.map_err(|e| Error::from_backend(doing, &e))?;
        Ok(Some((bytes.into(), version)))
    }
}

impl fmt::Debug for Store {
    /// Shows where the records are, and not the client underneath, which holds credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.place).finish()
    }
}

/// Whether a guarded write lost against another one. Other refusals come with the same HTTP statuses: a container that
/// is being deleted (409) or a blob that another client has leased (412).
pub(crate) fn is_conflict(error: &object_store::Error) -> bool {
    match error {
        object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => {
            matches!(Answer::of(error).code.as_deref(), None | Some("BlobAlreadyExists" | "ConditionNotMet"))
        }
        // An update of a record that is gone.
        object_store::Error::NotFound { .. } => !blob::container::is_missing(error),
        _ => false,
    }
}

fn version_of(doing: &str, e_tag: Option<String>) -> Result<Version, Error> {
    let missing = || Error::new(ErrorKind::Unexpected, doing, "the service gave no ETag");
    e_tag.map(Version).ok_or_else(missing)
}

pub(crate) async fn within_deadline<T>(
    doing: &str,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(DEADLINE, call).await.unwrap_or_else(|_| Err(late(doing)))
}

fn late(doing: &str) -> Error {
    Error::new(ErrorKind::Unavailable, doing, format!("no answer within {} seconds", DEADLINE.as_secs()))
}
