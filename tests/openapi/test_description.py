"""schemathesis asks the running app for everything that its description says, right and wrong, and compares the answers."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
# How many requests each operation gets in its fuzzing phase: about half a minute for the whole run on two cores.
EXAMPLES = 40
# Seconds after which something hangs.
HANGS = 300


@pytest.mark.skipif("FAKETIME" in os.environ, reason="the tool waits with time.sleep, which fails under libfaketime")
def test_the_app_does_what_its_description_says(world, description, tmp_path):
    # Ids that the configuration names, so that what is right is taken and comes to its end.
    namespaces = sorted(line["id"] for line in world.get("/api/policy-status")["lines"])
    assert namespaces
    description["components"]["schemas"]["Submission"]["properties"]["namespaceId"]["enum"] = namespaces
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(description))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")]
    run = ["run", str(document), "--url", world.url, "--seed", "1", "--max-examples", str(EXAMPLES)]
    asked = subprocess.run(
        command + run, cwd=tmp_path, timeout=HANGS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert asked.returncode == 0, asked.stdout
    # Every operation was asked.
    operations = sum(len(methods) for methods in description["paths"].values())
    assert f"Tested: {operations}" in asked.stdout, asked.stdout


def test_every_operation_names_the_key_that_the_host_asks_for(description):
    schemes = description["components"]["securitySchemes"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            asked = operation.get("security", description["security"])
            assert asked and all(name in schemes for one in asked for name in one), (method, path)
            assert "401" in operation["responses"], (method, path)
