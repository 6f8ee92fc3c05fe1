"""azure-mgmt-iothub 5.0.0b4 and azure-mgmt-iothubprovisioningservices 1.2.0b3: links, and certificates on hubs."""

import datetime

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.iothub import IotHubClient
from azure.mgmt.iothubprovisioningservices import IotDpsClient
from conftest import GROUP, NAMESPACE_ID, PLAIN, policy_id


def test_hubs_are_listed_over_all_pages_and_name_their_namespace(simulator):
    hubs = simulator.client(IotHubClient).iot_hub_resource
    everything = list(hubs.list_by_subscription(**PLAIN))
    assert len(everything) == 4
    linked = {one.name for one in everything if one.properties.device_registry}
    assert linked == {"bakery-north", "bakery-south", "bakery-lab"}
    one = hubs.get(GROUP, "bakery-north", **PLAIN)
    assert one.properties.device_registry.namespace_resource_id == NAMESPACE_ID
    assert one.properties.host_name == "bakery-north.azure-devices.net"


def test_the_casing_that_was_seen_hides_the_policy_from_this_client(simulator):
    certificates = simulator.client(IotHubClient).certificates.list_by_iot_hub(GROUP, "bakery-north", **PLAIN).value
    own = [one.properties for one in certificates if "PolicyResourceId" in one.properties]
    assert {one["PolicyResourceId"] for one in own} == {policy_id("ovens"), policy_id("mixers")}
    assert all(one.policy_resource_id is None for one in own)


def test_the_casing_of_the_specification_shows_it(simulator_with):
    simulator = simulator_with("page_size = 2", 'page_size = 2\nhub_certificate_casing = "camel"')
    certificates = simulator.client(IotHubClient).certificates.list_by_iot_hub(GROUP, "bakery-north", **PLAIN).value
    named = {one.properties.policy_resource_id for one in certificates} - {None}
    assert named == {policy_id("ovens"), policy_id("mixers")}


def test_dates_of_a_certificate_are_read(simulator):
    certificates = simulator.client(IotHubClient).certificates
    one = certificates.list_by_iot_hub(GROUP, "bakery-north", **PLAIN).value[0]
    assert isinstance(one.properties.expiry, datetime.datetime) and one.properties.expiry > one.properties.created
    assert one.properties.is_verified is True
    again = certificates.get(GROUP, "bakery-north", one.name, **PLAIN)
    assert again.properties.thumbprint == one.properties.thumbprint


def test_a_certificate_goes_only_with_its_etag(simulator):
    certificates = simulator.client(IotHubClient).certificates
    one = certificates.list_by_iot_hub(GROUP, "bakery-north", **PLAIN).value[0]
    condition = {"match_condition": MatchConditions.IfNotModified, **PLAIN}
    with pytest.raises(HttpResponseError) as error:
        certificates.delete(GROUP, "bakery-north", one.name, etag="AAAAAAAAAAA=", **condition)
    assert error.value.status_code == 412
    certificates.delete(GROUP, "bakery-north", one.name, etag=one.etag, **condition)
    left = certificates.list_by_iot_hub(GROUP, "bakery-north", **PLAIN).value
    assert one.name not in [other.name for other in left]


def test_a_provisioning_service_names_its_namespace_and_its_hubs(simulator):
    # Not by `get`: in this release it forgets the subscription of its own path.
    services = simulator.client(IotDpsClient).iot_dps_resource
    (service,) = services.list_by_resource_group(GROUP, **PLAIN)
    assert service.properties.device_registry_namespace.resource_id == NAMESPACE_ID
    assert [one.name for one in service.properties.iot_hubs][0] == "bakery-north.azure-devices.net"
    assert service.properties.service_operations_host_name.endswith("/dps/bakery-dps")
    assert [one.name for one in services.list_by_subscription(**PLAIN)] == ["bakery-dps"]
