"""azure-mgmt-deviceregistry 1.2.0b1: credential policies, and the sync of them."""

import pytest
import signing
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.mgmt.deviceregistry import DeviceRegistryMgmtClient
from azure.mgmt.iothub import IotHubClient
from conftest import GROUP, NAMESPACE, PLAIN, POLLED, policy_id


@pytest.fixture
def registry(simulator):
    return simulator.client(DeviceRegistryMgmtClient)


@pytest.fixture
def subjects(simulator):
    """Subjects of the certificates on a hub, by policy."""
    hubs = simulator.client(IotHubClient)

    def of(hub):
        certificates = hubs.certificates.list_by_iot_hub(GROUP, hub, **PLAIN).value
        return {one.properties["PolicyResourceId"]: one.properties.subject for one in certificates
                if "PolicyResourceId" in one.properties}

    return of


def authority(registry, name):
    policy = registry.policies.get(GROUP, NAMESPACE, name, **PLAIN)
    return policy.properties.certificate.certificate_authority_configuration


def test_policies_are_listed_over_all_pages(registry):
    names = [one.name for one in registry.policies.list_by_resource_group(GROUP, NAMESPACE, **PLAIN)]
    assert sorted(names) == ["mixers", "ovens", "own-root"]


def test_a_policy_shows_its_issuing_ca_and_what_it_issues(registry):
    policy = registry.policies.get(GROUP, NAMESPACE, "ovens", **PLAIN)
    assert policy.id == policy_id("ovens")
    issuing = policy.properties.certificate.certificate_authority_configuration
    assert issuing.subject.startswith("CN=") and issuing.key_type == "ECC"
    assert issuing.validity_not_before < issuing.validity_not_after
    assert policy.properties.certificate.leaf_certificate_configuration.validity_period_in_days == 30


def test_a_policy_is_created_changed_and_deleted(registry):
    body = {"properties": {"certificate": {"certificateAuthorityConfiguration": {"keyType": "ECC"},
                                           "leafCertificateConfiguration": {"validityPeriodInDays": 12}}}}
    made = registry.policies.begin_create_or_update(GROUP, NAMESPACE, "racks", body, **POLLED).result()
    assert made.properties.provisioning_state == "Succeeded"
    patch = {"properties": {"certificate": {"leafCertificateConfiguration": {"validityPeriodInDays": 13}}}}
    changed = registry.policies.begin_update(GROUP, NAMESPACE, "racks", patch, **POLLED).result()
    assert changed.properties.certificate.leaf_certificate_configuration.validity_period_in_days == 13
    registry.policies.begin_delete(GROUP, NAMESPACE, "racks", **POLLED).result()
    names = [one.name for one in registry.policies.list_by_resource_group(GROUP, NAMESPACE, **PLAIN)]
    assert "racks" not in names


def test_a_body_that_does_not_do_is_refused(registry):
    body = {"properties": {"certificate": {"leafCertificateConfiguration": {"validityPeriodInDays": 91}}}}
    with pytest.raises(HttpResponseError) as error:
        registry.policies.begin_create_or_update(GROUP, NAMESPACE, "racks", body, **POLLED)
    assert error.value.status_code == 400 and "validityPeriodInDays" in error.value.message


def test_a_sync_brings_every_policy_to_every_hub_that_it_reaches(registry, subjects):
    assert subjects("bakery-south") == {}
    poller = registry.credentials.begin_synchronize(GROUP, NAMESPACE, **POLLED)
    assert poller.result() is None and poller.status() == "Succeeded"
    expected = {policy_id(name): authority(registry, name).subject for name in ("ovens", "mixers")}
    assert subjects("bakery-south") == expected
    assert subjects("bakery-lab") == {}, "its link has failed"


def test_a_second_sync_while_one_runs_is_a_conflict(registry):
    registry.credentials.begin_synchronize(GROUP, NAMESPACE, polling=False, **PLAIN)
    with pytest.raises(ResourceExistsError) as error:
        registry.credentials.begin_synchronize(GROUP, NAMESPACE, polling=False, **PLAIN)
    assert error.value.status_code == 409 and error.value.error.code == "Conflict"


def test_a_failed_operation_is_taken_for_success_by_this_client(simulator, registry):
    """Which is why Policysync reads the body, and the hubs."""
    simulator.fail({"path": "*/operationStatuses/*", "status": 200, "body": {"status": "Failed", "error": {"code": "X"}}})
    poller = registry.credentials.begin_synchronize(GROUP, NAMESPACE, **POLLED)
    assert poller.result() is None and poller.status() == "Succeeded"


def test_an_operation_that_ends_with_an_error_status_raises(simulator, registry):
    refusal = {"error": {"code": "HubUnreachable", "message": "No way."}}
    simulator.fail({"path": "*/operationStatuses/*", "status": 400, "body": refusal})
    with pytest.raises(HttpResponseError) as error:
        registry.credentials.begin_synchronize(GROUP, NAMESPACE, **POLLED).result()
    assert error.value.error.code == "HubUnreachable"


def test_revoking_the_issuer_rotates_it_and_the_hubs_follow(registry, subjects):
    before = authority(registry, "ovens").subject
    assert registry.policies.begin_revoke_issuer(GROUP, NAMESPACE, "ovens", **POLLED).result() is None
    after = authority(registry, "ovens").subject
    assert after != before
    assert subjects("bakery-north")[policy_id("ovens")] == after


def test_a_root_of_ones_own_is_signed_activated_and_synced(registry, subjects):
    own = authority(registry, "own-root").bring_your_own_root
    assert (own.enabled, own.status) == (True, "PendingActivation")
    chain = {"certificateChain": signing.chain(own.certificate_signing_request)}
    registry.policies.begin_activate_bring_your_own_root(GROUP, NAMESPACE, "own-root", chain, **POLLED).result()
    active = authority(registry, "own-root").bring_your_own_root
    assert active.status == "Active" and active.issuing_certificate_thumbprint
    assert policy_id("own-root") not in subjects("bakery-north"), "activation is not a sync"
    registry.credentials.begin_synchronize(GROUP, NAMESPACE, **POLLED).result()
    assert policy_id("own-root") in subjects("bakery-north")
    with pytest.raises(HttpResponseError) as error:
        registry.policies.begin_revoke_issuer(GROUP, NAMESPACE, "own-root", **POLLED).result()
    assert error.value.error.code == "PolicyRevokeNotAllowedForBringYourOwnRoot"


@pytest.mark.parametrize("options, code", [({"client_auth": False}, "InvalidPropertyValue"), ({"days": 364}, "CertificateExpiringSoon")])
def test_a_chain_that_does_not_do_is_refused_and_nothing_changes(registry, options, code):
    before = authority(registry, "own-root").bring_your_own_root.as_dict()
    chain = {"certificateChain": signing.chain(before["certificateSigningRequest"], **options)}
    with pytest.raises(HttpResponseError) as error:
        registry.policies.begin_activate_bring_your_own_root(GROUP, NAMESPACE, "own-root", chain, **POLLED).result()
    assert (error.value.status_code, error.value.error.code) == (400, code)
    assert authority(registry, "own-root").bring_your_own_root.as_dict() == before


def test_a_root_of_ones_own_is_renewed_and_synced_again(simulator, registry, subjects):
    def activate():
        request = authority(registry, "own-root").bring_your_own_root.certificate_signing_request
        chain = {"certificateChain": signing.chain(request)}
        registry.policies.begin_activate_bring_your_own_root(GROUP, NAMESPACE, "own-root", chain, **POLLED).result()
        registry.credentials.begin_synchronize(GROUP, NAMESPACE, **POLLED).result()

    activate()
    before = subjects("bakery-north")[policy_id("own-root")]
    simulator.control("POST", "renew", {"id": policy_id("own-root")})
    assert authority(registry, "own-root").bring_your_own_root.status == "ActiveButPendingRenewal"
    assert subjects("bakery-north")[policy_id("own-root")] == before
    activate()
    assert authority(registry, "own-root").bring_your_own_root.status == "Active"
    assert subjects("bakery-north")[policy_id("own-root")] != before
