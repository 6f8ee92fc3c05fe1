//! Where the TLS endpoints of the hubs listen.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::World;
use crate::device_endpoint::Endpoint;

/// The running endpoints; they end with the world.
#[derive(Debug, Default)]
pub(super) struct DeviceEndpoints {
    addresses: Vec<(String, SocketAddr)>,
    tasks: JoinSet<()>,
}

impl DeviceEndpoints {
    /// Where the endpoint of a hub listens.
    pub(super) fn address(&self, hub_id: &str) -> Option<SocketAddr> {
        self.addresses.iter().find(|(id, _)| id.eq_ignore_ascii_case(hub_id)).map(|(_, address)| *address)
    }
}

impl World {
    /// Opens a TLS endpoint for each hub, on loopback ports that are free. Does nothing when they are open already.
    ///
    /// # Errors
    /// When a port or a server certificate cannot be had.
    pub async fn start_device_endpoints(self: &Arc<Self>) -> io::Result<()> {
        let hubs: Vec<(String, String)> =
            self.lock().hubs.iter().map(|hub| (hub.id.clone(), hub.host_name())).collect();
        let mut endpoints = Vec::new();
        for (hub_id, host_name) in hubs {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            let endpoint =
                Endpoint::new(hub_id.clone(), &host_name, self.server_authority(), Arc::downgrade(self))
                    .map_err(io::Error::other)?;
            endpoints.push((hub_id, address, listener, endpoint));
        }
        let mut started = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if started.addresses.is_empty() {
            for (hub_id, address, listener, endpoint) in endpoints {
                started.addresses.push((hub_id, address));
                started.tasks.spawn(endpoint.serve(listener));
            }
        }
        Ok(())
    }
}
