# Destroying a person's key forgets them everywhere at once: no table holds a word of theirs, and every page still answers.
# The whole database is dumped and searched for everything that they ever said. And what somebody changed in it is not taken for their words.
import base64
import contextlib
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
        # Their own pages answer as well, and know no more of them.
        me = person.get("/api/me").json
        self.assertEqual((me["id"], me["email"], me["handle"], me["displayName"]), (person.id, None, None, None))
        self.assertEqual([session["device"] for session in person.items("/api/me/sessions")], [None, None])
        self.assertEqual({theirs["id"] for theirs in person.items("/api/watch-spaces")}, {space, kens})
        members = person.get(f"/api/watch-spaces/{space}").json["members"]
        self.assertEqual({m["userId"]: m["displayName"] for m in members}, {person.id: None, ken.id: "Ken"})
        self.server.verify()

    @contextlib.contextmanager
    def changed(self, table, column, key, change):
        """A read model in which the box of one row is what `change` makes of it."""
        box = self.server.rows(f"SELECT {column} FROM {table} WHERE {key}")[0][0]
        write = lambda text: self.server.rows(f"UPDATE {table} SET {column} = '{text}' WHERE {key}")
        write(change(box))
        try:
            yield
        finally:
            write(box)

    def test_a_box_that_was_changed_stays_closed_and_its_page_answers(self):
        ada, ben = self.server.person("ada"), self.server.person("ben")
        space = ada.make_space("Ours")
        ada.invite(space, ben)
        anime = ada.add_anime(space, 154587, sharedStatus="watching", mood="wistful", vibe="slow")["id"]
        evening = {"sessionDate": "2025-11-20T20:00:00Z", "startEpisode": 1, "endEpisode": 1, "notes": "Popcorn."}
        ada.post(f"/api/watch-spaces/{space}/anime/{anime}/sessions", evening)
        rated = ada.patch(f"/api/watch-spaces/{space}/anime/{anime}/participant-rating", {"notes": "Again!"})
        bens = ben.patch(f"/api/watch-spaces/{space}/anime/{anime}/participant-rating", {"notes": "Never again."})
        ben.dashboard(space, at_least=bens)
        of_ben = self.server.rows(f"SELECT notes FROM read_tracking.entries WHERE profile = '{ben.id}'")[0][0]

        def bytes_of(box):
            return base64.urlsafe_b64decode(box + "=" * (-len(box) % 4))

        def text_of(data):
            return base64.urlsafe_b64encode(data).decode().rstrip("=")

        def with_a_bit_changed(at):
            """The byte at `at`; negative: from the end."""
            return lambda box: text_of(bytes(byte ^ (index == at % len(bytes_of(box))) for index, byte in enumerate(bytes_of(box))))

        header = 17  # version and account; the nonce follows, then the text, and a tag of 16 bytes
        changes = {
            "another version": with_a_bit_changed(0),
            "another account": with_a_bit_changed(5),
            "another nonce": with_a_bit_changed(header + 3),
            "another text": with_a_bit_changed(header + 24),
            "another tag": with_a_bit_changed(-1),
            "cut by a character": lambda box: box[:-1],
            "cut by four": lambda box: box[:-4],
            "half": lambda box: box[: len(box) // 2],
            "its account only": lambda box: box[:24],
            "less than its account": lambda box: box[:10],
            "nothing": lambda box: "",
            "no base64": lambda box: "*" * len(box),
            "somebody else's under the same name": lambda box: text_of(bytes_of(box)[:header] + bytes_of(of_ben)[header:]),
        }
        tracked = f"/api/watch-spaces/{space}/anime"
        dashboard = lambda: ben.dashboard(space)
        detail = lambda: ben.get(f"{tracked}/{anime}").json
        mine = lambda page: next(p for p in page["participants"] if p["userId"] == ada.id)
        # What is changed, and what pages then tell there; the rest of each is as it was.
        boxes = {
            ("read_tracking.anime", "mood", f"anime = '{anime}'"): (
                lambda: (detail()["mood"], detail()["vibe"]),
                lambda: tuple(ben.items(tracked)[0][name] for name in ("mood", "vibe")),
                lambda: tuple(dashboard()["currentlyWatching"][0][name] for name in ("mood", "vibe")),
            ),
            ("read_tracking.entries", "notes", f"profile = '{ada.id}'"): (lambda: (mine(detail())["notes"], detail()["vibe"]),),
            ("read_tracking.sessions", "notes", f"anime = '{anime}'"): (
                lambda: (ben.items(f"{tracked}/{anime}/sessions")[0]["notes"], detail()["vibe"]),
                lambda: (dashboard()["recentSessions"][0]["notes"], detail()["vibe"]),
            ),
            ("read_people.profiles", "display_name", f"profile = '{ada.id}'"): (
                lambda: (ada.get("/api/me").json["displayName"], detail()["vibe"]),
                lambda: ({m["userId"]: m["displayName"] for m in dashboard()["members"]}[ada.id], detail()["vibe"]),
            ),
        }
        for place, shown in boxes.items():
            told = [show() for show in shown]
            self.assertTrue(all(all(values) for values in told), told)
            for what, change in changes.items():
                with self.subTest(box=f"{place[0]}.{place[1]}", change=what), self.changed(*place, change):
                    self.assertEqual([show() for show in shown], [(None, "slow") for _ in shown])
            self.assertEqual([show() for show in shown], told)
        # A whole box of somebody else: whoever's page it is, they are not shown it as their own.
        bens_name = self.server.rows(f"SELECT display_name FROM read_people.profiles WHERE profile = '{ben.id}'")[0][0]
        with self.changed("read_people.profiles", "display_name", f"profile = '{ada.id}'", lambda box: bens_name):
            self.assertIsNone(ada.get("/api/me").json["displayName"])
        self.server.verify()


if __name__ == "__main__":
    unittest.main()
