//! What the functions over HTTP share: which methods and media types a path has, and how an answer says what went wrong.
//!
//! - [`accept`]: which media type the caller wants, by its weights.
//! - [`problem`]: every error that a caller can get, with its code.
//! - `description`: writes `docs/openapi.json` from these types, and the form of it that `api-description` serves; a test compares them.

pub mod accept;
#[cfg(test)]
mod description;
pub mod problem;

use functions_host::HttpRequest;
use http::Method;

use self::accept::Media;
use self::problem::{Code, Problem};

/// A method of a path, with the media types of its answer, the default first.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The method. `HEAD` is answered wherever `GET` is.
    pub method: Method,
    /// What the answer can be.
    pub media: &'static [Media],
}

/// The media type in which a request is to be answered.
///
/// # Errors
/// [`Code::MethodNotAllowed`] when the path has no such method, and [`Code::NotAcceptable`] when the answer is nothing that the
/// caller accepts. Both come before anything is done.
pub fn admit(request: &HttpRequest, operations: &[Operation]) -> Result<Media, Problem> {
    let asked = if request.method == Method::HEAD { &Method::GET } else { &request.method };
    let Some(operation) = operations.iter().find(|operation| operation.method == *asked) else {
        let allowed: Vec<&str> = operations.iter().flat_map(|operation| names(&operation.method)).collect();
        let allowed = allowed.join(", ");
        let message = format!("this address has no {}; it has {allowed}", request.method);
        return Err(Problem::new(Code::MethodNotAllowed, "method", message).allowing(allowed));
    };
    accept::preferred(&accept::of(request), operation.media).ok_or_else(|| {
        let media: Vec<&str> = operation.media.iter().map(|media| media.name()).collect();
        let message = format!("the answer is {}, which the request does not accept", media.join(" or "));
        Problem::new(Code::NotAcceptable, "Accept", message)
    })
}

/// The number of the page that is asked for, which is the first without one.
///
/// # Errors
/// [`Code::InvalidRequest`] when it is no number from 1 on.
pub fn page_number(request: &HttpRequest) -> Result<usize, Problem> {
    let Some(page) = request.query.get("page") else { return Ok(1) };
    let is_number = !page.is_empty() && page.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too large for the machine is that of a page that is not there.
    let number = if is_number { page.parse().unwrap_or(usize::MAX) } else { 0 };
    if number == 0 { Err(Problem::of_field("page", "it must be a number, from 1 on")) } else { Ok(number) }
}

/// The methods that are answered where this one is.
fn names(method: &Method) -> Vec<&str> {
    if method == Method::GET { vec!["GET", "HEAD"] } else { vec![method.as_str()] }
}
