//! The app of one process, as the process makes it, but for the storage, the configuration and the transport.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambient::{Ambient, Randomness};
use async_trait::async_trait;
use azure::http::RetryPolicy;
use azure::http::transport::Transport;
use azure::{AccessToken, Azure, Cloud, Http, TokenSource};
use certificate_management::configuration::Configuration;
use policysync::application::{Application, Queues};
use policysync::deadlines::Deadlines;
use policysync::fleet::{Fleet, Outside};
use policysync::in_hand::InHand;
use policysync::pace::Pace;
use policysync::serving::Serving;
use policysync::settings::Settings;
use state::{BlobAddress, Document, Store};

use crate::configured::{BLOB, InForce};
use crate::engine::Time;
use crate::sabotage::Sabotage;
use crate::site::ADDRESS;
use crate::surroundings::Surroundings;
use crate::wire::Wire;
use crate::world::Unplayable;

/// The functions of an instance.
///
/// # Errors
/// When the drawn configuration cannot be used.
pub(crate) fn serving(
    around: &Surroundings,
    (number, in_force): (usize, Arc<InForce>),
    ambient: Ambient,
) -> Result<Serving, Unplayable> {
    let (mut text, mut kill_switch) = (around.configured.stated().text(), around.configured.kill_switch());
    let is_broken = match around.network.sabotage {
        Some(Sabotage::IgnoresMode) => {
            (text, kill_switch) = (text.replace("mode = \"audit\"", "mode = \"enforce\""), false);
            text = text.replace("freeze = ", "# freeze = ");
            true
        }
        Some(Sabotage::TakesBack) => {
            text = text.replace("[[namespace.rule]]", "[[namespace.rule]]\nreassign = true");
            true
        }
        _ => false,
    };
    let is_blob = around.configured.is_blob && !is_broken;
    let settings = settings(kill_switch)?;
    let configuration = if is_blob { Configuration::default() } else { parsed(&text)? };
    let (fleet, store) = fleet(around, (number, Arc::clone(&in_force)), ambient, (&settings, configuration))?;
    let queues = Queues::open(&settings.queues, &fleet.azure).map_err(|error| unplayable(&error))?;
    let application = Application {
        fleet,
        store,
        queues: Arc::new(queues),
        in_hand: InHand::default(),
        signs_in: false,
        standing: None,
    };
    if !is_blob {
        return Ok(Serving::File(Arc::new(application)));
    }
    let blob = around.configured.blob(around.records.of(around.network.clone(), number), in_force);
    let address = BlobAddress::parse(BLOB).map_err(|error| unplayable(&error))?;
    let document = Document::over(Arc::new(blob), &address).map_err(|error| unplayable(&error))?;
    Ok(Serving::watching(application, document))
}

/// What a command of a person works with that begins now, on a machine of this number whose clock is right.
///
/// # Errors
/// When the configuration cannot be used now.
pub(crate) fn of_person(
    around: &Surroundings,
    (number, command): (usize, u64),
    is_even_in_audit: bool,
) -> Result<(Fleet, Store), Unplayable> {
    let randomness = Randomness::of_seed(around.seed.number(&format!("person {number}, command {command}")));
    let ambient = Ambient { clock: around.time.clock(time::Duration::ZERO), randomness };
    let in_force = around
        .configured
        .as_read(is_even_in_audit)
        .ok_or_else(|| Unplayable("it is broken now".to_owned()))?;
    let settings = settings(around.configured.kill_switch())?;
    let configuration = parsed(&around.configured.stated().text())?;
    fleet(around, (number, in_force), ambient, (&settings, configuration))
}

fn fleet(
    around: &Surroundings,
    (number, in_force): (usize, Arc<InForce>),
    ambient: Ambient,
    (settings, configuration): (&Settings, Configuration),
) -> Result<(Fleet, Store), Unplayable> {
    let transport = Arc::new(Wire::new(around.network.clone(), number, in_force)) as Arc<dyn Transport>;
    let http = Http::over(transport, RetryPolicy::default(), ambient.clone());
    let cloud = Cloud::new(Some(ADDRESS)).map_err(|error| unplayable(&error))?;
    let azure = Azure::new(http, cloud, Arc::new(Token(around.time)));
    let backend = around.records.of(around.network.clone(), number);
    let store = Store::over(Arc::new(backend), "the records of a play", ambient.randomness.clone());
    let outside =
        Outside { azure: Some(azure), ambient, deadlines: Deadlines::default(), pace: Pace::default() };
    let fleet = Fleet::of(&settings.fleet, configuration, outside).map_err(|error| unplayable(&error))?;
    Ok((fleet, store))
}

fn parsed(text: &str) -> Result<Configuration, Unplayable> {
    Configuration::parse(text).map_err(|error| unplayable(&error))
}

fn unplayable(error: &dyn std::fmt::Display) -> Unplayable {
    Unplayable(error.to_string())
}

fn settings(kill_switch: bool) -> Result<Settings, Unplayable> {
    let bus = format!(
        "Endpoint=sb://{}/servicebus;SharedAccessKeyName=root;SharedAccessKey=c2ltdWxhdG9y;UseDevelopmentEmulator=true",
        ADDRESS.trim_start_matches("http://")
    );
    let mut variables = BTreeMap::from([
        ("ServiceBusConnection".to_owned(), bus),
        ("POLICYSYNC_ARM_ENDPOINT".to_owned(), ADDRESS.to_owned()),
        ("POLICYSYNC_STATE".to_owned(), "memory".to_owned()),
    ]);
    if kill_switch {
        variables.insert("POLICYSYNC_MODE".to_owned(), "audit".to_owned());
    }
    Settings::from_variables(&variables).map_err(|error| Unplayable(error.to_string()))
}

/// A token that is always good. What happens with tokens is tested below the transport.
struct Token(Time);

#[async_trait]
impl TokenSource for Token {
    async fn token(&self, _scope: &str) -> Result<AccessToken, azure::Error> {
        Ok(AccessToken::new("simulated", self.0.now() + time::Duration::hours(1)))
    }
}
