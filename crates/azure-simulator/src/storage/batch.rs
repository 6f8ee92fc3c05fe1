//! Several deletions in one request, which is how some clients delete even one blob (REST reference of Azure Storage,
//! "Blob Batch"): `multipart/mixed`, one HTTP request a part, at most 256 of them. The answer has a part for each, with
//! its `Content-ID`, and is always 202.

use std::collections::BTreeMap;

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::{Blob, answer, refuse};

const MOST: usize = 256;
const BOUNDARY: &str = "batchresponse_simulator";

/// Deletes the blobs that the parts of a batch name, all of one container.
pub(super) fn delete(
    blobs: &mut BTreeMap<String, Blob>,
    container: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type
        .filter(|value| value.starts_with("multipart/mixed"))
        .and_then(|value| value.split_once("boundary="))
        .map(|(_, boundary)| boundary.trim_matches('"'));
    let text = std::str::from_utf8(body).ok();
    let named = boundary.zip(text).and_then(|(boundary, text)| parts(text, boundary, container));
    let Some(named) = named.filter(|named| (1..=MOST).contains(&named.len())) else {
        return refuse(StatusCode::BAD_REQUEST, "InvalidInput");
    };
    let mut told = String::new();
    for (id, name) in named {
        let ended = match blobs.remove(&name) {
            Some(_) => "202 Accepted\r\n",
            None => "404 The specified blob does not exist.\r\nx-ms-error-code: BlobNotFound\r\n",
        };
        told.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\nHTTP/1.1 {ended}\r\n\r\n"
        ));
    }
    told.push_str(&format!("--{BOUNDARY}--\r\n"));
    answer(StatusCode::ACCEPTED, "multipart/mixed; boundary=batchresponse_simulator", told)
}

/// `Content-ID` and blob of each part; `None` when one of them is no deletion in this container.
fn parts(text: &str, boundary: &str, container: &str) -> Option<Vec<(String, String)>> {
    let delimiter = format!("--{boundary}");
    let mut parts: Vec<&str> = text.split(delimiter.as_str()).skip(1).collect();
    // The text after the last delimiter begins with two hyphens and ends the batch.
    parts.pop().filter(|end| end.starts_with("--"))?;
    parts
        .into_iter()
        .map(|part| {
            let (own, request) = part.split_once("\r\n\r\n")?;
            let id = own.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
                name.eq_ignore_ascii_case("content-id").then(|| value.trim().to_owned())
            })?;
            let path = request.strip_prefix("DELETE ")?.split([' ', '?']).next()?;
            let (_, name) = path.split_once(&format!("/{container}/"))?;
            Some((id, percent_decode_str(name).decode_utf8().ok()?.into_owned()))
        })
        .collect()
}
