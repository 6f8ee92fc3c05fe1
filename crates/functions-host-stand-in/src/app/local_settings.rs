//! `local.settings.json`: app settings on a developer's machine, as `func start` reads them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::section::{Located, SettingError, parse};

/// The file's name, beside `host.json`.
pub const FILE: &str = "local.settings.json";

/// The settings of the file that the environment does not override.
#[derive(Default)]
pub struct LocalSettings {
    /// The settings of `Values` that the environment does not hold, and `ConnectionStrings` as `ConnectionStrings:NAME`.
    pub values: BTreeMap<String, String>,
    /// Names that were left out since the environment holds them: it wins, as with `func`.
    pub overridden: Vec<String>,
    /// Names that were left out since they have no value.
    pub without_value: Vec<String>,
    /// `Host.LocalHttpPort`.
    pub port: Option<u16>,
}

impl std::fmt::Debug for LocalSettings {
    /// Names only: values are secrets often enough.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LocalSettings")
            .field("values", &self.values.keys())
            .field("overridden", &self.overridden)
            .field("without_value", &self.without_value)
            .field("port", &self.port)
            .finish()
    }
}

/// Reads the file in `root`; `None` when there is none. `environment` tells the value of a variable.
///
/// # Errors
/// A file that cannot be read or understood, or whose values are encrypted.
pub fn local_settings(
    root: &Path,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<LocalSettings>, SettingError> {
    let path = root.join(FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let error =
        |problem: String| SettingError { file: FILE.to_owned(), key: path.display().to_string(), problem };
    let text = super::load::read(&path).map_err(error)?;
    read(&text, environment).map(Some)
}

fn read(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<LocalSettings, SettingError> {
    let value = parse(FILE, text)?;
    let root = Located::root(FILE, &value)?;
    if root.boolean("IsEncrypted")? == Some(true) {
        let problem = "encrypted settings are not read here; allowed: false (`func settings decrypt` writes them in the clear)";
        return Err(root.error("IsEncrypted", problem));
    }
    let mut settings = LocalSettings::default();
    for (prefix, key) in [("", "Values"), ("ConnectionStrings:", "ConnectionStrings")] {
        let section = root.section(key)?;
        for (name, value) in section.members() {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
                Value::Number(number) => number.to_string(),
                Value::Null => {
                    settings.without_value.push(name.clone());
                    continue;
                }
                // A connection string may be an object that names its provider too.
                Value::Object(members) if !prefix.is_empty() => {
                    let text = members.get("ConnectionString").and_then(Value::as_str);
                    text.ok_or_else(|| section.error(name, "has no ConnectionString"))?.to_owned()
                }
                _ => return Err(section.error(name, "must be a string; settings are not nested")),
            };
            let full = format!("{prefix}{name}");
            if name.is_empty() || full.contains(['=', '\0']) || text.contains('\0') {
                return Err(
                    section.error(name, "cannot be an environment variable; allowed: a name without =")
                );
            }
            if environment(&full).is_some_and(|value| !value.is_empty()) {
                settings.overridden.push(full);
            } else {
                settings.values.insert(full, text);
            }
        }
    }
    let port = root.section("Host")?.integer("LocalHttpPort", 0, u16::MAX.into())?;
    settings.port = port.and_then(|port| u16::try_from(port).ok());
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<LocalSettings, String> {
        let environment = |name: &str| match name {
            "SET" => Some("by hand".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        read(text, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_wins_unless_it_is_empty() {
        let text = r#"{"IsEncrypted":false,"Values":{"A":"1","SET":"from the file","EMPTY":"e","NONE":null,"FLAG":true,"N":7},
            "ConnectionStrings":{"Db":"Server=x"},"Host":{"LocalHttpPort":7072,"CORS":"*"}} // a comment"#;
        let settings = settings(text).unwrap();
        let values: Vec<_> =
            settings.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected =
            [("A", "1"), ("ConnectionStrings:Db", "Server=x"), ("EMPTY", "e"), ("FLAG", "True"), ("N", "7")];
        assert_eq!(values, expected);
        assert_eq!((settings.overridden, settings.without_value), (vec!["SET".into()], vec!["NONE".into()]));
        assert_eq!(settings.port, Some(7072));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, words) in [
            ("{", "local.settings.json: line 1: is not JSON"),
            (r#"{"IsEncrypted":true,"Values":{"A":"x"}}"#, "local.settings.json: IsEncrypted: "),
            (r#"{"Values":{"A":{"b":1}}}"#, "local.settings.json: Values.A: must be a string"),
            (r#"{"Values":{"A=B":"x"}}"#, "without ="),
            (r#"{"Host":{"LocalHttpPort":70000}}"#, "Host.LocalHttpPort"),
        ] {
            let error = settings(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert!(settings("{}").unwrap().values.is_empty());
    }

    #[test]
    fn values_are_not_shown() {
        let settings = settings(r#"{"Values":{"A":"secret"}}"#).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn no_file_is_no_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(local_settings(root.path(), |_| None).unwrap().is_none());
    }
}
