# Destroying a person's key forgets them everywhere at once: no table holds a word of theirs, and every page still answers.
# The whole database is dumped and searched for everything that they ever said.
import unittest

from bloomwatch import ROOT, FlowTest, run


class Forgetting(FlowTest):
    def dump(self):
        """Every row of every table as text, large values and binary ones (hexadecimal) included."""
        return run("pg_dump", "--data-only", "--inserts", "-d", self.server.database_url)

    def holds(self, dump, text):
        return text.lower() in dump.lower() or text.encode().hex() in dump.lower()

    def test_without_the_key_nothing_of_them_is_left(self):
        words = {
            "email": "zephyrine.quill@example.org",
            "handle": "zephyrine_q",
            "display name": "Zephyrine Quillfeather",
            "renamed": "Quillfeather the Second",
            "mood": "wistfulmarmalade",
            "vibe": "nocturnalgondola",
            "pitch": "gargantuanteacups",
            "notes": "bittersweetlanterns",
            "session notes": "thunderouspopcorn",
            "changed session notes": "velvetearthquake",
            "device": "peculiarbrowser",
            "comment of an import": "Slow in the best way",
            "invited address": "longlostcousin@example.net",
        }
        person = self.server.person(words["handle"], email=words["email"], display_name=words["display name"])
        person.client.call(
            "POST", "/api/auth/login", {"email": person.email, "password": person.password}, headers={"User-Agent": words["device"]}, expect=200
        )
        person.patch("/api/me", {"displayName": words["renamed"]})
        ken = self.server.person("ken")
        space = person.make_space("A space")
        person.invite(space, ken)
        kens = ken.make_space("Ken's")
        ken.invite(kens, person)
        pending, revoked = ken.make_space("Waiting"), ken.make_space("Taken back")
        ken.post(f"/api/watch-spaces/{pending}/invitations", {"email": words["email"]})
        taken_back = ken.post(f"/api/watch-spaces/{revoked}/invitations", {"email": words["email"]})
        ken.call("DELETE", f"/api/watch-spaces/{revoked}/invitations/{taken_back['id']}", expect=200)
        person.post(f"/api/watch-spaces/{space}/invitations", {"email": words["invited address"]})
        added = person.add_anime(space, 154587, preferredTitle="Frieren", mood=words["mood"], vibe=words["vibe"], pitch=words["pitch"])
        anime = f"/api/watch-spaces/{space}/anime/{added['id']}"
        person.patch(f"{anime}/participant-rating", {"score": 9, "notes": words["notes"]})
        ken.rate(space, added["id"], 8)
        evening = {"sessionDate": "2025-11-20T20:00:00Z", "startEpisode": 1, "endEpisode": 2, "notes": words["session notes"]}
        session = person.post(f"{anime}/sessions", evening)
        person.patch(f"{anime}/sessions/{session['id']}", {"notes": words["changed session notes"]})
        imported = person.call("POST", f"/api/watch-spaces/{space}/imports/mal", (ROOT / "tests/data/mal-small.xml").read_bytes(), expect=200)
        self.assertEqual(person.get("/api/me", at_least=imported).json["displayName"], words["renamed"])
        detail = ken.get(anime, at_least=imported).json
        self.assertEqual(detail["mood"], words["mood"])

        dump = self.dump()
        self.assertIn("AnimeRated", dump)
        for what, text in words.items():
            self.assertFalse(self.holds(dump, text), f"{what} is readable in the database while the key is still there")

        self.server.rows(f"DELETE FROM secrets.keys WHERE account = '{person.id}'")
        dump = self.dump()
        for what, text in words.items():
            self.assertFalse(self.holds(dump, text), f"{what} is still in the database")

        pages = ["/api/watch-spaces", f"{anime}/sessions", f"{anime}/history", anime]
        for tail in ("", "/dashboard", "/anime", "/history", "/analytics/compatibility", "/analytics/shared-stats", "/analytics/timeline"):
            pages += [f"/api/watch-spaces/{space}{tail}", f"/api/watch-spaces/{kens}{tail}"]
        for path in pages:
            answer = ken.get(path)
            for what, text in words.items():
                self.assertNotIn(text.lower(), answer.body.decode().lower(), f"{what} in {path}")
        for invited, status in ((kens, "accepted"), (pending, "pending"), (revoked, "revoked")):
            invitations = ken.get(f"/api/watch-spaces/{invited}").json["invitations"]
            self.assertEqual([(i["status"], i["email"]) for i in invitations], [(status, None)])
        members = ken.get(f"/api/watch-spaces/{space}").json["members"]
        self.assertEqual({m["userId"] for m in members}, {person.id, ken.id})
        self.assertEqual(ken.get(anime).json["sessionCount"], 1)
        for path in ("/api/me", "/api/me/sessions", "/api/watch-spaces", f"/api/watch-spaces/{space}"):
            self.assertLess(person.call("GET", path).status, 500, path)
        self.server.verify()


if __name__ == "__main__":
    unittest.main()
