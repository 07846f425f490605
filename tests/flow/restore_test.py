# A restore from a backup: what was after it is gone, what was told of it then is refused, and all that is before goes on.
import contextlib
import pathlib
import re
import subprocess
import tempfile
import unittest

from bloomwatch import PROGRAM, ROOT, Cluster, FlowTest, Server, fresh_database, psql, wait_until


class Restore(FlowTest):
    def begin_epoch(self, database_url):
        command = [PROGRAM, "begin-epoch", "--database-url", database_url]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def as_written(self, name, database_url, folder):
        """Runs the README's block of that name on a database, with its files in `folder`; what it printed."""
        (block,) = re.findall(rf"<!-- {name} -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        script = "set -euo pipefail\n" + block.replace("postgresql://…", database_url).replace("ops/bloomwatch", PROGRAM)
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_backup_is_restored(self):
        server = self.server
        mira = server.person("mira")
        space = mira.make_space()
        anime = mira.add_anime(space, 154587, preferredTitle="Frieren", episodeCount=28)["id"]
        before = mira.dashboard(space, at_least=mira.rate(space, anime, 9)["position"])
        discard = "INSERT INTO projection.discarded (model, position, reason) VALUES"
        psql(server.database_url, f"{discard} ('dashboard', 1, 'kept'), ('dashboard', 1000000, 'lost')")
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.as_written("backup", server.database_url, folder)
        lost = mira.rate(space, anime, 2)
        token = lost.headers["Bloomwatch-Position"]
        mira.dashboard(space, at_least=token)
        refused = self.begin_epoch(server.database_url)
        self.assertEqual(refused.returncode, 1, refused)
        self.assertIn("stop all services", refused.stderr)

        server.stop()
        server.killed = True  # as close() expects of one that has ended
        never_heard_of_us = Cluster()
        self.addCleanup(never_heard_of_us.remove)
        database_url = never_heard_of_us.url
        said = self.as_written("restore", database_url, folder)
        self.assertEqual(psql(database_url, "SELECT position, reason FROM projection.discarded"), [["1", "kept"]])
        self.assertNotIn(token.split(".")[0], said)
        with contextlib.closing(Server(database_url, server.home)) as elsewhere:
            mira.client = elsewhere.client()
            again = mira.rate(space, anime, 9)
            self.assertEqual(mira.dashboard(space, at_least=again["position"]), before)
            self.assert_problem(mira.get(f"/api/watch-spaces/{space}/dashboard?atLeast={token}", expect=410), 410, "epoch-ended")
            elsewhere.verify()

    def test_a_service_is_found_whatever_its_sessions_are_called(self):
        database_url, drop = fresh_database()
        self.addCleanup(drop)
        home = self.enterContext(tempfile.TemporaryDirectory(prefix="bloomwatch-home-"))
        renamed = database_url + ("&" if "?" in database_url else "?") + "application_name=ledger"
        pages = str(pathlib.Path(PROGRAM).parent / "query-service")
        for program, command, known_by in ((PROGRAM, "serve", "holds a lease"), (pages, None, "listens for news of the log")):
            with contextlib.closing(Server(renamed, home, program=program, command=command)):
                refused = self.begin_epoch(database_url)
            self.assertEqual(refused.returncode, 1, refused)
            self.assertRegex(refused.stderr, rf'stop all services.*"ledger" \(process \d+, which {known_by}\)')
        onlooker = subprocess.Popen(["psql", "--no-psqlrc", "-d", renamed], stdin=subprocess.PIPE)
        self.addCleanup(onlooker.communicate)
        ledgers = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ledger'"
        wait_until(lambda: psql(database_url, f"SELECT count(*) FROM ({ledgers}) s") == [["1"]], 20, "an operator to look on")
        self.assertEqual(self.begin_epoch(database_url).returncode, 0, "who only looks on is in nobody's way")


if __name__ == "__main__":
    unittest.main()
