# A stand-in for AniList: GraphQL by POST over TLS as its documentation and its known habits have it, errors, refusals and outages included.
# Only Python's standard library and the openssl command; its certificates are made for the run and thrown away with it.
import collections
import http.server
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

PAGE_ITEMS_MAX = 50


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_authority(folder, name):
    """`<name>.pem` and its key: signs nothing but what this file makes, for a day."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", folder=folder)


def make_certificate(folder, name, authority):
    """`<name>.crt` and its key for 127.0.0.1."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", folder=folder)
    pathlib.Path(folder, f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "1",
            "-extfile", f"{name}.ext", "-out", f"{name}.crt", folder=folder)


def anime(number, romaji, **fields):
    """An anime as AniList has it; what is not named is null, as it mostly is there."""
    return {
        "id": number, "idMal": None, "isAdult": False, "title": {"romaji": romaji, "english": None, "native": None}, "synonyms": [],
        "format": "TV", "status": "FINISHED", "episodes": 12, "duration": 24, "season": None, "seasonYear": None, "genres": [],
        "averageScore": None, "popularity": 1, "coverImage": {"large": None, "medium": None}, "nextAiringEpisode": None,
        "description": None, "bannerImage": None, "siteUrl": f"https://anilist.co/anime/{number}", "updatedAt": 1700000000,
        "startDate": {"year": None, "month": None, "day": None}, "endDate": {"year": None, "month": None, "day": None},
        "studios": {"nodes": []},
    } | fields


FRIEREN = anime(
    154587, "Sousou no Frieren", idMal=52991, episodes=28, season="FALL", seasonYear=2023, genres=["Adventure", "Drama"], averageScore=91,
    title={"romaji": "Sousou no Frieren", "english": "Frieren: Beyond Journey’s End", "native": "葬送のフリーレン"}, popularity=300000,
    coverImage={"large": "https://img.example/large.jpg", "medium": "https://img.example/medium.jpg"}, description="An elf.<br>She walks.",
    startDate={"year": 2023, "month": 9, "day": 29}, endDate={"year": 2024, "month": 3, "day": 22},
    studios={"nodes": [{"name": "Madhouse"}]},
)
SERIES = [anime(1000 + number, f"Endless Series {number}") for number in range(1, 121)]


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""


class AniListServer:
    """Listens on `url`; `ca_file` is what to trust. `script` holds what the next requests get in place of an answer, in turn; `always`, if
    set, what all others get. `requests` are the variables of what was asked."""

    def __init__(self, media=(FRIEREN, *SERIES)):
        self.media = {one["id"]: one for one in media}
        self.script = collections.deque()
        self.always = None
        self.requests = []
        self.remaining = 1000
        self.folder = tempfile.mkdtemp(prefix="bloomwatch-anilist-")
        for authority, name in (("authority", "anilist"), ("stranger", "impostor")):
            make_authority(self.folder, authority)
            make_certificate(self.folder, name, authority)
        self.ca_file = f"{self.folder}/authority.pem"
        self.present("anilist")
        self.server = Listener(("127.0.0.1", 0), self.handler())
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def present(self, name):
        """From now on it shows this certificate, and resumes no session that was begun under another."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(f"{self.folder}/{name}.crt", f"{self.folder}/{name}.key")
        self.tls = tls

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def handler(self):
        anilist = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def setup(self):
                # The handshake is in the connection's own thread: a client that breaks it off stops nobody else.
                self.request.settimeout(30)
                self.request = anilist.tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self):
                super().finish()
                self.request.close()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                anilist.answer(self, json.loads(body))

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, handler, question):
        self.requests.append(question["variables"])
        behave = self.script.popleft() if self.script else self.always
        if behave is not None:
            return behave(handler)
        self.remaining = max(1, self.remaining - 1)
        status, body = self.resolve(question)
        send(handler, status, body, {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": str(self.remaining)})

    def resolve(self, question):
        """Status and body of a right answer."""
        variables = question["variables"]
        if "Page(" in question["query"]:
            found = [one for one in self.media.values() if any(variables["search"].lower() in (t or "").lower() for t in one["title"].values())]
            size = min(variables["perPage"], PAGE_ITEMS_MAX)
            begin = (variables["page"] - 1) * size
            return 200, {"data": {"Page": {"pageInfo": {"hasNextPage": len(found) > begin + size}, "media": found[begin : begin + size]}}}
        one = self.media.get(variables["id"])
        if one is None:
            return 404, {"errors": [{"message": "Not Found.", "status": 404}], "data": {"Media": None}}
        return 200, {"data": {"Media": one}}


def send(handler, status, body, headers=None, content_type="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(data)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


# What a request may get in place of an answer.


def errors(status, message="Something went wrong.", http_status=None, headers=None, **fields):
    body = {"data": None, "errors": [{"message": message, "status": status, **fields}]}
    return lambda handler: send(handler, http_status or status, body, headers)


def rate_limited(**headers):
    return errors(429, "Too Many Requests.", headers={name.replace("_", "-"): value for name, value in headers.items()})


OUTAGE = errors(403, "The AniList API has been temporarily disabled due to severe stability issues.")
BROKEN = errors(500, "Internal Server Error")
BROKEN_IN_200 = errors(500, "Internal Server Error", http_status=200)
INVALID_SEARCH = errors(400, "validation", validation={"search": ["The search may not be greater than 100 characters."]})


def banned(handler):
    send(handler, 403, b"<!DOCTYPE html><html><title>Access denied</title></html>", content_type="text/html; charset=UTF-8")


def nonsense(handler):
    send(handler, 200, b"{\"data\": {\"Page\": [")


def oversized(handler):
    """More than anybody would read, of unknown length."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    for _ in range(64):
        handler.wfile.write(b" " * 65536)


def cut(handler):
    """Half an answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data":')
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def slow(seconds, then=None):
    def behave(handler):
        time.sleep(seconds)
        if then is None:
            return send(handler, 200, {"data": {"Page": {"pageInfo": {"hasNextPage": False}, "media": [FRIEREN]}}})
        return then(handler)

    return behave
