# The operator program on a running instance: verify notices what is wrong, rebuild changes nothing that pages show, tokens and logs.
# Each way to break an instance is made once, in its database, and has to be named.
import contextlib
import http.server
import itertools
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

from bloomwatch import PROGRAM, ROOT, FlowTest, fresh_database, new_uuid, psql, run, wait_until


class Gateway(http.server.BaseHTTPRequestHandler):
    """What may stand between the operator and an instance: has no answer of its own, and remembers who came."""

    def do_POST(self):
        self.server.seen.append(self.headers["Authorization"])
        self.send_response(502)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Operator(FlowTest):
    def setUp(self):
        self.mira = self.server.person(f"m_{self._testMethodName[5:25]}".strip("_"))
        self.ken = self.server.person(f"k_{self._testMethodName[5:25]}".strip("_"))
        self.space = self.mira.make_space()
        self.mira.invite(self.space, self.ken)
        self.anime = self.mira.add_anime(self.space, 154587, preferredTitle="Frieren", episodeCount=28)["id"]
        self.mira.rate(self.space, self.anime, 9)
        self.last = self.ken.rate(self.space, self.anime, 8)
        self.mira.dashboard(self.space, at_least=self.last)

    def broken(self, expected):
        """verify ends with 1 and names it."""
        done = subprocess.run([PROGRAM, "verify", "--home", str(self.server.home)], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("NO", done.stdout)
        self.assertRegex(done.stdout, expected)

    def fails(self, *arguments, **options):
        """What the program says as it fails."""
        done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)
        self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_the_script_takes_the_home_before_the_subcommand(self):
        """As ops/run says it."""
        for home in (["--home", str(self.server.home)], [f"--home={self.server.home}"]):
            done = subprocess.run([ROOT / "ops/bloomwatch", *home, "routes"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("/api/watch-spaces", done.stdout)

    def test_verify_says_what_it_checked(self):
        shown = self.server.verify()
        for part in ("log", "claims", "snapshots", "people", "spaces", "tracking", "dashboard", "analytics", "history", "catalog", "recaps"):
            self.assertRegex(shown, f"(?m)^{part} .*: yes$")

    def test_verify_notices_a_changed_row(self):
        table = "read_dashboard." + self.server.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'read_dashboard' ORDER BY 1")[0][0]
        saved = self.server.rows(f"SELECT count(*) FROM {table}")
        self.server.rows(f"CREATE TABLE saved AS TABLE {table}")
        self.server.rows(f"DELETE FROM {table}")
        self.broken("(?m)^dashboard .*NO")
        self.server.rows(f"INSERT INTO {table} SELECT * FROM saved")
        self.server.rows("DROP TABLE saved")
        self.assertEqual(self.server.rows(f"SELECT count(*) FROM {table}"), saved)
        self.server.verify()

    def test_verify_notices_claims_that_are_not_the_logs(self):
        self.server.rows("CREATE TABLE saved_claims AS SELECT * FROM log.claims LIMIT 1")
        self.server.rows("DELETE FROM log.claims WHERE key = (SELECT key FROM saved_claims)")
        self.broken("is missing")
        self.server.rows("INSERT INTO log.claims SELECT * FROM saved_claims")
        self.server.rows("INSERT INTO log.claims (key, stream_id, category) VALUES (gen_random_uuid(), gen_random_uuid(), 'user')")
        self.broken("follows from no event")
        self.server.rows("DELETE FROM log.claims WHERE stream_id NOT IN (SELECT stream_id FROM log.events)")
        self.server.rows("DROP TABLE saved_claims")
        self.server.verify()

    def test_verify_notices_snapshots_that_are_not_their_streams(self):
        for number in range(60):
            self.mira.rate(self.space, self.anime, 1 + number % 2)
        kept = lambda: self.server.rows(f"SELECT version FROM log.snapshots WHERE stream_id = '{self.anime}'")
        wait_until(kept, 10, "a snapshot of the anime")
        self.assertRegex(self.server.verify(), "(?m)^snapshots +[1-9].*: yes$")
        self.server.rows(f"UPDATE log.snapshots SET state = replace(state, '\"sharedEpisodes\":0', '\"sharedEpisodes\":3') WHERE stream_id = '{self.anime}'")
        self.broken(f"the snapshot of anime-{self.anime}: is not what the events up to version \\d+ come to")
        self.server.rows("UPDATE log.snapshots SET version = version + 1000")
        self.broken("its stream ends at")
        self.server.rows("UPDATE log.snapshots SET shape = 99")
        self.assertRegex(self.server.verify(), "of another shape")
        self.server.rows("DELETE FROM log.snapshots")
        self.server.verify()

    def test_the_log_refuses_changes(self):
        for statement in ("UPDATE log.events SET data = '{}'", "DELETE FROM log.events", "TRUNCATE log.events"):
            with self.assertRaises(AssertionError):
                self.server.rows(statement)

    def test_rebuild_changes_nothing_that_pages_show(self):
        pages = ["/api/me", f"/api/watch-spaces/{self.space}", f"/api/watch-spaces/{self.space}/anime", f"/api/watch-spaces/{self.space}/dashboard"]
        before = [self.mira.get(page).body for page in pages]
        shown = self.server.operator("rebuild")
        for model in ("people", "spaces", "tracking", "dashboard", "analytics", "history", "catalog", "recaps"):
            self.assertRegex(shown, f"(?m)^{model}: .*switched$")
        position = self.mira.rate(self.space, self.anime, 9)
        self.assertEqual([self.mira.get(page, at_least=position).body for page in pages], before)
        changed = self.mira.rate(self.space, self.anime, 10)
        self.assertEqual(self.mira.dashboard(self.space, at_least=changed)["compatibility"]["averageGap"], 2)
        self.server.verify()

    def test_rebuild_takes_the_models_that_are_named_and_no_other(self):
        shown = self.server.operator("rebuild", "people", "recaps")
        self.assertRegex(shown, "(?m)^recaps: .*switched$")
        self.assertEqual(shown.count("switched"), 2, shown)
        for wrong in (["nope"], ["--models", "people"]):
            self.assertIn(wrong[0], self.fails("rebuild", *wrong, "--home", self.server.home))
        shown = self.server.operator("rebuild", "--help")
        for (model,) in self.server.rows("SELECT model FROM projection.checkpoints WHERE slot = 'live'"):
            self.assertIn(model, shown)

    def test_what_is_wrong_in_a_command_is_named(self):
        for words in (["bogus"], ["--bogus"], ["parked", "bogus"], ["role", "--bogus"]):
            self.assertIn("bogus", self.fails(*words))
        self.assertIn("subcommand is required", self.fails())
        for position in ("0", "-3"):
            self.assertIn("--from is a position", self.fails("log", f"--from={position}", "--home", self.server.home))
        for rate in (["--rate", "-3"], ["--rate=-3"], ["--rate=0"], ["--rate=x"]):
            self.assertIn("--rate", self.fails("replay", *rate, "--home", self.server.home))
        for command in ("log", "replay"):
            self.assertIn("there is no event called AnimeRatd", self.fails(command, "--type", "AnimeRatd", "--home", self.server.home))
        self.assertIn("AnimeRated", self.server.operator("log", "--type", "AnimeRated"))
        for stream in ("watch-space", self.space, f"-{self.space}", f"watch-space/{self.space}", f"watch-space-{self.space}0"):
            self.assertIn("--stream is a category and an id", self.fails("log", f"--stream={stream}", "--home", self.server.home))

    def test_one_stream_of_the_log(self):
        stream = f"watch-space-{self.space}"
        lines = [json.loads(line) for line in self.server.operator("log", "--json", "--stream", stream).splitlines()]
        self.assertEqual({line["stream"] for line in lines}, {stream})
        self.assertEqual([line["version"] for line in lines], list(range(1, len(lines) + 1)))
        self.assertGreater(len(lines), 1)
        since = self.server.operator("log", "--json", "--stream", stream, "--from", str(lines[1]["position"])).splitlines()
        self.assertEqual([json.loads(line) for line in since], lines[1:])
        self.assertEqual(self.server.operator("log", "--stream", f"watch-space-{new_uuid()}"), "")

    def test_nothing_is_parked(self):
        self.assertIn("nothing is parked", self.server.operator("parked", "list"))

    def test_a_second_server_in_one_home_leaves_the_first_alone(self):
        there = ("--home", self.server.home, "--database-url", self.server.database_url, "--port", "0", "--admin-port", "0")
        self.assertIn("another process runs in the home folder", self.fails("serve", *there))
        self.assertTrue(self.server.operator("token", "--as", self.mira.handle))

    def test_a_home_that_is_named_wins_over_the_environment(self):
        elsewhere = {**os.environ, "BLOOMWATCH_HOME": "/nowhere"}
        self.assertIn("nothing is parked", self.server.operator("parked", "list", env=elsewhere))
        retry = self.fails("parked", "retry", "people", self.mira.id, "--home", self.server.home, env=elsewhere)
        self.assertNotIn("/nowhere", retry)
        self.assertIn("parked", retry)

    def test_a_token_speaks_for_a_person(self):
        token = self.server.operator("token", "--as", self.ken.handle).strip()
        self.assertEqual(self.ken.client.call("GET", "/api/me", token=token, expect=200)["id"], self.ken.id)

    def gateway(self):
        """A running one, and its URL."""
        gateway = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
        gateway.seen = []
        self.addCleanup(gateway.server_close)
        self.addCleanup(gateway.shutdown)
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        return gateway, f"http://127.0.0.1:{gateway.server_port}"

    def folder(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bloomwatch-home-"))
        self.addCleanup(shutil.rmtree, folder, True)
        return folder

    def test_the_operators_token_is_shown_to_no_proxy(self):
        gateway, url = self.gateway()
        proxy = {**os.environ, "http_proxy": url, "all_proxy": url}
        self.assertIn("has the role user", self.server.operator("role", self.mira.handle, "user", env=proxy))
        self.assertEqual(gateway.seen, [])

    def test_why_the_instance_refuses_is_said(self):
        self.assertRegex(self.fails("role", "x", "admin", "--home", self.server.home), r"answered 400: Some fields are wrong\n  /handle: \w+")
        self.assertIn("answered 404: There is no such account", self.fails("role", "nobody_here", "admin", "--home", self.server.home))
        _, url = self.gateway()
        home = self.folder()
        (home / "instance.json").write_text(json.dumps(self.server.instance | {"url": url}))
        shutil.copy(self.server.home / "master.key", home)
        self.assertEqual(self.fails("role", self.mira.handle, "user", "--home", home), "bloomwatch: the instance answered 502\n")

    def test_the_file_of_settings_in_a_home_is_read(self):
        home = self.folder()
        (home / "bloomwatch.ini").write_text(f'database-url = "{self.server.database_url}"\nport = 8080\n')
        shutil.copy(self.server.home / "master.key", home)
        for words in (["migrate"], ["log"], ["parked", "list"], ["token", "--as", self.ken.handle], ["lag"]):
            self.assertTrue(run(PROGRAM, *words, "--home", home))
        elsewhere = ["--database-url", "postgresql:///nowhere?host=/nowhere"]
        self.assertIn("/nowhere", self.fails("parked", "list", "--home", home, *elsewhere))
        (home / "bloomwatch.ini").write_text("no-setting = 1\n")
        for words in (["log"], ["role", self.ken.handle, "user"]):
            self.assertIn("no-setting is no setting", self.fails(*words, "--home", home))

    def test_lag_shows_the_models_when_kafka_cannot_be_reached(self):
        command = [PROGRAM, "lag", "--home", str(self.server.home), "--kafka-bootstrap", "127.0.0.1:1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^dashboard is \d+ events behind$")
        self.assertNotIn("(topic)", done.stdout)
        self.assertIn("bloomwatch lag: Kafka did not say all", done.stderr)

    def test_what_could_not_be_shown_is_no_success(self):
        home = ["--home", str(self.server.home)]
        for words in (["verify"], ["lag"], ["token", "--as", self.ken.handle], ["rebuild", "people"], ["log"], ["routes"], ["--help"]):
            with open("/dev/full", "w") as full:
                command = [PROGRAM, *words, *(home if words != ["--help"] else [])]
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("standard output cannot be written", done.stderr)

    def test_a_reader_that_has_seen_enough_ends_the_program_quietly(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([PROGRAM, "routes", "--home", str(self.server.home)], stdout=writer, stderr=subprocess.PIPE, timeout=60)
        os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (-signal.SIGPIPE, b""))

    def test_a_database_that_is_not_this_programs_is_left_alone(self):
        commands = (["log"], ["verify"], ["lag"], ["replay"], ["token", "--as", self.ken.handle], ["parked", "list"], ["rebuild"])
        database, drop = fresh_database()
        self.addCleanup(drop)
        there = ["--home", self.server.home, "--database-url", database]
        for words in commands:
            self.assertIn("this database is not migrated: run `bloomwatch migrate`", self.fails(*words, *there))
        version = re.search(r"is at version (\d+)", self.server.operator("migrate", "--database-url", database))[1]
        psql(
            database,
            "INSERT INTO projection.checkpoints (model, slot, partition, version, position, epoch, generation) "
            "SELECT 'people', 'live', -1, 99, 0, epoch, 0 FROM log.epoch",
        )
        self.assertIn("'people' is at version 99", self.fails("rebuild", "people", *there))
        self.assertEqual(psql(database, "SELECT version FROM projection.checkpoints WHERE model = 'people'"), [["99"]])
        psql(database, "INSERT INTO public.schema_migrations (number, name, sha256) VALUES (9999, '9999_later.sql', '')")
        for words in commands:
            self.assertIn(f"newer than this program (its schema is at version 9999, this program's is {version})", self.fails(*words, *there))

    def test_the_log_is_readable(self):
        lines = self.server.operator("log", "--from", str(self.last["position"]))
        self.assertIn("AnimeRated", lines)
        self.assertIn(self.ken.id, lines)

    def test_the_log_is_followed_until_it_is_told_to_end(self):
        def hear_signals():
            """Whoever runs the tests may be deaf to them, and what it starts would be, too."""
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        for ended_by in (signal.SIGTERM, signal.SIGINT):
            command = [PROGRAM, "log", "--follow", "--json", "--from", str(self.last["position"]), "--home", str(self.server.home)]
            following = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, preexec_fn=hear_signals
            )
            self.addCleanup(following.kill)
            hung = threading.Timer(60, following.kill)
            self.addCleanup(hung.cancel)
            hung.start()
            lines = (json.loads(line) for line in following.stdout)
            self.assertEqual(next(lines)["position"], self.last["position"])  # it has begun
            newer = [self.mira.rate(self.space, self.anime, score)["position"] for score in (3, 4)]
            self.assertEqual([next(lines)["position"] for _ in newer], newer)
            self.assertIsNone(following.poll())
            following.send_signal(ended_by)
            rest, errors = following.communicate()
            self.assertEqual((following.returncode, rest, errors), (-ended_by, "", ""))
            self.last = {"position": newer[-1]}

    def verify_on_a_terminal(self):
        """Its status, its report, and what the terminal was shown meanwhile."""
        terminal, other_end = pty.openpty()
        command = [PROGRAM, "verify", "--home", str(self.server.home)]
        verifying = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=other_end, text=True)
        os.close(other_end)
        shown = b""
        with contextlib.suppress(OSError):  # when the last one who writes there has ended
            while piece := os.read(terminal, 65536):
                shown += piece
        os.close(terminal)
        report, _ = verifying.communicate(timeout=120)
        return verifying.returncode, report, shown.decode()

    def test_verify_passes_while_commands_go_on_and_shows_how_far_it_is(self):
        stop = threading.Event()
        done = {}

        def rate(person):
            for number in itertools.count():
                if stop.is_set():
                    break
                person.rate(self.space, self.anime, 1 + number % 9)
                done[person.handle] = number + 1

        threads = [threading.Thread(target=rate, args=(person,)) for person in (self.mira, self.ken)]
        for thread in threads:
            thread.start()
            self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        wait_until(lambda: len(done) == len(threads), 30, "commands to go on")

        for _ in range(3):
            first = self.server.last_position()
            status, report, shown = self.verify_on_a_terminal()
            last = self.server.last_position()
            self.assertEqual((status, "NO" in report), (0, False), report)
            claims, *models = (int(position) for position in re.findall(r"(?m)^\w+ .* up to position (\d+): yes$", report))
            self.assertTrue(first <= claims <= last and first < last, (first, claims, last))
            self.assertGreaterEqual(len(models), 8)
            self.assertLessEqual(max(models), last)
            for what in ("log", "people", "dashboard", "recaps"):
                self.assertRegex(shown, rf"{what}: (\d+) of \1 \(100 %\)")


if __name__ == "__main__":
    unittest.main()
