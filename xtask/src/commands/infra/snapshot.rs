//! A snapshot: the resources that a parameter file would create, as `bicep snapshot` evaluates them.

use std::path::Path;

use serde_json::Value;

/// A snapshot that was read.
pub struct Snapshot {
    /// As it is on disk.
    pub text: String,
    /// The resources.
    pub resources: Vec<Value>,
}

impl Snapshot {
    /// The snapshot beside a parameter file.
    pub fn read(infra: &Path, parameter_file: &str) -> Result<Self, String> {
        let path = infra.join(parameter_file).with_extension("snapshot.json");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(text).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Reads one. One without resources is an error: it would keep every rule.
    pub fn parse(text: String) -> Result<Self, String> {
        let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let resources = value["predictedResources"].as_array().cloned().unwrap_or_default();
        if resources.is_empty() {
            return Err("there is no resource in it".to_owned());
        }
        Ok(Self { text, resources })
    }

    /// The resources of a type.
    pub fn of_type(&self, resource_type: &str) -> impl Iterator<Item = &Value> {
        self.resources.iter().filter(move |resource| kind(resource).eq_ignore_ascii_case(resource_type))
    }
}

/// `Microsoft.X/y/z`.
pub fn kind(resource: &Value) -> &str {
    resource["type"].as_str().unwrap_or_default()
}

/// The ARM id.
pub fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap_or_default()
}

/// The name, with those of its parents before it.
pub fn name(resource: &Value) -> &str {
    resource["name"].as_str().unwrap_or_default()
}

/// The resource that an extension resource (a role assignment, a diagnostic setting) is on: its id up to the last
/// `/providers/`.
pub fn scope_of(resource: &Value) -> &str {
    id(resource).rsplit_once("/providers/").map_or("", |(scope, _)| scope)
}

/// `Microsoft.X/y/z` of an ARM id; `subscription` or `resource-group` for those.
pub fn kind_of_id(id: &str) -> String {
    let Some((_, path)) = id.rsplit_once("/providers/") else {
        return if id.contains("/resourceGroups/") { "resource-group" } else { "subscription" }.to_owned();
    };
    let mut parts = path.split('/');
    let provider = parts.next().unwrap_or_default().to_owned();
    let types: Vec<&str> = parts.step_by(2).collect();
    format!("{provider}/{}", types.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_snapshot_proves_nothing() {
        assert!(Snapshot::parse(r#"{"predictedResources":[]}"#.to_owned()).is_err());
        assert!(Snapshot::parse("{}".to_owned()).is_err());
    }

    #[test]
    fn the_type_of_a_scope_is_read_from_its_id() {
        for (id, expected) in [
            ("/subscriptions/s", "subscription"),
            ("/subscriptions/s/resourceGroups/r", "resource-group"),
            ("/subscriptions/s/resourceGroups/r/providers/P.P/a/1", "P.P/a"),
            ("/subscriptions/s/resourceGroups/r/providers/P.P/a/1/b/2", "P.P/a/b"),
        ] {
            assert_eq!(kind_of_id(id), expected);
        }
    }
}
