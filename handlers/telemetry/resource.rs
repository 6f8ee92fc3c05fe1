//! The sender: the attributes that all telemetry carries, read from variables that App Service and Functions set.
//!
//! `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win over these when they are set.

use ambient::Ambient;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, ResourceDetector, TelemetryResourceDetector};

/// Builds the resource from a set of variables.
pub fn resource(variable: &dyn Fn(&str) -> Option<String>, ambient: &Ambient) -> Resource {
    let read = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    // Flex Consumption names the container and not the instance.
    let instance = read("WEBSITE_INSTANCE_ID").or_else(|| read("CONTAINER_NAME"));
    let mut attributes = vec![
        KeyValue::new("service.name", "policysync"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance.clone().unwrap_or_else(|| ambient.ulid().to_string())),
    ];
    if let Some(site) = read("WEBSITE_SITE_NAME") {
        attributes.push(KeyValue::new("cloud.provider", "azure"));
        attributes.push(KeyValue::new("cloud.platform", "azure.functions"));
        attributes.extend(resource_id(&read, &site).map(|id| KeyValue::new("cloud.resource_id", id)));
        attributes.push(KeyValue::new("faas.name", site));
        attributes.extend(instance.map(|instance| KeyValue::new("faas.instance", instance)));
        for (name, variable) in
            [("cloud.region", "REGION_NAME"), ("faas.version", "FUNCTIONS_EXTENSION_VERSION")]
        {
            attributes.extend(read(variable).map(|value| KeyValue::new(name, value)));
        }
    }
    let mut resource = Resource::builder_empty().with_attributes(attributes);
    let detectors: [Box<dyn ResourceDetector>; 2] =
        [Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())];
    resource = resource.with_detectors(&detectors);
    // The detector of the crate leaves this variable out.
    if let Some(name) = read("OTEL_SERVICE_NAME") {
        resource = resource.with_service_name(name);
    }
    resource.build()
}

/// The ARM id of the app. `WEBSITE_OWNER_NAME` is `<subscription>+<plan's resource group and region>`.
fn resource_id(read: &dyn Fn(&str) -> Option<String>, site: &str) -> Option<String> {
    let owner = read("WEBSITE_OWNER_NAME")?;
    let (subscription, _) = owner.split_once('+')?;
    let group = read("WEBSITE_RESOURCE_GROUP")?;
    Some(format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/sites/{site}"))
}

#[cfg(test)]
mod tests {
    use opentelemetry::Key;

    use super::*;

    fn attribute(resource: &Resource, name: &'static str) -> Option<String> {
        resource.get(&Key::from_static_str(name)).map(|value| value.to_string())
    }

    #[test]
    fn on_azure_it_says_which_app_and_instance_it_is() {
        let variable = |name: &str| {
            let value = match name {
                "WEBSITE_SITE_NAME" => "func-policysync",
                "WEBSITE_OWNER_NAME" => "6f1c2a94+rg-WestEuropewebspace-Linux",
                "WEBSITE_RESOURCE_GROUP" => "rg-policysync",
                "REGION_NAME" => "West Europe",
                "CONTAINER_NAME" => "0--abc",
                "FUNCTIONS_EXTENSION_VERSION" => "~4",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let resource = resource(&variable, &Ambient::of_system());
        for (name, value) in [
            ("service.name", "policysync"),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", "0--abc"),
            ("cloud.provider", "azure"),
            ("cloud.platform", "azure.functions"),
            ("cloud.region", "West Europe"),
            ("faas.name", "func-policysync"),
            ("faas.instance", "0--abc"),
            (
                "cloud.resource_id",
                "/subscriptions/6f1c2a94/resourceGroups/rg-policysync/providers/Microsoft.Web/sites/func-policysync",
            ),
        ] {
            assert_eq!(attribute(&resource, name).as_deref(), Some(value), "{name}");
        }
    }

    #[test]
    fn elsewhere_it_claims_no_cloud_and_every_process_is_an_instance() {
        let ambient = Ambient::of_system();
        let (one, two) = (resource(&|_| None, &ambient), resource(&|_| None, &ambient));
        assert_eq!(attribute(&one, "cloud.provider"), None);
        assert_ne!(attribute(&one, "service.instance.id"), attribute(&two, "service.instance.id"));
        let named = resource(&|name| (name == "OTEL_SERVICE_NAME").then(|| "fleet-a".to_owned()), &ambient);
        assert_eq!(attribute(&named, "service.name").as_deref(), Some("fleet-a"));
    }
}
