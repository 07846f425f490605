# What the flow and fault tests stand on: a real `bloomwatch serve` on free ports with a database of its own, and people who talk to it over
# HTTP. Only Python's standard library; nothing of the server's own code, so that what is proven is what a client sees.
# Run by ctest (ops/test flow). By hand: BLOOMWATCH_PROGRAM=build/test/bloomwatch python3 tests/flow/story_test.py
import http.client
import json
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("BLOOMWATCH_PROGRAM", str(ROOT / "build/test/bloomwatch"))
COMMAND_SERVICE = str(pathlib.Path(PROGRAM).parent / "command-service")
# Real inputs that are not ours to ship; tests that need them skip where they are absent.
SHARED_DATA = pathlib.Path(os.environ.get("BLOOMWATCH_SHARED_DATA") or ROOT.parent / "shared" / "data")

os.environ.pop("BLOOMWATCH_DATABASE_URL", None)  # whatever its owner keeps there is no place for tests

READY_SECONDS_MAX = 60
_database_count = itertools.count(1)


def run(*command, **options):
    """Runs a program to its end and returns its standard output; fails the test with all it printed if it fails."""
    options.setdefault("timeout", 300)
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, errors="replace", **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Cluster:
    """A Postgres of the test's own (ops/cluster), which it may kill. `url` is its database `bloomwatch`."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="bloomwatch-cluster-", dir="/tmp")
        os.chmod(self.folder, 0o711)
        self.start()

    def start(self):
        # Its output goes to a pipe that the server must not inherit, or waiting for the pipe's end would wait for the server.
        self.url = run(ROOT / "ops/cluster", "start", f"{self.folder}/postgres").strip()

    def pid(self):
        with open(f"{self.folder}/postgres/data/postmaster.pid") as file:
            return int(file.readline())

    def kill(self):
        """kill -9 of the postmaster; returns when every process of it is gone and a new one may start."""
        pid = self.pid()
        children = run("ps", "-o", "pid=", "--ppid", str(pid)).split()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(os.path.exists(f"/proc/{child}") for child in [pid, *children]), 30, "Postgres's processes to end")

    def remove(self):
        run(ROOT / "ops/cluster", "remove", f"{self.folder}/postgres")
        shutil.rmtree(self.folder, ignore_errors=True)


_shared_cluster = None


def database_server_url():
    """The Postgres that ops/test started for all tests; run by hand, one of this process's own, removed at its end."""
    global _shared_cluster
    url = os.environ.get("BLOOMWATCH_TEST_DATABASE_URL")
    if url:
        return url
    if _shared_cluster is None:
        _shared_cluster = Cluster()
        unittest.addModuleCleanup(_shared_cluster.remove)
    return _shared_cluster.url


class Kafka:
    """A broker of the test's own (ops/kafka), which it may kill; its address stays the same. `address` is HOST:PORT."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="bloomwatch-kafka-", dir="/tmp")
        self.start()

    def start(self):
        """Until it answers."""
        self.address = run(ROOT / "ops/kafka", "start", "--home", self.folder).strip()

    def pid(self):
        return int(pathlib.Path(self.folder, "kafka/pid").read_text())

    def kill(self):
        """kill -9; returns when the process is gone and it may start anew."""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 30, "Kafka's process to end")

    def remove(self):
        run(ROOT / "ops/kafka", "stop", "--home", self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


_shared_kafka = None


def kafka_address():
    """The Kafka that ops/test started for all tests; run by hand, one of this process's own, removed at its end. A test's topics are its
    own, because a fresh database has an epoch of its own."""
    global _shared_kafka
    address = os.environ.get("KAFKA_BOOTSTRAP") or os.environ.get("BLOOMWATCH_TEST_KAFKA")
    if address:
        return address
    if _shared_kafka is None:
        _shared_kafka = Kafka()
        unittest.addModuleCleanup(_shared_kafka.remove)
    return _shared_kafka.address


def psql(url, statement):
    """The rows of a statement as lists of strings."""
    output = run("psql", "--no-psqlrc", "-d", url, "-v", "ON_ERROR_STOP=1", "-At", "-F", "\x1f", "-R", "\x1e", "-c", statement)
    output = output.removesuffix("\n")
    return [row.split("\x1f") for row in output.split("\x1e")] if output else []


def fresh_database(server_url=None):
    """A new empty database on the server; returns (url, function that drops it)."""
    server_url = server_url or database_server_url()
    name = f"flow_{os.getpid()}_{next(_database_count)}"
    psql(server_url, f"CREATE DATABASE {name}")
    parts = urllib.parse.urlsplit(server_url)
    url = urllib.parse.urlunsplit((parts.scheme, parts.netloc, "/" + name, parts.query, ""))
    if not parts.netloc:  # postgresql:///name?host=…; urlunsplit would drop the empty authority
        url = f"postgresql:///{name}?{parts.query}"
    return url, lambda: psql(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def wait_until(condition, seconds, what):
    """Polls until `condition()` is true (returns that value); fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class Answer:
    """A response: status, headers (any case), the body's bytes and, where it is JSON, its value."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body
        self.json = None
        if "json" in (response.headers.get("Content-Type") or "") and "ndjson" not in response.headers["Content-Type"] and body:
            self.json = json.loads(body)

    def __getitem__(self, name):
        return self.json[name]

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class Client:
    """One keep-alive connection; not for several threads at once."""

    def __init__(self, url, timeout=30):
        self.host = urllib.parse.urlsplit(url).netloc
        self.timeout = timeout
        self.connection = None

    def call(self, method, path, body=None, token=None, headers=None, expect=None):
        """Sends a request; a dict or list goes as JSON, bytes as they are. With `expect`, any other status fails the test.
        A connection that the server closed while idle is opened anew once for a GET; other failures are OSError or HTTPException."""
        send = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            send.setdefault("Content-Type", "application/json")
        if token:
            send["Authorization"] = f"Bearer {token}"
        if body is None and method in ("POST", "PATCH", "PUT"):
            send.setdefault("Content-Length", "0")
        path = relative(path)
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
                self.connection.request(method, path, body=body, headers=send)
                response = self.connection.getresponse()
                answer = Answer(response, response.read())
                if response.will_close:
                    self.close()
                break
            except (OSError, http.client.HTTPException):
                self.close()
                if attempt == 2 or method != "GET":
                    raise
        if expect is not None and answer.status != expect:
            raise AssertionError(f"{method} {path} answered {answer!r}, not {expect}")
        return answer

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def relative(url):
    """`next` links may be absolute; what is asked of a connection is the path."""
    parts = urllib.parse.urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


class Server:
    """A running `bloomwatch serve`. Without arguments: fresh database, fresh home, free ports; `close()` ends and removes all that it made."""

    def __init__(self, database_url=None, home=None, arguments=(), program=None, command="serve", wait=True):
        self._cleanups = []
        self._clients = []
        if database_url is None:
            database_url, drop = fresh_database()
            self._cleanups.append(drop)
        if home is None:
            home = tempfile.mkdtemp(prefix="bloomwatch-home-")
            self._cleanups.append(lambda: shutil.rmtree(home, ignore_errors=True))
        self.database_url = database_url
        self.home = pathlib.Path(home)
        self.arguments = [str(argument) for argument in arguments]
        self.command = [program or PROGRAM] + ([command] if command else [])
        self.instance_file = {"serve": "instance.json", "relay": "relay.json"}[command] if command else f"{pathlib.Path(program).name}.json"
        has_api = command != "relay" and not (program and pathlib.Path(program).name == "projector")
        self.port = ["--port", "0"] if has_api else []
        self.process = None
        self.start(wait)

    def start(self, wait=True):
        (self.home / self.instance_file).unlink(missing_ok=True)
        if self.process is not None:
            self.log.close()
        self.killed = False
        self.log = open(self.home / "serve.out", "ab")
        self.process = subprocess.Popen(
            [*self.command, "--home", str(self.home), *self.port, "--admin-port", "0", "--database-url", self.database_url] + self.arguments,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        if wait:
            self.wait_ready()

    def wait_listening(self, seconds=READY_SECONDS_MAX):
        """Until the process has said where it is; a standby listens too."""

        def listening():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.command[-1]} ended with {self.process.returncode}:\n{self.output()}")
            try:
                return json.loads((self.home / self.instance_file).read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                return None

        self.instance = wait_until(listening, seconds, self.instance_file)
        self.url = self.instance["url"]
        self.admin_url = self.instance["adminUrl"]

    def is_ready(self):
        admin = Client(self.admin_url, timeout=2)
        try:
            return admin.call("GET", "/health/ready").status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            admin.close()

    def wait_ready(self, seconds=READY_SECONDS_MAX):
        """Until it says that it may be used."""
        self.wait_listening(seconds)
        wait_until(lambda: self.is_ready() or self.process.poll() is not None, seconds, f"readiness\n{self.output()}")
        if self.process.poll() is not None:
            raise AssertionError(f"{self.command[-1]} ended with {self.process.returncode}:\n{self.output()}")

    def output(self):
        return (self.home / "serve.out").read_text(errors="replace")[-8000:]

    def logged(self, message):
        """The lines of the log that say that, in their order."""
        lines = [json.loads(line) for line in (self.home / "serve.out").read_text().splitlines()]
        return [line for line in lines if line["message"] == message]

    def client(self, timeout=30):
        """A connection that is closed with the server."""
        client = Client(self.url, timeout)
        self._clients.append(client)
        return client

    def person(self, handle, **fields):
        """Registers and logs in somebody new."""
        person = Person(self, handle, **fields)
        person.register()
        person.log_in()
        return person

    def kill(self):
        """kill -9."""
        self.killed = True
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; fails unless the server ends by itself, with 0, within 20 seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                status = self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("serve did not stop within 20 s of SIGTERM:\n" + self.output()) from None
            if status != 0:
                raise AssertionError(f"serve ended with {status}:\n{self.output()}")
        elif not self.killed:
            raise AssertionError(f"serve ended by itself with {self.process.returncode}:\n{self.output()}")

    def close(self):
        try:
            self.stop()
        finally:
            self.log.close()
            for client in self._clients:
                client.close()
            for cleanup in reversed(self._cleanups):
                cleanup()

    def operator(self, *arguments, **options):
        """Runs a subcommand of the operator program against this instance; returns what it prints."""
        return run(PROGRAM, *arguments, "--home", str(self.home), **options)

    def verify(self):
        """`bloomwatch verify`; fails the test with its report if an invariant is broken."""
        return self.operator("verify")

    def rows(self, statement):
        return psql(self.database_url, statement)

    def last_position(self):
        return int(self.rows("SELECT max(position) FROM log.events")[0][0])


class Person:
    """Somebody with an account; after log_in() every call carries their token. Calls fail the test on an unexpected status."""

    def __init__(self, server, handle, email=None, password=None, display_name=None):
        self.server = server
        self.client = server.client()
        self.handle = handle
        self.email = email or f"{handle}@example.org"
        self.password = password or f"{handle} likes long walks"
        self.display_name = display_name or handle.capitalize()
        self.id = None
        self.token = None
        self.refresh_token = None

    def register(self):
        body = {"email": self.email, "handle": self.handle, "displayName": self.display_name, "password": self.password}
        answer = self.client.call("POST", "/api/auth/register", body, expect=201)
        self.id = answer["id"]
        return answer

    def log_in(self):
        answer = self.client.call("POST", "/api/auth/login", {"email": self.email, "password": self.password}, expect=200)
        self.token = answer["accessToken"]
        self.refresh_token = answer["refreshToken"]
        self.id = answer["user"]["id"]
        return answer

    def call(self, method, path, body=None, expect=None, **options):
        return self.client.call(method, path, body, token=self.token, expect=expect, **options)

    def get(self, path, expect=200, at_least=None, **options):
        """With `at_least`, the page as of at least that position (a command's answer or a number)."""
        if at_least is not None:
            position = at_least if isinstance(at_least, (int, str)) else at_least["position"]
            path += ("&" if "?" in path else "?") + f"atLeast={position}"
        return self.call("GET", path, expect=expect, **options)

    def post(self, path, body=None, expect=201, **options):
        return self.call("POST", path, body, expect=expect, **options)

    def patch(self, path, body, expect=200, **options):
        return self.call("PATCH", path, body, expect=expect, **options)

    def delete(self, path, expect=200, **options):
        return self.call("DELETE", path, expect=expect, **options)

    def items(self, path, limit=200, at_least=None):
        """Every item of a paged list, by following `next`."""
        path += ("&" if "?" in path else "?") + f"limit={limit}"
        found = []
        while path:
            page = self.get(path, at_least=at_least if not found else None)
            found += page["items"]
            path = page["next"]
        return found

    # What the tests do all the time.

    def make_space(self, name="Mira & Ken", **fields):
        return self.post("/api/watch-spaces", {"name": name, **fields})["id"]

    def invite(self, space, other, **fields):
        """Invites another person by their e-mail and has them accept; returns the answer of the acceptance."""
        invitation = self.post(f"/api/watch-spaces/{space}/invitations", {"email": other.email, **fields})
        return other.call("POST", f"/api/watch-spaces/invitations/{invitation['token']}/accept", expect=200)

    def add_anime(self, space, anilist_id, expect=201, **fields):
        return self.post(f"/api/watch-spaces/{space}/anime", {"anilistMediaId": anilist_id, **fields}, expect=expect)

    def rate(self, space, anime, score, **options):
        return self.patch(f"/api/watch-spaces/{space}/anime/{anime}/participant-rating", {"score": score}, **options)

    def progress(self, space, anime, **fields):
        return self.patch(f"/api/watch-spaces/{space}/anime/{anime}/participant-progress", fields)

    def dashboard(self, space, at_least=None):
        return self.get(f"/api/watch-spaces/{space}/dashboard", at_least=at_least).json


class FlowTest(unittest.TestCase):
    """A test with one server for all its methods; `serve_arguments` are added to the command."""

    serve_arguments = ()
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(arguments=cls.serve_arguments)
        cls.addClassCleanup(cls.server.close)

    def assert_problem(self, answer, status, kind=None):
        """The answer is an RFC 9457 problem of that status and, if named, of the type that ends in `kind`."""
        self.assertEqual(answer.status, status, answer)
        self.assertTrue((answer.headers["Content-Type"] or "").startswith("application/problem+json"), answer.headers)
        for member in ("type", "title", "status"):
            self.assertIn(member, answer.json)
        self.assertEqual(answer["status"], status)
        if kind:
            self.assertTrue(answer["type"].endswith(kind), answer["type"])


def new_uuid():
    return str(uuid.uuid4())
