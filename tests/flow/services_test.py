# The three services as programs of their own, on one database: what one writes the others show, and an ended session is refused everywhere
# within a second. `bloomwatch serve` is the same parts in one process.
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from bloomwatch import PROGRAM, ROOT, Person, Server, fresh_database, run, wait_until


class Services(unittest.TestCase):
    def setUp(self):
        self.database_url, drop = fresh_database()
        self.addCleanup(drop)
        self.home = tempfile.mkdtemp(prefix="bloomwatch-home-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.commands = self.start("command-service")
        self.projector = self.start("projector")
        self.pages = self.start("query-service")

    def start(self, name):
        """They share a home, and so the master key."""
        server = Server(self.database_url, self.home, program=str(pathlib.Path(PROGRAM).parent / name), command=None)
        self.addCleanup(server.close)
        return server

    def test_what_one_writes_the_others_show(self):
        mira = Person(self.commands, "mira")
        mira.register()
        mira.log_in()
        space = mira.make_space("Apart")
        added = mira.add_anime(space, 154587, preferredTitle="Frieren", mood="calm")
        reader = self.pages.client()
        for token in (added["position"], added.headers["Bloomwatch-Position"]):
            page = reader.call("GET", f"/api/watch-spaces/{space}/dashboard?atLeast={token}", token=mira.token, expect=200)
            self.assertEqual(page["stats"]["totalShows"], 1)
        self.assertEqual(page["backlogHighlights"][0]["mood"], "calm")
        # Each answers its own routes only.
        self.assertEqual(mira.call("GET", f"/api/watch-spaces/{space}/dashboard").status, 404)
        self.assertIn(reader.call("POST", "/api/watch-spaces", {"name": "x"}, token=mira.token).status, (404, 405))

        mira.call("POST", "/api/auth/logout", expect=200)
        ended = time.monotonic()
        wait_until(lambda: reader.call("GET", "/api/me", token=mira.token).status == 401, 1, "the session's end in query-service")
        self.assertLess(time.monotonic() - ended, 1)

    def test_the_operator_finds_them(self):
        mira = Person(self.commands, "mira")
        mira.register()
        mira.log_in()
        operator = lambda *arguments: run(PROGRAM, *arguments, "--home", self.home)
        self.assertIn("has the role moderator", operator("role", "mira", "moderator"))
        imported = operator("import", "mal", ROOT / "tests/data/mal-small.xml", "--space", mira.make_space("Apart"), "--as", "mira")
        self.assertIn("10 added", imported)
        self.assertIn("4 added", operator("catalog", "import", ROOT / "tests/data/catalog-small.jsonl"))
        routes = operator("routes")
        for route in (r"POST +/api/watch-spaces ", r"GET +/api/watch-spaces/\{watchSpace\}/dashboard "):
            self.assertRegex(routes, route)
        nowhere = self.home + "/nowhere"
        done = subprocess.run([PROGRAM, "role", "mira", "user", "--home", nowhere], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "nothing is running there .*/instance.json.*/command-service.json")

    def test_a_model_that_nobody_folds_is_behind(self):
        Person(self.commands, "mira").register()
        self.projector.kill()
        self.commands.rows("DELETE FROM projection.checkpoints WHERE model = 'dashboard'")
        last = self.commands.last_position()
        shown = run(PROGRAM, "lag", "--home", self.home)
        self.assertRegex(shown, rf"(?m)^dashboard +whole log +0 +{last} +{last}  nobody: not folded yet$")
        self.assertIn(f"dashboard is {last} events behind", shown)

    def test_pages_wait_for_a_projector_that_is_away(self):
        mira = Person(self.commands, "mira")
        mira.register()
        login = mira.log_in()
        reader = self.pages.client()
        path = "/api/me?atLeast=" + login.headers["Bloomwatch-Position"]
        reader.call("GET", path, token=mira.token, expect=200)
        self.projector.kill()
        renamed = mira.patch("/api/me", {"displayName": "Later"})
        path = f"/api/me?atLeast={renamed['position']}"
        behind = reader.call("GET", path, token=mira.token, headers={"Prefer": "wait=0"}, expect=503)
        self.assertTrue(behind["type"].endswith("read-model-behind"))
        self.assertEqual(reader.call("GET", "/api/me", token=mira.token, expect=200)["displayName"], "Mira")
        self.projector.start()
        self.assertEqual(
            reader.call("GET", path, token=mira.token, headers={"Prefer": "wait=10"}, expect=200)["displayName"], "Later"
        )


if __name__ == "__main__":
    unittest.main()
