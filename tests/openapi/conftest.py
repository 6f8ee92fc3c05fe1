"""The app with a simulated Azure, as `policysync dev` runs them, and its description.

`cargo xtask contract` names the program in POLICYSYNC.
"""

import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest


class World:
    """A running app; `url` is that of its host."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "dev.log"
        with self.log.open("wb") as log:
            command = [os.environ["POLICYSYNC"], "dev", "--port", str(port)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def get(self, path):
        """The JSON at a path of the app."""
        request = urllib.request.Request(self.url + path, headers={"Accept": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def ready(self):
        """Waits for the first report."""
        until = time.monotonic() + 60
        while True:
            try:
                return self.get("/api/policy-status")
            except OSError:
                running = self.process.poll() is None
                assert running and time.monotonic() < until, self.log.read_text(errors="replace")[-4000:]
                threading.Event().wait(0.2)

    def stop(self):
        # As Ctrl-C does, so that it clears up.
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    try:
        world.ready()
        yield world
    finally:
        world.stop()


@pytest.fixture(scope="session")
def description(world):
    """The description as the app serves it."""
    return world.get("/api/openapi.json")
