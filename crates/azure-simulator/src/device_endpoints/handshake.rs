//! A TLS handshake in memory: what one side writes, the other reads, until both are done or one refuses.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ConnectionCommon, ServerConfig, ServerConnection, SideData};

/// Most times that each side speaks. A handshake needs three.
const TURNS: usize = 10;

/// Whether both sides accept each other.
///
/// # Errors
/// Which side refuses, and why.
pub(super) fn of(client: ClientConfig, server: Arc<ServerConfig>, host_name: &str) -> Result<(), String> {
    let device = |error: rustls::Error| format!("the device says: {error}");
    let hub = |error: rustls::Error| format!("the hub says: {error}");
    let name = ServerName::try_from(host_name.to_owned()).map_err(|error| error.to_string())?;
    let mut client = ClientConnection::new(Arc::new(client), name).map_err(device)?;
    let mut server = ServerConnection::new(server).map_err(hub)?;
    for _ in 0..TURNS {
        pass(&mut client, &mut server).map_err(hub)?;
        // Under TLS 1.3 the device is done before the hub has judged its certificate.
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(());
        }
        pass(&mut server, &mut client).map_err(device)?;
    }
    Err("the handshake does not end".to_owned())
}

/// What one side has to say, and what the other makes of it.
fn pass<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
) -> Result<(), rustls::Error> {
    let broken = |error: std::io::Error| rustls::Error::General(error.to_string());
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).map_err(broken)?;
    }
    let mut wire = wire.as_slice();
    while !wire.is_empty() {
        to.read_tls(&mut wire).map_err(broken)?;
        to.process_new_packets()?;
    }
    Ok(())
}
