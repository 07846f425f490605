# History and audit over HTTP: a space's for its members, one's own, and for admins of anything, who leave a trace; filters, exports and
# loops over all pages, compared with the log.
import csv
import io
import json
import subprocess
import unittest

from bloomwatch import PROGRAM, FlowTest


class History(FlowTest):
    def setUp(self):
        name = self._testMethodName[5:15].strip("_")
        self.ann = self.server.person(f"ann_{name}", display_name="Ann")
        self.ben = self.server.person(f"ben_{name}", display_name="Ben")
        self.cyd = self.server.person(f"cyd_{name}", display_name="Cyd")
        self.space = self.ann.make_space("Movies", timeZone="Europe/Berlin")
        self.ann.invite(self.space, self.ben)
        self.path = f"/api/watch-spaces/{self.space}"
        self.anime = self.ann.add_anime(self.space, 154587, preferredTitle="Frieren", episodeCount=28)["id"]
        self.ben.rate(self.space, self.anime, 8)
        self.last = self.ben.rate(self.space, self.anime, 8.5)

    def positions(self, where):
        return [int(row[0]) for row in self.server.rows(f"SELECT position FROM log.events WHERE position > 0 AND {where} ORDER BY position DESC")]

    def make_admin(self, person, role="admin"):
        """Returns once pages know."""
        self.server.operator("role", person.handle, role)
        return person.get("/api/me", at_least=self.server.last_position())

    def ask(self, admin, expect=201, **query):
        return admin.post("/api/admin/audit/queries", {"reason": "A complaint."} | query, expect=expect)

    def exported(self, person, path, form):
        """All pages of an export, one after another, as the README loops over them."""
        text, path = "", f"{path}{'&' if '?' in path else '?'}format={form}&limit=3"
        while path:
            page = person.get(path)
            self.assertTrue(page.headers["Content-Type"].startswith({"csv": "text/csv", "ndjson": "application/x-ndjson"}[form]))
            text += page.body.decode()
            link = page.headers.get("Link")
            self.assertTrue(link is None or link.endswith('>; rel="next"'))
            path = link and link[1 : link.index(">")]
        return text

    def test_members_read_every_change_with_before_and_after(self):
        items = self.ann.items(f"{self.path}/history", limit=4, at_least=self.last)
        self.assertEqual([item["position"] for item in items], self.positions(f"partition_key = '{self.space}'"))
        rated = items[0]
        self.assertEqual(rated["summary"], "Ben changed their score of Frieren from 8 to 8.5")
        self.assertEqual((rated["before"], rated["after"], rated["field"], rated["type"]), (8, 8.5, "rating", "AnimeRated"))
        self.assertEqual(rated["by"], {"userId": self.ben.id, "displayName": "Ben"})
        self.assertEqual(rated["subject"]["anime"], {"id": self.anime, "preferredTitle": "Frieren"})
        self.assertEqual(rated["subject"]["watchSpace"], {"id": self.space, "name": "Movies"})
        self.assertEqual(rated["origin"], {"kind": "app", "provider": None, "reference": None})
        made = [item for item in items if item["type"] in ("WatchSpaceCreated", "MemberJoined") and item["by"]["userId"] == self.ann.id]
        self.assertEqual(len({item["change"] for item in made}), 1, "one command made the space and let its owner in")
        self.assertNotIn(self.ben.email, json.dumps(items), "an invitation's address is nowhere in a history")
        of_anime = self.ben.items(f"{self.path}/anime/{self.anime}/history", limit=2)
        self.assertEqual([item["position"] for item in of_anime], self.positions(f"stream_id = '{self.anime}'"))
        renamed = self.ann.patch(self.path, {"name": "Films"})
        self.assertEqual(
            self.ben.get(f"{self.path}/history?field=name", at_least=renamed)["items"][0]["summary"],
            "Ann changed the name of the watch space from “Movies” to “Films”",
        )
        self.assert_problem(self.cyd.get(f"{self.path}/history", expect=404), 404, "no-such-space")
        self.assert_problem(self.cyd.get(f"{self.path}/anime/{self.anime}/history", expect=404), 404, "no-such-space")

    def test_undo_and_history_name_each_other(self):
        undone = self.ben.post(f"{self.path}/history/{self.last['position']}/undo", expect=200)
        items = self.ann.get(f"{self.path}/anime/{self.anime}/history", at_least=undone)["items"]
        self.assertEqual((items[0]["undoes"], items[0]["origin"]["kind"]), (self.last["position"], "undo"))
        self.assertEqual(items[1]["undoneBy"], items[0]["position"])
        self.assertEqual((items[0]["before"], items[0]["after"]), (8.5, 8))

    def test_ones_own_history_is_what_one_did_and_what_concerns_one(self):
        removed = self.ann.delete(f"{self.path}/members/{self.ben.id}")
        items = self.ben.items("/api/me/history", limit=3, at_least=removed)
        concerns = f"profile = '{self.ben.id}' OR partition_key = '{self.ben.id}' OR data ->> 'profile' = '{self.ben.id}'"
        self.assertEqual([item["position"] for item in items], self.positions(f"({concerns})"))
        self.assertEqual(items[0]["summary"], "Somebody removed Ben from the watch space", "whoever is out is told no name of today")
        self.assertEqual(items[0]["by"], {"userId": self.ann.id, "displayName": None})
        self.assertIsNone(items[0]["subject"]["watchSpace"]["name"])
        self.assertEqual(items[-1]["summary"], "Ben signed up")
        self.assertEqual(items[-1]["after"]["email"], self.ben.email)
        self.assertTrue(self.cyd.get("/api/me/history", at_least=removed)["items"][0]["summary"].endswith("logged in"))

    def test_an_admins_look_leaves_a_trace(self):
        self.assertEqual(self.make_admin(self.cyd)["roles"], ["user", "moderator", "admin"])
        asked = self.ask(self.cyd, person=self.ben.id, field="rating", **{"from": "2020-01-01T00:00:00Z"})
        self.assertEqual(set(asked.json), {"id", "version", "position", "url"})
        self.assertTrue(asked["url"].startswith(f"/api/admin/audit?query={asked['id']}"))
        items = self.cyd.items(asked["url"])
        self.assertEqual([item["position"] for item in items], self.positions(f"profile = '{self.ben.id}' AND type = 'AnimeRated'"))
        trace = self.ben.get("/api/me/history?field=auditQuery", at_least=asked)["items"][0]
        self.assertEqual(trace["summary"], "Cyd looked into the audit of Ben: A complaint.")
        everything = self.ask(self.cyd)
        self.assertEqual([item["position"] for item in self.cyd.items(everything["url"], limit=10)], self.positions("true"))
        role = self.cyd.items(self.ask(self.cyd, types=["AccountRoleChanged"])["url"])[0]
        self.assertEqual((role["by"], role["summary"]), (None, "The system changed Cyd's role from user to admin"))
        # The link is for the admin who asked, and for nobody whose role has gone.
        self.make_admin(self.ann)
        self.assert_problem(self.ann.get(everything["url"], expect=404), 404, "no-such-audit-query")
        self.make_admin(self.cyd, "user")
        self.assert_problem(self.cyd.get(everything["url"], expect=403), 403, "admins-only")
        self.assert_problem(self.ask(self.cyd, expect=403), 403, "admins-only")
        self.server.verify()

    def test_it_is_not_said_what_is_missing_before_it_is_known_who_asks(self):
        for body in ({}, {"reason": 5}, {"reason": "x", "types": ["Nonsense"]}, b"{"):
            headers = {"Content-Type": "application/json"}
            with self.subTest(body=body):
                self.assert_problem(self.ben.post("/api/admin/audit/queries", body, expect=403, headers=headers), 403, "admins-only")
        for query in ("", "?query=nonsense", "?nonsense=1", f"?query={self.space}"):
            self.assert_problem(self.ben.get(f"/api/admin/audit{query}", expect=403), 403, "admins-only")
        self.make_admin(self.ben)
        for body, field in (({}, "/reason"), ({"reason": " "}, "/reason"), ({"reason": "x", "types": ["Nonsense"]}, "/types/0"), ({"reason": "x", "field": "no"}, "/field")):
            wrong = self.ben.post("/api/admin/audit/queries", body, expect=400)
            self.assertEqual([error["pointer"] for error in wrong["errors"]], [field])
        self.assert_problem(self.ask(self.ben, expect=422, **{"from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}), 422)
        self.assert_problem(self.ben.get("/api/admin/audit", expect=400), 400)
        self.assert_problem(self.ben.get(f"/api/admin/audit?query={self.space}", expect=404), 404)

    def test_roles_are_given_by_the_operator_only(self):
        body = {"handle": self.ben.handle, "role": "admin"}
        self.assert_problem(self.ben.post("/api/admin/roles", body, expect=403), 403, "operators-only")
        self.make_admin(self.ben)
        self.assert_problem(self.ben.post("/api/admin/roles", body, expect=403), 403, "operators-only")
        before = self.server.last_position()
        self.assertIn("has the role admin", self.server.operator("role", self.ben.handle, "admin"))
        self.assertEqual(self.server.last_position(), before, "what is so already is no event")
        unknown = subprocess.run([PROGRAM, "role", "no_such_handle", "admin", "--home", str(self.server.home)], capture_output=True, text=True, timeout=60)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("There is no such account", unknown.stderr)

    def test_exports_are_whole_and_safe(self):
        renamed = self.ann.patch(self.path, {"name": "=1+1"})
        items = self.ann.items(f"{self.path}/history", at_least=renamed)
        lines = self.exported(self.ann, f"{self.path}/history", "ndjson").splitlines()
        self.assertEqual([json.loads(line) for line in lines], items)
        rows = list(csv.DictReader(io.StringIO(self.exported(self.ann, f"{self.path}/history", "csv"))))
        self.assertEqual([int(row["position"]) for row in rows], [item["position"] for item in items])
        self.assertEqual(rows[0]["watchSpace"], "'=1+1")
        self.assertEqual([json.loads(row["after"]) for row in rows], [item["after"] for item in items])
        self.assertEqual(len(self.exported(self.ann, f"{self.path}/history?field=rating", "ndjson").splitlines()), 2)
        by_accept = self.ann.get(f"{self.path}/history", headers={"Accept": "text/csv"})
        self.assertTrue(by_accept.headers["Content-Type"].startswith("text/csv"))
        self.assert_problem(self.ann.get(f"{self.path}/history?format=xml", expect=400), 400)


if __name__ == "__main__":
    unittest.main()
