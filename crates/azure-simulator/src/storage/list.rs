//! Lists of blobs in pages (REST reference of Azure Storage, "List Blobs").

use std::collections::BTreeMap;
use std::ops::Bound;

use super::Blob;
use crate::dates;

/// Most blobs of a page.
const PAGE_SIZE: usize = 5_000;

/// A page of blobs in the order of their names. A marker is the last name of the page before.
pub(super) fn page(blobs: &BTreeMap<String, Blob>, query: &BTreeMap<String, String>) -> String {
    let given = |name: &str| query.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let prefix = given("prefix").unwrap_or_default();
    let most = given("maxresults").and_then(|text| text.parse().ok()).unwrap_or(PAGE_SIZE).min(PAGE_SIZE);
    let start = match (given("marker"), given("startFrom")) {
        (Some(marker), _) => Bound::Excluded(marker),
        (None, Some(first)) => Bound::Included(first),
        (None, None) => Bound::Unbounded,
    };
    let mut rest =
        blobs.range::<str, _>((start, Bound::Unbounded)).filter(|(name, _)| name.starts_with(prefix));
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let marker = rest.next().and(page.last()).map(|(name, _)| escaped(name)).unwrap_or_default();
    let entries: String = page
        .iter()
        .map(|(name, blob)| {
            format!(
                "<Blob><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag>\
                 <Content-Length>{}</Content-Length><Content-Type>{}</Content-Type><BlobType>BlockBlob</BlobType>\
                 </Properties></Blob>",
                escaped(name),
                dates::rfc_1123(blob.modified),
                blob.etag.trim_matches('"'),
                blob.body.len(),
                escaped(&blob.content_type),
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Prefix>{}</Prefix><Blobs>{entries}</Blobs>\
         <NextMarker>{marker}</NextMarker></EnumerationResults>",
        escaped(prefix)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
