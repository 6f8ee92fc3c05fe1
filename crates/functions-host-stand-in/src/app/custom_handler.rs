//! The `customHandler` section of `host.json`: the program that answers, and how the host speaks to it.

use std::time::Duration;

use super::section::{Located, SettingError};

const MCP_PROFILE: &str = "mcp-custom-handler";

/// How the host starts the handler and speaks to it.
#[derive(Debug, Clone)]
pub struct CustomHandler {
    /// The program, `%NAME%` not yet replaced.
    pub executable: String,
    /// Where it runs, relative to the app's root.
    pub working_directory: String,
    /// Its arguments: `arguments`, `defaultWorkerPath`, `workerArguments`; `%NAME%` not yet replaced.
    pub arguments: Vec<String>,
    /// Whether plain HTTP functions get the client's request instead of an envelope.
    pub forwarding: bool,
    /// The same by a newer way, which wins.
    pub proxying: bool,
    /// How long it may take until it answers `GET /`. 30 seconds unless set.
    pub initialization_timeout: Duration,
    /// A fixed port instead of any free one.
    pub port: Option<u16>,
    /// Routes of HTTP functions for an app without any `function.json`.
    pub routes: Vec<String>,
    mcp: bool,
}

impl CustomHandler {
    pub(super) fn read(root: &Located<'_>) -> Result<Self, SettingError> {
        let mut section = root.section("customHandler")?;
        if !section.exists() {
            section = root.section("httpWorker")?;
        }
        if !section.exists() {
            let problem =
                "is missing; this host runs custom handlers only, so the section must name the program";
            return Err(root.error("customHandler.description.defaultExecutablePath", problem));
        }
        let description = section.section("description")?;
        let mut arguments = description.strings("arguments")?.unwrap_or_default();
        arguments.extend(description.string("defaultWorkerPath")?.filter(|path| !path.is_empty()));
        arguments.extend(description.strings("workerArguments")?.unwrap_or_default());
        let profiles = [("", false), ("default", false), (MCP_PROFILE, true)];
        let mcp = section.one_of("configurationProfile", &profiles)?.unwrap_or(false);
        let port = section.integer("port", 1, u16::MAX.into())?;
        let mut routes = Vec::new();
        for route in section.section("http")?.sections("routes")? {
            routes.push(route.required("route", "a route such as \"{*route}\"")?);
        }
        if mcp {
            routes = vec!["{*route}".to_owned()];
        }
        Ok(Self {
            executable: description.required("defaultExecutablePath", "the path of a program")?,
            working_directory: description.string("workingDirectory")?.unwrap_or_default(),
            arguments,
            forwarding: section.boolean("enableForwardingHttpRequest")?.unwrap_or(false),
            proxying: mcp || section.boolean("enableProxyingHttpRequest")?.unwrap_or(false),
            initialization_timeout: section
                .time_span("initializationTimeout")?
                .unwrap_or(Duration::from_secs(30)),
            port: port.and_then(|port| u16::try_from(port).ok()),
            routes,
            mcp,
        })
    }

    /// The route prefix that the configuration profile dictates.
    pub(super) fn route_prefix_override(&self) -> Option<&'static str> {
        self.mcp.then_some("")
    }
}
