//! Reading an app's folder.

use std::path::{Path, PathBuf};

use super::function::Function;
use super::function_json::{self, Outcome};
use super::host_json::HostJson;
use super::section::SettingError;
use super::settings::AppSettings;

/// Settings files larger than this are refused, bytes.
const MOST: u64 = 4 * 1024 * 1024;

/// An app that was read.
#[derive(Debug)]
pub struct App {
    /// The folder with `host.json`.
    pub root: PathBuf,
    /// `host.json`.
    pub host: HostJson,
    /// The functions that can run, by folder name.
    pub functions: Vec<Function>,
    /// The functions that cannot.
    pub broken: Vec<BrokenFunction>,
    /// Names of functions that are switched off.
    pub disabled: Vec<String>,
}

/// A function in error; the others run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenFunction {
    /// The name of its folder.
    pub name: String,
    /// What is wrong, and the allowed values.
    pub error: String,
}

/// Reads `host.json` and the `function.json` of every direct child folder of `root`.
///
/// # Errors
/// No folder, no `host.json`, or one that is not acceptable. Faulty functions are not errors: see [`App::broken`].
pub fn load(root: &Path, settings: &AppSettings) -> Result<App, SettingError> {
    let failed = |file: &str, problem: String| SettingError {
        file: file.to_owned(),
        key: root.display().to_string(),
        problem,
    };
    let text = read(&root.join("host.json")).map_err(|error| {
        failed("host.json", format!("{error}; the root of a function app holds a host.json"))
    })?;
    let host = HostJson::read(&text)?;
    let mut app =
        App { root: root.to_owned(), host, functions: Vec::new(), broken: Vec::new(), disabled: Vec::new() };
    let folders = folders(root).map_err(|error| failed("host.json", error.to_string()))?;
    for (index, (name, path)) in folders.iter().enumerate() {
        let twin = folders[..index].iter().find(|(earlier, _)| earlier.eq_ignore_ascii_case(name));
        match read_function(name, path, twin.map(|(twin, _)| twin.as_str()), &app.host, settings) {
            Ok(Outcome::Enabled(function)) => app.functions.push(*function),
            Ok(Outcome::Disabled) => app.disabled.push(name.clone()),
            Err(error) => app.broken.push(BrokenFunction { name: name.clone(), error }),
        }
    }
    add_routes(&mut app, folders.is_empty(), settings)?;
    Ok(app)
}

/// Every direct child folder with a `function.json`, sorted by name.
fn folders(root: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let file = entry.path().join("function.json");
        if file.is_file() {
            found.push((entry.file_name().to_string_lossy().into_owned(), file));
        }
    }
    found.sort();
    Ok(found)
}

fn read_function(
    name: &str,
    path: &Path,
    twin: Option<&str>,
    host: &HostJson,
    settings: &AppSettings,
) -> Result<Outcome, String> {
    if let Some(twin) = twin {
        return Err(format!(
            "the folders {twin:?} and {name:?} differ only by the case of their letters, but function names are compared without it: rename one"
        ));
    }
    if !is_function_name(name) {
        return Err(format!(
            "{name:?} is no function name; allowed: 1 to 128 letters, digits, _ and -, first a letter, and not \"host\""
        ));
    }
    let file = format!("{name}/function.json");
    let text = read(path).map_err(|error| format!("{file}: {error}"))?;
    function_json::read(name, &file, &text, host, settings).map_err(|error| error.to_string())
}

fn is_function_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-".contains(character))
        && !name.eq_ignore_ascii_case("host")
}

pub(super) fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > MOST {
        return Err(format!("is {size} bytes long; allowed: {MOST}"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}

/// Makes the functions `http-handler1..n` of an app that has routes in `host.json` and no `function.json` at all.
fn add_routes(app: &mut App, no_folders: bool, settings: &AppSettings) -> Result<(), SettingError> {
    let routes = app.host.custom_handler.routes.clone();
    if routes.is_empty() {
        return Ok(());
    }
    let error = |problem: String| SettingError {
        file: "host.json".to_owned(),
        key: "customHandler.http.routes".to_owned(),
        problem,
    };
    if !no_folders {
        return Err(error("cannot stand beside function folders; allowed: either".to_owned()));
    }
    for (index, route) in routes.iter().enumerate() {
        let name = format!("http-handler{}", index + 1);
        let text = serde_json::json!({"bindings": [
            {"type": "httpTrigger", "name": "req", "direction": "in", "route": route},
            {"type": "http", "name": "res", "direction": "out"},
        ]});
        if let Outcome::Enabled(function) =
            function_json::read(&name, "host.json", &text.to_string(), &app.host, settings)?
        {
            app.functions.push(*function);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{RetryDelay, Trigger};

    const HOST: &str =
        r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}"#;
    const TIMER: &str = r#"{"bindings":[{"type":"TIMERTRIGGER","name":"timer","schedule":"%WHEN%"}]}"#;

    fn app(host: &str, functions: &[(&str, &str)]) -> Result<App, SettingError> {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("host.json"), host).unwrap();
        for (name, text) in functions {
            std::fs::create_dir(root.path().join(name)).unwrap();
            std::fs::write(root.path().join(name).join("function.json"), text).unwrap();
        }
        let settings = [
            ("WHEN".to_owned(), "0 */5 * * * *".to_owned()),
            ("AzureWebJobs.off.Disabled".to_owned(), "true".to_owned()),
        ];
        load(root.path(), &AppSettings::new(settings.into(), false))
    }

    #[test]
    fn a_root_without_host_json_is_named() {
        let root = tempfile::tempdir().unwrap();
        let error = load(root.path(), &AppSettings::default()).unwrap_err().to_string();
        assert!(error.contains("host.json") && error.contains(&root.path().display().to_string()), "{error}");
    }

    #[test]
    fn a_faulty_function_is_in_error_alone() {
        let app = app(
            HOST,
            &[
                ("good", TIMER),
                ("off", TIMER),
                ("bad-json", "{"),
                ("bad-type", r#"{"bindings":[{"type":"faxTrigger","name":"fax"}]}"#),
                ("bad name", TIMER),
                ("host", TIMER),
                ("unset", r#"{"bindings":[{"type":"serviceBusTrigger","name":"m","queueName":"%NO_SUCH%"}]}"#),
                ("two", r#"{"bindings":[{"type":"eventGridTrigger","name":"a"},{"type":"eventGridTrigger","name":"b"}]}"#),
                ("methods", r#"{"bindings":[{"type":"httpTrigger","name":"req","methods":["fetch"]}]}"#),
                ("cron", r#"{"bindings":[{"type":"timerTrigger","name":"t","schedule":"every day"}]}"#),
            ],
        )
        .unwrap();
        assert_eq!(app.functions.iter().map(|function| function.name.as_str()).collect::<Vec<_>>(), ["good"]);
        assert_eq!(app.disabled, ["off"]);
        for (name, words) in [
            ("bad-json", "bad-json/function.json: line 1: is not JSON"),
            (
                "bad-type",
                "bad-type/function.json: bindings[0].type: \"faxTrigger\" is no known binding type; allowed: ",
            ),
            ("bad name", "no function name"),
            ("host", "not \"host\""),
            ("unset", "unset/function.json: bindings[0].queueName: the app setting \"NO_SUCH\" is not set"),
            ("two", "exactly one"),
            ("methods", "allowed: get, post"),
            ("cron", "six-field"),
        ] {
            let broken = app.broken.iter().find(|broken| broken.name == name).unwrap();
            assert!(broken.error.contains(words), "{}", broken.error);
        }
    }

    #[test]
    fn names_that_differ_only_by_case_are_told_apart_in_words() {
        let app = app(HOST, &[("job", TIMER), ("Job", TIMER)]).unwrap();
        assert_eq!(app.functions.len(), 1);
        assert!(
            app.broken[0].error.contains("\"Job\" and \"job\" differ only by the case"),
            "{}",
            app.broken[0].error
        );
    }

    #[test]
    fn a_functions_own_retry_policy_comes_first() {
        let host = HOST.replace(
            "\"2.0\",",
            r#""2.0","retry":{"strategy":"fixedDelay","maxRetryCount":1,"delayInterval":"00:00:01"},"#,
        );
        let own = TIMER.replace(
            "{\"bindings\"",
            r#"{"retry":{"strategy":"fixedDelay","maxRetryCount":4,"delayInterval":"00:00:02"},"bindings""#,
        );
        let app = app(&host, &[("general", TIMER), ("special", &own)]).unwrap();
        let counts: Vec<_> =
            app.functions.iter().map(|function| function.retry.as_ref().unwrap().most).collect();
        assert_eq!(counts, [Some(1), Some(4)]);
        assert_eq!(
            app.functions[1].retry.as_ref().unwrap().delay,
            RetryDelay::Fixed(std::time::Duration::from_secs(2))
        );
    }

    #[test]
    fn routes_make_functions_only_without_folders() {
        let host = HOST.replace(
            "{\"description\"",
            r#"{"http":{"routes":[{"route":"a/{*rest}"},{"route":"b"}]},"description""#,
        );
        let names: Vec<_> =
            app(&host, &[]).unwrap().functions.into_iter().map(|function| function.name).collect();
        assert_eq!(names, ["http-handler1", "http-handler2"]);
        assert!(app(&host, &[("job", TIMER)]).unwrap_err().to_string().contains("customHandler.http.routes"));
    }

    #[test]
    fn a_property_in_another_case_is_found() {
        let text =
            r#"{"Bindings":[{"Type":"httpTrigger","Name":"req","Route":"jobs/{id:int}","Methods":["GET"]}]}"#;
        let app = app(HOST, &[("jobs", text)]).unwrap();
        let Trigger::Http(http) = &app.functions[0].trigger else { panic!("not HTTP") };
        assert_eq!(http.methods, ["GET"]);
        assert!(http.route.matches("/api/jobs/7").is_some());
    }
}
