# A process as others on its machine see it: where it says that it is, and what it says of itself while it stops.
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

from bloomwatch import PROGRAM, Client, Cluster, Server, run, wait_until


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    except OSError:
        return False


class Process(unittest.TestCase):
    def serve(self, *arguments, program=None):
        server = Server(arguments=arguments, program=program)
        self.addCleanup(server.close)
        return server

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_the_url_of_an_ipv6_address_has_brackets(self):
        for bind in ("::1", "::"):
            server = self.serve("--bind", bind)
            self.assertRegex(server.url, r"^http://\[::1\]:[0-9]+$")
            server.person("mira")
            self.assertIn("user", server.operator("role", "mira", "user"))

    def test_it_turns_connections_away_before_it_can_open_no_more_files(self):
        folder = tempfile.TemporaryDirectory(prefix="bloomwatch-few-files-")
        self.addCleanup(folder.cleanup)
        few = pathlib.Path(folder.name) / "bloomwatch"
        few.write_text(f'#!/bin/sh\nulimit -n 400 && exec "{PROGRAM}" "$@"\n')
        few.chmod(0o755)
        server = self.serve(program=few)
        self.assertIn("takes fewer connections than it may", server.output())
        url = urllib.parse.urlsplit(server.url)
        connections = [socket.create_connection((url.hostname, url.port), timeout=10) for _ in range(220)]
        for connection in connections:
            self.addCleanup(connection.close)
        self.assertIn(b" 503 ", connections[-1].recv(65536))
        admin = Client(server.admin_url)
        self.addCleanup(admin.close)
        self.assertEqual(admin.call("GET", "/health/ready").status, 200)

    def test_it_is_not_ready_from_the_signal_on_and_answers_what_it_has_begun(self):
        server = self.serve()
        url = urllib.parse.urlsplit(server.url)
        admin = Client(server.admin_url)
        self.addCleanup(admin.close)
        self.assertEqual(admin.call("GET", "/health/ready").status, 200)
        with socket.create_connection((url.hostname, url.port), timeout=10) as under_way:
            under_way.sendall(b"GET /api/me HTTP/1.1\r\n")
            server.client().call("GET", "/api/me", expect=401)  # by now the one before is being read
            server.process.terminate()
            wait_until(lambda: '"module":"process","message":"stopping"' in server.output(), 5, "the signal to be taken")
            ready = admin.call("GET", "/health/ready", expect=503)
            self.assertIn({"name": "process", "ok": False, "reason": "it is stopping"}, ready["checks"])
            self.assertEqual(admin.call("GET", "/health/live").status, 200)
            under_way.sendall(b"Host: x\r\n\r\n")
            self.assertIn(b" 401 ", under_way.recv(65536))
        self.assertEqual(server.process.wait(20), 0)
        server.killed = True  # as close() expects of one that has ended

    def test_it_ends_while_postgres_hangs_and_says_that_an_outcome_is_unknown(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        server = Server(database_url=cluster.url)
        self.addCleanup(server.close)
        mira = server.person("mira")
        mira.make_space()
        hanging = [cluster.pid(), *map(int, run("ps", "-o", "pid=", "--ppid", str(cluster.pid())).split())]
        answers = []
        under_way = threading.Thread(target=lambda: answers.append(mira.call("POST", "/api/watch-spaces", {"name": "Hanging"})))
        for pid in hanging:
            os.kill(pid, signal.SIGSTOP)
        try:
            under_way.start()
            server.client().call("GET", "/api/me", expect=401)  # by now the command is on its way
            server.process.terminate()
            self.assertEqual(server.process.wait(30), 0, server.output())  # who ends processes kills them after that
            server.killed = True
        finally:
            for pid in hanging:
                os.kill(pid, signal.SIGCONT)
        under_way.join()
        self.assertEqual((answers[0].status, answers[0]["type"]), (503, "/problems/outcome-unknown"))
        self.assertFalse((server.home / server.instance_file).exists())
        self.assertTrue(server.logged("stopped"))

    def test_nothing_is_said_of_a_database_url_that_cannot_be_read(self):
        for url in ("postgresql://u:secret%zz@localhost/x", "postgresql://u:sec@ret@localhost/x", "postgresql://u:sec/ret@localhost/x", "u:secret"):
            for command in (["serve", "--port", "0"], ["migrate"], ["verify"], ["log"]):
                with tempfile.TemporaryDirectory(prefix="bloomwatch-home-") as home:
                    done = subprocess.run([PROGRAM, *command, "--home", home], env={**os.environ, "BLOOMWATCH_DATABASE_URL": url},
                                          capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn("the database URL cannot be read", done.stderr)
                for piece in ("sec", "ret"):
                    self.assertNotIn(piece, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
