# A space's analytics over HTTP, on a MyAnimeList list with a second member's ratings beside it: every figure is compared with
# tests/data/analytics_from_log.sql, which computes it from the log alone. Two lists: a small one of every kind of row, and a real one of
# 2008 (skipped where it is absent).
import datetime
import json
import random
import unittest

from bloomwatch import ROOT, SHARED_DATA, FlowTest

PAGES = ("compatibility", "rating-gaps", "shared-stats", "random-pick", "rating-distribution", "timeline")
ZONES = ("Europe/Berlin", "Asia/Tokyo", "America/New_York")


class SpaceAnalytics(FlowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.rows((ROOT / "tests/data/analytics_from_log.sql").read_text())

    def setUp(self):
        name = self._testMethodName[5:15].strip("_")
        self.mira = self.server.person(f"mira_{name}")
        self.ken = self.server.person(f"ken_{name}")
        self.space = self.mira.make_space("Analytics", timeZone="Europe/Berlin")
        self.mira.invite(self.space, self.ken)
        self.path = f"/api/watch-spaces/{self.space}"

    def page(self, name, query="", at_least=None, person=None, **options):
        return (person or self.mira).get(f"{self.path}/analytics/{name}{query}", at_least=at_least, **options)

    def bare(self, page):
        """As the log's figures are written: without labels, titles and cursors."""
        if isinstance(page, dict):
            return {key: self.bare(value) for key, value in page.items() if key not in ("label", "labelKey", "next", "preferredTitle")}
        return [self.bare(value) for value in page] if isinstance(page, list) else page

    def told(self, call):
        return json.loads(self.server.rows(f"SELECT told.{call}::text")[0][0] or "null")

    def assert_all_as_told(self):
        at = self.server.last_position()
        quoted = f"'{self.space}'"
        today = "(now() AT TIME ZONE 'Europe/Berlin')::date"
        stats = self.page("shared-stats", "?limit=60", at_least=at).json
        self.assertEqual(self.bare(stats), self.told(f"shared_stats({quoted}, 'Europe/Berlin', {today}, 60)"))
        self.assertEqual(self.bare(self.page("compatibility", at_least=at).json), self.told(f"compatibility({quoted})"))
        self.assertEqual(self.bare(self.page("rating-distribution", at_least=at).json), self.told(f"rating_distribution({quoted})"))
        gaps = self.told(f"rating_gaps({quoted})")
        self.assertEqual(self.bare(self.mira.items(f"{self.path}/analytics/rating-gaps", limit=3, at_least=at)), gaps)
        aligned = self.mira.items(f"{self.path}/analytics/rating-gaps?order=most-aligned", limit=200, at_least=at)
        self.assertEqual(self.bare(aligned), gaps[::-1])
        moments = [
            self.bare(moment)
            | {"animeId": (moment["anime"] or {}).get("id"), "sessionId": (moment["session"] or {}).get("id")}
            for moment in self.mira.items(f"{self.path}/analytics/timeline", limit=40, at_least=at)
        ]
        for moment in moments:
            del moment["anime"], moment["session"]
        self.assertEqual(moments, self.told(f"timeline({quoted})"))
        return stats

    def import_list(self, data, query=""):
        headers = {"Content-Type": "application/octet-stream"}
        self.mira.call("POST", f"{self.path}/imports/mal{query}", data, headers=headers, expect=200)
        return self.mira.items(f"{self.path}/anime", at_least=self.server.last_position())

    def live_together(self, anime, chance, evenings):
        """Ken rates most of what Mira rated; the two watch on many evenings; one is asked, one declines."""
        for each in anime:
            if chance.random() < 0.7:
                self.ken.rate(self.space, each["id"], chance.randrange(1, 21) / 2)
        self.ken.patch(f"{self.path}/members/me", {"sessionConsent": "ask"})
        now = datetime.datetime.now(datetime.timezone.utc)
        for i in range(evenings):
            each = chance.choice(anime)
            when = now - datetime.timedelta(days=i // 2 if i < 8 else chance.randrange(400), hours=chance.randrange(3))
            first = chance.randint(1, each["episodeCount"] or 12)
            session = {
                "sessionDate": when.isoformat(timespec="milliseconds"),
                "timeZone": chance.choice(ZONES),
                "precision": chance.choice(("exact", "day")),
                "startEpisode": first,
                "endEpisode": min(first + chance.randrange(3), each["episodeCount"] or 99),
                "notes": "An evening.",
            }
            made = self.mira.post(f"{self.path}/anime/{each['id']}/sessions", session)
            answer = chance.choice(("confirm", "decline", None))
            if answer:
                self.ken.call("POST", f"{self.path}/anime/{each['id']}/sessions/{made['id']}/{answer}", expect=200)

    def test_the_small_list_gives_the_figures_of_its_log(self):
        chance = random.Random(5)
        anime = self.import_list((ROOT / "tests/data/mal-small.xml").read_bytes(), "?shared=true")
        for number in range(4):  # exports say nothing of minutes; these do
            self.mira.add_anime(self.space, 900 + number, episodeCount=12, episodeMinutes=24, preferredTitle=f"Long {number}")
        anime = self.mira.items(f"{self.path}/anime", at_least=self.server.last_position())
        self.live_together(anime, chance, 30)
        stats = self.assert_all_as_told()
        self.assertGreaterEqual(stats["streak"]["current"], 3)
        self.assertEqual(stats["timeTogether"]["labelKey"], "some-unknown")
        self.assertEqual(self.page("compatibility").json["ratedTogetherCount"], len(self.mira.items(f"{self.path}/analytics/rating-gaps")))
        self.months_go_on(stats)
        # Whoever leaves is out of every figure of a member, and back in them when they come back.
        self.ken.delete(f"{self.path}/members/me")
        stats = self.assert_all_as_told()
        self.assertEqual([member["userId"] for member in stats["members"]], [self.mira.id])
        self.assertIsNone(self.page("compatibility").json["score"])
        self.mira.invite(self.space, self.ken)
        self.assert_all_as_told()
        self.server.verify()

    def months_go_on(self, stats):
        months, path = [], f"{self.path}/analytics/shared-stats?limit=2"
        while path:
            page = self.mira.get(path)
            self.assertLessEqual(len(page["months"]), 2)
            months += page["months"]
            path = page["next"]
        self.assertEqual(months, stats["months"])

    def test_a_real_list_gives_the_figures_of_its_log(self):
        file = SHARED_DATA / "mal/real-export-2008.xml.gz"
        if not file.exists():
            self.skipTest(f"{file} is not here: the real MyAnimeList list cannot be read")
        anime = self.import_list(file.read_bytes(), "?shared=true")
        self.live_together(anime, random.Random(8), 40)
        stats = self.assert_all_as_told()
        self.assertEqual(stats["completion"]["totalShows"], len(anime))
        self.assertEqual(stats["timeInSessions"]["labelKey"], "none-known")
        self.assertIsNone(stats["timeInSessions"]["minutes"])

    def test_with_nothing_to_count_it_says_so(self):
        stats = self.assert_all_as_told()
        self.assertEqual(stats["completion"]["labelKey"], "no-shows")
        self.assertIsNone(stats["completion"]["rate"])
        self.assertEqual(stats["streak"]["labelKey"], "no-sessions")
        self.assertEqual(stats["timeTogether"]["labelKey"], "nothing-watched")
        self.assertEqual(stats["months"], [])
        compatibility = self.page("compatibility").json
        self.assertEqual((compatibility["score"], compatibility["averageGap"], compatibility["labelKey"]), (None, None, "not-enough-data"))
        distribution = self.page("rating-distribution").json["together"]
        self.assertEqual((distribution["averageScore"], distribution["labelKey"]), (None, "not-enough-data"))
        self.assertEqual(self.page("rating-gaps").json, {"items": [], "next": None})
        pick = self.page("random-pick").json
        self.assertEqual((pick["pick"], pick["labelKey"], pick["consideredCount"]), (None, "backlog-empty", 0))
        kinds = [moment["kind"] for moment in self.page("timeline")["items"]]
        self.assertEqual(kinds, ["member-joined", "member-joined", "space-created"])

    def test_a_pick_can_be_had_again_and_made_narrower(self):
        ids = {}
        for number in range(30):
            fields = {"episodeCount": number + 1} if number < 20 else {}
            ids[self.mira.add_anime(self.space, 100 + number, mood="Cosy and calm" if number % 3 == 0 else None, **fields)["id"]] = number
        at = self.server.last_position()
        first = self.page("random-pick", at_least=at).json
        self.assertEqual((first["labelKey"], first["consideredCount"], first["fittingCount"]), ("picked", 30, 30))
        again = self.page("random-pick", f"?seed={first['seed']}").json
        self.assertEqual(again, first)
        picked = {self.page("random-pick", f"?seed=evening-{i}")["pick"]["id"] for i in range(40)}
        self.assertGreater(len(picked), 10)
        # What does not fit goes; the same pick stays while it fits.
        for i in range(10):
            short = self.page("random-pick", f"?seed=s{i}&maxEpisodes=5").json
            self.assertLess(ids[short["pick"]["id"]], 5)
            self.assertEqual((short["fittingCount"], short["unknownLengthCount"]), (5, 10))
            calm = self.page("random-pick", f"?seed=s{i}&mood=CALM").json
            self.assertEqual(ids[calm["pick"]["id"]] % 3, 0)
            self.assertEqual(calm["pick"]["mood"], "Cosy and calm")
            self.assertEqual(calm["fittingCount"], 10)
            both = self.page("random-pick", f"?seed=s{i}&mood=cosy&maxEpisodes=4").json
            self.assertIn(ids[both["pick"]["id"]], (0, 3))
        none = self.page("random-pick", "?mood=thrilling").json
        self.assertEqual((none["pick"], none["labelKey"], none["consideredCount"], none["fittingCount"]), (None, "nothing-fits", 30, 0))
        seen = self.page("random-pick", "?seed=stay")["pick"]["id"]
        self.mira.add_anime(self.space, 999)
        gone = next(id for id in ids if id != seen)
        at = self.mira.patch(f"{self.path}/anime/{gone}", {"sharedStatus": "watching"})
        still = self.page("random-pick", "?seed=stay", at_least=at)["pick"]["id"]
        self.assertIn(ids.get(still, "new"), (ids[seen], "new"))

    def test_what_is_asked_wrongly_is_named(self):
        for query, field in (
            ("rating-gaps?order=widest", "/order"),
            ("rating-gaps?limit=0", "/limit"),
            ("rating-gaps?cursor=nonsense", "/cursor"),
            ("shared-stats?limit=61", "/limit"),
            ("shared-stats?cursor=nonsense", "/cursor"),
            ("random-pick?maxEpisodes=0", "/maxEpisodes"),
            ("random-pick?maxEpisodes=many", "/maxEpisodes"),
            ("random-pick?seed=" + "x" * 65, "/seed"),
            ("random-pick?mood=", "/mood"),
            ("timeline?cursor=nonsense", "/cursor"),
            ("compatibility?order=biggest", "/order"),
        ):
            with self.subTest(query=query):
                answer = self.page(query, expect=400)
                self.assertIn(field, answer.body.decode())

    def test_only_members_see_any_of_it(self):
        stranger = self.server.person("stranger_analytics")
        for page in PAGES:
            self.page(page, person=stranger, expect=404)
            self.page(page, person=self.ken)


if __name__ == "__main__":
    unittest.main()
