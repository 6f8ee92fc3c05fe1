//! The storage of the records as one instance has it: in memory, shared by all, with a way that takes time and faults on it. A write that is
//! under way arrives even when its writer has died.
//!
//! What the library does over HTTP, its repeats above all, is not in a play: the interface above it shows the faults.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use certificate_management::sync::Phase;
use chrono::{DateTime, Utc};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::engine::Time;
use crate::fault::Fault;
use crate::moment::Moment;
use crate::network::Network;
use crate::site::Site;

/// What all instances share of it.
#[derive(Clone)]
pub struct Records {
    inside: Arc<InMemory>,
    /// When each record was last written, by the time of the play: the library would take the machine's.
    written: Arc<Mutex<BTreeMap<Path, DateTime<Utc>>>>,
    time: Time,
}

/// The storage of one instance.
#[derive(Clone)]
pub struct RecordsOf {
    records: Records,
    network: Network,
    instance: usize,
}

impl Records {
    /// No record yet.
    #[must_use]
    pub fn new(time: Time) -> Self {
        Self { inside: Arc::new(InMemory::new()), written: Arc::default(), time }
    }

    /// The storage as the instance of this number has it.
    #[must_use]
    pub fn of(&self, network: Network, instance: usize) -> RecordsOf {
        RecordsOf { records: self.clone(), network, instance }
    }

    /// The storage without a way to it, for a judge.
    #[must_use]
    pub fn inside(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.inside) as Arc<dyn ObjectStore>
    }

    /// Dates every record now.
    pub async fn date_all(&self) {
        let all: Vec<ObjectMeta> = self.inside.list(None).try_collect().await.unwrap_or_default();
        all.iter().for_each(|meta| self.note(&meta.location));
    }

    fn note(&self, location: &Path) {
        let now = self.time.now();
        let now = DateTime::from_timestamp(now.unix_timestamp(), now.nanosecond()).unwrap_or_default();
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(location.clone(), now);
    }

    fn dated(&self, meta: ObjectMeta) -> ObjectMeta {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let last_modified = written.get(&meta.location).copied().unwrap_or_default();
        ObjectMeta { last_modified, ..meta }
    }
}

impl RecordsOf {
    /// Carries an operation there and its result back.
    pub(crate) async fn carry<T: Send + 'static>(
        &self,
        (operation, key): (&str, &str),
        condition: Option<Condition>,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let site = Site::of_record(operation, key);
        let has_condition =
            |fault| !matches!(fault, Fault::Denied | Fault::DoneAndDenied) || condition.is_some();
        let fault = self.network.faults.strike(&site, has_condition);
        let told = fault.map(|fault| format!(", {}", fault.name())).unwrap_or_default();
        let line = format!("instance {}: records: {operation} {key}{told}", self.instance);
        self.network.trace.line(&line);
        let draw = |least, most| Duration::from_millis(self.network.draw(&site, least, most));
        let (there, back) = match fault {
            Some(Fault::Refused | Fault::Broken) => {
                sleep(draw(1, 2_000)).await;
                return Err(unavailable());
            }
            Some(Fault::Denied) => {
                sleep(draw(1, 30)).await;
                return Err(Condition::failed(condition, key));
            }
            Some(Fault::Slow) => (draw(500, 4_000), draw(500, 4_000)),
            // Before or after the work: in either case the caller has stopped waiting.
            Some(Fault::Late) if draw(0, 1).is_zero() => (draw(11_000, 25_000), draw(1, 15)),
            Some(Fault::Late) => (draw(1, 15), draw(11_000, 25_000)),
            _ => (draw(1, 15), draw(1, 15)),
        };
        let (sender, receiver) = oneshot::channel();
        let (trace, faults, place) =
            (self.network.trace.clone(), self.network.faults.clone(), key.to_owned());
        tokio::spawn(async move {
            sleep(there).await;
            let mut result = work.await;
            let shown = if result.is_ok() { "done" } else { "not done" };
            trace.line(format_args!("{line}: {shown}"));
            if fault == Some(Fault::DoneAndDenied) && result.is_ok() {
                faults.has_struck(&site, Fault::DoneAndDenied);
                result = Err(Condition::failed(condition, &place));
            }
            sleep(back).await;
            // The caller may have died, or stopped waiting.
            let _ = sender.send(if fault == Some(Fault::LostAnswer) { Err(unavailable()) } else { result });
        });
        receiver.await.unwrap_or_else(|_| Err(unavailable()))
    }
}

/// The condition of a write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition {
    /// That there is none yet.
    IsNew,
    /// That it was not written meanwhile.
    IsUnchanged,
}

impl Condition {
    fn of(mode: &PutMode) -> Option<Self> {
        match mode {
            PutMode::Overwrite => None,
            PutMode::Create => Some(Self::IsNew),
            PutMode::Update(_) => Some(Self::IsUnchanged),
        }
    }

    /// That it did not hold, as the library reports it.
    fn failed(condition: Option<Self>, key: &str) -> Error {
        let (path, source) = (key.to_owned(), "a fault of the simulation".into());
        match condition {
            Some(Self::IsNew) => Error::AlreadyExists { path, source },
            _ => Error::Precondition { path, source },
        }
    }
}

/// How far the sync is that a record holds; `None` for any other record.
fn moment(key: &str, payload: &PutPayload) -> Option<Moment> {
    let is_sync = key.starts_with("syncs/");
    let bytes: Vec<u8> = if is_sync { payload.iter().flatten().copied().collect() } else { Vec::new() };
    let record: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    serde_json::from_value::<Phase>(record["value"]["phase"].clone()).ok().map(Moment::from)
}

/// An outage as the library reports it.
fn unavailable() -> Error {
    Error::Generic { store: "records", source: "a fault of the simulation, status code: 503".into() }
}

impl fmt::Debug for RecordsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordsOf").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl fmt::Display for RecordsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the records of instance {}", self.instance)
    }
}

#[async_trait]
impl ObjectStore for RecordsOf {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let (records, place, faults) = (self.records.clone(), location.clone(), self.network.faults.clone());
        let condition = Condition::of(&options.mode);
        let work = async move {
            let moment = moment(place.as_ref(), &payload);
            let put = records.inside.put_opts(&place, payload, options).await?;
            records.note(&place);
            if let Some(moment) = moment {
                faults.enter(place.as_ref(), moment);
            }
            Ok(put)
        };
        self.carry(("put", location.as_ref()), condition, work).await
    }

    async fn put_multipart_opts(
        &self,
        _location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(unavailable())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (records, place) = (self.records.clone(), location.clone());
        let work = async move {
            let found = records.inside.get_opts(&place, options).await?;
            let meta = records.dated(found.meta.clone());
            Ok(GetResult { meta, ..found })
        };
        self.carry(("get", location.as_ref()), None, work).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let each = locations.then(move |location| {
            let this = this.clone();
            async move {
                let location = location?;
                let (inside, place) = (Arc::clone(&this.records.inside), location.clone());
                let work = async move { inside.delete(&place).await };
                this.carry(("delete", location.as_ref()), None, work).await?;
                Ok(location)
            }
        });
        each.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (this, prefix) = (self.clone(), prefix.cloned());
        let listed = async move {
            let key = prefix.as_ref().map(|prefix| prefix.as_ref().to_owned()).unwrap_or_default();
            let records = this.records.clone();
            let work = async move {
                let found: Vec<ObjectMeta> = records.inside.list(prefix.as_ref()).try_collect().await?;
                Ok(found.into_iter().map(|meta| records.dated(meta)).collect::<Vec<_>>())
            };
            let listed = this.carry(("list", &key), None, work).await;
            stream::iter(match listed {
                Ok(found) => found.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
        };
        stream::once(listed).flatten().boxed()
    }

    async fn list_with_delimiter(&self, _prefix: Option<&Path>) -> Result<ListResult> {
        Err(unavailable())
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(unavailable())
    }
}
