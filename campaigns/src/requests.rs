//! The requests of a campaign: puts them on the queue as a pipeline would, and asks for their outcomes afterwards.

use std::time::Duration;

use fastrand::Rng;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::envelope;
use crate::error::CampaignError;
use crate::fleet::CampaignNamespace;
use crate::handler::Handler;
use crate::host::QUEUE;

const AT_ONCE: usize = 8;

/// A request of the campaign.
#[derive(Debug, Clone)]
pub struct CampaignRequest {
    /// Its id, and its message's.
    pub id: String,
    /// Which namespace.
    pub namespace: usize,
    body: String,
}

/// In which order requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Any.
    Random,
    /// Namespace after namespace, though not strictly: new syncs begin over the whole run.
    ByNamespace,
}

/// One request for each namespace, the whole of it.
pub fn whole(namespaces: &[CampaignNamespace]) -> Vec<CampaignRequest> {
    let request = |(namespace, of): (usize, &CampaignNamespace)| {
        let (id, body) = for_namespace(namespace, of);
        CampaignRequest { id, namespace, body: body.to_string() }
    };
    namespaces.iter().enumerate().map(request).collect()
}

/// The id and the message of a request for a whole namespace.
fn for_namespace(number: usize, namespace: &CampaignNamespace) -> (String, Value) {
    let id = format!("campaign-{number:05}");
    let body = json!({"schema": "sync-request/v1", "requestId": id, "namespaceId": namespace.id,
        "requestedBy": "a pipeline", "reason": "campaign"});
    (id, body)
}

/// Makes `count` requests over all namespaces. Four of five ask for the whole namespace; the others name a hub and a
/// policy and allow the whole namespace, so that none is refused.
pub fn plan(
    namespaces: &[CampaignNamespace],
    count: usize,
    order: Order,
    random: &mut Rng,
) -> Vec<CampaignRequest> {
    let mut keyed: Vec<(f64, CampaignRequest)> = (0..count)
        .map(|index| {
            let namespace = index % namespaces.len().max(1);
            let of = &namespaces[namespace];
            let (id, mut body) = for_namespace(index, of);
            if random.usize(..5) == 0 {
                body["hubs"] = json!([of.hubs[random.usize(..of.hubs.len())]]);
                body["policies"] = json!([of.policies[random.usize(..of.policies.len())]]);
                body["allowWholeNamespace"] = json!(true);
            }
            let place = namespace as f64 / namespaces.len() as f64;
            let key = match order {
                Order::Random => random.f64(),
                Order::ByNamespace => random.f64().mul_add(0.3, place),
            };
            (key, CampaignRequest { id, namespace, body: body.to_string() })
        })
        .collect();
    keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    keyed.into_iter().map(|(_, request)| request).collect()
}

/// Puts requests on the queue over its REST interface, with the request's id as the message's.
///
/// # Errors
/// When the queue does not take one.
pub async fn submit(
    client: &Client,
    simulator: &str,
    requests: &[CampaignRequest],
) -> Result<(), CampaignError> {
    let url = format!("{simulator}/servicebus/{QUEUE}/messages");
    let end = OffsetDateTime::now_utc().unix_timestamp() + 3_600;
    let signature = format!("SharedAccessSignature sr=contoso&sig=c2ltdWxhdG9y&se={end}&skn=submitter");
    let sends = requests.iter().map(|request| {
        let properties =
            json!({"MessageId": request.id, "CorrelationId": request.id, "Label": "sync-request"});
        let send = client
            .post(&url)
            .header("Authorization", &signature)
            .header("BrokerProperties", properties.to_string())
            .header("Content-Type", "application/json")
            .timeout(Duration::from_secs(60))
            .body(request.body.clone());
        async move {
            let answer = send.send().await.map_err(|error| CampaignError::unanswered(&request.id, error))?;
            match answer.status() {
                StatusCode::CREATED => Ok(()),
                status => Err(CampaignError::unanswered(&request.id, status)),
            }
        }
    });
    stream::iter(sends).buffered(AT_ONCE).try_collect().await
}

/// The answer of a process about a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u64,
    /// The body as JSON.
    pub body: Value,
}

/// Asks a process for each request, through its HTTP function.
///
/// # Errors
/// When the function does not answer.
pub async fn ask(handler: &Handler, requests: &[CampaignRequest]) -> Result<Vec<Answer>, CampaignError> {
    let asks = requests.iter().map(|request| async move {
        let asked = || format!("GET /api/sync-requests/{} at the {} process", request.id, handler.name);
        let answer = handler
            .call("sync-requests", envelope::get("sync-requests", "req", &request.id))
            .await
            .map_err(|problem| CampaignError::unanswered(asked(), problem))?;
        let response = &answer["Outputs"]["res"];
        let body = response["body"].as_str().unwrap_or_default();
        let body = serde_json::from_str(body).map_err(|error| CampaignError::unanswered(asked(), error))?;
        Ok(Answer { status: response["statusCode"].as_u64().unwrap_or_default(), body })
    });
    stream::iter(asks).buffered(AT_ONCE).try_collect().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet;
    use crate::random;

    #[test]
    fn every_namespace_gets_its_share_in_either_order() {
        let (_, namespaces) = fleet::generate(10, 2, 100);
        for order in [Order::Random, Order::ByNamespace] {
            let planned = plan(&namespaces, 100, order, &mut random::part(1, "test"));
            for namespace in 0..10 {
                assert_eq!(planned.iter().filter(|request| request.namespace == namespace).count(), 10);
            }
        }
        let late = plan(&namespaces, 100, Order::ByNamespace, &mut random::part(1, "test"));
        assert!(late[90..].iter().any(|request| request.namespace == 9));
        assert!(late[..60].iter().all(|request| request.namespace != 9));
    }
}
