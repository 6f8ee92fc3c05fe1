//! Reads from the environment where telemetry goes, and collects complaints about wrong values.
//!
//! Telemetry never stops `serve`: a wrong value becomes a complaint, which is logged once, and the setting keeps its
//! default or is left out. The exporter itself reads headers, timeouts and compression of OTLP from the standard
//! variables.

use url::Url;

use super::application_insights::Ingestion;

/// Where telemetry goes.
#[derive(Debug, Default)]
pub struct Destinations {
    /// Whether traces go to a collector by OTLP.
    pub otlp_traces: bool,
    /// Whether metrics go to a collector by OTLP.
    pub otlp_metrics: bool,
    /// The Application Insights component that takes both.
    pub application_insights: Option<Ingestion>,
    /// One line for each value that is wrong, without any value that may be a secret.
    pub complaints: Vec<String>,
}

impl Destinations {
    /// Reads a set of variables. An empty one counts as absent.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut destinations = Self::default();
        if read("OTEL_SDK_DISABLED").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
            return destinations;
        }
        destinations.otlp_traces = destinations.takes_otlp(&read, "TRACES");
        destinations.otlp_metrics = destinations.takes_otlp(&read, "METRICS");
        if let Some(connection) = read("APPLICATIONINSIGHTS_CONNECTION_STRING") {
            let authentication = read("APPLICATIONINSIGHTS_AUTHENTICATION_STRING");
            match Ingestion::parse(&connection, authentication.as_deref()) {
                Ok(ingestion) => destinations.application_insights = Some(ingestion),
                Err(complaint) => destinations.complain(complaint.to_string()),
            }
        }
        destinations
    }

    fn takes_otlp(&mut self, read: &dyn Fn(&str) -> Option<String>, signal: &str) -> bool {
        let specific = |name: &str| format!("OTEL_EXPORTER_OTLP_{signal}_{name}");
        let chosen = |name: &str| {
            let specific = specific(name);
            let general = format!("OTEL_EXPORTER_OTLP_{name}");
            read(&specific).map(|value| (specific, value)).or_else(|| read(&general).map(|v| (general, v)))
        };
        let Some((name, endpoint)) = chosen("ENDPOINT") else { return false };
        let exporter = format!("OTEL_{signal}_EXPORTER");
        match read(&exporter).as_deref().map(str::trim) {
            Some("none") => return false,
            None | Some("otlp") => {}
            Some(other) => {
                self.complain(format!("{exporter}: there is no exporter `{}`, otlp is used", brief(other)));
            }
        }
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if !Url::parse(endpoint.trim()).is_ok_and(|url| is_http(&url)) {
            self.complain(format!("{name} is not an http or https URL; nothing is exported to it"));
            return false;
        }
        if let Some((name, protocol)) =
            chosen("PROTOCOL").filter(|(_, value)| value.trim() != "http/protobuf")
        {
            let protocol = brief(&protocol);
            self.complain(format!("{name}: `{protocol}` is not spoken, http/protobuf is used"));
        }
        true
    }

    /// Both signals may complain about the same variable.
    fn complain(&mut self, complaint: String) {
        if !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }
}

fn brief(value: &str) -> String {
    value.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Destinations {
        Destinations::from_variables(&|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_exported_unless_it_is_asked_for() {
        let destinations = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]);
        assert!(!destinations.otlp_traces && !destinations.otlp_metrics);
        assert!(destinations.application_insights.is_none() && destinations.complaints.is_empty());
    }

    #[test]
    fn each_signal_can_have_an_endpoint_of_its_own_or_none() {
        let both = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")]);
        assert!(both.otlp_traces && both.otlp_metrics);
        let traces = read(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://collector/v1/traces")]);
        assert!(traces.otlp_traces && !traces.otlp_metrics);
        let metrics = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ]);
        assert!(!metrics.otlp_traces && metrics.otlp_metrics);
        let off = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_SDK_DISABLED", "TRUE")]);
        assert!(!off.otlp_traces && !off.otlp_metrics);
    }

    #[test]
    fn what_makes_no_sense_is_complained_about_once_and_stops_nothing_else() {
        let odd = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_METRICS_EXPORTER", "prometheus"),
            ("APPLICATIONINSIGHTS_CONNECTION_STRING", "InstrumentationKey="),
        ]);
        assert!(odd.otlp_traces && odd.otlp_metrics && odd.application_insights.is_none());
        let complaints = odd.complaints.join("\n");
        assert_eq!(odd.complaints.len(), 3, "{complaints}");
        for name in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_METRICS_EXPORTER", "APPLICATIONINSIGHTS"] {
            assert!(complaints.contains(name), "{complaints}");
        }
        let wrong = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]);
        assert!(!wrong.otlp_traces && wrong.complaints.len() == 1, "{:?}", wrong.complaints);
    }
}
