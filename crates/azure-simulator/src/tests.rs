//! Tests the whole simulator over HTTP, as its clients use it.

mod control;
mod example;
mod faults;
mod front;
mod identity;
mod lifecycle;
mod official_client;
mod service_bus;
mod specs;
mod storage;
mod world;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Options, Simulator};

/// A client with one deadline for all: a test that hangs is a failed test.
fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

/// A running simulator with a client.
struct Caller {
    simulator: Simulator,
    client: Client,
}

impl Caller {
    async fn start() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        Self { simulator: Simulator::start(options).await.unwrap(), client: client() }
    }

    /// A request without credentials.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.simulator.url()))
    }

    /// A request with credentials that every service takes.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let credentials =
            if path.starts_with("/servicebus") { signature(600) } else { "Bearer fabrikam".to_owned() };
        self.bare(method, path).header("authorization", credentials)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await.unwrap()
    }

    async fn install(&self, faults: &Value) {
        let answer = self.request(Method::PUT, "/simulator/faults").json(faults).send().await.unwrap();
        let status = answer.status();
        assert_eq!(status, StatusCode::OK, "{}", answer.text().await.unwrap());
    }

    /// Path of the first namespace of the fleet, and a query that its provider takes.
    async fn namespace(&self) -> String {
        let state = self.json("/simulator/state").await;
        let id = state["namespaces"][0]["id"].as_str().unwrap();
        format!("{id}?api-version=2026-03-01-preview")
    }

    /// Path of the first enrollment group query of the fleet.
    async fn groups(&self) -> String {
        let state = self.json("/simulator/state").await;
        let name = state["namespaces"][0]["provisioningServices"][0].as_str().unwrap();
        format!("/dps/{name}/enrollmentGroups/query?api-version=2025-07-01-preview")
    }
}

/// A shared access signature that ends so many seconds from now.
fn signature(seconds: i64) -> String {
    let end = OffsetDateTime::now_utc().unix_timestamp() + seconds;
    format!("SharedAccessSignature sr=http%3a%2f%2fcontoso&sig=c2lnbmVk&se={end}&skn=owner")
}

fn header(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

/// Looks until `condition` holds; a test that waits in vain fails.
async fn until(mut condition: impl FnMut() -> bool) {
    let looking = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking).await.expect("it never happened");
}
