# AniList discovery from outside: a real server of ours against a stand-in for AniList over TLS that answers, refuses, lies and hangs.
import concurrent.futures
import time
import unittest
import urllib.parse

from anilist_server import (AniListServer, BROKEN, BROKEN_IN_200, FRIEREN, INVALID_SEARCH, OUTAGE, banned, cut, nonsense, oversized,
                            rate_limited, slow)
from bloomwatch import Client, FlowTest, wait_until

SEARCH = "/api/anilist/search"
REST_MS = 300


def search_path(text, **parameters):
    return SEARCH + "?" + urllib.parse.urlencode({"query": text, **parameters})


class AniListTest(FlowTest):
    """With a stand-in of its own; pauses are short. `fresh_ms`: how long searches are answered from memory."""

    fresh_ms = 0

    @classmethod
    def setUpClass(cls):
        cls.anilist = AniListServer()
        cls.addClassCleanup(cls.anilist.close)
        cls.serve_arguments = [
            "--anilist-url", cls.anilist.url, "--anilist-ca-file", cls.anilist.ca_file, "--anilist-wait-ms", 4000,
            "--anilist-pause-ms", 20, "--anilist-rest-ms", REST_MS, "--anilist-search-fresh-ms", cls.fresh_ms,
        ]
        super().setUpClass()
        cls.people = 0
        cls.prober = cls.server.person("anilist_prober")

    def setUp(self):
        self.anilist.script.clear()
        self.anilist.always = None
        self.anilist.requests.clear()
        type(self).people += 1
        self.person = self.server.person(f"anilist_{self.people}")  # each has a budget of their own

    def search(self, text, **parameters):
        return self.person.call("GET", search_path(text, **parameters))

    def media(self, number):
        return self.person.call("GET", f"/api/anilist/media/{number}")

    def until_it_answers(self):
        """After a trouble AniList is left alone for a moment."""
        self.anilist.script.clear()
        self.anilist.always = None

        def answered():
            answer = self.prober.call("GET", search_path("Frieren"))
            return answer if answer.status == 200 and not answer["stale"] else None

        return wait_until(answered, 60, "AniList to be asked again")

    def assert_unavailable(self, answer):
        self.assert_problem(answer, 503, "anilist-unavailable")
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)


class Discovery(AniListTest):
    def test_a_search_answers_what_can_be_added_as_it_is(self):
        self.until_it_answers()
        answer = self.search("  frieren ")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual((answer["stale"], answer["source"], answer["next"]), (False, "anilist", None))
        self.assertRegex(answer["fetchedAt"], r"^\d{4}-\d\d-\d\dT.*Z$")
        (item,) = answer["items"]
        self.assertEqual(item["anilistMediaId"], FRIEREN["id"])
        self.assertEqual(item["preferredTitleNative"], "葬送のフリーレン")
        self.assertEqual((item["season"], item["seasonYear"], item["status"]), ("fall", 2023, "finished"))
        space = self.person.make_space()
        taken = ("preferredTitle", "preferredTitleEnglish", "preferredTitleNative", "episodeCount", "episodeMinutes", "coverImageUrl",
                 "format", "season", "seasonYear")
        added = self.person.add_anime(space, item["anilistMediaId"], **{name: item[name] for name in taken})
        page = self.person.get(f"/api/watch-spaces/{space}/anime/{added['id']}", at_least=added)
        self.assertEqual({name: page[name] for name in taken}, {name: item[name] for name in taken})

    def test_a_search_is_paged_over_the_pages_of_anilist(self):
        self.until_it_answers()
        self.anilist.requests.clear()
        found, path = [], search_path("endless series", limit=40)
        while path:
            page = self.person.get(path)
            self.assertLessEqual(len(page["items"]), 40)
            found += [item["anilistMediaId"] for item in page["items"]]
            path = page["next"]
        self.assertEqual(found, list(range(1001, 1121)))
        self.assertEqual({asked["page"] for asked in self.anilist.requests}, {1, 2, 3})

    def test_what_is_wrong_in_a_search_is_named(self):
        cursor = "cursor=" + "x" * 40
        for query, field in [("", "/query"), ("query=", "/query"), ("query=%20%E3%80%80", "/query"), ("query=" + "a" * 201, "/query"),
                             ("query=a%01", "/query"), ("query=a&limit=0", "/limit"), ("query=a&limit=51", "/limit"),
                             ("query=a&page=2", "/page"), ("query=a&" + cursor, "/cursor")]:
            with self.subTest(query=query):
                answer = self.person.call("GET", f"{SEARCH}?{query}")
                self.assert_problem(answer, 400)
                self.assertEqual([error["pointer"] for error in answer["errors"]], [field])
        for number in ("abc", "0", "-1", "1.5", "2147483648"):
            with self.subTest(id=number):
                self.assert_problem(self.media(number), 404, "no-such-media")
        self.assertEqual(self.anilist.requests, [])

    def test_a_text_that_anilist_refuses_is_400(self):
        self.until_it_answers()
        self.anilist.script.append(INVALID_SEARCH)
        answer = self.search("refused")
        self.assert_problem(answer, 400)
        self.assertEqual(answer["errors"][0]["pointer"], "/query")

    def test_details_are_kept_in_the_table(self):
        self.until_it_answers()
        self.server.rows("DELETE FROM anilist.media")
        self.anilist.requests.clear()
        first, second = self.media(FRIEREN["id"]), self.media(FRIEREN["id"])
        self.assertEqual(self.anilist.requests, [{"id": FRIEREN["id"]}])
        self.assertEqual(first.json, second.json)
        self.assertEqual((first["stale"], first["source"]), (False, "anilist"))
        self.assertEqual((first["description"], first["studios"], first["endDate"]),
                         ("An elf.<br>She walks.", ["Madhouse"], {"year": 2024, "month": 3, "day": 22}))

    def test_a_passing_trouble_is_not_seen(self):
        self.until_it_answers()
        for trouble in (BROKEN, BROKEN_IN_200, cut, rate_limited(Retry_After="1", X_RateLimit_Remaining="0")):
            with self.subTest(trouble=trouble):
                self.anilist.requests.clear()
                self.anilist.script.append(trouble)
                answer = self.search("Frieren")
                self.assertEqual((answer.status, answer.json.get("stale")), (200, False), answer)
                self.assertEqual(len(self.anilist.requests), 2)

    def test_what_lasts_is_answered_from_what_is_known_and_marked_stale(self):
        known = self.until_it_answers()
        details = self.media(FRIEREN["id"])
        for name, trouble in [("outage", OUTAGE), ("ban", banned), ("broken", BROKEN), ("cut", cut), ("nonsense", nonsense),
                              ("oversized", oversized)]:
            with self.subTest(trouble=name):
                self.until_it_answers()
                self.anilist.always = trouble
                old = self.search("Frieren")
                self.assertEqual((old.status, old.json.get("stale")), (200, True), old)
                self.assertEqual(old["items"], known["items"])
                self.assert_unavailable(self.search(f"never asked before: {name}"))
                self.assert_unavailable(self.media(424242))
                self.assertEqual(self.media(FRIEREN["id"]).json, details.json, "what is in the table needs nobody")
        self.until_it_answers()

    def test_nobody_waits_for_longer_than_told(self):
        self.until_it_answers()
        self.anilist.always = slow(8)
        began = time.monotonic()
        self.assertTrue(self.search("Frieren")["stale"])
        self.assertLess(time.monotonic() - began, 8)
        self.until_it_answers()

    def test_an_outage_is_not_hammered_and_a_search_finds_kept_media(self):
        self.until_it_answers()
        self.media(FRIEREN["id"])
        self.anilist.always = OUTAGE
        self.anilist.requests.clear()
        found = self.search("BEYOND JOURNEY")
        self.assertEqual((found.status, found.json.get("stale"), found.json.get("source")), (200, True, "anilist"), found)
        self.assertEqual([item["anilistMediaId"] for item in found["items"]], [FRIEREN["id"]])
        for number in range(5):
            self.assert_unavailable(self.search(f"nothing of the kind {number}"))
        self.assertLess(len(self.anilist.requests), 5)
        self.until_it_answers()

    def test_what_is_known_is_paged_while_anilist_is_down(self):
        self.until_it_answers()
        kept = [1001, 1002, 1003]
        for number in kept:
            self.assertEqual(self.media(number).status, 200)
        self.anilist.always = OUTAGE
        first = self.search("less series", limit=2)
        self.assertEqual((first.status, first.json.get("stale"), len(first["items"])), (200, True, 2), first)
        second = self.person.get(first["next"])
        self.assertEqual((second["stale"], second["next"]), (True, None))
        self.assertEqual(sorted(item["anilistMediaId"] for item in first["items"] + second["items"]), kept)
        self.until_it_answers()

    def test_old_details_are_shown_at_once_and_fetched_anew_behind_the_answer(self):
        self.until_it_answers()
        self.media(FRIEREN["id"])
        self.server.rows(f"UPDATE anilist.media SET fetched_at = fetched_at - interval '2 days' WHERE id = {FRIEREN['id']}")
        self.anilist.always = OUTAGE
        old = self.media(FRIEREN["id"])
        self.assertEqual((old.status, old["stale"]), (200, True))
        self.assertRegex(old["fetchedAt"], r"^\d{4}-")
        self.anilist.always = None
        new = wait_until(lambda: (answer := self.media(FRIEREN["id"]))["stale"] is False and answer, 30, "details to be fetched anew")
        self.assertGreater(new["fetchedAt"], old["fetchedAt"])

    def test_an_impostor_is_told_nothing(self):
        self.until_it_answers()
        self.anilist.requests.clear()
        self.anilist.present("impostor")
        try:
            self.assert_unavailable(self.search("a secret wish"))
            self.assertEqual(self.anilist.requests, [])
        finally:
            self.anilist.present("anilist")
        self.until_it_answers()

    def test_the_same_question_is_asked_once_at_a_time(self):
        self.until_it_answers()
        self.anilist.requests.clear()
        self.anilist.script.append(slow(1.5))
        clients = [self.server.client() for _ in range(6)]
        with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            answers = list(pool.map(lambda client: client.call("GET", search_path("FRIEREN"), token=self.person.token), clients))
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertLessEqual(len(self.anilist.requests), 2, "who came after the answer may have asked again")

    def test_one_person_cannot_spend_everybodys_budget(self):
        self.until_it_answers()
        self.assertFalse(self.search("Frieren")["stale"])
        answers = [self.media(5_000_000 + number) for number in range(30)]
        self.assertEqual({answer.status for answer in answers[:19]}, {404})
        refused = [answer for answer in answers if answer.status == 429]
        self.assertTrue(refused)
        self.assert_problem(refused[0], 429, "too-many-requests")
        self.assertGreaterEqual(int(refused[0].headers["Retry-After"]), 1)
        for _ in range(2):  # the first may find what came back to the budget meanwhile
            known = self.search("Frieren")
        self.assertEqual((known.status, known.json.get("stale")), (200, True), "what it has told already can be had at any time")
        other = self.server.person("anilist_other")
        self.assert_problem(other.call("GET", "/api/anilist/media/6000000"), 404, "no-such-media")

    def test_operators_see_how_it_goes_and_nobody_sees_what_is_searched_for(self):
        self.until_it_answers()
        self.search("a very private wish")
        admin = Client(self.server.admin_url)
        self.addCleanup(admin.close)
        metrics = admin.call("GET", "/metrics", expect=200).body.decode()
        for line in ('bloomwatch_anilist_requests_total{operation="search",outcome="ok"}', "bloomwatch_anilist_breaker_state 0",
                     'bloomwatch_anilist_answers_total{from="anilist",operation="search"}'):
            self.assertIn(line, metrics)
        self.assertNotIn("private wish", metrics + (self.server.home / "serve.out").read_text())


class RateLimit(AniListTest):
    fresh_ms = 600_000

    def test_a_refusal_that_says_nothing_is_waited_out_and_memory_answers_meanwhile(self):
        first = self.search("Frieren")
        self.assertEqual(first.status, 200, first)
        self.assertEqual(self.search("  FRIEREN").json, first.json)
        self.assertEqual(len(self.anilist.requests), 1, "the second one came from memory")
        for _ in range(2):
            self.assert_problem(self.media(999999), 404, "no-such-media")
        self.assertEqual(len(self.anilist.requests), 2, "what is not there is remembered, too")
        self.anilist.script.append(rate_limited())
        answer = self.media(FRIEREN["id"])
        self.assert_unavailable(answer)
        self.assertTrue(40 <= int(answer.headers["Retry-After"]) <= 60, answer.headers["Retry-After"])
        self.assert_unavailable(self.media(FRIEREN["id"]))
        for number in range(25):
            self.assert_unavailable(self.media(7_000_000 + number))  # and nobody's own budget is spent
        self.assertEqual(len(self.anilist.requests), 3, "nobody asked again")
        self.assertEqual(self.search("Frieren").json, first.json)


if __name__ == "__main__":
    unittest.main()
