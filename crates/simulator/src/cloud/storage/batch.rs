//! Blob Batch: many deletions in one call, `POST /{container}?restype=container&comp=batch` (REST reference of Azure Storage,
//! "Blob Batch"). Only deletions are served; each part is answered for itself.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::{Blob, refuse};
use crate::cloud::service::answer;

/// Most parts of one batch.
const MOST_PARTS: usize = 256;
/// What separates the answers; named in their `Content-Type` too.
const ANSWERS: &str = "batchresponse";

/// Deletes what the parts of a body name.
pub(super) fn delete(
    blobs: &mut BTreeMap<String, Blob>,
    container: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = kind.and_then(|kind| kind.split_once("boundary=")).map(|(_, text)| text.trim_matches('"'));
    let (Some(boundary), Ok(body)) = (boundary, std::str::from_utf8(body)) else {
        return refuse(StatusCode::BAD_REQUEST, "InvalidInput");
    };
    let marker = format!("--{boundary}");
    let parts: Vec<&str> =
        body.split(marker.as_str()).skip(1).filter(|part| !part.starts_with("--")).collect();
    if parts.is_empty() || parts.len() > MOST_PARTS {
        return refuse(StatusCode::BAD_REQUEST, "InvalidInput");
    }
    let mut answers = String::new();
    for part in parts {
        let Some((id, name)) = request(part, container) else {
            return refuse(StatusCode::BAD_REQUEST, "InvalidInput");
        };
        let (status, code) = match blobs.remove(&name) {
            Some(_) => ("202 Accepted", ""),
            None => ("404 The specified blob does not exist.", "x-ms-error-code: BlobNotFound\r\n"),
        };
        // Writing to a text cannot fail.
        let _ = write!(
            answers,
            "--{ANSWERS}\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\nHTTP/1.1 {status}\r\n{code}x-ms-version: 2023-11-03\r\n\r\n"
        );
    }
    let _ = write!(answers, "--{ANSWERS}--\r\n");
    answer(StatusCode::ACCEPTED, "multipart/mixed; boundary=batchresponse", answers)
}

/// The id of a part and the name of the blob that it deletes.
fn request(part: &str, container: &str) -> Option<(String, String)> {
    let id = part.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("Content-ID").then(|| value.trim().to_owned())
    })?;
    let path = part.lines().find_map(|line| line.strip_prefix("DELETE ")?.strip_suffix(" HTTP/1.1"))?;
    let path = percent_decode_str(path.split('?').next()?).decode_utf8().ok()?;
    let path = path.trim_start_matches('/');
    let path = path.strip_prefix("storage/").unwrap_or(path);
    let name = path.strip_prefix(container)?.strip_prefix('/')?;
    Some((id, name.to_owned()))
}
