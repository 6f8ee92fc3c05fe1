//! The records of what was written last to the declared resources of each namespace. Functions heed them; commands write them too.

use certificate_management::ArmId;
use certificate_management::declared::{LastWrite, Memory, Stage};
use state::{Change, Store, WriteError, key};

/// Prefix of the records.
pub const LAST_WRITES: &str = "registry-last-writes";

fn place(namespace: &ArmId) -> String {
    format!("{LAST_WRITES}/{}", key::segment(&namespace.key()))
}

/// The last writes to the resources of a namespace.
///
/// # Errors
/// When the store cannot be read.
pub async fn of(store: &Store, namespace: &ArmId) -> Result<Memory, state::Error> {
    Ok(store.get::<Memory>(&place(namespace)).await?.map(|stored| stored.value).unwrap_or_default())
}

/// Takes a write in that is about to be sent.
///
/// # Errors
/// When the store cannot be written; then nothing must be sent.
pub async fn remember(store: &Store, namespace: &ArmId, write: &LastWrite) -> Result<(), WriteError> {
    change(store, namespace, |memory| memory.remember(write.clone())).await
}

/// Says how far a write is.
///
/// # Errors
/// When the store cannot be written.
pub async fn complete(
    store: &Store,
    namespace: &ArmId,
    write: &LastWrite,
    stage: Stage,
    error: Option<String>,
) -> Result<(), WriteError> {
    change(store, namespace, |memory| memory.complete(write, stage, error.clone())).await
}

async fn change(store: &Store, namespace: &ArmId, change: impl Fn(&mut Memory)) -> Result<(), WriteError> {
    let decide = |known: Option<Memory>| {
        let mut memory = known.unwrap_or_default();
        change(&mut memory);
        Change::Write(memory)
    };
    store.modify(&place(namespace), decide).await.map(drop)
}
