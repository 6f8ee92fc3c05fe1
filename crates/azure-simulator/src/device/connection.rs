//! Connecting to a hub: TLS with the device's certificate, and the verdict in words.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use time::OffsetDateTime;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Device;

/// Of the whole attempt.
const DEADLINE: Duration = Duration::from_secs(15);

/// The longest greeting that is read.
const LONGEST_GREETING: u64 = 1024;

/// Why a device is not connected to its hub.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The hub looked at the device's certificate and refused it.
    #[error("the hub refused the device's certificate: {alert}")]
    Certificate {
        /// The TLS alert, as people write it, e.g. `unknown CA`.
        alert: String,
    },
    /// The device has no certificate, or none that can be used.
    #[error("the device has no usable certificate: {0}")]
    NoCertificate(String),
    /// The device does not trust the hub.
    #[error("the device does not trust the hub's server certificate: {0}")]
    Server(String),
    /// The hub could not be reached, or went away.
    #[error("the hub could not be reached")]
    Unreachable(#[source] io::Error),
    /// The hub did not say whether it accepts.
    #[error("the hub gave no verdict: {0}")]
    NoVerdict(String),
}

impl Refusal {
    /// The TLS alert, when the hub refused the device's certificate.
    #[must_use]
    pub fn alert(&self) -> Option<&str> {
        match self {
            Self::Certificate { alert } => Some(alert),
            _ => None,
        }
    }
}

impl Device {
    /// Connects to a hub as of real time. See [`Device::connect_at`].
    ///
    /// # Errors
    /// Why the device is not connected.
    pub async fn connect(
        &self,
        address: SocketAddr,
        hub_host_name: &str,
        server_certificate_authority_pem: &str,
        chain: &[Vec<u8>],
    ) -> Result<(), Refusal> {
        let now = OffsetDateTime::now_utc();
        self.connect_at(address, hub_host_name, server_certificate_authority_pem, chain, now).await
    }

    /// Connects to a hub with a certificate chain, with the device's clock at `now`, and waits until the hub says that
    /// it accepts. Under TLS 1.3 a client is done before the server has judged its certificate: only the greeting
    /// tells.
    ///
    /// # Errors
    /// Why the device is not connected, after 15 s at most.
    pub async fn connect_at(
        &self,
        address: SocketAddr,
        hub_host_name: &str,
        server_certificate_authority_pem: &str,
        chain: &[Vec<u8>],
        now: OffsetDateTime,
    ) -> Result<(), Refusal> {
        let configuration = self.configuration(server_certificate_authority_pem, chain, now)?;
        let name = ServerName::try_from(hub_host_name.to_owned())
            .map_err(|error| Refusal::Server(format!("{hub_host_name} is not a host name: {error}")))?;
        let attempt = async {
            let stream = TcpStream::connect(address).await.map_err(Refusal::Unreachable)?;
            let connector = TlsConnector::from(Arc::new(configuration));
            let mut stream = connector.connect(name, stream).await.map_err(judge)?;
            let hello = format!("connect {}\n", self.registration_id);
            // Writing may fail because the hub has refused already; then the alert still has to be read.
            let written = async {
                stream.write_all(hello.as_bytes()).await?;
                stream.flush().await
            };
            let written = written.await;
            let mut greeting = String::new();
            BufReader::new(stream)
                .take(LONGEST_GREETING)
                .read_line(&mut greeting)
                .await
                .and(written)
                .map_err(judge)?;
            match greeting.strip_prefix("accepted ").map(str::trim_end) {
                Some(name) if name == self.registration_id => Ok(()),
                _ => Err(Refusal::NoVerdict(format!("it answered {greeting:?}"))),
            }
        };
        let late = || Refusal::NoVerdict(format!("nothing came within {} s", DEADLINE.as_secs()));
        timeout(DEADLINE, attempt).await.unwrap_or_else(|_| Err(late()))
    }

    pub(crate) fn configuration(
        &self,
        authority: &str,
        chain: &[Vec<u8>],
        now: OffsetDateTime,
    ) -> Result<ClientConfig, Refusal> {
        let server = |problem: String| Refusal::Server(problem);
        let authority =
            CertificateDer::from_pem_slice(authority.as_bytes()).map_err(|e| server(e.to_string()))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority).map_err(|error| server(error.to_string()))?;
        if chain.is_empty() {
            return Err(Refusal::NoCertificate(
                "none was issued, since its enrollment group has no policy".to_owned(),
            ));
        }
        let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut configuration = ClientConfig::builder_with_details(provider, Arc::new(DeviceTime(now)))
            .with_safe_default_protocol_versions()
            .map_err(|error| server(error.to_string()))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|error| Refusal::NoCertificate(error.to_string()))?;
        // Each connection proves the trust of its moment.
        configuration.resumption = Resumption::disabled();
        Ok(configuration)
    }
}

/// The device's clock, stopped for the moment of a handshake.
#[derive(Debug)]
struct DeviceTime(OffsetDateTime);

impl TimeProvider for DeviceTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.unix_timestamp()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// What an error of the connection means.
fn judge(error: io::Error) -> Refusal {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => Refusal::Certificate { alert: words(*alert) },
        Some(rustls::Error::InvalidCertificate(problem)) => Refusal::Server(problem.to_string()),
        _ if error.kind() == io::ErrorKind::UnexpectedEof => {
            Refusal::NoVerdict("the connection was closed".to_owned())
        }
        _ => Refusal::Unreachable(error),
    }
}

/// The names of RFC 8446, in words.
fn words(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnknownCA => "unknown CA".to_owned(),
        AlertDescription::BadCertificate => "bad certificate".to_owned(),
        AlertDescription::CertificateExpired => "certificate expired".to_owned(),
        AlertDescription::CertificateRevoked => "certificate revoked".to_owned(),
        AlertDescription::CertificateRequired => "certificate required".to_owned(),
        AlertDescription::CertificateUnknown => "certificate unknown".to_owned(),
        AlertDescription::UnsupportedCertificate => "unsupported certificate".to_owned(),
        AlertDescription::AccessDenied => "access denied".to_owned(),
        AlertDescription::DecryptError => "decrypt error".to_owned(),
        AlertDescription::HandshakeFailure => "handshake failure".to_owned(),
        other => format!("alert {}", u8::from(other)),
    }
}
