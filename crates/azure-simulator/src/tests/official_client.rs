//! The official client for Service Bus works unchanged: the test only gives its transport another host, since the
//! client knows no other than `servicebus.windows.net`.

use std::sync::Arc;

use azure_core_021::headers::{HeaderName, HeaderValue, Headers};
use azure_core_021::{Body, HttpClient, Request, Response, StatusCode};
use azure_messaging_servicebus::service_bus::{QueueClient, SendMessageOptions, SettableBrokerProperties};

use super::*;

#[derive(Debug)]
struct Rehosted {
    client: Client,
    base_url: String,
}

fn transport(error: impl std::error::Error + Send + Sync + 'static) -> azure_core_021::Error {
    azure_core_021::Error::new(azure_core_021::error::ErrorKind::Io, error)
}

#[async_trait::async_trait]
impl HttpClient for Rehosted {
    async fn execute_request(&self, request: &Request) -> azure_core_021::Result<Response> {
        let method = Method::from_bytes(request.method().as_ref().as_bytes()).map_err(transport)?;
        // The address of a lock is already ours, up to the scheme.
        let url = match request.url().host_str() {
            Some("127.0.0.1") => request.url().to_string(),
            _ => format!("{}/servicebus{}", self.base_url, request.path_and_query()),
        };
        let mut out = self.client.request(method, url);
        for (name, value) in request.headers().iter() {
            out = out.header(name.as_str(), value.as_str());
        }
        if let Body::Bytes(bytes) = request.body() {
            out = out.body(bytes.clone());
        }
        let answer = out.send().await.map_err(transport)?;
        let status = StatusCode::try_from(answer.status().as_u16()).unwrap();
        let mut headers = Headers::new();
        for (name, value) in answer.headers() {
            let value = HeaderValue::from(value.to_str().map_err(transport)?.to_owned());
            headers.insert(HeaderName::from(name.as_str().to_owned()), value);
        }
        let body = answer.bytes().await.map_err(transport);
        Ok(Response::new(status, headers, Box::pin(futures::stream::once(async { body }))))
    }
}

impl Caller {
    fn official_client(&self) -> QueueClient {
        let transport = Rehosted { client: client(), base_url: self.simulator.url().to_owned() };
        QueueClient::new(Arc::new(transport), "contoso", "sync-requests", "owner", "a2V5".to_owned()).unwrap()
    }
}

#[tokio::test]
async fn it_sends_and_settles() {
    let cloud = Caller::start().await;
    let client = cloud.official_client();
    let options = SendMessageOptions {
        content_type: Some("application/json".into()),
        broker_properties: Some(SettableBrokerProperties {
            message_id: Some("m1".into()),
            time_to_live: Some(Duration::from_secs(3600)),
            ..SettableBrokerProperties::default()
        }),
        custom_properties: Some([("attempt".to_owned(), "1".to_owned())].into()),
    };
    client.send_message("{}", Some(options)).await.unwrap();
    for delivery in 1..=2 {
        let locked = client.peek_lock_message2(Some(Duration::ZERO)).await.unwrap();
        assert_eq!(locked.body(), "{}");
        let properties = locked.broker_properties().unwrap();
        assert_eq!(properties.delivery_count, delivery);
        assert_eq!(properties.message_id, "m1");
        assert!((properties.time_to_live - 3600.0).abs() < f64::EPSILON);
        assert!(properties.locked_until_utc > OffsetDateTime::now_utc());
        locked.renew_message_lock().await.unwrap();
        if delivery == 1 {
            locked.unlock_message().await.unwrap();
            assert!(locked.renew_message_lock().await.is_err(), "the lock is gone");
        } else {
            locked.delete_message().await.unwrap();
        }
    }
    let empty = client.peek_lock_message2(Some(Duration::ZERO)).await.unwrap();
    assert_eq!(*empty.status(), StatusCode::NoContent);
}

#[tokio::test]
async fn what_it_schedules_is_scheduled() {
    let cloud = Caller::start().await;
    let client = cloud.official_client();
    let options = SendMessageOptions {
        broker_properties: Some(SettableBrokerProperties {
            scheduled_enqueue_time_utc: Some(OffsetDateTime::now_utc() + time::Duration::minutes(5)),
            ..SettableBrokerProperties::default()
        }),
        ..SendMessageOptions::default()
    };
    client.send_message("{}", Some(options)).await.unwrap();
    assert_eq!(cloud.json("/simulator/queues").await["sync-requests"]["scheduled"], 1);
    cloud.simulator.advance(time::Duration::minutes(5));
    assert_eq!(client.receive_and_delete_message().await.unwrap(), "{}");
}
