"""What a person does today, as a plain script: sync each namespace, wait for the operation, list the certificates of each of
its hubs, and see whether each policy's issuing CA is there, in a loop. Without `--sync` it only looks.

`--threads N` looks at N hubs at once. A call that is refused with 429 is made again after the time that the answer names.
Prints one line of JSON: what it asked, what it found, and how long it took.
"""

import argparse
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

REGISTRY = "2026-03-01-preview"
HUBS = "2025-08-01-preview"
ATTEMPTS = 50


class Azure:
    """Resource Manager with a token of the managed identity; one connection for each thread."""

    def __init__(self, endpoint, identity):
        self.address = urlsplit(endpoint).netloc
        self.local = threading.local()
        self.lock = threading.Lock()
        self.calls = self.throttled = 0
        at = urlsplit(identity)
        path = f"{at.path}?api-version=2019-08-01&resource={quote('https://management.azure.com/', safe='')}"
        connection = http.client.HTTPConnection(at.netloc)
        connection.request("GET", path, headers={"X-IDENTITY-HEADER": "x"})
        self.token = json.loads(connection.getresponse().read())["access_token"]

    def call(self, method, path):
        for _ in range(ATTEMPTS):
            if not hasattr(self.local, "connection"):
                self.local.connection = http.client.HTTPConnection(self.address, timeout=60)
            headers = {"Authorization": f"Bearer {self.token}"}
            self.local.connection.request(method, path, headers=headers)
            response = self.local.connection.getresponse()
            body = response.read()
            with self.lock:
                self.calls += 1
                self.throttled += response.status == 429
            if response.status != 429:
                if response.status >= 400:
                    raise SystemExit(f"{method} {path}: {response.status} {body.decode()}")
                return response.headers, json.loads(body) if body.strip() else {}
            time.sleep(int(response.headers.get("Retry-After", 1)))
        raise SystemExit(f"{method} {path}: refused {ATTEMPTS} times")

    def list(self, path, version):
        found, path = [], f"{path}?api-version={version}"
        while path:
            _, page = self.call("GET", path)
            found += page["value"]
            following = urlsplit(page.get("nextLink") or "")
            path = f"{following.path}?{following.query}" if following.path else None
        return found


def sync(azure, namespace):
    headers, _ = azure.call("POST", f"{namespace}/credentials/default/synchronize?api-version={REGISTRY}")
    operation = urlsplit(headers.get("Azure-AsyncOperation") or headers.get("Location") or "")
    while operation.path:
        time.sleep(int(headers.get("Retry-After", 1)))
        headers, body = azure.call("GET", f"{operation.path}?{operation.query}")
        if body.get("status") not in (None, "InProgress", "Running", "Accepted"):
            return


def trusts(azure, hub, policies):
    """How many of the policies the hub trusts: by the policy's id, and the end of its issuing CA."""
    certificates = [it["properties"] for it in azure.list(f"{hub}/certificates", HUBS)]
    seen = set()
    for certificate in certificates:
        members = {name.lower(): value for name, value in certificate.items()}
        policy = members.get("policyresourceid")
        if policy:
            seen.add((policy.lower(), parsedate_to_datetime(members["expiry"]).replace(tzinfo=timezone.utc)))
    return sum((policy, end) in seen for policy, end in policies)


def current(policy):
    authority = policy["properties"]["certificate"]["certificateAuthorityConfiguration"]
    end = datetime.fromisoformat(authority["validityNotAfter"].replace("Z", "+00:00"))
    return policy["id"].lower(), end.replace(microsecond=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="Resource Manager")
    parser.add_argument("--identity", required=True, help="the endpoint of the managed identity")
    parser.add_argument("--namespaces", required=True, help="a file with an ARM id in each line")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sync", action="store_true")
    arguments = parser.parse_args()
    with open(arguments.namespaces, encoding="utf-8") as file:
        namespaces = file.read().split()
    started = time.monotonic()
    azure = Azure(arguments.endpoint, arguments.identity)
    hubs = {}
    for subscription in sorted({namespace.split("/")[2] for namespace in namespaces}):
        for hub in azure.list(f"/subscriptions/{subscription}/providers/Microsoft.Devices/IotHubs", HUBS):
            linked = hub["properties"].get("deviceRegistry", {}).get("namespaceResourceId", "")
            hubs.setdefault(linked.lower(), []).append(hub["id"])
    pairs = trusted = 0
    with ThreadPoolExecutor(arguments.threads) as pool:
        for namespace in namespaces:
            if arguments.sync:
                sync(azure, namespace)
            azure.call("GET", f"{namespace}?api-version={REGISTRY}")
            policies = [current(it) for it in azure.list(f"{namespace}/credentials/default/policies", REGISTRY)]
            of_namespace = hubs.get(namespace.lower(), [])
            pairs += len(policies) * len(of_namespace)
            trusted += sum(pool.map(lambda hub, policies=policies: trusts(azure, hub, policies), of_namespace))
    seconds = time.monotonic() - started
    print(json.dumps({"calls": azure.calls, "throttled": azure.throttled, "pairs": pairs, "trusted": trusted, "seconds": seconds}))


main()
