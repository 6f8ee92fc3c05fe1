//! Gives each invocation the app to work with, and so one configuration from its beginning to its end.
//!
//! A configuration file is read when the process starts. A blob is read again by the first invocation that begins a minute after the
//! last look, never in the background and never within an invocation; `certificate_management::in_force` decides what follows.
//! Invocations that are under way go on with the version that they began with, as they do in the processes of the release
//! before while a deployment replaces them.

mod last_good;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use certificate_management::configuration::Configuration;
use certificate_management::in_force::{Effect, Event, Failure, Knowledge, VersionInForce};
use certificate_management::plural;
use state::Document;
use tokio::time::timeout;

pub use self::last_good::{LastGood, kept, recall};
use crate::application::{Application, StartError};
use crate::configuration_blob::{self, Text};
use crate::fleet::{Fleet, FleetError, Outside};
use crate::settings::{ConfigurationSource, Settings};

/// How long a look at the blob may take, and how long one at its record. Both come before the work of a batch, whose locks are not
/// renewed: a minute less what [`Deadlines::settled`](crate::deadlines::Deadlines) takes.
const LOOK: Duration = Duration::from_secs(3);

/// Where invocations get the app from.
pub enum Serving {
    /// The configuration is a file.
    File(Arc<Application>),
    /// The configuration is a blob.
    Blob(Box<Watched>),
}

/// A configuration that is a blob.
pub struct Watched {
    /// The app without any namespace. No function runs on it.
    bare: Arc<Application>,
    document: Document,
    now: Mutex<Now>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
}

/// What is known now, and the app that is made of it.
#[derive(Default)]
struct Now {
    knowledge: Knowledge<Text>,
    application: Option<Arc<Application>>,
}

/// There is no configuration that the function could work with.
pub struct Unconfigured {
    /// Why, for a person.
    pub problem: String,
    bare: Arc<Application>,
}

impl Unconfigured {
    /// The queues and the records, so that messages can be put back. It has no namespaces.
    #[must_use]
    pub fn queues_alone(&self) -> &Application {
        &self.bare
    }
}

impl Serving {
    /// What the environment says. No I/O but reading a configuration file.
    ///
    /// # Errors
    /// Says which file, key or setting is wrong.
    pub fn start(settings: &Settings, outside: Outside) -> Result<Self, StartError> {
        let ConfigurationSource::Blob(address) = &settings.fleet.configuration else {
            return Ok(Self::File(Arc::new(Application::start(settings, outside)?)));
        };
        let fleet = Fleet::of(&settings.fleet, Configuration::default(), outside)?;
        let document = configuration_blob::open(address, &fleet.azure).map_err(|error| {
            FleetError::Unreadable { place: address.to_string(), problem: error.to_string() }
        })?;
        Ok(Self::watching(Application::of(settings, fleet)?, document))
    }

    /// Reads the configuration in this document. `bare` is the app without any namespace.
    #[must_use]
    pub fn watching(bare: Application, document: Document) -> Self {
        Self::Blob(Box::new(Watched {
            bare: Arc::new(bare),
            document,
            now: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        }))
    }

    /// The app under any configuration, for what does not depend on it: the clients and their budget.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        match self {
            Self::File(application) => &application.fleet,
            Self::Blob(watched) => &watched.bare.fleet,
        }
    }

    /// The app for an invocation that begins now.
    ///
    /// # Errors
    /// When there is no version of the configuration that can be used.
    pub async fn application(&self, needs: Needs) -> Result<Arc<Application>, Unconfigured> {
        match self {
            Self::File(application) => Ok(Arc::clone(application)),
            Self::Blob(watched) => watched.application_for(needs).await,
        }
    }
}

/// What a function needs of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// It looks, and what it leads to is judged again by a function that writes.
    Any,
    /// It writes to Azure, so the blob itself must have told it.
    OfBlob,
}

impl std::fmt::Display for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(application) => {
                f.write_str(&plural::count(application.fleet.configuration.namespaces.len(), "namespace"))
            }
            Self::Blob(watched) => write!(f, "the configuration {}", watched.document),
        }
    }
}

impl Watched {
    async fn application_for(&self, needs: Needs) -> Result<Arc<Application>, Unconfigured> {
        let application = self.application().await?;
        match &application.standing {
            Some(standing) if needs == Needs::OfBlob && application.only_looks() => {
                let troubles: Vec<String> = standing.troubles.iter().map(ToString::to_string).collect();
                let problem = format!(
                    "the configuration {} is known from the records alone, and nothing is written by that: {}",
                    self.document,
                    troubles.join("; ")
                );
                Err(Unconfigured { problem, bare: Arc::clone(&self.bare) })
            }
            _ => Ok(application),
        }
    }

    async fn application(&self) -> Result<Arc<Application>, Unconfigured> {
        let (current, is_due) = self.current();
        let looking = match (current, is_due, self.looking.try_lock()) {
            // While another invocation looks, this one begins before the look.
            (Some(application), false, _) | (Some(application), true, Err(_)) => return Ok(application),
            (_, _, Ok(looking)) => looking,
            (None, _, Err(_)) => self.looking.lock().await,
        };
        // Another invocation may have looked while this one waited.
        if self.current().1 {
            self.look().await;
        }
        drop(looking);
        let now = self.lock();
        now.application.clone().ok_or_else(|| {
            let problem =
                format!("there is no configuration: {}: {}", self.document, now.knowledge.why_none());
            Unconfigured { problem, bare: Arc::clone(&self.bare) }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The app as it is known, and whether it is time for a look.
    fn current(&self) -> (Option<Arc<Application>>, bool) {
        let now = self.lock();
        (now.application.clone(), now.knowledge.is_due(self.bare.fleet.now()))
    }

    /// Looks at the blob, and does what follows.
    async fn look(&self) {
        let known = self.lock().knowledge.known().map(str::to_owned);
        let look = configuration_blob::look(&self.document, known.as_deref());
        let event = timeout(LOOK, look).await.unwrap_or_else(|_| {
            let message = format!("reading {}: no answer within {} seconds", self.document, LOOK.as_secs());
            Event::Failed(Failure { is_fleeting: true, is_denied: false, message })
        });
        let mut effect = self.take(event);
        while let Some(next) = effect {
            effect = match self.perform(next).await {
                Some(event) => self.take(event),
                None => None,
            };
        }
    }

    /// Does an effect; `None`: it is tried again with the next look.
    async fn perform(&self, effect: Effect) -> Option<Event<Text>> {
        let store = &self.bare.store;
        match effect {
            Effect::Recall => {
                let recalled = timeout(LOOK, last_good::recall(store, &self.document)).await;
                let recalled = recalled.unwrap_or_else(|_| Err("the records do not answer".to_owned()));
                Some(Event::Recalled(recalled))
            }
            Effect::Remember => {
                let in_force = {
                    let now = self.lock();
                    let in_force = now.knowledge.in_force()?;
                    (in_force.version.clone(), Arc::clone(&in_force.configuration.text))
                };
                let remember = last_good::remember(
                    store,
                    &self.document,
                    &in_force.0,
                    &in_force.1,
                    self.bare.fleet.now(),
                );
                match timeout(LOOK, remember).await {
                    Ok(Ok(())) => Some(Event::Remembered),
                    Ok(Err(error)) => {
                        tracing::warn!("{} is not remembered: {error}", in_force.0);
                        None
                    }
                    Err(_) => {
                        tracing::warn!("{} is not remembered: the records do not answer", in_force.0);
                        None
                    }
                }
            }
        }
    }

    /// Takes an event in, and makes the app of what is then known.
    fn take(&self, event: Event<Text>) -> Option<Effect> {
        let at = self.bare.fleet.now();
        let mut now = self.lock();
        // As it was told last, and not as it would be told now: a blob that is away becomes worth telling as time passes.
        let before = now.application.as_ref().and_then(|application| application.standing.clone());
        let (knowledge, effect) = std::mem::take(&mut now.knowledge).step(event, at);
        now.knowledge = knowledge;
        let standing = now.knowledge.standing(at);
        if standing == before {
            return effect;
        }
        tell(before.as_ref(), standing.as_ref());
        now.application = standing.zip(now.knowledge.in_force()).map(|(standing, in_force)| {
            Arc::new(self.bare.under(Arc::clone(&in_force.configuration.configuration), standing))
        });
        effect
    }
}

/// Logs what has changed.
fn tell(before: Option<&VersionInForce>, after: Option<&VersionInForce>) {
    let Some(after) = after else { return };
    if before.is_none_or(|before| before.version != after.version) {
        tracing::info!(configuration.version = %after.version, "the configuration in force is {}", after.version);
    }
    for trouble in &after.troubles {
        if !before.is_some_and(|before| before.troubles.contains(trouble)) {
            tracing::warn!("{} stays in force: {trouble}", after.version);
        }
    }
}
