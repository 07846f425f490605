# What the data team gets, as they use it: the worked example's document is what its demo history gives today, a replay with a missing line is
# noticed, and an analyst who was let in reads the views and nothing else.
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

from bloomwatch import PROGRAM, ROOT, fresh_database, psql, run

ANALYTICS = ROOT / "ops/analytics"
DEMO_HISTORY = str(pathlib.Path(PROGRAM).parent / "demo_history")


class DataTeam(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.database, drop = fresh_database()
        cls.addClassCleanup(drop)
        run(DEMO_HISTORY, "--database-url", cls.database)
        cls.migrated = run(PROGRAM, "migrate", "--database-url", cls.database)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bloomwatch-analytics-"))
        cls.addClassCleanup(lambda: shutil.rmtree(cls.folder, ignore_errors=True))
        cls.replay = cls.folder / "replay.ndjson"
        run(PROGRAM, "replay", "--database-url", cls.database, "--to", cls.replay)

    def test_the_worked_example_is_what_its_history_gives(self):
        run(ANALYTICS / "run", self.replay, "--out", self.folder / "out")
        made = self.folder / "out/report"
        example = ANALYTICS / "example"
        self.assertEqual({path.name for path in made.iterdir()}, {path.name for path in example.iterdir()})
        for path in made.iterdir():
            self.assertEqual(path.read_text(), (example / path.name).read_text(), f"{path.name}: ops/analytics/run --demo makes it anew")

    def clone(self):
        """The folder of a clone of only what ops/analytics/run needs, where nothing is to be installed or built."""
        clone = pathlib.Path(tempfile.mkdtemp(prefix="clone-", dir=self.folder))
        shutil.copytree(ANALYTICS, clone / "ops/analytics")
        for script in ("cluster", "home"):
            shutil.copy2(ROOT / "ops" / script, clone / "ops")
        for script in ("install", "build"):
            (clone / "ops" / script).symlink_to("/bin/true")
        (clone / "build/release").mkdir(parents=True)
        for program in (PROGRAM, DEMO_HISTORY):
            (clone / "build/release" / pathlib.Path(program).name).symlink_to(program)
        return clone

    def refused(self, *command):
        """What it says."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done.stderr

    def test_another_log_and_a_demo_leave_a_replay_alone(self):
        clone = self.clone()
        command = [clone / "ops/analytics/run", "--out", clone / "out of ours"]
        run(*command, "--database-url", self.database)
        replay = clone / "out of ours/events.ndjson"
        self.assertEqual(replay.read_bytes(), self.replay.read_bytes())
        other, drop = fresh_database()
        self.addCleanup(drop)
        run(DEMO_HISTORY, "--database-url", other, "--spaces", "1")
        refusal = self.refused(*command, "--database-url", other)
        self.assertIn("choose another --out", refusal)
        run(*command, "--demo")
        self.assertEqual(replay.read_bytes(), self.replay.read_bytes())
        run("bash", "-c", refusal[refusal.index("rm ") :])
        run(*command, "--database-url", other)
        self.assertLess(len(replay.read_bytes()), len(self.replay.read_bytes()))

    def test_a_log_without_a_space_has_no_data_yet(self):
        empty = self.folder / "empty.ndjson"
        empty.touch()
        self.assertEqual(run(ANALYTICS / "run", empty, "--out", self.folder / "empty").count("No data yet."), 3)
        self.assertIn("From 0 events", (self.folder / "empty/report/report.md").read_text())

    def test_a_replay_that_is_none_is_told(self):
        self.assertIn("there is no file", self.refused(ANALYTICS / "run", self.folder / "absent.ndjson", "--out", self.folder / "none"))
        (self.folder / "wrong.ndjson").write_text("wrong")
        self.assertIn("Malformed JSON", self.refused(ANALYTICS / "run", self.folder / "wrong.ndjson", "--out", self.folder / "none"))

    def test_a_replay_with_a_missing_line_makes_no_parquet(self):
        lines = self.replay.read_bytes().splitlines(keepends=True)
        holed = self.folder / "holed.ndjson"
        holed.write_bytes(b"".join(lines[:3000] + lines[3001:]))
        python = run(ANALYTICS / "venv").strip()
        done = subprocess.run([python, "-B", ANALYTICS / "to_parquet.py", holed, self.folder / "holed.parquet"], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("events are missing", done.stderr)
        self.assertFalse((self.folder / "holed.parquet").exists())

    def test_an_analyst_reads_the_views_and_nothing_else(self):
        name = f"analyst_{os.getpid()}"
        self.assertIn("views made", self.migrated)
        for _ in range(2):
            run("psql", "--no-psqlrc", "-d", self.database, "-v", f"name={name}", "-f", ANALYTICS / "analyst.sql")
        self.addCleanup(lambda: psql(self.database, f"DROP ROLE {name}"))
        parts = urllib.parse.urlsplit(self.database)
        theirs = f"{parts.scheme}://{parts.netloc}{parts.path}?{'&'.join(p for p in parts.query.split('&') if not p.startswith('user='))}&user={name}"
        ratings = psql(self.database, "SELECT count(*) FROM log.events WHERE type = 'AnimeRated'")
        self.assertEqual(psql(theirs, "SELECT count(score_tenths) FROM anime_rated"), ratings)
        self.assertEqual(psql(theirs, "SHOW statement_timeout"), [["1min"]])
        # The account that a sealed text is about, and not the text.
        self.assertEqual(psql(theirs, "SELECT count(*) FROM user_registered WHERE email_account = by_account AND handle_account = by_account"),
                         psql(self.database, "SELECT count(*) FROM log.events WHERE type = 'UserRegistered'"))
        for statement in ("SELECT 1 FROM log.events", "SELECT 1 FROM secrets.keys", "SELECT 1 FROM read_people.people",
                          "CREATE TABLE analytics.mine ()", "DROP VIEW anime_rated"):
            with self.assertRaisesRegex(AssertionError, "permission denied|must be owner|read-only"):
                psql(theirs, statement)

    def test_a_week_of_the_views_is_a_week_of_the_replay(self):
        weekly = psql(self.database, """
          SELECT count(DISTINCT partition_key) FROM analytics.watch_session_recorded
          WHERE position > analytics.position_at('2026-02-01 23:59:59.999Z') AND position <= analytics.position_at('2026-02-08 23:59:59.999Z')""")
        row = next(line for line in (ANALYTICS / "example/report.md").read_text().splitlines() if line.startswith("| 2026-02-02"))
        self.assertEqual(weekly[0][0], row.split("|")[4].strip())


if __name__ == "__main__":
    unittest.main()
