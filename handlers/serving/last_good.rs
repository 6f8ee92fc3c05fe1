//! The record of the last good version, for a process that starts while the newest one cannot be used.

use certificate_management::in_force::{LARGEST, Recalled, Version};
use serde::{Deserialize, Serialize};
use state::{Change, Document, Reading, Store, WriteError};
use time::OffsetDateTime;

use crate::configuration_blob::{self, Text};

/// Where it is.
const LAST_GOOD: &str = "configuration/last-good";

/// The record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastGood {
    /// The address of the blob.
    pub blob: String,
    /// The version.
    pub version: Version,
    /// Its text.
    pub text: String,
    /// When a process had it in force last and wrote it down.
    #[serde(with = "time::serde::rfc3339")]
    pub kept_at: OffsetDateTime,
}

/// The record; `None`: there is none.
///
/// # Errors
/// Why it cannot be read, for a person.
pub async fn kept(store: &Store) -> Result<Option<LastGood>, String> {
    let found = store.get::<LastGood>(LAST_GOOD).await.map_err(|error| error.to_string())?;
    Ok(found.map(|stored| stored.value))
}

/// The last good version: which one it was, the record says; what it says, the blob, where it still has that version and lets it be read.
///
/// # Errors
/// Why there is none, for a person; also where this release refuses what an earlier one took.
pub async fn recall(store: &Store, document: &Document) -> Result<Recalled<Text>, String> {
    let found = kept(store).await?;
    let found = found.filter(|found| found.blob == document.to_string());
    let LastGood { version, text, .. } = found.ok_or_else(|| "there is none".to_owned())?;
    let earlier = match &version.version_id {
        Some(id) => document.read_version(id, LARGEST).await.ok(),
        None => None,
    };
    let (version, bytes, is_of_blob) = match earlier {
        // What the record says beside the id is not believed either.
        Some(Reading::Found(revision, bytes)) => (configuration_blob::version(&revision), bytes, true),
        _ => (version, text.into_bytes(), false),
    };
    match configuration_blob::judge(bytes) {
        Ok(configuration) => Ok(Recalled { version, configuration, is_of_blob }),
        Err(problem) => Err(format!("{version} cannot be used either: {problem}")),
    }
}

/// Writes a version down. A newer one of the same blob stays: an instance that is a minute behind writes nothing over it.
///
/// # Errors
/// When the records cannot be read or written.
pub async fn remember(
    store: &Store,
    document: &Document,
    version: &Version,
    text: &str,
    now: OffsetDateTime,
) -> Result<(), WriteError> {
    let blob = document.to_string();
    let record = LastGood { blob, version: version.clone(), text: text.to_owned(), kept_at: now };
    let decide = |found: Option<LastGood>| match found {
        Some(found) if found.blob == record.blob && age(&found.version) > age(version) => Change::Keep,
        _ => Change::Write(record.clone()),
    };
    store.modify(LAST_GOOD, decide).await.map(drop)
}

/// What orders the versions of a blob. A date of the service has whole seconds, and a version id is a date with seven decimals
/// (`messaging-and-state.md` §3.7).
fn age(version: &Version) -> (OffsetDateTime, Option<&str>) {
    (version.modified_at, version.version_id.as_deref())
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-30 10:00 UTC);
    const TEXT: &str = "[[namespace]]\nid = \"/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n\"\n";

    struct NoTokens;

    #[async_trait::async_trait]
    impl state::TokenProvider for NoTokens {
        async fn token(&self) -> Result<String, state::Error> {
            Err(state::Error::token(state::ErrorKind::Forbidden, "no tokens here"))
        }
    }

    /// A blob that cannot be read.
    fn nowhere() -> Document {
        let address = state::BlobAddress::parse("http://127.0.0.1:1/contoso/config/policysync.toml").unwrap();
        Document::open(&address, std::sync::Arc::new(NoTokens)).unwrap()
    }

    fn version(e_tag: &str, age: Duration) -> Version {
        Version { e_tag: e_tag.to_owned(), version_id: None, modified_at: NOW - age }
    }

    #[tokio::test]
    async fn what_was_remembered_is_recalled_and_an_instance_that_is_behind_takes_nothing_back() {
        let store = Store::memory();
        assert_eq!(recall(&store, &nowhere()).await.unwrap_err(), "there is none");
        let (older, newer) = (version("1", Duration::minutes(2)), version("2", Duration::ZERO));
        remember(&store, &nowhere(), &newer, TEXT, NOW).await.unwrap();
        remember(&store, &nowhere(), &older, "", NOW).await.unwrap();
        let recalled = recall(&store, &nowhere()).await.unwrap();
        assert_eq!((recalled.version, &*recalled.configuration.text), (newer, TEXT));
        assert!(!recalled.is_of_blob, "the blob has not told it");
    }

    #[tokio::test]
    async fn of_two_versions_of_one_second_the_later_stays() {
        let store = Store::memory();
        let of = |id: &str| Version { version_id: Some(id.to_owned()), ..version(id, Duration::ZERO) };
        let (earlier, later) = (of("2026-11-30T10:00:00.1000000Z"), of("2026-11-30T10:00:00.2000000Z"));
        for next in [&later, &earlier] {
            remember(&store, &nowhere(), next, TEXT, NOW).await.unwrap();
            assert_eq!(kept(&store).await.unwrap().unwrap().version, later);
        }
    }

    #[tokio::test]
    async fn a_record_that_this_release_refuses_is_none_and_says_why() {
        let store = Store::memory();
        remember(&store, &nowhere(), &version("1", Duration::ZERO), "colour = \"red\"", NOW).await.unwrap();
        let why = recall(&store, &nowhere()).await.unwrap_err();
        assert!(why.contains("colour") && why.contains("version 1"), "{why}");
    }

    #[tokio::test]
    async fn the_version_of_another_blob_counts_for_nothing() {
        let store = Store::memory();
        let other = state::BlobAddress::parse("http://127.0.0.1:1/contoso/config/other.toml").unwrap();
        let other = Document::open(&other, std::sync::Arc::new(NoTokens)).unwrap();
        remember(&store, &other, &version("9", Duration::ZERO), TEXT, NOW).await.unwrap();
        assert_eq!(recall(&store, &nowhere()).await.unwrap_err(), "there is none");
        let older = version("1", Duration::days(9));
        remember(&store, &nowhere(), &older, TEXT, NOW).await.unwrap();
        assert_eq!(recall(&store, &nowhere()).await.unwrap().version, older);
    }
}
