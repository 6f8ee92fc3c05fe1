"""azure-mgmt-deviceregistry 1.2.0b1: namespaces and their credential."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.deviceregistry import DeviceRegistryMgmtClient
from conftest import GROUP, NAMESPACE, NAMESPACE_ID, PLAIN, POLLED


@pytest.fixture
def registry(simulator):
    return simulator.client(DeviceRegistryMgmtClient)


def test_a_namespace_is_read_and_found_in_both_lists(registry):
    namespace = registry.namespaces.get(GROUP, NAMESPACE, **PLAIN)
    assert namespace.id == NAMESPACE_ID
    assert namespace.properties.provisioning_state == "Succeeded"
    assert [one.name for one in registry.namespaces.list_by_resource_group(GROUP, **PLAIN)] == [NAMESPACE]
    assert [one.name for one in registry.namespaces.list_by_subscription(**PLAIN)] == [NAMESPACE]


def test_what_is_not_there_is_a_typed_error(registry):
    with pytest.raises(ResourceNotFoundError) as error:
        registry.namespaces.get(GROUP, "no-bakery", **PLAIN)
    assert error.value.error.code == "ResourceNotFound"


def test_a_namespace_gets_its_credential_and_a_policy_from_nothing(registry):
    place = {"location": "East US 2", "properties": {}}
    made = registry.namespaces.begin_create_or_replace(GROUP, "pastry", place, **POLLED).result()
    assert made.properties.provisioning_state == "Succeeded"
    with pytest.raises(ResourceNotFoundError):
        registry.credentials.get(GROUP, "pastry", **PLAIN)
    credential = registry.credentials.begin_create_or_update(GROUP, "pastry", place, **POLLED).result()
    assert (credential.name, credential.properties.provisioning_state) == ("default", "Succeeded")
    listed = registry.credentials.list_by_resource_group(GROUP, "pastry", **PLAIN)
    assert [one.name for one in listed] == ["default"]
    body = {"properties": {"certificate": {"leafCertificateConfiguration": {"validityPeriodInDays": 9}}}}
    registry.policies.begin_create_or_update(GROUP, "pastry", "eclairs", body, **POLLED).result()
    with pytest.raises(ResourceExistsError):
        registry.credentials.begin_delete(GROUP, "pastry", **POLLED).result()
    registry.policies.begin_delete(GROUP, "pastry", "eclairs", **POLLED).result()
    registry.credentials.begin_delete(GROUP, "pastry", **POLLED).result()
    with pytest.raises(ResourceNotFoundError):
        registry.credentials.get(GROUP, "pastry", **PLAIN)


def test_tags_of_a_credential_are_updated(registry):
    changed = registry.credentials.begin_update(GROUP, NAMESPACE, {"tags": {"shift": "night"}}, **POLLED).result()
    assert changed.tags == {"shift": "night"}


def test_an_api_version_that_is_not_offered_is_refused_with_those_that_are(simulator):
    registry = simulator.client(DeviceRegistryMgmtClient, api_version="2025-07-01-preview")
    with pytest.raises(HttpResponseError) as error:
        registry.namespaces.get(GROUP, NAMESPACE, **PLAIN)
    assert error.value.error.code == "InvalidApiVersionParameter"
    assert "2026-03-01-preview" in error.value.error.message
