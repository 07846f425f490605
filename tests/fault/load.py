# Clients that write while something dies. Each command carries an Idempotency-Key and an effect that can be told in the log; one whose
# answer was lost is repeated with the same key until it is answered. What was acknowledged is what the log must hold, once.
import http.client
import itertools
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
from bloomwatch import Client, new_uuid  # noqa: E402

os.environ["BLOOMWATCH_ACCOUNT_COMMANDS_PER_SECOND"] = "1000000"  # two people here send what hundreds would

REPEAT_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 5


class Target:
    """Where one client writes: an anime in a space, as somebody. Only that client rates it, so that each of its scores differs from the
    last one and none is quiet."""

    def __init__(self, person, space, anime):
        self.person = person
        self.space = space
        self.anime = anime
        self.score = 0

    def next_score(self):
        self.score = self.score % 20 + 1
        return self.score / 2


class Load:
    """Starts at once, one thread a target. `pause` seconds between a client's commands bound what a long test writes."""

    media = itertools.count(1_000_000)  # no title is ever added twice

    def __init__(self, server, targets, pause=0.0):
        self.server = server
        self.pause = pause
        self.acknowledged = []  # (key, (type, media id or None), position, id)
        self.refused = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(number, target)) for number, target in enumerate(targets)]
        for thread in self.threads:
            thread.start()

    def command(self, rng, target):
        """Method, path, body, and what it does: the event's type, and the title that it adds."""
        base = f"/api/watch-spaces/{target.space}/anime"
        if rng.random() < 0.3:
            with self.lock:
                media = next(self.media)
            return "POST", base, {"anilistMediaId": media}, ("AnimeAdded", str(media))
        return "PATCH", f"{base}/{target.anime}/participant-rating", {"score": target.next_score()}, ("AnimeRated", None)

    def work(self, number, target):
        rng = random.Random(number)
        client = None
        while not self.stopping.is_set():
            method, path, body, what = self.command(rng, target)
            key = new_uuid()
            repeats_until = time.monotonic() + REPEAT_SECONDS_MAX
            while True:
                try:
                    client = client or Client(self.server.url, timeout=ANSWER_SECONDS_MAX)
                    answer = client.call(method, path, body, token=target.person.token, headers={"Idempotency-Key": key})
                except (OSError, http.client.HTTPException):
                    answer = None
                    client = None
                if answer is not None and answer.status in (200, 201):
                    with self.lock:
                        self.acknowledged.append((key, what, answer["position"], answer["id"]))
                    break
                if answer is not None and answer.status != 503:
                    return self.refuse(method, path, answer)
                if time.monotonic() > repeats_until:
                    return self.refuse(method, path, f"no answer in {REPEAT_SECONDS_MAX} s, last {answer}")
                time.sleep(0.02)
            if self.pause:
                time.sleep(self.pause)
        if client:
            client.close()

    def refuse(self, method, path, why):
        with self.lock:
            self.refused.append((method, path, str(why)))

    def stop(self):
        """Lets every client have its last answer; fails if any was refused. Returns what was acknowledged."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        assert self.refused == [], self.refused
        return self.acknowledged
