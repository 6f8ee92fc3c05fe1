//! The TLS endpoint of a hub: it admits a device only if the device's chain ends in a CA certificate that is on the
//! hub's list at that moment. So a handshake proves "the hub trusts the policy".

use std::sync::{Arc, Weak};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::verifier::{self, SimulatedTime};
use crate::cloud::Cloud;
use crate::pki::{Authority, PkiError};

/// Longest time for a handshake, and for each step after it.
const DEADLINE: Duration = Duration::from_secs(10);

/// Connections of one hub at once; more wait in the listener's backlog.
const MOST_CONNECTIONS: usize = 64;

/// The longest line that a device may send.
const LONGEST_LINE: u64 = 1024;

/// How much of a refused device's data is read before the connection closes.
const MOST_DRAINED: u64 = 64 * 1024;

/// One hub's endpoint.
pub(super) struct Endpoint {
    hub_id: String,
    cloud: Weak<Cloud>,
    provider: Arc<CryptoProvider>,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Endpoint {
    /// An endpoint with a server certificate for the hub's host name.
    pub(super) fn new(
        hub_id: String,
        host_name: &str,
        authority: &Authority,
        cloud: Weak<Cloud>,
    ) -> Result<Self, PkiError> {
        let (certificate, key) = authority.issue_server_certificate(host_name)?;
        let chain = vec![certificate.into(), authority.der().to_vec().into()];
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(Self { hub_id, cloud, provider, chain, key })
    }

    /// Admits and refuses devices until the cloud is gone.
    pub(super) async fn serve(self, listener: TcpListener) {
        let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely; going on at once would spin.
                    tracing::warn!(%error, hub.id = self.hub_id, "a device endpoint cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(cloud) = self.cloud.upgrade() else { return };
            match self.configuration(&cloud) {
                Ok(configuration) => {
                    connections.spawn(async move {
                        answer(stream, configuration).await;
                        drop(permit);
                    });
                }
                Err(error) => tracing::warn!(%error, hub.id = self.hub_id, "a device endpoint cannot answer"),
            }
        }
    }

    /// Made anew for each connection, so that it shows the hub's certificates of this moment.
    pub(super) fn configuration(&self, cloud: &Cloud) -> Result<Arc<ServerConfig>, rustls::Error> {
        // rustls does not check the dates of a trust anchor. A device certificate never outlives its issuer, so an
        // expired CA admits no device all the same.
        let trusted: Vec<Vec<u8>> = {
            let world = cloud.lock();
            let hub = world.hubs.iter().find(|hub| hub.id == self.hub_id);
            let certificates = hub.into_iter().flat_map(|hub| &hub.certificates);
            certificates.map(|certificate| certificate.der.clone()).collect()
        };
        let verifier = verifier::for_hub(trusted, &self.provider)?;
        let time = Arc::new(SimulatedTime(cloud.clock().clone()));
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut configuration = ServerConfig::builder_with_details(Arc::clone(&self.provider), time)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), key)?;
        configuration.send_tls13_tickets = 0;
        Ok(Arc::new(configuration))
    }
}

/// After the handshake: one line from the device, one line back.
async fn answer(stream: TcpStream, configuration: Arc<ServerConfig>) {
    let handshake = TlsAcceptor::from(configuration).accept(stream).into_fallible();
    let stream = match timeout(DEADLINE, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err((error, stream))) => {
            tracing::debug!(%error, "a device was refused");
            drain(stream).await;
            return;
        }
        Err(_) => return,
    };
    let name = common_name(stream.get_ref().1.peer_certificates()).unwrap_or_default();
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    let mut bounded = (&mut stream).take(LONGEST_LINE);
    if !matches!(timeout(DEADLINE, bounded.read_until(b'\n', &mut line)).await, Ok(Ok(1..))) {
        return;
    }
    let greeting = format!("accepted {name}\n");
    let sent = async {
        stream.write_all(greeting.as_bytes()).await?;
        stream.shutdown().await
    };
    match timeout(DEADLINE, sent).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a device went away"),
        Err(_) => tracing::debug!("a device did not read its greeting"),
    }
}

/// Closes a refused connection after reading what the device sent: closing with unread data would reset the connection,
/// and the alert would not arrive.
async fn drain(mut stream: TcpStream) {
    let closing = async {
        stream.shutdown().await?;
        let mut rest = stream.take(MOST_DRAINED);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    if let Ok(Err(error)) = timeout(DEADLINE, closing).await {
        tracing::debug!(%error, "a refused device went away");
    }
}

fn common_name(certificates: Option<&[CertificateDer<'_>]>) -> Option<String> {
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let (_, certificate) = X509Certificate::from_der(certificates?.first()?).ok()?;
    let name = certificate.subject().iter_common_name().next()?;
    name.as_str().ok().map(str::to_owned)
}
