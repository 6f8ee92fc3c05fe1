//! ARM lists: `value` and, while there is more, a `nextLink` to a place that stays right when entries come and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::ArmRequest;
use crate::arm_error::ArmError;

/// How the last page says that it is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastPage {
    /// `"nextLink": null`, as the device registry does.
    Null,
    /// No `nextLink`.
    Absent,
}

/// One page of `entries` (id and body), in the order of their ids.
///
/// # Errors
/// 400 when the continuation of the request was not made here.
pub(crate) fn page(
    request: &ArmRequest,
    base_url: &str,
    page_size: u32,
    mut entries: Vec<(String, Value)>,
    last_page: LastPage,
) -> Result<Value, ArmError> {
    entries.sort_by_key(|(id, _)| id.to_ascii_lowercase());
    let after = match request.parameter("$skiptoken") {
        None => String::new(),
        Some(token) => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| ArmError::bad_request("InvalidSkipToken", "The $skiptoken is not valid."))?,
    };
    let mut rest = entries.into_iter().filter(|(id, _)| id.to_ascii_lowercase() > after).peekable();
    let mut last = String::new();
    let mut value = Vec::new();
    while value.len() < page_size as usize
        && let Some((id, body)) = rest.next()
    {
        last = id.to_ascii_lowercase();
        value.push(body);
    }
    let mut answer = json!({ "value": value });
    if rest.peek().is_some() {
        let token = URL_SAFE_NO_PAD.encode(last);
        answer["nextLink"] =
            format!("{base_url}{}?api-version={}&%24skiptoken={token}", request.path, request.api_version)
                .into();
    } else if last_page == LastPage::Null {
        answer["nextLink"] = Value::Null;
    }
    Ok(answer)
}
