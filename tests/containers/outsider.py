"""Someone outside the farm: serves the files of a folder, takes webhooks at POST /hook, shows them at GET /hooks."""

import json
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

HOOKS: list[dict[str, object]] = []


class Outsider(SimpleHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        HOOKS.append({"headers": dict(self.headers), "body": body.decode()})
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        if self.path != "/hooks":
            return super().do_GET()
        answer = json.dumps(HOOKS).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        return None


ThreadingHTTPServer(("", 8000), lambda *args: Outsider(*args, directory=sys.argv[1])).serve_forever()
