"""Certificate authorities, their policies and the links of a namespace, by azure-mgmt-core's pager and poller."""

import pytest
import signing
from azure.core import rest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.iothub import IotHubClient
from conftest import GROUP, NAMESPACE_ID, PLAIN, authority_id

from registry import Registry

ISSUING = {"location": "East US 2", "properties": {"certificateAuthorityType": "ICA", "keyType": "ECC", "issuer": {
    "issuerType": "Microsoft", "certificateAuthorityResourceId": authority_id("bakery-root")}}}


@pytest.fixture
def registry(simulator):
    return Registry(simulator)


def origins(simulator, hub):
    certificates = simulator.client(IotHubClient).certificates.list_by_iot_hub(GROUP, hub, **PLAIN).value
    return [one.properties.certificate_authority_resource_id for one in certificates]


def code(error):
    return error.value.status_code, error.value.error.code


def test_authorities_are_listed_over_all_pages(registry):
    names = [one["name"] for one in registry.list(f"{NAMESPACE_ID}/certificateAuthorities")]
    assert names == ["bakery-ica", "bakery-root", "partner-ica"]


def test_an_issuing_ca_and_its_policy_are_made_and_pushed(simulator, registry):
    made = registry.begin("PUT", authority_id("second-ica"), ISSUING).result()
    assert made["properties"]["provisioningState"] == "Succeeded" and made["properties"]["subject"]
    policy = {"properties": {"certificate": {"validityPeriodInDays": 30}}}
    path = f"{authority_id('second-ica')}/certificatePolicies/buns"
    assert registry.begin("PUT", path, policy).result()["properties"]["certificate"] == {"validityPeriodInDays": 30}
    simulator.advance(1)
    assert authority_id("second-ica") in origins(simulator, "bakery-south")
    assert origins(simulator, "bakery-lab") == []


def test_the_limits_hold(registry):
    policy = {"properties": {"certificate": {"validityPeriodInDays": 30}}}
    with pytest.raises(HttpResponseError) as error:
        registry.begin("PUT", f"{authority_id('bakery-root')}/certificatePolicies/buns", policy)
    assert code(error) == (409, "PolicyRequiresIssuingCa")
    with pytest.raises(HttpResponseError) as error:
        registry.begin("PUT", f"{authority_id('bakery-ica')}/certificatePolicies/buns", policy)
    assert error.value.status_code == 409
    registry.begin("PUT", authority_id("third-ica"), ISSUING).result()
    with pytest.raises(HttpResponseError) as error:
        registry.begin("PUT", authority_id("fourth-ica"), ISSUING)
    assert error.value.status_code == 409


def test_an_external_ca_is_signed_and_activated(simulator, registry):
    issuer = registry.get(authority_id("partner-ica"))["properties"]["issuer"]
    assert issuer["status"] == "PendingActivation"
    chain = {"certificateChain": signing.chain(issuer["certificateSigningRequest"])}
    with pytest.raises(HttpResponseError) as error:
        registry.begin("POST", f"{authority_id('bakery-ica')}/activate", chain)
    assert error.value.status_code == 400, "only an external one is activated"
    registry.begin("POST", f"{authority_id('partner-ica')}/activate", chain).result()
    issuer = registry.get(authority_id("partner-ica"))["properties"]["issuer"]
    assert issuer["status"] == "Active" and issuer["thumbprint"]
    simulator.advance(1)
    assert authority_id("partner-ica") in origins(simulator, "bakery-north")


def test_a_ca_is_revoked_and_rotated_and_then_deleted(registry):
    before = registry.get(authority_id("bakery-ica"))["properties"]["subject"]
    registry.begin("POST", f"{authority_id('bakery-ica')}/revokeAndRotate").result()
    assert registry.get(authority_id("bakery-ica"))["properties"]["subject"] != before
    with pytest.raises(HttpResponseError):
        registry.begin("DELETE", authority_id("bakery-ica"))
    registry.begin("DELETE", f"{authority_id('bakery-ica')}/certificatePolicies/trays").result()
    registry.begin("DELETE", authority_id("bakery-ica")).result()
    with pytest.raises(HttpResponseError) as error:
        registry.get(authority_id("bakery-ica"))
    assert code(error) == (404, "ResourceNotFound")


def test_a_namespace_lists_its_links_and_makes_one(registry):
    namespace = registry.get(NAMESPACE_ID)
    endpoints = namespace["properties"]["messaging"]["endpoints"]
    assert endpoints["bakery-lab"]["linkingError"]["code"] == "AdrMiNotAuthorized"
    assert namespace["properties"]["provisioning"]["endpoints"]["bakery-dps"]["linkingState"] == "Succeeded"
    office = NAMESPACE_ID.replace("Microsoft.DeviceRegistry/namespaces/bakery", "Microsoft.Devices/IotHubs/bakery-office")
    endpoints["office"] = {"endpointType": "Microsoft.Devices/IotHubs", "resourceId": office,
                           "inboundCallerIdentity": {"type": "SystemAssigned"}}
    written = registry.begin("PUT", NAMESPACE_ID, namespace).result()
    assert written["properties"]["provisioningState"] == "Succeeded"
    linked = registry.get(NAMESPACE_ID)["properties"]["messaging"]["endpoints"]
    assert linked["office"]["linkingState"] == "Succeeded"


def test_a_group_is_given_a_certificate_policy_by_three_members_or_none(simulator):
    provisioning = simulator.provisioning()

    def send(method, body=None):
        request = rest.HttpRequest(method, "enrollmentGroups/packing?api-version=2026-11-01", json=body)
        return provisioning.send_request(request)

    group = send("GET").json()
    group |= {"namespaceName": "bakery", "certificateAuthorityName": "bakery-ica"}
    assert send("PUT", group).status_code == 400
    group["certificatePolicyName"] = "trays"
    assert send("PUT", group).json()["certificatePolicyName"] == "trays"
    older = provisioning.enrollment_group.get("packing")
    assert "certificatePolicyName" not in older
    provisioning.enrollment_group.create_or_update("packing", older)
    assert "certificatePolicyName" not in send("GET").json(), "an older client clears it without a word"
