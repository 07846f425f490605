# A restore from a backup: what was after it is gone, what was told of it then is refused, and all that is before goes on.
import contextlib
import pathlib
import subprocess
import tempfile
import unittest
import urllib.parse

from bloomwatch import PROGRAM, FlowTest, Server, database_server_url, fresh_database, psql, run, wait_until


class Restore(FlowTest):
    def begin_epoch(self, database_url=None):
        command = [PROGRAM, "begin-epoch", "--database-url", database_url or self.server.database_url]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def restore(self, backup):
        """Puts the database in place of what is there."""
        server_url = database_server_url()
        name = urllib.parse.urlsplit(self.server.database_url).path.removeprefix("/")
        psql(server_url, f"DROP DATABASE {name} WITH (FORCE)")
        psql(server_url, f"CREATE DATABASE {name}")
        subprocess.run(["pg_restore", "--exit-on-error", "-d", self.server.database_url], input=backup, check=True, timeout=120)

    def test_a_backup_is_restored(self):
        mira = self.server.person("mira")
        space = mira.make_space()
        anime = mira.add_anime(space, 154587, preferredTitle="Frieren", episodeCount=28)["id"]
        before = mira.dashboard(space, at_least=mira.rate(space, anime, 9)["position"])
        backup = subprocess.run(["pg_dump", "-Fc", self.server.database_url], capture_output=True, check=True, timeout=120).stdout
        lost = mira.rate(space, anime, 2)
        token = lost.headers["Bloomwatch-Position"]
        mira.dashboard(space, at_least=token)
        refused = self.begin_epoch()
        self.assertEqual(refused.returncode, 1, refused)
        self.assertIn("stop all services", refused.stderr)

        self.server.stop()
        self.restore(backup)
        discard = "INSERT INTO projection.discarded (model, position, reason) VALUES"
        self.server.rows(f"{discard} ('dashboard', 1, 'kept'), ('dashboard', {lost['position']}, 'lost')")
        began = self.begin_epoch()
        self.assertEqual(began.returncode, 0, began.stderr)
        self.assertEqual(self.server.rows("SELECT position, reason FROM projection.discarded"), [["1", "kept"]])
        self.server.start()
        self.assertNotIn(token.split(".")[0], began.stdout)
        mira.client = self.server.client()
        again = mira.rate(space, anime, 9)
        self.assertEqual(mira.dashboard(space, at_least=again["position"]), before)
        self.assert_problem(mira.get(f"/api/watch-spaces/{space}/dashboard?atLeast={token}", expect=410), 410, "epoch-ended")
        run(PROGRAM, "verify", "--home", self.server.home)

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
