"""azure-iot-deviceprovisioning 1.0.0b1: enrollment groups.

This client speaks 2021-10-01, which knows no policies. `send_request` speaks any version.
"""

import pytest
from azure.core import rest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

GENERATION_A = "2025-07-01-preview"


@pytest.fixture
def provisioning(simulator):
    return simulator.provisioning()


def send(client, method, group, body=None):
    request = rest.HttpRequest(method, f"enrollmentGroups/{group}?api-version={GENERATION_A}", json=body)
    answer = client.send_request(request)
    answer.raise_for_status()
    return answer.json()


def test_a_group_is_read_without_its_keys(provisioning):
    group = provisioning.enrollment_group.get("oven-line")
    assert group["attestation"]["type"] == "symmetricKey"
    assert not group["attestation"]["symmetricKey"].get("primaryKey")
    assert group["initialTwin"]["tags"] == {"site": "north"}
    assert group["etag"].startswith('"')
    mechanism = provisioning.enrollment_group.get_attestation_mechanism("oven-line")
    assert mechanism["symmetricKey"]["primaryKey"] != mechanism["symmetricKey"]["secondaryKey"]


def test_a_query_follows_every_page(provisioning):
    groups = list(provisioning.enrollment_group.query({"query": "SELECT *"}))
    assert [one["enrollmentGroupId"] for one in groups] == ["oven-line", "packing", "tray-line"]
    one_by_one = list(provisioning.enrollment_group.query({"query": "SELECT *"}, top=1))
    assert one_by_one == groups


def test_a_write_with_a_stale_etag_is_refused(provisioning):
    group = provisioning.enrollment_group.get("packing")
    group["provisioningStatus"] = "disabled"
    written = provisioning.enrollment_group.create_or_update("packing", group, if_match=group["etag"])
    assert written["provisioningStatus"] == "disabled" and written["etag"] != group["etag"]
    with pytest.raises(HttpResponseError) as error:
        provisioning.enrollment_group.create_or_update("packing", group, if_match=group["etag"])
    assert error.value.status_code == 412


def test_keys_that_are_given_are_kept_and_keys_that_are_not_are_made_anew(provisioning):
    groups = provisioning.enrollment_group
    before = groups.get_attestation_mechanism("oven-line")
    whole = groups.get("oven-line")
    whole["attestation"] = before
    groups.create_or_update("oven-line", whole)
    assert groups.get_attestation_mechanism("oven-line") == before
    groups.create_or_update("oven-line", groups.get("oven-line"))
    assert groups.get_attestation_mechanism("oven-line") != before, "reading does not show them: the trap"


def test_a_new_group_is_made_and_deleted(provisioning):
    groups = provisioning.enrollment_group
    body = {"enrollmentGroupId": "night-line", "attestation": {"type": "symmetricKey"}}
    assert groups.create_or_update("night-line", body)["createdDateTimeUtc"]
    groups.delete("night-line")
    with pytest.raises(ResourceNotFoundError) as error:
        groups.get("night-line")
    assert error.value.response.json()["errorCode"] == 404201


def test_several_groups_in_one_call_are_judged_each_on_its_own(provisioning):
    body = {"enrollmentGroupId": "night-line", "attestation": {"type": "symmetricKey"}}
    taken = {"enrollmentGroupId": "packing", "attestation": {"type": "symmetricKey"}}
    answer = provisioning.enrollment_group.run_bulk_operation({"mode": "create", "enrollmentGroups": [body, taken]})
    assert answer["isSuccessful"] is False
    assert [one["enrollmentGroupId"] for one in answer["errors"]] == ["packing"]


def test_a_policy_is_assigned_and_an_older_client_clears_it_without_a_word(provisioning):
    group = send(provisioning, "GET", "packing")
    group["credentialPolicyName"] = "mixers"
    assert send(provisioning, "PUT", "packing", group)["credentialPolicyName"] == "mixers"
    older = provisioning.enrollment_group.get("packing")
    assert "credentialPolicyName" not in older
    provisioning.enrollment_group.create_or_update("packing", older)
    assert "credentialPolicyName" not in send(provisioning, "GET", "packing")
