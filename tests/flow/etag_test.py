# Whoever has a page already is told so: every GET of the route table answers 200 with a tag, 304 to whoever knows it, and 200 with another
# one after a change. A route that this file does not know fails the test, so a new one cannot be forgotten.
import http.client
import json
import re
import socket
import time
import unittest
import urllib.parse

from anilist_server import AniListServer
from bloomwatch import FlowTest
from catalog_test import SMALL, title_id

TODAY = time.gmtime()
MANY = 24  # requests at once
PERIOD = time.strftime("%Y", TODAY)
# What is asked for beside the path where that does not do, by pattern. A pick without a seed is another one each time.
QUERIES = {
    "/api/watch-spaces/{watchSpace}/analytics/random-pick": "seed=tonight",
    "/api/admin/audit": "query={query}",
    "/api/search": "q=lantern",
    "/api/search/suggest": "q=zeppelin",
    "/api/anilist/search": "query=Frieren",
}
# What AniList told is shown for a day as it was, whatever happens here.
STEADY = {"/api/anilist/search", "/api/anilist/media/{anilistMediaId}"}


class EntityTags(FlowTest):
    @classmethod
    def setUpClass(cls):
        anilist = AniListServer()
        cls.addClassCleanup(anilist.close)
        cls.serve_arguments = ["--anilist-url", anilist.url, "--anilist-ca-file", anilist.ca_file]
        super().setUpClass()
        cls.server.operator("catalog", "import", str(SMALL))
        cls.mira, cls.ken = cls.server.person("mira"), cls.server.person("ken")
        cls.server.operator("role", "mira", "admin")
        cls.space = cls.mira.make_space("Then and now")
        cls.path = f"/api/watch-spaces/{cls.space}"
        cls.mira.invite(cls.space, cls.ken)
        cls.anime = cls.mira.add_anime(cls.space, 900001, episodeCount=12, sharedStatus="watching")["id"]
        cls.mira.rate(cls.space, cls.anime, 8)
        cls.ken.rate(cls.space, cls.anime, 6)
        cls.ken.patch(f"{cls.path}/members/me", {"recapConsent": True})
        cls.watch(1)
        share = cls.mira.post(f"{cls.path}/recaps/{PERIOD}/shares")
        cls.mira.get("/api/me", at_least=cls.server.last_position())  # who is an admin is known
        cls.audit = cls.mira.post("/api/admin/audit/queries", {"reason": "To see it twice."})["id"]
        cls.values = {
            "watchSpace": cls.space, "anime": cls.anime, "title": title_id("anilist", 900001), "year": "2023", "season": "fall",
            "slug": "studio-kite", "period": PERIOD, "card": share["token"] + ".svg", "anilistMediaId": "154587", "query": cls.audit,
        }  # fmt: skip

    @classmethod
    def watch(cls, episode):
        date = time.strftime("%Y-%m-%dT00:00:01Z", TODAY)
        cls.mira.post(f"{cls.path}/anime/{cls.anime}/sessions", {"sessionDate": date, "startEpisode": episode, "endEpisode": episode + 1})

    def patterns(self):
        table = json.loads(self.server.operator("routes", "--json"))
        return [route["pattern"] for route in table if route["method"] == "GET"]

    def target(self, pattern):
        fill = lambda text: re.sub(r"\{(\w+)\}", lambda name: urllib.parse.quote(self.values[name.group(1)]), text)
        return fill(pattern) + ("?" + fill(QUERIES[pattern]) if pattern in QUERIES else "")

    def ask(self, pattern, known=None, expect=200, method="GET"):
        """As of at least all that was said, where a page can be."""
        path = self.target(pattern)
        if not re.match("/api/(recap-cards|anilist)/", pattern):
            path += ("&" if "?" in path else "?") + f"atLeast={self.server.last_position()}"
        return self.mira.call(method, path, headers={"If-None-Match": known} if known else None, expect=expect)

    def see_everything_folded(self):
        """What a card shows is folded by several models, none of which its address can wait for."""
        for pattern in (f"{self.path}/recaps/{PERIOD}", f"{self.path}/dashboard", "/api/me/recap-shares"):
            self.mira.get(pattern, at_least=self.server.last_position())

    def test_every_page_is_told_apart_by_its_tag(self):
        self.see_everything_folded()
        epoch = self.server.rows("SELECT epoch FROM log.epoch")[0][0]
        before = {}
        for pattern in self.patterns():
            with self.subTest(page=pattern):
                first = self.ask(pattern)
                before[pattern] = tag = first.headers["ETag"]
                ours = pattern not in STEADY and not pattern.startswith("/api/recap-cards")
                self.assertRegex(tag, rf'^"{epoch}-[0-9a-f]{{32}}"$' if ours else r'^"[\w-]{16,}"$')
                self.assertRegex(first.headers["Cache-Control"], r"^(private|public), no-cache$")
                for known in (tag, f'"other", W/{tag}', "*"):
                    again = self.ask(pattern, known, expect=304)
                    self.assertEqual((again.body, again.headers["ETag"]), (b"", tag))
                    for name in ("Cache-Control", "Bloomwatch-Position", "Link", "Vary"):
                        self.assertEqual(again.headers[name], first.headers[name], name)
                    self.assertIsNone(again.headers["Content-Type"])
                self.ask(pattern, '"other"')
                self.assertEqual(self.ask(pattern, tag, expect=304, method="HEAD").headers["ETag"], tag)
        self.change_everything()
        for pattern, tag in before.items():
            with self.subTest(page=pattern):
                answer = self.ask(pattern, tag, expect=304 if pattern in STEADY else 200)
                self.assertEqual(answer.headers["ETag"] == tag, pattern in STEADY)

    def change_everything(self):
        self.mira.patch("/api/me", {"displayName": "Mira Two"})
        self.mira.client.call("POST", "/api/auth/login", {"email": self.mira.email, "password": self.mira.password}, expect=200)
        self.mira.patch(self.path, {"name": "Now"})
        self.mira.patch(f"{self.path}/anime/{self.anime}", {"mood": "calm"})
        self.mira.rate(self.space, self.anime, 10)
        self.watch(3)
        self.mira.add_anime(self.space, 900003)
        self.mira.patch(f"/api/titles/{self.values['title']}", {"names": [{"text": "A Lantern on a Zeppelin"}]})
        self.mira.post(f"/api/me/recaps/{PERIOD}/shares")
        self.see_everything_folded()

    def test_who_may_not_see_a_page_is_not_told_that_it_is_unchanged(self):
        stranger = self.server.person("stranger")
        for pattern in self.patterns():
            if "{watchSpace}" in pattern or pattern.startswith("/api/admin"):
                with self.subTest(page=pattern):
                    tag = self.ask(pattern).headers["ETag"]
                    for known in (tag, "*"):
                        answer = stranger.call("GET", self.target(pattern), headers={"If-None-Match": known})
                        self.assert_problem(answer, 404 if "{watchSpace}" in pattern else 403)
                        self.assertIsNone(answer.headers["ETag"])

    def test_pages_that_are_asked_at_once_are_as_they_are_alone(self):
        self.see_everything_folded()
        for pattern in self.patterns():
            with self.subTest(page=pattern):
                people = [self.mira] if re.search("admin|anilist", pattern) else [self.mira, self.ken]
                alone = [person.call("GET", self.target(pattern), expect=200).headers["ETag"] for person in people]
                self.assertEqual(self.tags_of_many(self.target(pattern), people), alone * (MANY // len(people)))
        self.assertNotIn("cannot be asked joined", (self.server.home / "serve.out").read_text(errors="replace"))

    def tags_of_many(self, target, people):
        """MANY requests in one write, by each person in turn: what arrives together is asked of Postgres together (ops/decisions/0009)."""
        requests = [f"GET {target} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {person.token}\r\n\r\n" for person in people]
        address = urllib.parse.urlsplit(self.server.url)
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            connection.sendall("".join(requests * (MANY // len(people))).encode())
            stream = connection.makefile("rb")
            return [self.tag_of_next(stream) for _ in range(MANY)]

    def tag_of_next(self, stream):
        self.assertIn(b" 200 ", stream.readline())
        headers = http.client.parse_headers(stream)
        stream.read(int(headers["Content-Length"]))
        return headers["ETag"]

    def test_an_export_has_a_tag_of_its_own(self):
        path = f"{self.path}/history"
        tags = {accept: self.mira.get(path, headers={"Accept": accept}) for accept in ("application/json", "text/csv", "application/x-ndjson")}
        self.assertEqual(len({answer.headers["ETag"] for answer in tags.values()}), 3)
        for accept, answer in tags.items():
            self.assertEqual(answer.headers["Vary"], "Accept")
            self.mira.get(path, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]}, expect=304)

    def test_a_page_as_of_then_stays(self):
        then = f"{self.path}/dashboard?asOf={self.server.last_position()}"
        tag = self.mira.get(then, at_least=self.server.last_position()).headers["ETag"]
        self.ken.rate(self.space, self.anime, 3)
        self.mira.get(then, headers={"If-None-Match": tag}, expect=304)


if __name__ == "__main__":
    unittest.main()
