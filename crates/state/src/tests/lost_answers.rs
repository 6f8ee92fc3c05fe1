//! A backend whose guarded writes all happen, and are then sent a second time, as a retry does that never saw the
//! first answer.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::Store;

/// A store over the records of `store`. Between the two sends another writer stores the value of `meanwhile`, if it
/// gives one.
pub(super) fn losing_answers(
    store: &Store,
    meanwhile: impl Fn() -> Option<PutPayload> + Send + Sync + 'static,
) -> Store {
    let backend = LosingAnswers { backend: store.backend(), meanwhile: Box::new(meanwhile) };
    Store::over(Arc::new(backend), "a store that loses answers", store.randomness().clone())
}

struct LosingAnswers {
    backend: Arc<dyn ObjectStore>,
    meanwhile: Box<dyn Fn() -> Option<PutPayload> + Send + Sync>,
}

impl fmt::Debug for LosingAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LosingAnswers")
    }
}

impl fmt::Display for LosingAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store that loses answers")
    }
}

#[async_trait]
impl ObjectStore for LosingAnswers {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if options.mode != PutMode::Overwrite {
            self.backend.put_opts(location, payload.clone(), options.clone()).await?;
            if let Some(foreign) = (self.meanwhile)() {
                self.backend.put(location, foreign).await?;
            }
        }
        self.backend.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.backend.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.backend.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.backend.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.backend.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.backend.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.backend.copy_opts(from, to, options).await
    }
}
