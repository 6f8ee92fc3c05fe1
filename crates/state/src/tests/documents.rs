//! What a document promises, on each backend.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::memory::InMemory;

use crate::blob::address::BlobAddress;
use crate::document::{Document, Reading};
use crate::error::WriteError;

const ADDRESS: &str = "https://contoso.blob.core.windows.net/config/policysync.toml";

fn noted(reason: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("reason", reason.to_owned()), ("by", "ann@contoso".to_owned())])
}

/// Reads, writes over the version that was read, and is told of every other one.
pub(super) async fn keeps_its_promises(document: &Document) {
    assert_eq!(document.read(None, 99).await.unwrap(), Reading::Missing);
    let lost = document.write("zero", Some("\"none\""), &noted("no")).await.unwrap_err();
    assert!(matches!(lost, WriteError::Conflict), "nothing is there that it could be written over: {lost}");
    let reason = "CHG-4711: größer & \"schneller\" + 1 = 2\nzweite Zeile";
    document.write("one", None, &noted(reason)).await.unwrap();
    let again = document.write("other", None, &noted("no")).await.unwrap_err();
    assert!(matches!(again, WriteError::Conflict), "{again}");
    let Reading::Found(first, bytes) = document.read(None, 99).await.unwrap() else { panic!("it is there") };
    assert_eq!(bytes, b"one");
    assert_eq!(first.notes["reason"], reason);
    assert_eq!(first.notes["by"], "ann@contoso");
    assert_eq!(document.read(Some(&first.e_tag), 99).await.unwrap(), Reading::Unchanged);
    let (e_tag, _) = document.write("two", Some(&first.e_tag), &noted("b")).await.unwrap();
    assert_ne!(e_tag, first.e_tag);
    let stale = document.write("three", Some(&first.e_tag), &noted("c")).await.unwrap_err();
    assert!(matches!(stale, WriteError::Conflict), "another version came in between: {stale}");
    let Reading::Found(second, bytes) = document.read(Some(&first.e_tag), 99).await.unwrap() else {
        panic!("another version is there")
    };
    assert_eq!((bytes.as_slice(), second.e_tag.as_str()), (b"two".as_slice(), e_tag.as_str()));
    let large = document.read(None, 2).await.unwrap();
    assert_eq!(large, Reading::TooLarge(second, 3));
}

#[tokio::test]
async fn in_memory_a_document_keeps_its_promises() {
    let address = BlobAddress::parse(ADDRESS).unwrap();
    keeps_its_promises(&Document::over(Arc::new(InMemory::new()), &address).unwrap()).await;
}
