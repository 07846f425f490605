# One writes, others stand by: when the writer is killed or stopped, a second command-service takes over within 5 seconds, and a stopped one
# that wakes up appends nothing. Two real command-service programs on one database.
import http.client
import os
import shutil
import signal
import tempfile
import time
import unittest

from bloomwatch import COMMAND_SERVICE, Person, Server, fresh_database, new_uuid, wait_until

TAKEOVER_SECONDS_MAX = 5


class Takeover(unittest.TestCase):
    def setUp(self):
        self.database_url, drop = fresh_database()
        self.addCleanup(drop)
        self.home = tempfile.mkdtemp(prefix="bloomwatch-home-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.first = self.service("first")
        wait_until(self.first.is_ready, 30, "the first to be ready")
        self.person = Person(self.first, "mira")
        self.person.register()
        self.person.log_in()
        self.space = self.person.make_space()
        self.second = self.service("second")

    def service(self, name):
        """A command-service with the instance's master key and a home of its own."""
        home = os.path.join(self.home, name)
        os.mkdir(home)
        other = os.path.join(self.home, "first", "master.key")
        if os.path.exists(other):
            shutil.copy2(other, home)
        server = Server(self.database_url, home, program=COMMAND_SERVICE, command=None, wait=False)
        server.wait_listening()
        self.addCleanup(self.end, server)
        return server

    def end(self, server):
        if server.process.poll() is None:
            os.kill(server.process.pid, signal.SIGCONT)
            server.kill()
        server.close()

    def rename(self, server, name, timeout=2):
        client = server.client(timeout)
        try:
            return client.call(
                "PATCH", f"/api/watch-spaces/{self.space}", {"name": name}, token=self.person.token, headers={"Idempotency-Key": new_uuid()}
            )
        except (OSError, http.client.HTTPException):
            return None
        finally:
            client.close()

    def assert_second_takes_over(self, since):
        number = 0
        while time.monotonic() - since < TAKEOVER_SECONDS_MAX:
            number += 1
            answer = self.rename(self.second, f"By the second {number}")
            if answer is not None and answer.status == 200:
                self.assertTrue(self.second.is_ready())
                return answer["position"]
            time.sleep(0.05)
        self.fail(f"not taken over within {TAKEOVER_SECONDS_MAX} s; last answer {answer}\n{self.second.output()}")

    def positions(self):
        return [int(row[0]) for row in self.first.rows("SELECT position FROM log.events ORDER BY position")]

    def test_only_the_writer_is_ready_and_a_standby_says_so(self):
        self.assertTrue(self.first.is_ready())
        self.assertFalse(self.second.is_ready())
        answer = self.rename(self.second, "Not yet")
        self.assertEqual(answer.status, 503)
        self.assertTrue(answer.headers["Retry-After"])

    def test_a_killed_writer_is_followed_within_five_seconds(self):
        self.assertEqual(self.rename(self.first, "By the first").status, 200)
        since = time.monotonic()
        self.first.kill()
        self.assert_second_takes_over(since)
        self.assertEqual(self.positions(), list(range(len(self.positions()))))

    def test_a_stopped_writer_is_followed_and_appends_nothing_when_it_wakes(self):
        self.assertEqual(self.rename(self.first, "By the first").status, 200)
        os.kill(self.first.process.pid, signal.SIGSTOP)
        since = time.monotonic()
        last = self.assert_second_takes_over(since)
        # What is sent to the stopped one waits in its socket; it must not be written by it when it wakes.
        client = self.first.client(20)
        client.connection = http.client.HTTPConnection(client.host, timeout=20)
        client.connection.request(
            "PATCH",
            f"/api/watch-spaces/{self.space}",
            body=b'{"name": "From the past"}',
            headers={"Authorization": f"Bearer {self.person.token}", "Content-Type": "application/json"},
        )
        os.kill(self.first.process.pid, signal.SIGCONT)
        response = client.connection.getresponse()
        response.read()
        self.assertEqual(response.status, 503)
        time.sleep(1)
        self.assertFalse(self.first.is_ready())
        self.assertEqual(self.positions()[-1], last)
        self.assertEqual(self.rename(self.second, "Still the second").status, 200)
        self.assertEqual(self.positions(), list(range(len(self.positions()))))


if __name__ == "__main__":
    unittest.main()
