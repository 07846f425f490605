# Kills under load: `kill -9` of `bloomwatch serve`, and of its Postgres, again and again while clients write. What was acknowledged is in the
# log once, whatever happened a moment later; nothing is there twice; `bloomwatch verify` is clean after each.
# How often: BLOOMWATCH_SERVE_KILLS (3; for the full measure 20) and BLOOMWATCH_POSTGRES_KILLS (1; 5).
import os
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
from bloomwatch import Cluster, Server, fresh_database, wait_until  # noqa: E402
from history_checker import Log, check_acknowledged  # noqa: E402
from load import Load, Target  # noqa: E402

SERVE_KILLS = int(os.environ.get("BLOOMWATCH_SERVE_KILLS", "3"))
POSTGRES_KILLS = int(os.environ.get("BLOOMWATCH_POSTGRES_KILLS", "1"))
CLIENTS = 8
LOAD_SECONDS = 2.0


class Kill(unittest.TestCase):
    def start(self, database_url):
        self.server = Server(database_url)
        self.addCleanup(self.server.close)
        self.people = [self.server.person("mira"), self.server.person("ken")]
        space = self.people[0].make_space()
        self.people[0].invite(space, self.people[1])
        anime = [self.people[0].add_anime(space, number + 1)["id"] for number in range(CLIENTS)]
        self.targets = [Target(self.people[number % 2], space, anime[number]) for number in range(CLIENTS)]
        self.acknowledged = []

    def under_load(self, kill):
        """Runs the load, calls `kill` in the middle of it, lets the load go on after; then everything that was ever acknowledged is in the
        log, once, and `verify` is clean."""
        load = Load(self.server, self.targets)
        try:
            time.sleep(LOAD_SECONDS * random.uniform(0.5, 1))
            kill()
            time.sleep(LOAD_SECONDS)
        finally:
            acknowledged = load.stop()
        self.assertGreater(len(acknowledged), 20)
        self.acknowledged += acknowledged
        check_acknowledged(Log(self.server.database_url), self.acknowledged)
        self.server.verify()

    def test_serve_dies_under_load(self):
        url, drop = fresh_database()
        self.addCleanup(drop)
        self.start(url)
        for round_number in range(1, SERVE_KILLS + 1):

            def kill():
                self.server.kill()
                started = time.monotonic()
                self.server.start()
                for person in self.people:
                    person.client.close()
                    person.client = self.server.client()
                print(f"kill {round_number}: ready again after {time.monotonic() - started:.2f} s", flush=True)

            self.under_load(kill)

    def test_postgres_dies_under_load(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        self.start(cluster.url)
        for round_number in range(1, POSTGRES_KILLS + 1):

            def kill():
                cluster.kill()
                started = time.monotonic()
                cluster.start()
                wait_until(self.server.is_ready, 30, "the server to be ready again")
                print(f"kill {round_number}: ready again after {time.monotonic() - started:.2f} s", flush=True)

            self.under_load(kill)


if __name__ == "__main__":
    unittest.main()
