//! A router, served over TCP for the length of a test.

use std::net::SocketAddr;

use functions_host::{DataType, Definition, Failure, Invocation, Reply, Router, Server, Trigger};
use serde_json::json;
use tokio::task::JoinHandle;

use super::client::{Answer, Connection, get, post};
use super::logs;

pub struct Served {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Served {
    pub fn new(router: Router) -> Self {
        logs::install();
        let server = Server::bind(0).expect("a free port");
        let address = server.local_addr();
        let task = tokio::spawn(async move {
            server.serve(router).await.expect("signals can be watched");
        });
        Self { address, task }
    }

    /// One function that answers what `handler` answers.
    pub fn function<H, F>(definition: Definition, handler: H) -> Self
    where
        H: Fn(Invocation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        Self::new(Router::new().function(definition, handler))
    }

    pub async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.connect().await.exchange(&get(path)).await
    }

    pub async fn post(&self, path: &str, id: &str, body: &str) -> Answer {
        self.connect().await.exchange(&post(path, id, body.as_bytes())).await
    }
}

pub const TIMER: Definition =
    Definition { name: "tick", trigger: Trigger::Timer { binding: "timer" }, outputs: &[] };

pub const BATCH: Definition = Definition {
    name: "sync",
    trigger: Trigger::ServiceBus { binding: "requests", many: true, data_type: Some(DataType::String) },
    outputs: &[],
};

pub const SINGLE: Definition = Definition {
    name: "one",
    trigger: Trigger::ServiceBus { binding: "message", many: false, data_type: Some(DataType::String) },
    outputs: &[],
};

pub const EVENT: Definition =
    Definition { name: "event", trigger: Trigger::EventGrid { binding: "event" }, outputs: &[] };

pub const HTTP: Definition = Definition {
    name: "web",
    trigger: Trigger::Http { binding: "req", response: "res", methods: &[], route: None },
    outputs: &[],
};

/// The smallest body that is a timer's.
pub fn timer_body() -> String {
    json!({"Data": {"timer": {"Schedule": {}, "ScheduleStatus": null, "IsPastDue": false}}, "Metadata": {}})
        .to_string()
}

/// An invocation that did not come over a connection.
pub fn invocation(definition: &Definition, body: &serde_json::Value) -> Invocation {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    Invocation::decode(definition, &Default::default(), body.to_string().as_bytes(), deadline)
        .expect("an envelope")
}
