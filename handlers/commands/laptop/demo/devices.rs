//! A device of the story: registers at DPS with a certificate request, and knocks at its hub by TLS.

use azure_simulator::device::Device;
use serde_json::Value;

use super::operator::Operator;
use super::scene::Scene;

/// A hub's own judgement of a device's certificate, learnt by a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The hub admits the device.
    Accepted,
    /// The hub refuses it, with the reason that TLS gives.
    Refused(String),
}

/// A device with the certificate chain that it was given.
pub struct Provisioned {
    device: Device,
    chain: Vec<Vec<u8>>,
    /// Host name of the hub it was assigned to.
    pub assigned_hub: String,
}

/// Makes a device and registers it at the scene's DPS.
pub async fn provision(
    operator: &Operator,
    azure: &str,
    scene: &Scene,
    name: &str,
) -> Result<Provisioned, String> {
    let state = operator.state().await?;
    let id_scope = state["idScopes"][&scene.provisioning_service].as_str();
    let id_scope =
        id_scope.ok_or_else(|| format!("{} has no id scope", scene.provisioning_service))?.to_owned();
    let key = operator.group_key(&scene.provisioning_service, &scene.enrollment_group).await?;
    let device = Device::new(name).map_err(|error| error.to_string())?;
    let registration = device.register(azure, &id_scope, &key).await.map_err(|error| error.to_string())?;
    if registration.chain.is_empty() {
        return Err(format!("device {name} was given no certificate"));
    }
    Ok(Provisioned { device, chain: registration.chain, assigned_hub: registration.assigned_hub })
}

impl Provisioned {
    /// Knocks at a hub by TLS with the certificate chain.
    pub async fn knock(&self, state: &Value, hub_host_name: &str) -> Result<Verdict, String> {
        let hubs = state["hubs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let hub = hubs.iter().find(|hub| {
            hub["hostName"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(hub_host_name))
        });
        let endpoint = hub.and_then(|hub| hub["deviceEndpoint"].as_str());
        let endpoint = endpoint.ok_or_else(|| format!("hub {hub_host_name} has no device endpoint"))?;
        let authority = state["deviceServerCertificateAuthority"].as_str().unwrap_or_default();
        let endpoint = endpoint.parse().map_err(|_| format!("{endpoint} is no address"))?;
        match self.device.connect(endpoint, hub_host_name, authority, &self.chain).await {
            Ok(()) => Ok(Verdict::Accepted),
            Err(refusal) => Ok(Verdict::Refused(refusal.to_string())),
        }
    }
}
