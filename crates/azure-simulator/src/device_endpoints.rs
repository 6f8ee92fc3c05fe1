//! The TLS endpoints of the hubs.

mod endpoint;
mod handshake;
mod verifier;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::cloud::Cloud;
use super::device::Device;
use super::pki::{Authority, PkiError};
use endpoint::Endpoint;

/// The endpoints of a cloud's hubs. They close when this is dropped.
pub(crate) struct DeviceEndpoints {
    /// Signs their server certificates.
    authority: Authority,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    addresses: Vec<(String, SocketAddr)>,
    tasks: JoinSet<()>,
}

impl std::fmt::Debug for DeviceEndpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceEndpoints").field("addresses", &self.lock().addresses).finish_non_exhaustive()
    }
}

impl DeviceEndpoints {
    /// Without an open endpoint yet.
    ///
    /// # Errors
    /// When the certificate that signs theirs could not be made.
    pub(crate) fn new(now: OffsetDateTime) -> Result<Self, PkiError> {
        let (start, end) = (now - Duration::days(1), now + Duration::days(30 * 365));
        let authority = Authority::root("Simulated device endpoints", start, end)?;
        Ok(Self { authority, open: Mutex::default() })
    }

    /// Opens a TLS endpoint for each hub, on loopback ports that are free. Does nothing when they are open already.
    ///
    /// # Errors
    /// When a port or a server certificate cannot be had.
    pub(crate) async fn open(&self, cloud: &Arc<Cloud>) -> io::Result<()> {
        let hubs: Vec<(String, String)> =
            cloud.lock().hubs.iter().map(|hub| (hub.id.clone(), hub.host_name())).collect();
        let mut endpoints = Vec::new();
        for (hub_id, host_name) in hubs {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            let endpoint = Endpoint::new(hub_id.clone(), &host_name, &self.authority, Arc::downgrade(cloud))
                .map_err(io::Error::other)?;
            endpoints.push((hub_id, address, listener, endpoint));
        }
        let mut open = self.lock();
        if open.addresses.is_empty() {
            for (hub_id, address, listener, endpoint) in endpoints {
                open.addresses.push((hub_id, address));
                open.tasks.spawn(endpoint.serve(listener));
            }
        }
        Ok(())
    }

    /// Where the endpoint of a hub listens; `None` when it is not open.
    pub(crate) fn address(&self, hub_id: &str) -> Option<SocketAddr> {
        let open = self.lock();
        open.addresses.iter().find(|(id, _)| id.eq_ignore_ascii_case(hub_id)).map(|(_, address)| *address)
    }

    /// The certificate that signed theirs, PEM.
    pub(crate) fn authority_pem(&self) -> String {
        self.authority.pem()
    }

    /// Whether a hub, by its ARM id and host name, admits a device with this chain now.
    ///
    /// # Errors
    /// Why it does not.
    pub(crate) fn judge(
        &self,
        cloud: &Arc<Cloud>,
        (hub_id, host_name): (&str, &str),
        device: &Device,
        chain: &[Vec<u8>],
    ) -> Result<(), String> {
        let endpoint = Endpoint::new(hub_id.to_owned(), host_name, &self.authority, Arc::downgrade(cloud));
        let endpoint = endpoint.map_err(|error| error.to_string())?;
        let server = endpoint.configuration(cloud).map_err(|error| error.to_string())?;
        let client = device.configuration(&self.authority_pem(), chain, cloud.clock().now());
        handshake::of(client.map_err(|error| error.to_string())?, server, host_name)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
