"""A simulator of its own for every test, and what Microsoft's clients need to talk to it.

`cargo xtask test` installs the clients of each generation apart, since two versions of one package are among them, and
names the program in POLICYSYNC.
"""

import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.request

import pytest
from azure.core.credentials import AccessToken, AzureNamedKeyCredential

if "FAKETIME" in os.environ:
    # `cargo xtask calendar` moves the clock with libfaketime, under which the real one fails.
    time.sleep = lambda seconds: threading.Event().wait(seconds) and None

HERE = pathlib.Path(__file__).parent
SUBSCRIPTION = "7d1f0c52-6b3e-4f0a-8c8d-2a9b5e4c1f30"
GROUP = "rg-bakery"
NAMESPACE = "bakery"
NAMESPACE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DeviceRegistry/namespaces/{NAMESPACE}"
)

# The clients refuse to send a token over plain http unless each call allows it.
PLAIN = {"enforce_https": False}
# And they wait 30 seconds between two looks at an operation where the service names no time.
POLLED = {"enforce_https": False, "polling_interval": 0}


def policy_id(name):
    """The ARM id of a credential policy."""
    return f"{NAMESPACE_ID}/credentials/default/policies/{name}"


def authority_id(name):
    """The ARM id of a certificate authority."""
    return f"{NAMESPACE_ID}/certificateAuthorities/{name}"


class Token:
    """Any token does: the simulator judges only its own."""

    def get_token(self, *scopes, **options):
        return AccessToken("contract", int(time.time()) + 3600)


class Simulator:
    """The simulated Azure as a process."""

    def __init__(self, fleet):
        program = os.environ["POLICYSYNC"]
        self.process = subprocess.Popen(
            [program, "simulator", "--port", "0", "--fleet", str(fleet)], stdout=subprocess.PIPE, text=True
        )
        self.url = json.loads(self.process.stdout.readline())["listening"]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def control(self, method, path, body=None):
        """Asks the simulator itself: what it has, its clock, its faults."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/simulator/{path}", data=data, method=method)
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def advance(self, seconds):
        self.control("POST", "clock", {"advanceSeconds": seconds})

    def rotate(self, identifier):
        self.control("POST", "rotate", {"policyId": identifier})

    def fail(self, *faults):
        self.control("PUT", "faults", {"faults": list(faults)})

    def client(self, kind, **options):
        """A client of Azure Resource Manager."""
        return kind(Token(), SUBSCRIPTION, base_url=self.url, **options)

    def provisioning(self):
        """The client of the DPS data plane."""
        from azure.iot.deviceprovisioning import DeviceProvisioningClient

        key = AzureNamedKeyCredential("provisioningserviceowner", "Y29udHJhY3Q=")
        return DeviceProvisioningClient(f"{self.url}/dps/bakery-dps", key)


@pytest.fixture
def simulator(tmp_path):
    running = Simulator(HERE / "fleet.toml")
    yield running
    running.stop()


@pytest.fixture
def simulator_with(tmp_path):
    """A simulator whose fleet has a text replaced."""
    started = []

    def start(old, new):
        text = (HERE / "fleet.toml").read_text()
        assert old in text
        fleet = tmp_path / "fleet.toml"
        fleet.write_text(text.replace(old, new, 1))
        started.append(Simulator(fleet))
        return started[-1]

    yield start
    for running in started:
        running.stop()
