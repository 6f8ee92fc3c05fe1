//! How the app is configured at each time: what people have stated, and which version of it each instance works by.
//!
//! A file is read when a process starts, and a change of it, or of the kill switch, replaces every process. A blob is read again while
//! they run, so what is in force differs from instance to instance, and an invocation keeps what it began with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::engine::Time;
use crate::records::RecordsOf;
use crate::world::{Stated, World};

/// The address of the configuration where it is a blob. Nothing listens there.
pub const BLOB: &str = "https://contoso.blob.core.windows.net/configuration/policysync.toml";
/// Its name within its container.
const NAME: &str = "policysync.toml";

/// What people want of the app. Clones are one.
#[derive(Clone)]
pub struct Configured {
    /// Whether it is a blob.
    pub is_blob: bool,
    time: Time,
    inside: Arc<InMemory>,
    state: Arc<Mutex<State>>,
}

struct State {
    stated: Arc<Stated>,
    kill_switch: bool,
    /// What is there cannot be used.
    is_broken: bool,
    /// Every version of the blob by its `ETag`: what it states, unless it is broken, and when it was written.
    versions: BTreeMap<String, (Option<Arc<Stated>>, Duration)>,
}

/// What a life of an instance works by.
pub struct InForce {
    kill_switch: bool,
    /// A person who knows that the file says `audit`, and writes all the same.
    is_even_in_audit: bool,
    time: Time,
    /// Since when which version.
    versions: Mutex<Vec<(Duration, Arc<Stated>)>>,
}

impl Configured {
    /// As a world begins.
    pub async fn begin(world: &World, time: Time) -> Self {
        let state = State {
            stated: Arc::clone(&world.first),
            kill_switch: world.kill_switch,
            is_broken: false,
            versions: BTreeMap::new(),
        };
        let inside = Arc::new(InMemory::new());
        let this = Self { is_blob: world.is_blob, time, inside, state: Arc::new(Mutex::new(state)) };
        this.upload(&world.first.text(), Some(Arc::clone(&world.first))).await;
        this
    }

    /// What is wanted now.
    #[must_use]
    pub fn stated(&self) -> Arc<Stated> {
        Arc::clone(&self.lock().stated)
    }

    /// Whether `POLICYSYNC_MODE=audit` is set now.
    #[must_use]
    pub fn kill_switch(&self) -> bool {
        self.lock().kill_switch
    }

    /// Whether a process that starts now finds a file that it can use.
    #[must_use]
    pub fn can_start(&self) -> bool {
        self.is_blob || !self.lock().is_broken
    }

    /// Sets the kill switch, or takes it away. Processes that run know nothing of it.
    pub fn switch(&self, is_on: bool) {
        self.lock().kill_switch = is_on;
    }

    /// Replaces what is wanted. Where it is a file, processes that run know nothing of it.
    pub async fn replace(&self, stated: Arc<Stated>) {
        self.lock().stated = Arc::clone(&stated);
        self.lock().is_broken = false;
        let text = stated.text();
        self.upload(&text, Some(stated)).await;
    }

    /// Puts something there that nothing can use.
    pub async fn break_it(&self) {
        self.lock().is_broken = true;
        self.upload("[[namespace]]\nid = 7\n", None).await;
    }

    async fn upload(&self, text: &str, stated: Option<Arc<Stated>>) {
        let put = self.inside.put(&Path::from(NAME), text.to_owned().into()).await;
        let e_tag = put.ok().and_then(|put| put.e_tag).unwrap_or_default();
        self.lock().versions.insert(e_tag, (stated, self.time.since()));
    }

    /// What a life that begins now works by.
    #[must_use]
    pub fn in_force(&self) -> Arc<InForce> {
        let state = self.lock();
        let of_file = (!self.is_blob).then(|| (Duration::ZERO, Arc::clone(&state.stated)));
        let versions = Mutex::new(of_file.into_iter().collect());
        Arc::new(InForce {
            kill_switch: state.kill_switch,
            is_even_in_audit: false,
            time: self.time,
            versions,
        })
    }

    /// What a command that begins now works by; `None`: it finds nothing that it can use.
    #[must_use]
    pub fn as_read(&self, is_even_in_audit: bool) -> Option<Arc<InForce>> {
        let state = self.lock();
        let versions = Mutex::new(vec![(Duration::ZERO, Arc::clone(&state.stated))]);
        let (kill_switch, time) = (state.kill_switch, self.time);
        (!state.is_broken).then(|| Arc::new(InForce { kill_switch, is_even_in_audit, time, versions }))
    }

    /// The blob as a life of an instance has it.
    #[must_use]
    pub fn blob(&self, way: RecordsOf, in_force: Arc<InForce>) -> Blob {
        Blob { configured: self.clone(), way, in_force }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InForce {
    /// Whether an invocation that began then may write at a path: by the version that was in force when it began, or by one that it can have
    /// found since.
    #[must_use]
    pub fn permits(&self, path: &str, began: Duration) -> bool {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = versions.iter().skip(1).map(|(from, _)| *from).chain([Duration::MAX]);
        let mut known = versions.iter().zip(ends).filter(|(_, until)| *until >= began);
        !self.kill_switch
            && known
                .any(|((_, stated), _)| stated.writes_at(path, self.time.since()) || self.is_even_in_audit)
    }

    fn read(&self, stated: Arc<Stated>) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.push((self.time.since(), stated));
    }
}

/// The blob as one life of an instance has it.
#[derive(Clone)]
pub struct Blob {
    configured: Configured,
    way: RecordsOf,
    in_force: Arc<InForce>,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").finish_non_exhaustive()
    }
}

impl fmt::Display for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration of a play")
    }
}

/// The app reads its configuration and does nothing else with it.
fn never() -> Error {
    Error::NotImplemented { operation: "writing".to_owned(), implementer: "the configuration".to_owned() }
}

#[async_trait]
impl ObjectStore for Blob {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (configured, place) = (self.configured.clone(), location.clone());
        let work = async move {
            let found = configured.inside.get_opts(&place, options).await?;
            let e_tag = found.meta.e_tag.clone().unwrap_or_default();
            let (stated, written) = configured.lock().versions.get(&e_tag).cloned().unwrap_or_default();
            let written = crate::engine::BEGIN + written;
            let last_modified =
                DateTime::from_timestamp(written.unix_timestamp(), written.nanosecond()).unwrap_or_default();
            Ok((GetResult { meta: ObjectMeta { last_modified, ..found.meta.clone() }, ..found }, stated))
        };
        let (found, stated) = self.way.carry(("get", "configuration"), None, work).await?;
        if let Some(stated) = stated {
            self.in_force.read(stated);
        }
        Ok(found)
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(never())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(never())
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        Box::pin(futures::stream::empty())
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(never())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(never())
    }
}
