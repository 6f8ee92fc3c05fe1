//! Pages of the service API, by header (`azure-wire-facts.md` §3).

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::ServiceRequest;
use super::error::{ServiceError, answer};

const CONTINUATION: &str = "x-ms-continuation";
const MAX_ITEM_COUNT: &str = "x-ms-max-item-count";

/// The page that the client asks for. A continuation names the last key of the page before, so that it stays right when
/// entries come and go.
pub(super) struct Page {
    after: String,
    most: Option<usize>,
}

impl Page {
    /// Reads the headers.
    ///
    /// # Errors
    /// 400 when one of them cannot be understood.
    pub(super) fn asked(request: &ServiceRequest) -> Result<Self, ServiceError> {
        let most = match request.header(MAX_ITEM_COUNT) {
            None => None,
            Some(text) => match text.trim().parse::<i64>() {
                // Clients send -1 for "as many as you like".
                Ok(-1) => None,
                Ok(count) if count > 0 => usize::try_from(count).ok(),
                _ => return Err(ServiceError::new(400_000, format!("{MAX_ITEM_COUNT} is not a count."))),
            },
        };
        let after = match request.header(CONTINUATION).filter(|token| !token.is_empty()) {
            None => String::new(),
            Some(token) => URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| ServiceError::new(400_000, format!("{CONTINUATION} is not valid.")))?,
        };
        Ok(Self { after, most })
    }

    /// The answer with this page of `entries`, which come in the order of their keys. `x-ms-max-item-count` is a maximum:
    /// `page_size` holds as well.
    pub(super) fn answer<'a>(
        &self,
        entries: impl Iterator<Item = (&'a str, Value)>,
        page_size: u32,
        item_type: &'static str,
    ) -> Response {
        let most = self.most.unwrap_or(usize::MAX).min(page_size as usize);
        let mut rest = entries.filter(|(key, _)| *key > self.after.as_str());
        let page: Vec<_> = rest.by_ref().take(most).collect();
        let continuation = rest.next().and(page.last()).map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
        let count = page.len();
        let mut response = answer(StatusCode::OK, &page.into_iter().map(|(_, item)| item).collect());
        let headers = response.headers_mut();
        headers.insert("x-ms-item-type", HeaderValue::from_static(item_type));
        headers.insert(MAX_ITEM_COUNT, HeaderValue::from(count));
        if let Some(token) = continuation.and_then(|token| HeaderValue::from_str(&token).ok()) {
            headers.insert(CONTINUATION, token);
        }
        response
    }
}
