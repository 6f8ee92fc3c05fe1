"""azure-mgmt-iothub 5.0.0b5 and azure-mgmt-iothubprovisioningservices 2.1.0: the links of a namespace, from the other end."""

from azure.mgmt.iothub import IotHubClient
from azure.mgmt.iothubprovisioningservices import IotDpsClient
from conftest import GROUP, NAMESPACE_ID, PLAIN, POLLED, authority_id


def certificates(simulator, hub):
    return simulator.client(IotHubClient).certificates.list_by_iot_hub(GROUP, hub, **PLAIN).value


def test_a_hub_shows_its_link_and_why_it_failed(simulator):
    hubs = simulator.client(IotHubClient).iot_hub_resource
    linked = hubs.get(GROUP, "bakery-north", **PLAIN).properties.device_registry
    assert linked.namespace_resource_id == NAMESPACE_ID and linked.namespace_uuid
    assert linked.linking_properties.state == "Success"
    broken = hubs.get(GROUP, "bakery-lab", **PLAIN).properties.device_registry.linking_properties
    assert (broken.state, broken.error.code) == ("Failed", "AdrMiNotAuthorized")
    assert hubs.get(GROUP, "bakery-office", **PLAIN).properties.device_registry is None


def test_a_certificate_names_its_certificate_authority(simulator):
    origins = [one.properties.certificate_authority_resource_id for one in certificates(simulator, "bakery-north")]
    assert [one for one in origins if one] == [authority_id("bakery-ica")]
    assert len(origins) == 3, "beside those of the credential policies"


def test_another_casing_hides_it_from_this_client(simulator_with):
    simulator = simulator_with("page_size = 2", 'page_size = 2\nhub_certificate_casing = "pascal"')
    found = [one.properties for one in certificates(simulator, "bakery-north")]
    assert all(one.certificate_authority_resource_id is None for one in found)
    assert [one["CertificateAuthorityResourceId"] for one in found if "CertificateAuthorityResourceId" in one]


def test_a_rotated_ca_arrives_by_itself_where_the_link_works(simulator):
    before = {one.name for one in certificates(simulator, "bakery-north")}
    simulator.rotate(authority_id("bakery-ica"))
    simulator.advance(1)
    arrived = {one.name for one in certificates(simulator, "bakery-north")} - before
    assert len(arrived) == 1, "under a new name"
    assert [one.properties.certificate_authority_resource_id for one in certificates(simulator, "bakery-south")] == [
        authority_id("bakery-ica")
    ]
    assert certificates(simulator, "bakery-lab") == []


def test_a_provisioning_service_lists_its_namespaces(simulator):
    services = simulator.client(IotDpsClient).iot_dps_resource
    service = services.get(provisioning_service_name="bakery-dps", resource_group_name=GROUP, **PLAIN)
    (namespace,) = service.properties.device_registry_namespaces
    assert namespace.resource_id == NAMESPACE_ID and namespace.namespace_uuid
    assert namespace.linking_state == "Succeeded"


def test_tags_are_written_and_read(simulator):
    services = simulator.client(IotDpsClient).iot_dps_resource
    tags = {"tags": {"again": "now"}}
    written = services.begin_update(GROUP, "bakery-dps", tags, **POLLED).result()
    assert written.tags == {"again": "now"}
