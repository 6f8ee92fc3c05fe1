//! Sends an invocation to the handler and follows its redirects.

use url::Url;
use uuid::Uuid;

use super::answer::Failure;
use super::wire::{Body, Client, Outgoing, Response, WireError};

/// The version that this stand-in shows, the one that was recorded.
pub const HOST_VERSION: &str = "4.1037.0.0";
/// Most redirects that are followed (.NET's default).
const MOST_REDIRECTS: usize = 50;

/// `User-Agent` of the host.
#[must_use]
pub fn user_agent() -> String {
    format!("Azure-Functions-Host/{HOST_VERSION}")
}

/// The request that carries an envelope, with its headers in the recorded order and case.
#[must_use]
pub fn envelope_request(
    function: &str,
    address: &str,
    invocation: Uuid,
    traced: bool,
    body: String,
) -> Outgoing {
    let mut headers = vec![
        ("Host", address.to_owned()),
        ("X-Azure-Functions-HostVersion", HOST_VERSION.to_owned()),
        ("X-Azure-Functions-InvocationId", invocation.to_string()),
        ("User-Agent", user_agent()),
        ("Transfer-Encoding", "chunked".to_owned()),
    ];
    if traced {
        headers.push(("traceparent", new_traceparent()));
    }
    headers.push(("Content-Type", "application/json; charset=utf-8".to_owned()));
    Outgoing {
        method: "POST".to_owned(),
        target: format!("/{function}"),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: Body::Chunked(body.into_bytes()),
    }
}

/// The request with which the host polls a starting handler, and pings a running one: it has a `Host` header and
/// nothing else.
#[must_use]
pub fn poll(address: &str) -> Outgoing {
    Outgoing {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: vec![("Host".to_owned(), address.to_owned())],
        body: Body::None,
    }
}

/// A recorded trace with fresh ids.
fn new_traceparent() -> String {
    let span = Uuid::new_v4().simple().to_string();
    format!("00-{}-{}-01", Uuid::new_v4().simple(), &span[..16])
}

/// Sends `request` and follows redirects. The caller sets the deadline.
///
/// # Errors
/// No whole answer came. A request is never sent a second time.
pub async fn follow(client: &Client, mut request: Outgoing) -> Result<Response, Failure> {
    let mut elsewhere: Option<Client> = None;
    let mut followed = 0;
    loop {
        let response =
            elsewhere.as_ref().unwrap_or(client).send(&request).await.map_err(|error| connection(&error))?;
        let Some(location) = redirect(&response).filter(|_| followed < MOST_REDIRECTS) else {
            return Ok(response);
        };
        followed += 1;
        let address = elsewhere.as_ref().unwrap_or(client).address();
        let base = format!("http://{address}{}", request.target);
        let Some(next) = Url::parse(&base).and_then(|base| base.join(location)).ok() else {
            return Ok(response);
        };
        match (next.scheme(), next.host_str()) {
            ("http", Some(host)) => {
                let address = format!("{host}:{}", next.port().unwrap_or(80));
                follow_to(&mut request, response.status, &next, &address);
                elsewhere = (address != client.address()).then(|| Client::new(address));
            }
            ("https", _) => {
                let words = format!(
                    "the handler redirects to {}; the real host follows, this stand-in does not speak TLS",
                    next.origin().ascii_serialization()
                );
                return Err(Failure::connection(words, 0));
            }
            _ => return Ok(response),
        }
    }
}

/// Sends `request` without following redirects.
///
/// # Errors
/// No whole answer came.
pub async fn once(client: &Client, request: &Outgoing) -> Result<Response, Failure> {
    client.send(request).await.map_err(|error| connection(&error))
}

/// Where a response leads; 304 and its like lead nowhere.
fn redirect(response: &Response) -> Option<&str> {
    matches!(response.status, 300..=303 | 307 | 308).then(|| response.headers.get("location")).flatten()
}

/// After 307 and 308 the same request is sent again, after the others a GET without a body.
fn follow_to(request: &mut Outgoing, status: u16, next: &Url, address: &str) {
    request.target = next[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
    if !matches!(status, 307 | 308) && request.method != "HEAD" {
        request.method = "GET".to_owned();
        request.body = Body::None;
        request.headers.retain(|(name, _)| {
            !["transfer-encoding", "content-type", "content-length"]
                .contains(&name.to_ascii_lowercase().as_str())
        });
    }
    for (name, value) in &mut request.headers {
        if name == "Host" {
            address.clone_into(value);
        }
    }
}

fn connection(error: &WireError) -> Failure {
    let advice = match error {
        WireError::Connect { .. } => "the handler must keep listening on that address",
        WireError::Closed | WireError::Ended(_) | WireError::Broken(_) => {
            "did the handler crash, or was it killed while it worked on this invocation?"
        }
        WireError::Malformed(_) => "the handler must answer in HTTP/1.1 or 1.0",
        WireError::TooLong(..) => "answers must be smaller",
    };
    Failure::connection(format!("no answer from the handler: {error}; {advice}"), error.request_error())
}
