//! Every error that a caller over HTTP can get. Each has a code that stays, a sentence for a person, and a target: the part
//! of the request, or of what the app needs, that it is about.

use certificate_management::request::FieldError;
use functions_host::HttpReply;
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::accept::Media;
use crate::page;
use crate::page::links::Links;

/// Seconds after which a caller may ask again.
const RETRY_AFTER: &str = "5";

macro_rules! codes {
    ($($(#[doc = $meaning:literal])* $variant:ident $status:ident)*) => {
        /// What went wrong, for programs. Codes stay; later versions may have more.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum Code {
            $($(#[doc = $meaning])* $variant,)*
        }

        impl Code {
            /// What it means.
            #[cfg(test)]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($meaning),*),)* }
            }

            /// The status that it comes with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }
        }
    };
}

codes! {
    /// Something in the request is missing, wrong or unknown; `fields` names each.
    InvalidRequest BAD_REQUEST
    /// No request has this id, or its record was removed after 90 days.
    NoSuchRequest NOT_FOUND
    /// The configuration names no namespace of this name.
    NoSuchNamespace NOT_FOUND
    /// Several namespaces have this name; the message has an address for each.
    AmbiguousNamespace NOT_FOUND
    /// There is no page of this number.
    NoSuchPage NOT_FOUND
    /// `report-policy-status` has not made a report yet.
    NoReport NOT_FOUND
    /// The address has no such method; the header `Allow` names those that it has.
    MethodNotAllowed METHOD_NOT_ALLOWED
    /// The header `Accept` accepts none of the media types of the answer.
    NotAcceptable NOT_ACCEPTABLE
    /// The request is larger than the app takes, or has too many values.
    BodyTooLarge PAYLOAD_TOO_LARGE
    /// The `Idempotency-Key` belongs to a request that asks for something else.
    RequestIdTaken CONFLICT
    /// The configuration does not name the namespace. No record was made.
    NamespaceNotConfigured UNPROCESSABLE_ENTITY
    /// The page could not be made; the log says why.
    PageNotRendered INTERNAL_SERVER_ERROR
    /// The records cannot be reached now.
    RecordsUnavailable SERVICE_UNAVAILABLE
    /// There is no configuration that the app could work with now; the message says why. Nothing was taken.
    NotConfigured SERVICE_UNAVAILABLE
    /// The app has no room for the body now.
    Busy SERVICE_UNAVAILABLE
    /// The queue cannot be reached now. The request was not taken.
    QueueUnavailable SERVICE_UNAVAILABLE
    /// The namespace cannot be read now, so there is no plan.
    NamespaceUnreadable SERVICE_UNAVAILABLE
}

/// An error, as it is told.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem {
    /// What went wrong.
    code: Code,
    /// The same as a sentence, with what to do.
    message: String,
    /// What it is about: a member of the body, a header, `id`, `namespace`, `page`, `since`, `method`, `body`, `queue`, `records` or `configuration`.
    target: String,
    /// Every field that is missing, wrong or unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldError>,
    #[serde(skip)]
    allowed: Option<String>,
}

impl Problem {
    /// An error about `target`.
    pub fn new(code: Code, target: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), target: target.into(), fields: Vec::new(), allowed: None }
    }

    /// An error about fields; its target is the first of them.
    #[must_use]
    pub fn of_fields(code: Code, fields: Vec<FieldError>) -> Self {
        let target = fields.first().map_or("body", |first| first.field.as_str()).to_owned();
        let told: Vec<String> = fields.iter().take(3).map(ToString::to_string).collect();
        let more = fields.len().saturating_sub(told.len());
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let message = format!("the request was not taken: {}{more}", told.join("; "));
        Self { fields, ..Self::new(code, target, message) }
    }

    /// One wrong field of a request.
    pub fn of_field(field: &str, problem: impl Into<String>) -> Self {
        Self::of_fields(
            Code::InvalidRequest,
            vec![FieldError { field: field.to_owned(), problem: problem.into() }],
        )
    }

    /// With the methods that the address has (RFC 9110 §10.2.1).
    #[must_use]
    pub fn allowing(self, allowed: String) -> Self {
        Self { allowed: Some(allowed), ..self }
    }

    /// What went wrong.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The answer: a page for a person, JSON otherwise. `links` are those of the address that was asked for.
    #[must_use]
    pub fn reply(&self, media: Media, links: &Links) -> HttpReply {
        let page = match media {
            Media::Page => page::of_problem(self.code.status(), &self.message, links).ok(),
            Media::Json | Media::Csv => None,
        };
        let status = self.code.status();
        let reply = match page {
            Some(page) => HttpReply::text(status, page::MEDIA_TYPE, page),
            None => HttpReply::json(status, &json!({ "error": self })),
        };
        let reply = reply.header(header::CACHE_CONTROL, "no-store");
        let reply = match &self.allowed {
            Some(allowed) => reply.header(header::ALLOW, allowed.as_str()),
            None => reply,
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            reply.header(header::RETRY_AFTER, RETRY_AFTER)
        } else {
            reply
        }
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        tracing::error!("the page could not be rendered: {error}");
        Self::new(
            Code::PageNotRendered,
            "page",
            "the page could not be made; ask with Accept: application/json",
        )
    }
}
