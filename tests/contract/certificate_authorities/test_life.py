"""The whole life of certificate authorities. No published client speaks it: azure-mgmt-deviceregistry 1.2.0b1, the newest,
is of the generation before. So the bodies are the official examples, and the pipeline and the poller are Microsoft's."""

import pytest
import signing
from azure.core.exceptions import HttpResponseError
from azure.mgmt.iothub import IotHubClient
from conftest import GROUP, NAMESPACE_ID, PLAIN, authority_id
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from examples import Example, beside
from registry import Registry

LATER = ("/properties/subject", "/properties/validityNot")
PARTNER = authority_id("partner-ica")


@pytest.fixture
def registry(simulator):
    return Registry(simulator)


def code(error):
    return error.value.status_code, error.value.error.code


def request(registry, path=PARTNER):
    return registry.get(path)["properties"]["issuer"]["certificateSigningRequest"]


def thumbprints(simulator, authority, hub="bakery-north"):
    certificates = simulator.client(IotHubClient).certificates.list_by_iot_hub(GROUP, hub, **PLAIN).value
    own = [one.properties for one in certificates]
    return [one.thumbprint for one in own if one.certificate_authority_resource_id == authority]


def test_the_official_examples_lead_from_nothing_to_a_policy_and_back(registry):
    namespace = beside("patisserie")
    authorities = f"{namespace}/certificateAuthorities"
    registry.begin("PUT", namespace, {"location": "East US 2"}).result()

    def put(name, path, absent=()):
        example = Example(name, namespace)
        example.check(registry.send("PUT", path, example.body()), absent)
        example.check(registry.send("PUT", path, example.body()))

    put("CreateOrReplace_CertificateAuthority_Root", f"{authorities}/myrootca", LATER)
    put("CertificateAuthorities_CreateOrReplace_ICA", f"{authorities}/myica", LATER)
    # The example has a thumbprint before there is a certificate: `pending_thumbprint` of a fleet.
    external = Example("CreateOrReplace_CertificateAuthority_ICAExternalIssuer", namespace)
    unsigned = ("/properties/subject", "/properties/issuer")
    external.check(registry.send("PUT", f"{authorities}/myexternalica", external.body()), unsigned)
    shown = registry.send("PUT", f"{authorities}/myexternalica", external.body())
    external.check(shown, ("/properties/issuer/thumbprint",))
    # The examples have the policy below `myrootca`, where it is refused, and give it a location, which its type lacks.
    policy = f"{authorities}/myica/certificatePolicies/mycertificatepolicy"
    example = Example("CertificatePolicies_CreateOrReplace", namespace)
    for status in (201, 200):
        answer = registry.send("PUT", policy, example.body())
        assert answer.http_response.status_code == status
        example.check(answer, ("/location",))
    example = Example("Update_CertificatePolicy", namespace)
    changed = example.check(registry.send("PATCH", policy, example.body("properties")), ("/location", "/tags"))
    assert changed["properties"]["certificate"] == {"validityPeriodInDays": 60}

    listed = Example("List_CertificateAuthorities_ByNamespace", namespace).check(registry.send("GET", authorities))
    assert listed["nextLink"]
    policies = Example("List_CertificatePolicies_ByCertificateAuthority", namespace)
    policies.check(registry.send("GET", policy.rsplit("/", 1)[0]), ("/value/location",))

    example = Example("Activate_CertificateAuthority", namespace)
    chain = {"certificateChain": signing.chain(request(registry, f"{authorities}/myexternalica"))}
    assert example.body("body").keys() == chain.keys()
    example.check(registry.send("POST", f"{authorities}/myexternalica/activate", chain))
    assert registry.get(f"{authorities}/myexternalica")["properties"]["issuer"]["status"] == "Active"
    example = Example("RevokeAndRotate_CertificateAuthority", namespace)
    started = registry.send("POST", f"{authorities}/myica/revokeAndRotate")
    example.check(started)
    status = started.http_response.headers["location"]
    for kind in ("asyncOperationStatuses", "operationStatuses"):
        example = Example("Get_AsyncOperationStatus" if kind.startswith("async") else "Get_OperationStatus", namespace)
        example.check(registry.send("GET", status.replace("asyncOperationStatuses", kind)))

    removals = [("Delete_CertificatePolicy", policy)]
    removals += [("Delete_CertificateAuthority", f"{authorities}/{name}") for name in ("myica", "myexternalica", "myrootca")]
    for name, path in removals:
        with pytest.raises(HttpResponseError) as error:
            registry.send("DELETE", namespace)
        assert code(error) == (409, "NamespaceNotEmpty")
        example = Example(name, namespace)
        example.check(registry.send("DELETE", path))
        with pytest.raises(HttpResponseError) as error:
            registry.get(path)
        assert error.value.status_code == 404
    registry.begin("DELETE", namespace).result()


def test_the_official_examples_of_links(registry):
    place = NAMESPACE_ID.split("/providers/")[0] + "/providers/Microsoft.Devices"
    for name, section, endpoint, resource in [
        ("Update_Namespace_MessagingEndpoints", "messaging", "office", f"{place}/IotHubs/bakery-office"),
        ("Update_Namespace_ProvisioningEndpoints", "provisioning", "bakery-dps", f"{place}/provisioningServices/bakery-dps"),
    ]:
        example = Example(name, NAMESPACE_ID)
        body = example.body("properties")
        (first, *_) = body["properties"][section]["endpoints"].values()
        body["properties"][section]["endpoints"] = {endpoint: first | {"resourceId": resource}}
        example.check(registry.send("PATCH", NAMESPACE_ID, body))
        links = registry.get(NAMESPACE_ID)["properties"][section]["endpoints"]
        assert links[endpoint]["linkingState"] == "Succeeded"
    sparse = {"properties": {"messaging": {"endpoints": {"office": {"provisioning": {"availability": "Disabled"}}}}}}
    with pytest.raises(HttpResponseError) as error:
        registry.send("PATCH", NAMESPACE_ID, sparse)
    assert code(error) == (400, "InvalidRequestContent")


@pytest.mark.parametrize("options, expected", [
    ({"client_auth": False}, "InvalidPropertyValue"),
    ({"days": 364}, "CertificateExpiringSoon"),
    ({"key": "rsa", "digest": hashes.SHA256()}, "InvalidCertificateChain"),
    ({"name": x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Another")])}, "InvalidCertificateChain"),
])
def test_a_chain_that_does_not_do_is_refused_and_nothing_changes(registry, options, expected):
    if options.get("key") == "rsa":
        options = options | {"key": signing.rsa_key()}
    before = registry.get(PARTNER)
    with pytest.raises(HttpResponseError) as error:
        registry.begin("POST", f"{PARTNER}/activate", {"certificateChain": signing.chain(request(registry), **options)})
    assert code(error) == (400, expected)
    assert registry.get(PARTNER) == before


def test_a_chain_with_a_key_beside_it_is_refused_without_a_word_of_the_key(registry):
    key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    with pytest.raises(HttpResponseError) as error:
        registry.begin("POST", f"{PARTNER}/activate", {"certificateChain": signing.chain(request(registry)) + key})
    assert error.value.status_code == 400 and "c2VjcmV0" not in str(error.value)


@pytest.mark.parametrize("options", [
    {"root": False},
    {"key": ec.generate_private_key(ec.SECP521R1()), "digest": hashes.SHA512()},
    {"key": ec.generate_private_key(ec.SECP256R1()), "digest": hashes.SHA512()},
])
def test_other_chains_do_too(registry, options):
    chain = {"certificateChain": signing.chain(request(registry), **options)}
    registry.begin("POST", f"{PARTNER}/activate", chain).result()
    assert registry.get(PARTNER)["properties"]["issuer"]["status"] == "Active"


@pytest.mark.parametrize("end", ["status", "empty", "no-content"])
def test_the_poller_follows_each_end_of_an_operation(simulator, registry, end):
    simulator.control("PUT", "lifecycle", {"operation_end": end})
    before = registry.get(authority_id("bakery-ica"))["properties"]["subject"]
    poller = registry.begin("POST", f"{authority_id('bakery-ica')}/revokeAndRotate")
    poller.result()
    assert poller.status() == "Succeeded"
    assert registry.get(authority_id("bakery-ica"))["properties"]["subject"] != before


def test_a_failed_operation_raises_only_where_its_status_says_so(simulator, registry):
    rotate = f"{authority_id('bakery-ica')}/revokeAndRotate"
    for failure, raises in [("error-status", True), ("status", False), ("wrapped", False)]:
        simulator.control("PUT", "lifecycle", {"operation_failure": failure})
        simulator.control("POST", "operation-ends", {"id": authority_id("bakery-ica"), "code": "Quota"})
        poller = registry.begin("POST", rotate)
        if raises:
            with pytest.raises(HttpResponseError) as error:
                poller.result()
            assert error.value.error.code == "Quota"
        else:
            poller.result()
            assert poller.status() == "Succeeded", "this poller does not read the body"


def test_a_creation_that_fails_raises_and_the_next_write_heals_it(simulator, registry):
    path = authority_id("second-ica")
    body = {"location": "East US 2", "properties": {"certificateAuthorityType": "ICA", "keyType": "ECC",
                                                    "issuer": {"issuerType": "External"}}}
    simulator.control("POST", "operation-ends", {"id": path, "code": "Quota"})
    with pytest.raises(HttpResponseError) as error:
        registry.begin("PUT", path, body).result()
    assert error.value.error.code == "Quota"
    assert registry.get(path)["properties"]["provisioningState"] == "Failed"
    assert registry.begin("PUT", path, body).result()["properties"]["provisioningState"] == "Succeeded"


def test_the_service_renews_a_ca_and_both_certificates_are_trusted_meanwhile(simulator, registry):
    ica = authority_id("bakery-ica")
    before = thumbprints(simulator, ica)
    simulator.control("POST", "renew", {"id": ica})
    simulator.advance(1)
    both = thumbprints(simulator, ica)
    assert len(both) == 2 and before[0] in both
    simulator.control("POST", "expire", {"id": ica})
    assert len(thumbprints(simulator, ica)) == 1


def test_an_external_ca_asks_for_its_next_certificate(simulator, registry):
    def activate():
        chain = {"certificateChain": signing.chain(request(registry))}
        registry.begin("POST", f"{PARTNER}/activate", chain).result()

    activate()
    simulator.control("PUT", "lifecycle", {"renewal_window_days": 60})
    simulator.control("POST", "expire", {"id": PARTNER, "secondsBefore": 59 * 86_400})
    issuer = registry.get(PARTNER)["properties"]["issuer"]
    assert issuer["status"] == "ActiveButPendingRenewal" and issuer["certificateSigningRequest"]
    assert thumbprints(simulator, PARTNER) == [issuer["thumbprint"]]
