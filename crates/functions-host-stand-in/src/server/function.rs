//! Finds the HTTP function of a request, runs it, and answers the client.

use std::sync::Arc;

use super::Reply;
use crate::app::{Function, Trigger};
use crate::engine::Engine;
use crate::invoker::Work;
use crate::routes::RouteValues;
use crate::trigger::http::{self, HttpRequest};

/// The HTTP functions of an app, the most exact route first.
pub struct Routes(Vec<Arc<Function>>);

/// A function and the values of its route.
pub struct Found {
    function: Arc<Function>,
    values: RouteValues,
}

impl Routes {
    /// The routes of an app.
    pub fn new(engine: &Engine) -> Self {
        let http = engine.functions.iter().filter(|function| matches!(function.trigger, Trigger::Http(_)));
        let mut functions: Vec<_> = http.cloned().collect();
        functions.sort_by_key(|function| match &function.trigger {
            Trigger::Http(trigger) => trigger.route.precedence(),
            _ => Vec::new(),
        });
        Self(functions)
    }

    /// The function for a request. One that matches but for its method does not match (404, not 405).
    pub fn find(&self, request: &HttpRequest) -> Option<Found> {
        self.0.iter().find_map(|function| {
            let Trigger::Http(trigger) = &function.trigger else { return None };
            let allowed = trigger.methods.is_empty() || trigger.methods.contains(&request.method);
            let values = if allowed { trigger.route.matches(request.path())? } else { return None };
            Some(Found { function: function.clone(), values })
        })
    }
}

/// Runs the function and answers the client: 500 without a word when it failed, as the real host does.
pub async fn answer(engine: &Arc<Engine>, found: Found, request: HttpRequest) -> Reply {
    let Found { function, values } = found;
    let custom = &engine.app.host.custom_handler;
    let work = if (custom.forwarding || custom.proxying) && function.is_plain_http() {
        Work::Forward(request, custom.proxying)
    } else {
        Work::Envelope(http::request(&function, &request, &values, engine.zone()))
    };
    // The invocation runs beside this connection, so that a client that breaks off does not end it.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let running = engine.clone();
    engine.spawn(async move {
        let _ = sender.send(running.invoker.run(&function, work).await);
    });
    match receiver.await {
        Ok(report) if report.succeeded() => match report.response {
            Some(output) => Reply { status: output.status, headers: output.headers, body: output.body },
            None => Reply::empty(204),
        },
        Ok(_) => Reply::empty(500),
        Err(_) => Reply::empty(503),
    }
}
