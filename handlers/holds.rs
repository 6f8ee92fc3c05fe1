//! The records of holds, `holds/{dps}/{group}`: groups that no function and no command writes for now.
//!
//! [`certificate_management::hold`] says what a hold is; [`certificate_management::plan::permit`] decides by it.

use certificate_management::hold::{GroupHolds, Release};
use certificate_management::plan::permit::Held;
use futures::{StreamExt, TryStreamExt, stream};
use state::{Change, Modified, Store, WriteError, key};

/// Prefix of the records.
pub const HOLDS: &str = "holds";
/// How many records are read at once.
const AT_ONCE: usize = 16;

/// What was read of the hold of a group.
#[derive(Debug)]
pub enum Known {
    /// Its record, if there is one.
    Read(Option<Box<GroupHolds>>),
    /// Why it could not be read.
    Unread(String),
    /// There is no place for records.
    NoRecords,
}

impl Known {
    /// Reads what a store has; `None`: there is no place for records.
    pub async fn read(store: Option<&Store>, provisioning_service: &str, enrollment_group: &str) -> Self {
        let Some(store) = store else { return Self::NoRecords };
        match of(store, provisioning_service, enrollment_group).await {
            Ok(holds) => Self::Read(holds.map(Box::new)),
            Err(error) => Self::Unread(error.to_string()),
        }
    }

    /// The same for the guard.
    #[must_use]
    pub fn held(&self) -> Held<'_> {
        match self {
            Self::Read(holds) => holds.as_ref().and_then(|holds| holds.in_force()).map_or(Held::No, Held::By),
            Self::Unread(why) => Held::Unknown(why),
            Self::NoRecords => Held::NoRecords,
        }
    }
}

/// The record of a group.
///
/// # Errors
/// When the store cannot be read; then the group may be held.
pub async fn of(
    store: &Store,
    provisioning_service: &str,
    enrollment_group: &str,
) -> Result<Option<GroupHolds>, state::Error> {
    let found = store.get::<GroupHolds>(&place(provisioning_service, enrollment_group)).await?;
    Ok(found.map(|stored| stored.value))
}

/// Every record, also of holds that have ended, in the order of their keys.
///
/// # Errors
/// When the store cannot be read, or has more of them than one listing holds.
pub async fn all(store: &Store) -> Result<Vec<GroupHolds>, String> {
    let listing = store.list(HOLDS).await.map_err(|error| error.to_string())?;
    if listing.cut {
        return Err(format!("there are more than {} records of holds", listing.keys.len()));
    }
    let reads: Vec<_> = listing.keys.iter().map(|key| store.get::<GroupHolds>(key)).collect();
    let found: Result<Vec<_>, _> = stream::iter(reads).buffered(AT_ONCE).try_collect().await;
    let found = found.map_err(|error| error.to_string())?;
    Ok(found.into_iter().flatten().map(|stored| stored.value).collect())
}

/// Puts a hold on a group; answers whether it is this one that is in force: a hold that was there stays.
///
/// # Errors
/// When the store cannot be read or written; then the group may not be held.
pub async fn put(store: &Store, holds: &GroupHolds) -> Result<bool, WriteError> {
    let place = place(&holds.provisioning_service, &holds.enrollment_group);
    let decide = |existing| holds.clone().put(existing).map_or(Change::Keep, Change::Write);
    Ok(matches!(store.modify(&place, decide).await?, Modified::Written(_)))
}

/// Ends the hold of a group; answers whether one was in force.
///
/// # Errors
/// When the store cannot be read or written; then the hold may last.
pub async fn release(store: &Store, holds: &GroupHolds, release: &Release) -> Result<bool, WriteError> {
    let place = place(&holds.provisioning_service, &holds.enrollment_group);
    let decide = |existing: Option<GroupHolds>| {
        existing.and_then(|holds| holds.release(release.clone())).map_or(Change::Keep, Change::Write)
    };
    Ok(matches!(store.modify(&place, decide).await?, Modified::Written(_)))
}

/// Azure compares the names of a DPS and of a group in any case.
fn place(provisioning_service: &str, enrollment_group: &str) -> String {
    let segment = |name: &str| key::segment(&name.to_ascii_lowercase());
    format!("{HOLDS}/{}/{}", segment(provisioning_service), segment(enrollment_group))
}
