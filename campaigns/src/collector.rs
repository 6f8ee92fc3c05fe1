//! Takes the telemetry of the app in the place of Application Insights, which every deployment has, and keeps nothing of it but its
//! size, which people pay for: what is measured of the app is measured with its telemetry.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use flate2::read::GzDecoder;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::CampaignError;

/// What the service says of what it took.
const TAKEN: &str = r#"{"itemsReceived":0,"itemsAccepted":0,"errors":[]}"#;

/// A running collector. It is gone when it is dropped.
pub struct Collector {
    port: u16,
    bytes: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Collector {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> Result<Self, CampaignError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(CampaignError::file("a free port"))?;
        let port = listener.local_addr().map_err(CampaignError::file("a free port"))?.port();
        let bytes = Arc::new(AtomicUsize::new(0));
        let routes = Router::new().fallback(take).with_state(Arc::clone(&bytes));
        let serving = tokio::spawn(async move {
            // It ends with this task alone.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { port, bytes, serving })
    }

    /// For `APPLICATIONINSIGHTS_CONNECTION_STRING`.
    pub fn connection_string(&self) -> String {
        format!(
            "InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=http://127.0.0.1:{}/",
            self.port
        )
    }

    /// How many bytes came, before they were compressed, which is how the service counts them.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(bytes): State<Arc<AtomicUsize>>, body: Body) -> (StatusCode, &'static str) {
    // A sender that breaks off has been killed.
    let came = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let came = std::io::copy(&mut GzDecoder::new(&came[..]), &mut std::io::sink()).unwrap_or_default();
    bytes.fetch_add(usize::try_from(came).unwrap_or(usize::MAX), Ordering::Relaxed);
    (StatusCode::OK, TAKEN)
}
