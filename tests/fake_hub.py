"""A pretended Hugging Face hub: repositories are folders, and every file that is fetched is noted."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c" * 40


class FakeHub:
    """Serves `repositories`, id -> folder; those in `gated` ask for terms to be accepted."""

    def __init__(self):
        self.repositories = {}
        self.gated = set()
        self.fetched = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error):
        self.server.shutdown()
        self.server.server_close()

    def environment(self, cache):
        """What makes a program look here, with a cache of its own."""
        return {"HF_ENDPOINT": self.url, "HF_HUB_CACHE": str(cache), "HF_HUB_DISABLE_XET": "1"}

    def files(self, repository):
        folder = self.repositories[repository]
        return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}

    def _handler(hub):  # noqa: C901, N805  # `self` is the request's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_arguments):
                pass

            def do_HEAD(self):
                self.do_GET()

            def do_GET(self):
                path = self.path.partition("?")[0].strip("/")
                is_api = path.startswith("api/models/")
                owner, name, *rest = path.removeprefix("api/models/").split("/")
                repository = f"{owner}/{name}"
                if repository not in hub.repositories:
                    return self.refuse(404, "RepoNotFound")
                if is_api:
                    return self.answer_api(repository, rest)
                if repository in hub.gated:
                    return self.refuse(403, "GatedRepo")
                return self.send_file(repository, "/".join(rest[2:]))

            def answer_api(self, repository, rest):
                files = hub.files(repository)
                if rest[:1] == ["tree"]:
                    tree = [
                        {"type": "file", "path": name, "size": path.stat().st_size, "oid": digest(path)[:40]}
                        for name, path in files.items()
                    ]
                    return self.send(json.dumps(tree).encode(), {"Content-Type": "application/json"})
                about = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                return self.send(json.dumps(about).encode(), {"Content-Type": "application/json"})

            def send_file(self, repository, name):
                path = hub.files(repository).get(name)
                if path is None:
                    return self.refuse(404, "EntryNotFound")
                if self.command == "GET":
                    hub.fetched.append(name)
                return self.send(path.read_bytes(), {"ETag": f'"{digest(path)}"', "X-Repo-Commit": COMMIT})

            def refuse(self, status, code):
                self.send(b"", {"X-Error-Code": code, "X-Error-Message": code}, status)

            def send(self, data, headers, status=200):
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data)

        return Handler


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
