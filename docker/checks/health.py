"""Runs the image's health check against servers that are well, unwell, silent and not there."""

import contextlib
import http.server
import os
import socket
import subprocess
import threading


class Answer(http.server.BaseHTTPRequestHandler):
    """/live is well, everything else is not."""

    def do_GET(self):
        well = self.path == "/live"
        self.send_response(200 if well else 503)
        self.end_headers()
        # The script hangs up once it has read the status.
        with contextlib.suppress(ConnectionError):
            self.wfile.write(b"live\n" if well else b"sink: store is out of reach\n")

    def log_message(self, *_):
        pass


def probe(script, port, *path):
    env = os.environ | {"ECHOLOT__TELEMETRY__LISTEN": f"0.0.0.0:{port}"}
    done = subprocess.run(
        [script, *path], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode == 0, done.stdout


def check(script):
    """Whatever the script judges wrongly."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    if not probe(script, port)[0]:
        yield "a role that lives counts as dead"
    well, told = probe(script, port, "/ready")
    if well:
        yield "an answer of 503 counts as healthy"
    if "store is out of reach" not in told:
        yield f"the reason is not told: {told!r}"
    server.shutdown()
    server.server_close()
    if probe(script, port)[0]:
        yield "a role that is not there counts as healthy"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        if probe(script, silent.getsockname()[1])[0]:
            yield "a role that never answers counts as healthy"
