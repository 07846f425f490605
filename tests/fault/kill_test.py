# Kills under load: `kill -9` of `bloomwatch serve`, and of its Postgres, again and again while clients write. What was acknowledged is in the
# log once, whatever happened a moment later; nothing is there twice; `bloomwatch verify` is clean after each.
# How often: BLOOMWATCH_SERVE_KILLS (3; for the full measure 20) and BLOOMWATCH_POSTGRES_KILLS (1; 5).
import http.client
import itertools
import os
import pathlib
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
from bloomwatch import Client, Cluster, Server, fresh_database, new_uuid, wait_until  # noqa: E402

SERVE_KILLS = int(os.environ.get("BLOOMWATCH_SERVE_KILLS", "3"))
POSTGRES_KILLS = int(os.environ.get("BLOOMWATCH_POSTGRES_KILLS", "1"))
CLIENTS = 8
LOAD_SECONDS = 2.0


class Load:
    """Clients that rate, rename and add titles, each command with an Idempotency-Key and a value that occurs once, and that repeat a
    command whose answer they did not get, with the same key, until they have one."""

    def __init__(self, server, space, people, anime, scores, media):
        self.server = server
        self.space = space
        self.people = people
        self.anime = anime
        self.scores = scores
        self.media = media
        self.acknowledged = []  # (key, what, position, id)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.refused = []
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def command(self, rng, number):
        """A command whose effect can be told in the log: method, path, body."""
        base = f"/api/watch-spaces/{self.space}/anime"
        if rng.random() < 0.3:
            with self.lock:
                media = next(self.media)
            return "POST", base, {"anilistMediaId": media}, ("AnimeAdded", str(media))
        # One client per anime: every score differs from the last one, so that none is quiet.
        self.scores[number] = self.scores[number] % 20 + 1
        return "PATCH", f"{base}/{self.anime[number]}/participant-rating", {"score": self.scores[number] / 2}, ("AnimeRated", None)

    def work(self, number):
        rng = random.Random(number)
        person = self.people[number % len(self.people)]
        client = None
        while not self.stopping.is_set():
            method, path, body, what = self.command(rng, number)
            key = new_uuid()
            repeats_until = time.monotonic() + 60
            while True:
                try:
                    client = client or Client(self.server.url, timeout=5)
                    answer = client.call(method, path, body, token=person.token, headers={"Idempotency-Key": key})
                except (OSError, http.client.HTTPException):
                    answer = None
                    client = None
                if answer is not None and answer.status in (200, 201):
                    with self.lock:
                        self.acknowledged.append((key, what, answer["position"], answer["id"]))
                    break
                if answer is not None and answer.status != 503:
                    with self.lock:
                        self.refused.append((method, path, answer.status, answer.body))
                    break
                if time.monotonic() > repeats_until:
                    with self.lock:
                        self.refused.append((method, path, "no answer in 60 s", str(answer)))
                    return
                time.sleep(0.02)
        if client:
            client.close()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class Kill(unittest.TestCase):
    def start(self, database_url):
        self.server = Server(database_url)
        self.addCleanup(self.server.close)
        self.people = [self.server.person("mira"), self.server.person("ken")]
        self.space = self.people[0].make_space()
        self.people[0].invite(self.space, self.people[1])
        self.anime = [self.people[0].add_anime(self.space, number + 1)["id"] for number in range(CLIENTS)]
        self.media = itertools.count(1_000_000)
        self.scores = [0] * CLIENTS  # the last score that each client gave

    def under_load(self, kill):
        """Runs the load, calls `kill` in the middle of it, lets the load go on after, and returns what was acknowledged."""
        load = Load(self.server, self.space, self.people, self.anime, self.scores, self.media)
        try:
            time.sleep(LOAD_SECONDS * random.uniform(0.5, 1))
            kill()
            time.sleep(LOAD_SECONDS)
        finally:
            load.stop()
        self.assertEqual(load.refused, [])
        return load.acknowledged

    def assert_once_each(self, acknowledged):
        """Every acknowledged command is at the position that it was told, and no command is in the log twice."""
        rows = {int(row[0]): row for row in self.server.rows("SELECT position, type, data->'media'->>'id', command_id, stream_id FROM log.events")}
        self.assertEqual(sorted(rows), list(range(len(rows))))
        self.assertGreater(len(acknowledged), 20)
        seen = set()
        for key, (kind, media), position, answered_id in acknowledged:
            row = rows.get(position)
            self.assertIsNotNone(row, f"the acknowledged command {key} is not in the log")
            self.assertEqual((row[1], row[4]), (kind, answered_id))
            if media:
                self.assertEqual(row[2], media)
            self.assertNotIn(position, seen, f"two commands were told position {position}")
            seen.add(position)
        media = [row[2] for row in rows.values() if row[1] == "AnimeAdded"]
        self.assertEqual(len(media), len(set(media)), "a title was added twice")
        # The load itself never repeats under another key, so every rating in the log was acknowledged to somebody.
        ratings = [position for position, row in rows.items() if row[1] == "AnimeRated"]
        return len(ratings)

    def test_serve_dies_under_load(self):
        url, drop = fresh_database()
        self.addCleanup(drop)
        self.start(url)
        everything = []
        for round_number in range(1, SERVE_KILLS + 1):

            def kill():
                self.server.kill()
                started = time.monotonic()
                self.server.start()
                for person in self.people:
                    person.client.close()
                    person.client = self.server.client()
                print(f"kill {round_number}: ready again after {time.monotonic() - started:.2f} s", flush=True)

            everything += self.under_load(kill)
            ratings = self.assert_once_each(everything)
            self.assertEqual(ratings, sum(1 for _, what, _, _ in everything if what[0] == "AnimeRated"))
            self.server.verify()

    def test_postgres_dies_under_load(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        self.start(cluster.url)
        everything = []
        for round_number in range(1, POSTGRES_KILLS + 1):

            def kill():
                cluster.kill()
                started = time.monotonic()
                cluster.start()
                wait_until(self.server.is_ready, 30, "the server to be ready again")
                print(f"kill {round_number}: ready again after {time.monotonic() - started:.2f} s", flush=True)

            everything += self.under_load(kill)
            ratings = self.assert_once_each(everything)
            self.assertEqual(ratings, sum(1 for _, what, _, _ in everything if what[0] == "AnimeRated"))
            self.server.verify()


if __name__ == "__main__":
    unittest.main()
