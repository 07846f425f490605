# The catalogue from outside: imported by the operator, merged and split as its source does, read over HTTP, used by spaces.
# The real catalogue of 12,294 titles is imported where it is at hand (of builds with sanitizers, a part of it).
import itertools
import json
import pathlib
import re
import subprocess
import tempfile
import unittest
import uuid

from bloomwatch import PROGRAM, ROOT, SHARED_DATA, FlowTest, wait_until

SMALL = ROOT / "tests" / "data" / "catalog-small.jsonl"
REAL = SHARED_DATA / "catalog" / "anime-12k.csv"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "bloomwatch.invalid")


def title_id(source, identity):
    return str(uuid.uuid5(NAMESPACE, f"{source}:{identity}"))


def next_id(identity):
    """Of a title whose first id another title has."""
    return str(uuid.uuid5(uuid.UUID(identity), "again"))


class Catalog(FlowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.mira = cls.server.person("mira")
        # Two anime of one space that nobody knows yet to be one title.
        cls.space = cls.mira.make_space()
        cls.by_anilist = cls.mira.add_anime(cls.space, 900003, preferredTitle="Umi no Machi")["id"]
        cls.by_mal = cls.mira.post(f"/api/watch-spaces/{cls.space}/anime", {"media": {"source": "mal", "id": 800003}})["id"]
        cls.mira.rate(cls.space, cls.by_anilist, 8)
        cls.mira.rate(cls.space, cls.by_mal, 9)
        cls.first = cls.bring(SMALL)

    @classmethod
    def tearDownClass(cls):
        cls.server.verify()
        cls.folder.cleanup()
        super().tearDownClass()

    @classmethod
    def bring(cls, file, *arguments):
        return cls.server.operator("catalog", "import", str(file), *arguments)

    def changed(self, change):
        """The small catalogue as another release: `change` gets its entries as a list."""
        lines = [json.loads(line) for line in SMALL.read_text().splitlines()]
        entries = change(lines[1:])
        path = pathlib.Path(self.folder.name) / f"{self.id()}.jsonl"
        path.write_text("\n".join(json.dumps(line) for line in [lines[0], *entries]) + "\n")
        return path

    def bring_entries(self, *entries):
        """Imports a release of these alone: each is a name and the pages that tell its references."""
        lines = [json.loads(line) for line in SMALL.read_text().splitlines()]
        described = [lines[3] | {"title": name, "sources": sources} for name, *sources in entries]
        path = pathlib.Path(self.folder.name) / f"{self.id()}.jsonl"
        path.write_text("\n".join(json.dumps(line) for line in [lines[0], *described]) + "\n")
        return self.bring(path)

    def title(self, identity, expect=200):
        # After the whole catalogue came in, a busy machine takes more than the two seconds that a page waits unasked.
        return self.mira.get(f"/api/titles/{identity}", expect=expect, at_least=self.position(), headers={"Prefer": "wait=10"}).json

    def position(self):
        return {"position": self.server.last_position()}

    def test_1_a_release_is_in_with_what_it_says(self):
        self.assertIn("4 added, 0 changed, 0 unchanged, 0 failed, 1 skipped", self.first)
        self.assertIn("none of its sources is one that we know", self.first)
        title = self.title(title_id("anilist", 900001))
        self.assertEqual(title["id"], title_id("anilist", 900001))
        self.assertEqual((title["name"], title["format"], title["episodes"], title["minutes"]), ("Hoshi no Lantern", "TV", 12, 24))
        self.assertEqual((title["season"], title["seasonYear"], title["airing"]), ("fall", 2023, "finished"))
        self.assertIn({"text": "星のランタン", "language": "ja", "kind": "native", "source": "anime-offline-database"}, title["names"])
        self.assertEqual((title["genres"], title["tags"]), (["adventure", "fantasy"], ["lanterns"]))
        self.assertIn({"slug": "studio-kite", "name": "studio kite", "role": "studio"}, title["studios"])
        self.assertEqual([related["name"] for related in title["related"]], ["Hoshi no Lantern 2nd Season"])
        self.assertIn({"source": "kitsu", "id": 700001}, title["externalIds"])
        self.assertEqual({title["sources"][fact] for fact in ("format", "seasonYear", "pictureUrl", "studios")}, {"anime-offline-database"})
        self.assertEqual(title["attribution"][0]["source"], "anime-offline-database")
        self.assertEqual(len(title["attribution"][0]["licences"]), 2)
        # By any of its references, too; what nobody knows is not found.
        self.assertEqual(self.title(title_id("mal", 800001))["id"], title["id"])
        self.assert_problem(self.mira.call("GET", f"/api/titles/{title_id('mal', 1)}"), 404, "no-such-title")

    def test_2_lists_are_narrowed_and_paged(self):
        names = lambda path: [item["name"] for item in self.mira.items(path, at_least=self.position())]
        self.assertEqual(len(names("/api/titles")), 4)
        self.assertEqual(names("/api/titles?season=fall&year=2023"), ["Hoshi no Lantern"])
        self.assertEqual(names("/api/titles?genre=fantasy&studio=studio-kite&format=tv&year=2027"), ["Hoshi no Lantern 2nd Season"])
        self.assertEqual(names("/api/titles?genre=none"), [])
        season = self.mira.get("/api/seasons/2023/fall").json
        self.assertEqual((season["year"], season["season"], len(season["items"])), (2023, "fall", 1))
        studio = self.mira.get("/api/studios/studio-kite").json
        self.assertEqual((studio["name"], len(studio["items"])), ("studio kite", 2))
        self.assert_problem(self.mira.call("GET", "/api/studios/nobody"), 404, "no-such-studio")
        seen = []
        page = "/api/titles?limit=1"
        while page:
            body = self.mira.get(page).json
            seen += [item["id"] for item in body["items"]]
            page = body["next"]
        self.assertEqual((len(seen), len(set(seen))), (4, 4))
        for path in ("/api/seasons/2023/monsoon", "/api/titles?year=x", "/api/titles?limit=0", "/api/titles?cursor=x"):
            self.assertIn(self.mira.call("GET", path).status, (400, 404), path)

    def test_3_the_same_again_changes_nothing(self):
        before = self.server.last_position()
        self.assertIn("0 added, 0 changed, 4 unchanged", self.bring(SMALL))
        self.assertEqual(self.server.last_position(), before)

    def test_4_a_dry_run_writes_nothing(self):
        def more_episodes(entries):
            entries[0]["episodes"] = 13
            return entries

        before = self.server.last_position()
        told = self.bring(self.changed(more_episodes), "--dry-run")
        self.assertIn("0 added, 1 changed, 3 unchanged", told)
        self.assertIn("episodes 1", told)
        self.assertEqual(self.server.last_position(), before)

    def test_5_an_anime_takes_what_the_catalogue_knows(self):
        space = self.mira.make_space("By an id")
        added = self.mira.post(f"/api/watch-spaces/{space}/anime", {"media": {"source": "mal", "id": 800001}})
        anime = self.mira.get(f"/api/watch-spaces/{space}/anime/{added['id']}", at_least=added).json
        self.assertEqual(anime["titleId"], title_id("anilist", 900001))
        self.assertEqual((anime["preferredTitle"], anime["preferredTitleNative"]), ("Hoshi no Lantern", "星のランタン"))
        self.assertEqual((anime["episodeCount"], anime["coverImageUrl"]), (12, "https://example.org/pictures/1.jpg"))
        again = self.mira.call("POST", f"/api/watch-spaces/{space}/anime", {"anilistMediaId": 900001})
        self.assert_problem(again, 409, "already-tracked")

    def test_6_entries_that_merge_become_one_title_and_spaces_are_told(self):
        one, other = title_id("anilist", 900003), title_id("mal", 800003)
        self.assertNotEqual(self.title(one)["id"], self.title(other)["id"])
        page = f"/api/watch-spaces/{self.space}/anime/{self.by_mal}"
        self.assertEqual(self.mira.get(page, at_least=self.position()).json["sameTitleAs"], [])

        def merged(entries):
            entries[2]["sources"] += entries[3]["sources"]
            return [entry for entry in entries if entry is not entries[3]]

        told = self.bring(self.changed(merged))
        self.assertIn(f"title {other} became {one}", told)
        self.assertEqual(self.title(other)["id"], one)
        self.assertEqual(self.mira.get(page, at_least=self.position()).json["sameTitleAs"], [self.by_anilist])
        score = self.title(one)["communityScore"]
        self.assertEqual((score["votes"], score["mean"]), (2, 8.5))
        self.assertEqual(score["distribution"], [{"score": 8, "votes": 1}, {"score": 9, "votes": 1}])
        before = self.server.last_position()
        self.assertIn("0 added, 0 changed, 3 unchanged", self.bring(self.changed(merged)))
        self.assertEqual(self.server.last_position(), before)

    def test_7_an_entry_that_splits_leaves_the_id_with_its_best_reference(self):
        def split(entries):
            second = json.loads(json.dumps(entries[0])) | {"title": "Hoshi no Lantern (Short)", "sources": ["https://kitsu.app/anime/700001"]}
            entries[0]["sources"] = entries[0]["sources"][:2]
            return [*entries[:2], second]

        told = self.bring(self.changed(split))
        self.assertIn("1 added", told)
        self.assertEqual(self.title(title_id("anilist", 900001))["name"], "Hoshi no Lantern")
        self.assertEqual(self.title(title_id("kitsu", 700001))["name"], "Hoshi no Lantern (Short)")

    def test_8_a_file_that_is_refused_changes_nothing(self):
        before = self.server.last_position()
        for name, text in {"empty.csv": "", "other.json": "{}", "columns.csv": "a,b\n1,2\n"}.items():
            path = pathlib.Path(self.folder.name) / name
            path.write_text(text)
            with self.assertRaises(AssertionError) as refused:
                self.bring(path)
            self.assertIn("refused, and nothing was changed", str(refused.exception))
        self.assertEqual(self.server.last_position(), before)

    def test_8_ids_are_of_a_source_that_is_known(self):
        before = self.server.last_position()
        path = pathlib.Path(self.folder.name) / "ids.csv"
        path.write_text("anime_id,name\n6000001,One by a name\n")
        with self.assertRaisesRegex(AssertionError, "'myanimelist' is none of the sources"):
            self.bring(path, "--ids", "myanimelist")
        self.assertEqual(self.server.last_position(), before)
        self.assertIn("1 added", self.bring(path, "--ids", "anidb", "--dry-run"))

    def test_8_a_report_that_cannot_be_written_is_noticed_before_the_import(self):
        before = self.server.last_position()
        path = pathlib.Path(self.folder.name) / "more.csv"
        path.write_text("anime_id,name\n6000000,One more\nseven,No id\n")
        with self.assertRaisesRegex(AssertionError, "cannot write /nonexistent/report"):
            self.bring(path, "--report", "/nonexistent/report")
        self.assertEqual(self.server.last_position(), before)
        with self.assertRaisesRegex(AssertionError, "(?s)1 added.*cannot write /dev/full"):
            self.bring(path, "--report", "/dev/full")

    @unittest.skipUnless(REAL.exists(), f"the real catalogue is not at {REAL}")
    def test_9_the_real_catalogue_is_in(self):
        file = REAL
        wanted = 12_294
        if "build/test" in PROGRAM:  # with sanitizers
            wanted = 1_500
            file = pathlib.Path(self.folder.name) / "part.csv"
            file.write_text("".join(REAL.read_text().splitlines(keepends=True)[: wanted + 1]))
        told = self.bring(file)
        self.assertRegex(told, rf"{wanted} rows of csv: \d+ added, \d+ changed, 0 unchanged, 0 failed, \d+ skipped")
        name = self.title(title_id("mal", 9969))["name"]
        self.assertEqual(name, "Gintama'")
        before = self.server.last_position()
        self.assertIn("0 added, 0 changed", self.bring(file))
        self.assertEqual(self.server.last_position(), before)

    def test_a_title_by_hand_outranks_every_file_and_can_be_tracked(self):
        self.server.operator("role", "mira", "moderator")
        made = self.mira.post(
            "/api/titles", {"names": [{"text": "A Film of Ours", "language": "en", "kind": "main"}], "episodes": 1, "minutes": 90}
        )
        title = self.mira.get(f"/api/titles/{made['id']}", at_least=made).json
        self.assertEqual((title["episodes"], title["minutes"]), (1, 90))
        tracked = self.mira.post(f"/api/watch-spaces/{self.space}/anime", {"media": {"source": "bloomwatch", "id": made["id"]}})
        anime = self.mira.get(f"/api/watch-spaces/{self.space}/anime/{tracked['id']}", at_least=tracked).json
        self.assertEqual((anime["titleId"], anime["preferredTitle"], anime["episodeCount"]), (made["id"], "A Film of Ours", 1))
        again = self.mira.call("POST", f"/api/watch-spaces/{self.space}/anime", {"media": {"source": "bloomwatch", "id": made["id"]}})
        self.assert_problem(again, 409)
        unknown = self.mira.call("POST", f"/api/watch-spaces/{self.space}/anime", {"media": {"source": "bloomwatch", "id": str(uuid.uuid4())}})
        self.assert_problem(unknown, 404)
        for wrong in ({"source": "bloomwatch", "id": 7}, {"source": "bloomwatch", "id": "seven"}):
            answer = self.mira.call("POST", f"/api/watch-spaces/{self.space}/anime", {"media": wrong})
            self.assert_problem(answer, 400)
        changed = self.mira.call("PATCH", f"/api/titles/{made['id']}", {"minutes": 95, "genres": ["Drama"]}, expect=200)
        title = self.mira.get(f"/api/titles/{made['id']}", at_least=changed.json).json
        self.assertEqual((title["minutes"], title["genres"]), (95, ["drama"]))
        own = self.mira.call("PATCH", f"/api/titles/{made['id']}", {"media": [{"source": "bloomwatch", "id": made["id"]}]})
        self.assert_problem(own, 400)

    def test_an_anime_is_added_by_the_id_of_its_title_whoever_knows_it(self):
        self.bring_entries(("Only There", "https://anidb.net/anime/900020"))
        title = title_id("anidb", 900020)
        self.assertEqual(self.title(title)["name"], "Only There")
        page = f"/api/watch-spaces/{self.mira.make_space('By a title')}/anime"
        added = self.mira.post(page, {"media": {"source": "bloomwatch", "id": title.upper()}})
        anime = self.mira.get(f"{page}/{added['id']}", at_least=added).json
        self.assertEqual((anime["titleId"], anime["preferredTitle"]), (title, "Only There"))
        self.assertEqual(anime["media"], {"source": "bloomwatch", "id": title})
        again = self.mira.call("POST", page, {"media": {"source": "bloomwatch", "id": title}})
        self.assert_problem(again, 409, "already-tracked")

    def test_more_references_than_a_title_may_have_are_refused_to_whoever_sends_them(self):
        ann, bea = self.server.person("ann"), self.server.person("bea")
        self.server.operator("role", "bea", "moderator")
        media = [{"source": "mal", "id": 7_000_000 + i} for i in range(600)]
        one = title_id("anilist", 900001)
        for method, path, body in (("POST", "/api/titles", {"names": [{"text": "All of them"}]}), ("PATCH", f"/api/titles/{one}", {})):
            for person, status, problem in ((ann, 403, "not-a-moderator"), (bea, 422, "too-much-said")):
                self.assert_problem(person.call(method, path, body | {"media": media}), status, problem)

    def test_entries_that_merge_and_split_again_are_two_titles_each_time(self):
        by_anilist, by_mal = "https://anilist.co/anime/900010", "https://myanimelist.net/anime/800010"
        apart = [("One", by_anilist), ("Two", by_mal)]
        one, first = title_id("anilist", 900010), title_id("mal", 800010)
        two = first
        self.bring_entries(*apart)
        space = self.mira.make_space("Two of one")
        tracked = self.mira.post(f"/api/watch-spaces/{space}/anime", {"media": {"source": "mal", "id": 800010}})["id"]
        self.mira.rate(space, tracked, 7)
        for _ in range(3):
            self.assertIn(f"title {two} became {one}", self.bring_entries(("One", by_anilist, by_mal)))
            self.assertIn("1 added", self.bring_entries(*apart))
            two = next_id(two)
            for identity, name, source in ((one, "One", "anilist"), (two, "Two", "mal")):
                title = self.title(identity)
                self.assertEqual((title["id"], title["name"]), (identity, name))
                self.assertEqual([reference["source"] for reference in title["externalIds"]], [source])
            # An id that was merged leads to what it became, and so do the votes under it.
            self.assertEqual(self.title(first)["id"], one)
            self.assertEqual([self.title(identity)["communityScore"]["votes"] for identity in (one, two)], [1, 0])
            before = self.server.last_position()
            self.assertIn("0 added, 0 changed, 2 unchanged, 0 failed", self.bring_entries(*apart))
            self.assertEqual(self.server.last_position(), before)

    def test_an_id_leads_to_its_own_title_where_its_reference_means_another(self):
        # Of the two ids that of the other title comes first.
        number = next(n for n in itertools.count(700010) if next_id(title_id("kitsu", n)) < title_id("kitsu", n))
        by_kitsu, by_mal = f"https://kitsu.app/anime/{number}", f"https://myanimelist.net/anime/{number}"
        one = title_id("kitsu", number)
        two = next_id(one)
        self.bring_entries(("One", by_kitsu))
        self.bring_entries(("One", by_mal, by_kitsu))
        page = f"/api/watch-spaces/{self.mira.make_space('One and two')}/anime"
        tracked = self.mira.post(page, {"media": {"source": "mal", "id": number}})["id"]
        self.mira.patch(f"{page}/{tracked}/participant-rating", {"score": 7})
        self.assertIn("1 added", self.bring_entries(("One", by_mal), ("Two", by_kitsu)))
        for identity, name, votes in ((one, "One", 1), (two, "Two", 0)):
            title = self.title(identity)
            self.assertEqual((title["id"], title["name"], title["communityScore"]["votes"]), (identity, name, votes))
        added = self.mira.post(page, {"media": {"source": "kitsu", "id": number}})
        self.assert_problem(self.mira.call("POST", page, {"media": {"source": "mal", "id": number}}), 409, "already-tracked")
        for anime, identity in ((tracked, one), (added["id"], two)):
            shown = self.mira.get(f"{page}/{anime}", at_least=added).json
            self.assertEqual((shown["titleId"], shown["sameTitleAs"]), (identity, []))

    def test_an_import_that_was_cut_off_is_finished_by_running_it_again(self):
        rows = 4000
        path = pathlib.Path(self.folder.name) / "cut-off.csv"
        path.write_text("anime_id,name\n" + "".join(f"{5_000_000 + i},Title {i}\n" for i in range(rows)))
        came = lambda: int(self.server.rows("SELECT count(*) FROM log.events WHERE type = 'TitleAdded' AND data ->> 'source' = 'cut'")[0][0])
        command = [PROGRAM, "catalog", "import", str(path), "--source", "cut", "--home", str(self.server.home)]
        importing = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: came() > 0, 60, "the first titles of the import")
        importing.kill()
        importing.wait()
        told = self.bring(path, "--source", "cut")
        found = re.search(r"(\d+) added, 0 changed, (\d+) unchanged, 0 failed, 0 skipped", told)
        self.assertIsNotNone(found, told)
        self.assertEqual(int(found[1]) + int(found[2]), rows)
        self.assertEqual(came(), rows)


if __name__ == "__main__":
    unittest.main()
