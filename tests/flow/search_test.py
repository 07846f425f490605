# Search from outside: a catalogue is imported and can be found, however it is spelled, narrowed and paged, and while it is imported again.
import json
import pathlib
import tempfile
import threading
import unittest
import urllib.parse

from bloomwatch import FlowTest

STUDIOS = ["Kite", "Wharf", "Lantern Works"]
FIRST = ["Hoshi", "Umi", "Kaze", "Yama", "Sora", "Kawa", "Mori", "Tsuki"]
SECOND = ["Lantern", "Harbour", "Signal", "Garden", "Train", "Letter"]
NATIVE = ["星", "海", "風", "山", "空", "川", "森", "月"]


def catalogue():
    """48 titles as a release of anime-offline-database."""
    entries = []
    for i, first in enumerate(FIRST):
        for j, second in enumerate(SECOND):
            number = 1000 + i * len(SECOND) + j
            entries.append(
                {
                    "sources": [f"https://anilist.co/anime/{number}"],
                    "title": f"{first} no {second}",
                    "type": "TV" if j % 2 == 0 else "MOVIE",
                    "episodes": 12,
                    "status": "FINISHED",
                    "animeSeason": {"season": ["WINTER", "SPRING", "SUMMER", "FALL"][j % 4], "year": 2010 + i},
                    "picture": f"https://pictures.example.org/{number}.png",
                    "thumbnail": f"https://pictures.example.org/{number}-small.png",
                    "duration": {"value": 1440, "unit": "SECONDS"},
                    "score": {"arithmeticGeometricMean": 5.0 + i * 0.5, "arithmeticMean": 5.0 + i * 0.5, "median": 5.0 + i * 0.5},
                    "synonyms": [f"{NATIVE[i]}の{second}", f"The {second} of {first}"],
                    "studios": [STUDIOS[j % 3].lower()],
                    "producers": [],
                    "relatedAnime": [],
                    "tags": ["adventure"] if i % 2 == 0 else ["drama", "adventure"],
                }
            )
    return entries


class Search(FlowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.mira = cls.server.person("mira")
        cls.file = pathlib.Path(cls.folder.name) / "catalogue.jsonl"
        cls.write(catalogue())
        cls.bring()

    @classmethod
    def write(cls, entries):
        head = {"license": {"name": "made up"}, "repository": "https://example.org", "lastUpdate": "2026-11-01"}
        cls.file.write_text("\n".join(json.dumps(line) for line in [head, *entries]) + "\n")

    @classmethod
    def bring(cls):
        return cls.server.operator("catalog", "import", str(cls.file))

    def search(self, page="", expect=200, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        return self.mira.get(f"/api/search{page}?{query}", expect=expect, at_least=self.server.last_position()).json

    def names(self, **parameters):
        return [item["name"] for item in self.search(**parameters)["items"]]

    def test_1_titles_are_found_however_they_are_spelled(self):
        for text in ("hoshi no lantern", "HOSHI LANTERN", "lantern hoshi", "hosih no lantern", "hoshi no lanten", "the lantern of hoshi", "星のLantern", "hoshinolantern"):
            self.assertEqual(self.names(q=text)[0], "Hoshi no Lantern", text)
        found = self.search(q="lantern of hoshi")["items"][0]
        self.assertEqual(found["match"], {"name": "The Lantern of Hoshi", "ranges": [{"begin": 4, "end": 11}, {"begin": 12, "end": 14}, {"begin": 15, "end": 20}]})
        self.assertEqual((found["format"], found["season"], found["seasonYear"], found["episodes"]), ("TV", "winter", 2010, 12))
        self.assertEqual(self.search(q="xyzzy plugh")["items"], [])

    def test_2_facets_count_and_filters_narrow(self):
        found = self.search(q="lantern", genre="drama")
        counts = lambda name: {one["value"]: one["count"] for one in found["facets"][name]}
        self.assertEqual(found["total"], 4)
        self.assertEqual(self.search(q="lantern", genre="Drama"), found)
        self.assertEqual(counts("genre"), {"adventure": 8, "drama": 4})
        self.assertEqual(counts("format"), {"TV": 4})
        self.assertEqual(sum(counts("year").values()), 4)
        self.assertEqual(found["facets"]["studio"], [{"value": "kite", "name": "kite", "count": 4}])
        self.assertEqual(len(self.names(format="movie", season="spring", limit=200)), 16)
        self.assertEqual(self.names(q="harbour", year=2012), ["Kaze no Harbour"])
        self.assertEqual(set(self.names(q="harbour", year=[2012, 2013])), {"Kaze no Harbour", "Yama no Harbour"})
        self.assertEqual(set(self.names(q="train", minScore=8)), {"Mori no Train", "Tsuki no Train"})
        self.assertEqual(self.names(q="letter", sort="score")[0], "Tsuki no Letter")
        self.assertEqual(self.names(q="letter", sort="newest")[-1], "Hoshi no Letter")
        self.assertEqual([studio["slug"] for studio in self.search(q="wharf")["studios"]], ["wharf"])

    def test_3_pages_cover_everything_once(self):
        for path in ("/api/search", "/api/search?q=lantern", "/api/search?genre=Drama&sort=score"):
            once = [item["id"] for item in self.mira.items(path, at_least=self.server.last_position())]
            paged = [item["id"] for item in self.mira.items(path, limit=7)]
            self.assertEqual(paged, once)
            self.assertEqual(len(set(once)), len(once))
        self.assertEqual(len(once), 24)
        # A cursor goes with what it was made for.
        link = self.search(q="hoshi", limit=2)["next"]
        self.assert_problem(self.mira.call("GET", link + "&q=umi"), 400)
        self.assertEqual(self.mira.get(link + "&q=hoshi")["total"], 6)

    def test_4_suggestions_follow_the_typing(self):
        for typed in ("h", "ho", "hosh", "hoshi no l", "hoshi no lant"):
            self.assertIn("Hoshi", self.search("/suggest", q=typed)["items"][0]["match"]["name"], typed)
        self.assertEqual(self.search("/suggest", q="hoshi no la")["items"][0]["name"], "Hoshi no Lantern")
        self.assertEqual(len(self.search("/suggest", q="no", limit=3)["items"]), 3)
        self.assertEqual(self.search("/suggest", q="kit")["studios"], [{"slug": "kite", "name": "kite", "titles": 16}])

    def test_5_what_makes_no_sense_is_named(self):
        for query, field in (
            ("q=" + "a" * 201, "/q"),
            ("minScore=11", "/minScore"),
            ("minScore=x", "/minScore"),
            ("season=autumn", "/season"),
            ("year=soon", "/year"),
            ("sort=luck", "/sort"),
            ("limit=0", "/limit"),
            ("limit=201", "/limit"),
            ("cursor=abc", "/cursor"),
            ("colour=red", "/colour"),
        ):
            answer = self.mira.call("GET", "/api/search?" + query)
            self.assert_problem(answer, 400)
            self.assertIn(field, [error["pointer"].rsplit("/0", 1)[0] for error in answer["errors"]], query)
        self.assert_problem(self.mira.call("GET", "/api/search/suggest"), 400)
        self.assert_problem(self.mira.call("GET", "/api/search/suggest?q=a&limit=21"), 400)
        self.assert_problem(self.mira.client.call("GET", "/api/search?q=a"), 401)

    def test_6_search_answers_while_the_catalogue_is_imported_again(self):
        # Every title changes, so that every one is written and indexed again.
        entries = catalogue()
        for entry in entries:
            entry["synonyms"].append(entry["title"] + " Zwei")
            entry["score"] = {name: 9.0 for name in entry["score"]}
        self.write(entries)
        imported = threading.Event()
        failures = []

        def bring():
            try:
                self.bring()
            except BaseException as error:  # told below
                failures.append(error)
            imported.set()

        thread = threading.Thread(target=bring)
        thread.start()
        asked = 0
        while not imported.is_set() or asked == 0:
            answer = self.mira.get("/api/search?q=lantern&limit=50")
            self.assertEqual(answer["total"], 8)
            asked += 1
        thread.join()
        self.assertEqual(failures, [])
        found = self.search(q="hoshi no lantern zwei")["items"][0]
        self.assertEqual((found["name"], found["score"]), ("Hoshi no Lantern", 9.0))

    def test_7_a_restarted_service_is_ready_when_its_index_is_filled(self):
        self.server.stop()
        self.server.start()
        answer = self.server.client().call("GET", "/api/search?q=hoshi+lantern", token=self.mira.token, expect=200)
        self.assertEqual(answer["items"][0]["name"], "Hoshi no Lantern")


if __name__ == "__main__":
    unittest.main()
