//! Finds the Bicep compiler. It never installs it, since no registry of a build machine serves it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::tools::faketime;

/// Names the compiler when it is in no usual place.
const VARIABLE: &str = "BICEP";
/// Variables that `azd` or a person sets and parameter files read. Without them a file's defaults hold, of which the
/// snapshots are committed.
const OF_AZD: [&str; 3] = ["AZURE_ENV_NAME", "AZURE_LOCATION", "STAGE"];
/// Where a parameter file is evaluated; no such subscription exists.
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// A compiler that starts.
pub struct Bicep {
    program: PathBuf,
    /// The environment that moves its clock.
    clock: faketime::Environment,
}

/// The scope for which a parameter file is evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The resource group; none for a whole subscription.
    pub resource_group: Option<&'static str>,
    /// The region of the deployment.
    pub location: &'static str,
}

impl Bicep {
    /// Looks at `$BICEP`, PATH and where `az bicep install` puts it; otherwise says in words how to get it.
    pub fn find() -> Result<Self, String> {
        let named = std::env::var_os(VARIABLE).map(PathBuf::from);
        let installed = std::env::home_dir().map(|home| home.join(".azure").join("bin").join("bicep"));
        let candidates = match named {
            Some(named) => vec![named],
            None => [Some(PathBuf::from("bicep")), installed].into_iter().flatten().collect(),
        };
        let starts = |program: &PathBuf| {
            Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
        };
        candidates.into_iter().find(starts).map(|program| Self { program, clock: Vec::new() }).ok_or_else(
            || format!("there is no Bicep compiler; run `az bicep install`, or set {VARIABLE} to one"),
        )
    }

    /// The same compiler with its clock ahead; otherwise says in words why there is none.
    pub fn ahead(&self, days: u32) -> Result<Self, String> {
        Ok(Self { program: self.program.clone(), clock: faketime::ahead(days)? })
    }

    /// Everything that the compiler has to say about the files that end in `extension` below a folder, as
    /// `file:line: code text`, in one run.
    pub fn lint(&self, folder: &Path, extension: &str) -> Result<Vec<String>, String> {
        let pattern = pattern(folder, extension);
        let output =
            self.run(&["lint", "--pattern", &pattern, "--no-restore", "--diagnostics-format", "sarif"], &[])?;
        diagnostics(&String::from_utf8_lossy(&output.stdout))
            .ok_or_else(|| format!("`bicep lint` said nothing readable: {}", words(&output)))
    }

    /// Formats the files that end in `extension` below a folder.
    pub fn format(&self, folder: &Path, extension: &str) -> Result<(), String> {
        let pattern = pattern(folder, extension);
        let options = ["format", "--pattern", &pattern, "--newline-kind", "LF", "--insert-final-newline"];
        let output = self.run(&options, &[])?;
        if output.status.success() && output.stderr.is_empty() { Ok(()) } else { Err(words(&output)) }
    }

    /// The template, or the parameters, as JSON. A diagnostic on stderr is an error here.
    pub fn build(&self, file: &Path) -> Result<Value, String> {
        let is_template = file.extension().is_some_and(|extension| extension == "bicep");
        let command = if is_template { "build" } else { "build-params" };
        let output = self.run(&[command, &file.to_string_lossy(), "--stdout"], &[])?;
        if !output.status.success() || !output.stderr.is_empty() {
            return Err(words(&output));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| format!("`bicep {command}`: {error}"))
    }

    /// Evaluates a parameter file without Azure and compares the resources with the committed snapshot (`validate`),
    /// or writes it (`overwrite`).
    pub fn snapshot(
        &self,
        file: &Path,
        mode: &str,
        place: Place,
        environment: &[(&str, &str)],
    ) -> Result<(), String> {
        let file = file.to_string_lossy();
        let mut options = vec!["snapshot", &*file, "--mode", mode];
        options.extend(["--subscription-id", SUBSCRIPTION, "--location", place.location]);
        if let Some(group) = place.resource_group {
            options.extend(["--resource-group", group]);
        }
        let output = self.run(&options, environment)?;
        if output.status.success() && output.stderr.is_empty() { Ok(()) } else { Err(words(&output)) }
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Output, String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).envs(self.clock.iter().cloned());
        for name in OF_AZD {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied()).env("NO_COLOR", "1");
        command.output().map_err(|error| format!("bicep did not start: {error}"))
    }
}

/// The output of a run, on either stream.
fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    format!("{}\n{}", text(&output.stderr), text(&output.stdout)).trim().to_owned()
}

fn pattern(folder: &Path, extension: &str) -> String {
    format!("{}/**/*.{extension}", folder.to_string_lossy())
}

/// Reads SARIF, one document after another; `None` when there is none or something else.
fn diagnostics(sarif: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut documents = 0;
    for document in serde_json::Deserializer::from_str(sarif).into_iter::<Value>() {
        let document = document.ok()?;
        found.extend(document["runs"][0]["results"].as_array()?.iter().map(line));
        documents += 1;
    }
    (documents > 0).then_some(found)
}

fn line(result: &Value) -> String {
    let place = &result["locations"][0]["physicalLocation"];
    let file = place["artifactLocation"]["uri"].as_str().unwrap_or_default();
    let file = file.rsplit_once("/infra/").map_or(file, |(_, rest)| rest);
    let code = result["ruleId"].as_str().unwrap_or_default();
    let text = result["message"]["text"].as_str().unwrap_or_default();
    format!("{file}:{}: {code} {text}", place["region"]["startLine"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_read_with_its_place() {
        let sarif = r#"{"runs":[{"results":[{"ruleId":"BCP089","message":{"text":"no such property"},"locations":
            [{"physicalLocation":{"artifactLocation":{"uri":"file:///x/infra/modules/a.bicep"},"region":{"startLine":8}}}]}]}]}"#;
        let none = r#"{"runs":[{"results":[]}]}"#;
        assert_eq!(
            diagnostics(&format!("{none}{sarif}")).unwrap(),
            ["modules/a.bicep:8: BCP089 no such property"]
        );
        assert_eq!(diagnostics(r#"{"runs":[{"results":[]}]}"#).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_sarif_is_not_taken_for_no_diagnostics() {
        assert_eq!(diagnostics(""), None);
        assert_eq!(diagnostics("{}"), None);
        assert_eq!(diagnostics("{\"runs\":[{\"results\":[]}]} and more"), None);
    }
}
