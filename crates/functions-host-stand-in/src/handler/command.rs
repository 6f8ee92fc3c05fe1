//! The command line and environment of the handler.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::app::{App, AppSettings, SettingError};

/// Variables that programs need to run at all; kept when the environment is cleared.
const BASIC: [&str; 7] = ["PATH", "HOME", "TMPDIR", "LANG", "TZ", "SystemRoot", "TEMP"];

/// How to start the handler.
#[derive(Debug, Clone)]
pub struct HandlerCommand {
    /// Path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Whether it gets nothing of this process's environment but the basics.
    pub clear_environment: bool,
    /// The app settings.
    pub settings: AppSettings,
    /// The app's root.
    pub root: PathBuf,
}

impl HandlerCommand {
    /// Finds the program that `host.json` names: in the app's root first, then in `PATH`.
    ///
    /// # Errors
    /// There is none, or it cannot be executed.
    pub fn resolve(
        app: &App,
        settings: &AppSettings,
        executable: Option<&Path>,
        clear_environment: bool,
    ) -> Result<Self, SettingError> {
        let handler = &app.host.custom_handler;
        let error = |key: &str, problem: String| SettingError {
            file: "host.json".to_owned(),
            key: format!("customHandler.description.{key}"),
            problem,
        };
        let program = match executable {
            Some(executable) => std::path::absolute(executable).unwrap_or_else(|_| executable.to_owned()),
            None => {
                let named = settings.expand(&handler.executable);
                find(&app.root, &named).ok_or_else(|| {
                    let root = app.root.display();
                    error(
                        "defaultExecutablePath",
                        format!("{named:?} is neither a file in {root} nor a program in PATH"),
                    )
                })?
            }
        };
        if !is_executable(&program) {
            let is_file = program.is_file();
            let program = program.display();
            let problem = if is_file {
                format!("{program} is not executable: chmod +x {program}")
            } else {
                format!("{program} is not a file")
            };
            return Err(error("defaultExecutablePath", problem));
        }
        let directory = app.root.join(settings.expand(&handler.working_directory));
        if !directory.is_dir() {
            return Err(error("workingDirectory", format!("{} is not a folder", directory.display())));
        }
        Ok(Self {
            program,
            arguments: handler.arguments.iter().map(|argument| settings.expand(argument)).collect(),
            directory,
            clear_environment,
            settings: settings.clone(),
            root: app.root.clone(),
        })
    }

    /// The environment beside what is inherited.
    pub(super) fn environment(&self, port: u16, worker: Uuid) -> Vec<(String, String)> {
        let mut variables: Vec<(String, String)> = Vec::new();
        if self.clear_environment {
            let basic = BASIC.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
            variables.extend(basic);
        }
        variables.extend(self.settings.iter().map(|(name, value)| (name.clone(), value.clone())));
        let own = [
            ("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
            ("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", worker.to_string()),
            ("FUNCTIONS_HTTPWORKER_PORT", port.to_string()),
            ("FUNCTIONS_HTTPWORKER_ID", worker.to_string()),
            ("FUNCTIONS_APP_ROOT_PATH", self.root.display().to_string()),
            ("FUNCTIONS_WORKER_RUNTIME", "custom".to_owned()),
        ];
        variables.extend(own.map(|(name, value)| (name.to_owned(), value)));
        variables
    }
}

fn find(root: &Path, named: &str) -> Option<PathBuf> {
    let inside = root.join(named);
    if inside.is_file() {
        return Some(std::path::absolute(&inside).unwrap_or(inside));
    }
    if named.contains(['/', '\\']) {
        return None;
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(named)).find(|file| file.is_file())
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
