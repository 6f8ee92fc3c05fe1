//! The environment, checked before anything runs.
//!
//! - [`variables`]: every variable that counts, with its meaning.

#[cfg(test)]
mod guide;
mod source;
pub mod variables;

use std::collections::BTreeMap;
use std::path::PathBuf;

use azure::service_bus::ServiceBusConnection;
use url::Url;

pub use self::source::ConfigurationSource;

/// Name of the configuration file.
pub const CONFIGURATION_FILE: &str = "policysync.toml";
/// The blob container that holds the records.
pub const STATE_CONTAINER: &str = "policysync";

/// What the environment says to the whole app.
#[derive(Debug)]
pub struct Settings {
    /// The settings of the fleet.
    pub fleet: FleetSettings,
    /// The queues.
    pub queues: QueueSettings,
    /// Where the records live.
    pub state: StateSettings,
    /// `WEBSITE_AUTH_ENABLED`: App Service authentication stands before every HTTP function, and takes the headers in
    /// which it names the caller away from requests that bring them. Without it any caller can send those headers.
    pub signs_in: bool,
}

/// The settings that reading and writing the fleet takes.
#[derive(Debug)]
pub struct FleetSettings {
    /// `POLICYSYNC_CONFIG`: where the configuration is.
    pub configuration: ConfigurationSource,
    /// `POLICYSYNC_MODE=audit`: no function writes, whatever the file says.
    pub kill_switch: bool,
    /// `POLICYSYNC_ARM_ENDPOINT`.
    pub arm_endpoint: Option<String>,
}

/// Where messages wait.
#[derive(Debug)]
pub struct QueueSettings {
    /// `ServiceBusConnection` or `ServiceBusConnection__fullyQualifiedNamespace`.
    pub service_bus: ServiceBusConnection,
    /// `POLICYSYNC_QUEUE`.
    pub requests: String,
    /// `POLICYSYNC_PARKED_QUEUE`.
    pub parked: String,
}

/// Where the records live.
pub enum StateSettings {
    /// `POLICYSYNC_STATE=memory`: in this process, gone with it.
    Memory,
    /// `AzureWebJobsStorage`: a connection string.
    ConnectionString(String),
    /// `AzureWebJobsStorage__blobServiceUri` or `AzureWebJobsStorage__accountName`: with a token.
    ServiceUri(Url),
}

// A connection string holds a key.
impl std::fmt::Debug for StateSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::ConnectionString(_) => f.write_str("ConnectionString(redacted)"),
            Self::ServiceUri(url) => write!(f, "ServiceUri({url})"),
        }
    }
}

/// A variable that is missing or wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct SettingsError {
    /// Name of the variable.
    pub variable: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

fn wrong<T>(variable: &str, problem: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError { variable: variable.to_owned(), problem: problem.into() })
}

/// The variables of this process.
#[must_use]
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

impl Settings {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// Names the first variable that is missing, wrong or unknown.
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::from_variables(&environment())
    }

    /// Reads a set of variables.
    ///
    /// # Errors
    /// Names the first variable that is missing, wrong or unknown.
    pub fn from_variables(given: &BTreeMap<String, String>) -> Result<Self, SettingsError> {
        let signs_in = get(given, "WEBSITE_AUTH_ENABLED");
        Ok(Self {
            fleet: FleetSettings::from_variables(given)?,
            queues: QueueSettings::from_variables(given)?,
            state: StateSettings::from_variables(given)?,
            signs_in: signs_in.is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }
}

impl FleetSettings {
    /// Reads the settings of the fleet, and refuses unknown names with our prefix.
    ///
    /// # Errors
    /// Names the first variable that is wrong or unknown.
    pub fn from_variables(given: &BTreeMap<String, String>) -> Result<Self, SettingsError> {
        let unknown = |name: &&String| {
            name.starts_with(variables::PREFIX) && !variables::own().any(|known| known == name.as_str())
        };
        if let Some(name) = given.keys().find(unknown) {
            let known: Vec<&str> = variables::own().collect();
            return wrong(name, format!("there is no such setting; the settings are {}", known.join(", ")));
        }
        let kill_switch = match get(given, "POLICYSYNC_MODE") {
            None => false,
            Some("audit") => true,
            Some(_) => {
                return wrong(
                    "POLICYSYNC_MODE",
                    "the only value is `audit`; unset it to follow policysync.toml",
                );
            }
        };
        Ok(Self {
            configuration: configuration_source(given)?,
            kill_switch,
            arm_endpoint: get(given, "POLICYSYNC_ARM_ENDPOINT").map(str::to_owned),
        })
    }
}

impl QueueSettings {
    /// Reads the settings of the queues.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn from_variables(given: &BTreeMap<String, String>) -> Result<Self, SettingsError> {
        Ok(Self {
            service_bus: service_bus(given)?,
            requests: queue_name(given, "POLICYSYNC_QUEUE", "sync-requests")?,
            parked: queue_name(given, "POLICYSYNC_PARKED_QUEUE", "sync-requests-parked")?,
        })
    }
}

impl StateSettings {
    /// Reads where the records live.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn from_variables(given: &BTreeMap<String, String>) -> Result<Self, SettingsError> {
        state(given)
    }

    /// As [`StateSettings::from_variables`], for a command that also works without records. `None` where no place for
    /// them is set, or where they are in the memory of another process.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn if_kept(given: &BTreeMap<String, String>) -> Result<Option<Self>, SettingsError> {
        let is_set = |(name, value): (&String, &String)| {
            (name == "POLICYSYNC_STATE" || name.starts_with("AzureWebJobsStorage")) && !value.is_empty()
        };
        match given.iter().any(is_set) {
            true => Ok(Some(state(given)?).filter(|state| !matches!(state, Self::Memory))),
            false => Ok(None),
        }
    }
}

/// The value of a variable; `None` where it is empty.
fn get<'a>(given: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    given.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

fn configuration_source(given: &BTreeMap<String, String>) -> Result<ConfigurationSource, SettingsError> {
    let variable = "POLICYSYNC_CONFIG";
    match get(given, variable) {
        Some(text) => ConfigurationSource::parse(text).or_else(|problem| wrong(variable, problem)),
        // The host starts the handler in the app's root and names that root too.
        None => Ok(ConfigurationSource::File(
            get(given, "FUNCTIONS_APP_ROOT_PATH")
                .map_or_else(PathBuf::new, PathBuf::from)
                .join(CONFIGURATION_FILE),
        )),
    }
}

fn service_bus(given: &BTreeMap<String, String>) -> Result<ServiceBusConnection, SettingsError> {
    if let Some(text) = get(given, "ServiceBusConnection") {
        return ServiceBusConnection::parse(text)
            .or_else(|error| wrong("ServiceBusConnection", error.to_string()));
    }
    if let Some(namespace) = get(given, "ServiceBusConnection__fullyQualifiedNamespace") {
        return ServiceBusConnection::from_namespace(namespace)
            .or_else(|error| wrong("ServiceBusConnection__fullyQualifiedNamespace", error.to_string()));
    }
    wrong(
        "ServiceBusConnection",
        "it is not set; set it to a connection string, or set ServiceBusConnection__fullyQualifiedNamespace",
    )
}

fn queue_name(
    given: &BTreeMap<String, String>,
    variable: &str,
    default: &str,
) -> Result<String, SettingsError> {
    let name = get(given, variable).unwrap_or(default);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if name.len() > 260 || !name.chars().all(fits) {
        return wrong(variable, "a queue's name has up to 260 letters, digits, `-`, `_`, `.` and `/`");
    }
    Ok(name.to_owned())
}

fn state(given: &BTreeMap<String, String>) -> Result<StateSettings, SettingsError> {
    match get(given, "POLICYSYNC_STATE") {
        Some("memory") => return Ok(StateSettings::Memory),
        Some(_) => {
            return wrong(
                "POLICYSYNC_STATE",
                "the only value is `memory`; unset it to use AzureWebJobsStorage",
            );
        }
        None => {}
    }
    if let Some(text) = get(given, "AzureWebJobsStorage") {
        return Ok(StateSettings::ConnectionString(text.to_owned()));
    }
    let by_name = get(given, "AzureWebJobsStorage__accountName")
        .map(|name| format!("https://{name}.blob.core.windows.net"));
    let by_uri = get(given, "AzureWebJobsStorage__blobServiceUri").map(str::to_owned);
    match by_uri.or(by_name).map(|text| Url::parse(&text)) {
        Some(Ok(url)) => Ok(StateSettings::ServiceUri(url)),
        Some(Err(error)) => wrong("AzureWebJobsStorage__blobServiceUri", error.to_string()),
        None => wrong(
            "AzureWebJobsStorage",
            "it is not set, nor is AzureWebJobsStorage__blobServiceUri; records need a storage account \
             (POLICYSYNC_STATE=memory keeps them in the process, for a laptop)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(extra: &[(&str, &str)]) -> Result<Settings, String> {
        let mut variables = BTreeMap::from([
            (
                "ServiceBusConnection".to_owned(),
                "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=a2V5"
                    .to_owned(),
            ),
            ("POLICYSYNC_STATE".to_owned(), "memory".to_owned()),
        ]);
        for (name, value) in extra {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        Settings::from_variables(&variables).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let settings = read(&[]).unwrap();
        let file = |path: &str| ConfigurationSource::File(PathBuf::from(path));
        assert_eq!(settings.fleet.configuration, file("policysync.toml"));
        assert_eq!(
            (settings.queues.requests.as_str(), settings.queues.parked.as_str()),
            ("sync-requests", "sync-requests-parked")
        );
        assert!(!settings.fleet.kill_switch);
        let settings = read(&[("FUNCTIONS_APP_ROOT_PATH", "app"), ("POLICYSYNC_MODE", "audit")]).unwrap();
        assert_eq!(settings.fleet.configuration, file("app/policysync.toml"));
        assert!(settings.fleet.kill_switch);
    }

    #[test]
    fn only_the_platform_says_that_callers_sign_in() {
        assert!(!read(&[]).unwrap().signs_in);
        for (value, signs_in) in [("True", true), ("true", true), ("False", false), ("1", false), ("", false)]
        {
            assert_eq!(read(&[("WEBSITE_AUTH_ENABLED", value)]).unwrap().signs_in, signs_in, "{value}");
        }
    }

    #[test]
    fn a_misspelt_variable_is_named() {
        let error = read(&[("POLICYSYNC_MOED", "audit")]).unwrap_err();
        assert!(error.starts_with("POLICYSYNC_MOED: ") && error.contains("POLICYSYNC_MODE"), "{error}");
    }

    #[test]
    fn wrong_values_are_named() {
        for (name, value) in [
            ("POLICYSYNC_MODE", "enforce"),
            ("POLICYSYNC_STATE", "disk"),
            ("POLICYSYNC_QUEUE", "a queue"),
            ("POLICYSYNC_CONFIG", "https://example.org/config/policysync.toml"),
            ("POLICYSYNC_CONFIG", "http://contoso.blob.core.windows.net/config/policysync.toml"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(name), "{name}: {error}");
        }
    }

    #[test]
    fn who_only_looks_needs_neither_queue_nor_storage_and_what_is_used_is_checked() {
        let variables = |own: &[(&str, &str)]| -> BTreeMap<String, String> {
            own.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let unused =
            variables(&[("ServiceBusConnection", "none"), ("AzureWebJobsStorage__accountName", " ")]);
        assert!(FleetSettings::from_variables(&variables(&[])).is_ok());
        assert!(FleetSettings::from_variables(&unused).is_ok());
        let misspelt = variables(&[("POLICYSYNC_MOED", "audit")]);
        assert_eq!(FleetSettings::from_variables(&misspelt).unwrap_err().variable, "POLICYSYNC_MOED");
        let audit = variables(&[("POLICYSYNC_MODE", "audit")]);
        assert!(FleetSettings::from_variables(&audit).unwrap().kill_switch);
    }

    #[test]
    fn records_are_kept_where_a_place_for_them_is_set() {
        let kept = |name: &str, value: &str| {
            StateSettings::if_kept(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
        };
        assert!(kept("OTHER", "x").unwrap().is_none());
        assert!(kept("AzureWebJobsStorage", "").unwrap().is_none());
        assert!(kept("POLICYSYNC_STATE", "memory").unwrap().is_none());
        let storage = kept("AzureWebJobsStorage", "UseDevelopmentStorage=true").unwrap();
        assert!(matches!(storage, Some(StateSettings::ConnectionString(_))));
        assert_eq!(kept("POLICYSYNC_STATE", "disk").unwrap_err().variable, "POLICYSYNC_STATE");
    }

    #[test]
    fn no_secret_is_printed() {
        let mut variables = BTreeMap::new();
        let secret = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0";
        variables.insert("AzureWebJobsStorage".to_owned(), secret.to_owned());
        variables.insert(
            "ServiceBusConnection".to_owned(),
            "Endpoint=sb://c.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=c2VjcmV0"
                .to_owned(),
        );
        let printed = format!("{:?}", Settings::from_variables(&variables).unwrap());
        assert!(!printed.contains("c2VjcmV0"), "{printed}");
    }
}
