# Taking back what was done, over HTTP: every kind of change, conflicts, undo of undo, a whole import; and that what is read is as before.
import unittest

from bloomwatch import ROOT, FlowTest, new_uuid


class Undo(FlowTest):
    def setUp(self):
        name = self._testMethodName[5:16].strip("_")
        self.mira = self.server.person(f"mira_{name}")
        self.ken = self.server.person(f"ken_{name}")
        self.space = self.mira.make_space("Back")
        self.path = f"/api/watch-spaces/{self.space}"
        self.mira.invite(self.space, self.ken)
        self.added = self.mira.add_anime(self.space, 154587, preferredTitle="Frieren", episodeCount=28)
        self.anime = f"{self.path}/anime/{self.added['id']}"

    def undo(self, change, person=None, expect=200):
        position = change if isinstance(change, int) else change["position"]
        return (person or self.mira).call("POST", f"{self.path}/history/{position}/undo", expect=expect)

    def page(self, path, at_least):
        page = self.mira.get(path, at_least=at_least).json
        for name in ("version", "updatedAt", "createdAt", "joinedAt"):
            page.pop(name, None)
        for participant in page.get("participants", []):
            participant.pop("updatedAt", None)
        return page

    def sessions(self, at_least):
        return [session["id"] for session in self.mira.get(f"{self.anime}/sessions", at_least=at_least)["items"]]

    def assert_back(self, path, before, change, person=None):
        """The change is undone, the undo is undone, and each time the page is as it was."""
        after = self.page(path, change)
        self.assertNotEqual(before, after)
        undone = self.undo(change, person)
        self.assertEqual(self.page(path, undone), before)
        again = self.undo(undone, person)
        self.assertEqual(self.page(path, again), after)
        self.undo(again, person)

    def test_every_kind_of_change_of_an_anime(self):
        before = self.page(self.anime, self.added)
        self.assert_back(self.anime, before, self.ken.patch(self.anime, {"sharedEpisodesWatched": 3, "mood": "calm", "pitch": "An elf."}))
        self.assert_back(self.anime, before, self.mira.progress(self.space, self.added["id"], episodesWatched=28, startedOn={"year": 2024}))
        rated = self.ken.patch(f"{self.anime}/participant-rating", {"score": 8.5, "notes": "Good."})
        self.assert_back(self.anime, before, rated, self.ken)

    def test_an_evening_and_its_answers(self):
        before = self.page(self.anime, self.added)
        asked = self.ken.patch(f"{self.path}/members/me", {"sessionConsent": "ask"})
        evening = {"sessionDate": "2025-11-20T20:00:00Z", "startEpisode": 1, "endEpisode": 2, "notes": "Rain."}
        recorded = self.mira.post(f"{self.anime}/sessions", evening)
        self.assertEqual(self.sessions(recorded), [recorded["id"]])
        confirmed = self.ken.post(f"{self.anime}/sessions/{recorded['id']}/confirm", expect=200)
        stands = self.undo(recorded, expect=409)
        self.assertEqual(stands["type"], "/problems/changed-since")
        self.assertLessEqual(stands["position"], confirmed["position"])
        self.assert_problem(self.undo(confirmed, expect=403), 403, "change-of-another")
        reopened = self.undo(confirmed, self.ken)
        item = self.mira.get(f"{self.anime}/sessions", at_least=reopened)["items"][0]
        self.assertIn({"userId": self.ken.id, "attendance": "invited"}, item["participants"])
        gone = self.undo(recorded, self.ken)
        self.assertEqual(self.sessions(gone), [])
        self.assertEqual(self.page(self.anime, gone), before)
        back = self.undo(gone)
        self.assertEqual(self.sessions(back), [recorded["id"]])
        self.assertEqual(self.mira.get(f"{self.anime}/sessions")["items"][0]["notes"], "Rain.")
        self.assertGreater(asked["position"], 0)

    def test_an_added_anime(self):
        undone = self.undo(self.added, self.ken)
        self.assert_problem(self.mira.get(self.anime, at_least=undone, expect=404), 404, "no-such-anime")
        self.assertEqual(self.mira.get(f"{self.path}/anime")["items"], [])
        self.assertEqual(self.mira.dashboard(self.space)["stats"]["totalShows"], 0)
        self.assert_problem(self.mira.call("PATCH", self.anime, {"mood": "calm"}), 404, "no-such-anime")
        back = self.undo(undone)
        self.assertEqual(self.mira.get(self.anime, at_least=back)["preferredTitle"], "Frieren")
        self.undo(back)
        anew = self.ken.add_anime(self.space, 154587)
        stands = self.undo(back["position"] + 1, expect=409)  # the undo that has just been
        self.assertEqual((stands["type"], stands["position"]), ("/problems/changed-since", anew["position"]))

    def test_a_title_that_is_tracked_by_another_of_its_references(self):
        added = self.mira.post(f"{self.path}/anime", {"media": {"source": "mal", "id": 800001}})
        removed = self.undo(added)
        self.server.operator("catalog", "import", str(ROOT / "tests/data/catalog-small.jsonl"))
        anew = self.ken.add_anime(self.space, 900001)
        stands = self.undo(removed, expect=409)
        self.assertEqual((stands["type"], stands["position"]), ("/problems/changed-since", anew["position"]))
        self.undo(anew)
        self.undo(removed)

    def test_conflicts_say_what_stands_in_the_way(self):
        first = self.mira.patch(self.anime, {"sharedEpisodesWatched": 3})
        second = self.ken.patch(self.anime, {"sharedEpisodesWatched": 5})
        stands = self.undo(first, expect=409)
        self.assertEqual((stands["type"], stands["position"]), ("/problems/changed-since", second["position"]))
        self.undo(second)
        undone = self.undo(first)
        twice = self.undo(first, expect=409)
        self.assertEqual(twice["type"], "/problems/already-undone")
        self.assertLessEqual(twice["position"], undone["position"])
        self.assertGreater(twice["position"], second["position"])
        rated = self.ken.rate(self.space, self.added["id"], 8)
        self.assertEqual(self.undo(self.added, expect=409)["position"], rated["position"])

    def test_a_repeat_with_the_same_key_answers_the_same(self):
        change = self.mira.patch(self.anime, {"mood": "calm"})
        path = f"{self.path}/history/{change['position']}/undo"
        first = self.mira.call("POST", path, expect=200, headers={"Idempotency-Key": "undo-once"})
        again = self.mira.call("POST", path, expect=200, headers={"Idempotency-Key": "undo-once"})
        self.assertEqual(first.json, again.json)

    def test_name_theme_and_roles(self):
        before = self.page(self.path, self.added)
        self.assert_back(self.path, before, self.mira.patch(self.path, {"name": "Else", "theme": "dark"}))
        change = self.mira.patch(f"{self.path}/members/{self.ken.id}", {"role": "owner"})
        self.assert_back(self.path, before, change)
        handed = self.mira.post(f"{self.path}/transfer-ownership", {"userId": self.ken.id}, expect=200)
        self.assert_problem(self.undo(handed, expect=403), 403, "owners-only")
        self.assertEqual(self.page(self.path, self.undo(handed, self.ken)), before)

    def test_what_cannot_be_undone_says_so(self):
        zone = self.mira.patch(self.path, {"timeZone": "Asia/Tokyo"})
        invited = self.mira.post(f"{self.path}/invitations", {"email": "somebody@example.org"})
        consent = self.ken.patch(f"{self.path}/members/me", {"sessionConsent": "ask"})
        left = self.ken.delete(f"{self.path}/members/me")
        for change in (zone, invited, consent, left):
            self.assert_problem(self.undo(change, expect=409), 409, "cannot-be-undone")

    def test_positions_that_are_not_of_this_space(self):
        other = self.mira.make_space("Another")
        elsewhere = self.mira.add_anime(other, 7)
        for position in (elsewhere["position"], 1, 0, 999_999_999):
            self.assert_problem(self.undo(position, expect=404), 404, "no-such-change")
        stranger = self.server.person(f"stranger_{self._testMethodName[5:12]}")
        for position in (self.added["position"], elsewhere["position"]):
            self.assert_problem(self.undo(position, stranger, expect=404), 404, "no-such-space")

    def test_a_whole_import(self):
        small = (ROOT / "tests/data/mal-small.xml").read_bytes()
        kept = self.mira.items(f"{self.path}/anime", at_least=self.added)
        report = self.mira.call("POST", f"{self.path}/imports/mal", small, headers={"Content-Type": "application/octet-stream"}, expect=200)
        rows = [row for row in report["rows"] if row["outcome"] == "added"]
        self.assertGreater(len(rows), 3)
        rated = self.ken.rate(self.space, rows[0]["animeId"], 7)
        path = f"{self.path}/imports/{report['id']}/undo"
        self.assert_problem(self.ken.call("POST", path), 403, "importer-only")
        self.assert_problem(self.mira.call("POST", f"{self.path}/imports/{new_uuid()}/undo"), 404, "no-such-import")
        undone = self.mira.call("POST", path, expect=200)
        self.assertEqual(undone["counts"], {"undone": len(rows) - 1, "changed": 1, "alreadyUndone": 0, "failed": 0})
        positions = [row["position"] for row in undone["rows"]]
        self.assertEqual(positions, sorted(positions, reverse=True))
        left = [row for row in undone["rows"] if row["outcome"] == "changed"]
        self.assertEqual([(row["animeId"], row["laterPosition"]) for row in left], [(rows[0]["animeId"], rated["position"])])
        tracked = {item["id"] for item in self.mira.items(f"{self.path}/anime", at_least=undone)}
        self.assertEqual(tracked, {item["id"] for item in kept} | {rows[0]["animeId"]})
        again = self.mira.call("POST", path, expect=200)
        self.assertEqual(again["counts"], {"undone": 0, "changed": 1, "alreadyUndone": len(rows) - 1, "failed": 0})
        back = self.undo(undone["position"])
        self.assertEqual(len(self.mira.items(f"{self.path}/anime", at_least=back)), len(tracked) + 1)

    @classmethod
    def tearDownClass(cls):
        cls.server.verify()


if __name__ == "__main__":
    unittest.main()
