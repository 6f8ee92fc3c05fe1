"""The official examples of generation B, as they stand in the specification."""

import json
import pathlib

from conftest import NAMESPACE_ID

CONTRACT = pathlib.Path(__file__).parent.parent
FOLDERS = [CONTRACT / "specs", CONTRACT.parent / "fixtures" / "specs" / "genB"]
OWN = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rgdeviceregistry/providers/Microsoft.DeviceRegistry/namespaces/mynamespace"


class Example:
    def __init__(self, name, namespace):
        self.name = name
        path = next(path for folder in FOLDERS if (path := folder / f"{name}.json").exists())
        self.document = json.loads(path.read_text().replace(OWN, namespace))

    def body(self, member="resource"):
        return self.document["parameters"][member]

    def check(self, answer, absent=()):
        """The answer has a documented status, its headers, and its members but for those that are absent."""
        answer = getattr(answer, "http_response", answer)
        documented = self.document["responses"].get(str(answer.status_code))
        assert documented is not None, f"{self.name}: {answer.status_code} is not documented"
        for header in documented.get("headers", {}):
            assert header.lower() in {own.lower() for own in answer.headers}, f"{self.name}: no header {header}"
        if "body" not in documented:
            return None
        body = answer.json()
        missing = set(members(documented["body"])) - set(members(body))
        missing -= {one for one in missing if any(one.startswith(place) for place in absent)}
        assert not missing, f"{self.name}: {missing}"
        return body


def members(value, place=""):
    """Paths of all members, those of every item of a list under the same path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{place}/{name}"
            yield from members(inner, f"{place}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, place)


def beside(name):
    """Another namespace next to the one of the fleet."""
    return NAMESPACE_ID.rsplit("/", 1)[0] + f"/{name}"
