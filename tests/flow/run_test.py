# ops/run itself, with the program as built for the tests: one instance a home, found again by who comes second, started again after a kill.
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from bloomwatch import PROGRAM, READY_SECONDS_MAX, ROOT, Client, Person, Server, fresh_database, run, wait_until


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bloomwatch-run-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o711)
        self.home = self.folder / "Ada's \"home\" & $HOME"  # any name will do
        # A clone of only what ops/run needs and tells of, where nothing is to be installed or built.
        ops = self.folder / "ops"
        ops.mkdir()
        for script in ("run", "cluster", "bloomwatch", "demo.py"):
            shutil.copy2(ROOT / "ops" / script, ops)
        for script in ("install", "build"):
            (ops / script).symlink_to("/bin/true")
        (self.folder / "tests").symlink_to(ROOT / "tests")
        program = self.folder / "build/release/bloomwatch"
        program.parent.mkdir(parents=True)
        program.symlink_to(PROGRAM)
        self.addCleanup(run, ops / "cluster", "stop", self.home / "postgres")

    def command(self, *arguments):
        return [self.folder / "ops/run", "--home", self.home, "--port", "0", *arguments]

    def start(self, *arguments, **environment):
        """Until it has said that it is up."""
        log = open(self.folder / "run.out", "w")
        self.addCleanup(log.close)
        running = subprocess.Popen(
            self.command(*arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=os.environ | environment
        )
        self.addCleanup(self.end, running)

        def is_up():
            self.assertIsNone(running.poll(), self.output())
            return "Ctrl-C stops everything" in self.output()

        wait_until(is_up, READY_SECONDS_MAX, "ops/run to be up")
        return running

    def start_in_a_terminal(self):
        """Until it has said that it is up; its output is read as far as that."""

        def hear_signals():
            """Whoever runs the tests may be deaf to them (nohup, a job in the background), and what it starts would be, too."""
            for heard in (signal.SIGHUP, signal.SIGINT):
                signal.signal(heard, signal.SIG_DFL)

        running = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=hear_signals,
        )
        self.addCleanup(self.end, running)
        self.addCleanup(running.stdout.close)
        said = ""
        for line in running.stdout:
            said += line
            if "Ctrl-C stops everything" in line:
                return running
        self.fail(f"ops/run ended before it was up:\n{said}")

    def output(self):
        return (self.folder / "run.out").read_text()

    def instance(self):
        return json.loads((self.home / "instance.json").read_text())

    def end(self, running):
        """As Ctrl-C does."""
        running.terminate()
        return running.wait(60)

    def kill(self, pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.is_gone(pid), 30, f"the end of {pid}")

    def is_gone(self, pid):
        """Whether nothing of it runs. Nobody may have reaped it, and its first thread may end before the others, which hold its locks."""
        try:
            threads = os.listdir(f"/proc/{pid}/task")
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        return len(threads) == 1 and state == "Z"

    def is_refused(self):
        """A second run says where the first is, and leaves it as it was."""
        before = self.instance()
        second = subprocess.run(self.command("--exit"), capture_output=True, text=True, timeout=120)
        self.assertEqual(second.returncode, 1, second.stdout + second.stderr)
        self.assertIn(f"BloomWatch is already running in {self.home} at {before['url']}\n", second.stderr)
        self.assertEqual(self.instance(), before)
        api = Client(before["url"])
        self.addCleanup(api.close)
        person = {"email": "mira@example.org", "handle": "mira", "displayName": "Mira", "password": "mira likes long walks"}
        self.assertIn(api.call("POST", "/api/auth/register", person).status, (201, 409))

    def test_it_says_where_the_api_and_the_admin_port_are(self):
        self.start()
        instance = self.instance()
        self.assertIn(f"BloomWatch answers at {instance['url']}\n", self.output())
        self.assertIn(f"{instance['adminUrl']}/health/ready", self.output())

    def test_what_it_says_to_try_can_be_pasted(self):
        self.start()
        for tried in ("log --follow", "verify"):
            line = next(line for line in self.output().splitlines() if line.endswith(tried))
            command = line[line.index("ops/bloomwatch") :].removesuffix(" --follow")
            run("bash", "-c", command, cwd=self.folder)

    def test_no_proxy_comes_between(self):
        proxies = {name: "http://127.0.0.1:9" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")} | {"no_proxy": "", "NO_PROXY": ""}
        self.assertIn("GET http://127.0.0.1:", run(*self.command("--demo", "--exit"), env=os.environ | proxies))

    def test_a_database_of_ones_own_is_told_by_the_environment(self):
        url, drop = fresh_database()
        self.addCleanup(drop)
        for arguments, environment in (((), {"BLOOMWATCH_DATABASE_URL": url}), (("--database-url", url), {"BLOOMWATCH_DATABASE_URL": "no URL"})):
            running = self.start(*arguments, **environment)
            self.assertEqual(self.instance()["databaseUrl"], url)
            self.assertNotIn(url, pathlib.Path(f"/proc/{self.instance()['pid']}/cmdline").read_text())
            self.assertFalse((self.home / "postgres").exists())
            self.end(running)

    def test_the_next_start_goes_on_with_the_data(self):
        titles = re.findall(r"<series_title><!\[CDATA\[(.*?)\]\]>", (ROOT / "tests/data/mal-small.xml").read_text())

        def demo():
            """What it says, and the dashboard that it shows at the end."""
            said, _, shown = run(*self.command("--demo", "--exit")).partition("\nGET http")
            dashboard = json.loads(shown[shown.index("\n{") : shown.rindex("\n}") + 2])
            dashboard.pop("randomPick")  # another one each hour
            return said, dashboard

        said, first = demo()
        self.assertIn("10 added, 0 changed, 0 unchanged, 0 failed", said)
        self.assertEqual(first["stats"]["totalShows"], 10)
        self.assertEqual({member["displayName"] for member in first["members"]}, {"Mira", "Ken"})
        shown = {anime["preferredTitle"] for part in ("currentlyWatching", "backlogHighlights", "sharedRatings") for anime in first[part]}
        self.assertLessEqual(shown, set(titles))
        self.assertGreaterEqual(len(shown), 5)

        said, again = demo()
        self.assertIn("Their watch space is still there.", said)
        self.assertIn("0 added, 0 changed, 10 unchanged, 0 failed", said)
        self.assertEqual(again, first)

        # By whatever it is started.
        database_url = run(self.folder / "ops/cluster", "start", self.home / "postgres").strip()
        for names in ({"Mira & Ken"}, {"Mira & Ken", "Another"}):
            with contextlib.closing(Server(database_url, self.home)) as server:
                mira = Person(server, "mira")
                mira.log_in()
                spaces = {space["name"]: space["id"] for space in mira.items("/api/watch-spaces")}
                self.assertEqual(set(spaces), names)
                dashboard = mira.dashboard(spaces["Mira & Ken"])
                self.assertEqual({name: dashboard[name] for name in first}, first)
                listed = mira.items(f"/api/watch-spaces/{spaces['Mira & Ken']}/anime")
                self.assertEqual({anime["preferredTitle"] for anime in listed}, set(titles))
                mira.make_space("Another")
                server.verify()

    def test_a_second_run_in_a_home_is_refused_and_the_first_goes_on(self):
        running = self.start()
        self.is_refused()
        self.assertEqual(self.end(running), 0)
        self.assertFalse((self.home / "instance.json").exists())
        self.start()

    def test_a_home_is_taken_before_its_instance_answers(self):
        self.home.mkdir()
        with open(self.home / "run.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            second = subprocess.run(self.command("--exit"), capture_output=True, text=True, timeout=120)
        self.assertEqual(second.returncode, 1, second.stdout + second.stderr)
        self.assertIn(f"BloomWatch is already running in {self.home}\n", second.stderr)
        self.assertEqual(os.listdir(self.home), ["run.lock"])

    def test_a_home_starts_again_after_a_kill_as_soon_as_its_server_is_gone(self):
        running = self.start()
        server = self.instance()["pid"]
        self.addCleanup(self.kill, server)
        self.kill(running.pid)
        running.wait()
        self.is_refused()
        self.kill(server)
        self.start()  # on the Postgres that has been left over

    def test_a_server_that_hangs_is_killed(self):
        script = self.folder / "ops/run"
        script.write_text(script.read_text().replace("stop_seconds_max=30", "stop_seconds_max=2"))
        running = self.start()
        server = self.instance()["pid"]
        os.kill(server, signal.SIGSTOP)
        self.assertEqual(self.end(running), 0)
        self.assertIn("the server did not end within 2 s of SIGTERM: it was killed\n", self.output())
        self.assertTrue(self.is_gone(server))
        self.assertFalse((self.home / "instance.json").exists())

    def test_it_ends_everything_when_its_terminal_is_closed(self):
        for ended_by, status in ((signal.SIGHUP, 129), (signal.SIGINT, 0)):
            running = self.start_in_a_terminal()
            server = self.instance()["pid"]
            postgres = int((self.home / "postgres/data/postmaster.pid").read_text().split()[0])
            self.addCleanup(self.kill, server)
            running.stdout.close()
            running.send_signal(ended_by)
            self.assertEqual(running.wait(60), status)
            self.assertTrue(self.is_gone(server), ended_by)
            self.assertTrue(self.is_gone(postgres), ended_by)

    def test_a_server_that_was_started_by_hand_is_not_disturbed(self):
        database_url = run(self.folder / "ops/cluster", "start", self.home / "postgres").strip()
        server = Server(database_url, self.home)
        self.addCleanup(server.close)
        self.is_refused()


if __name__ == "__main__":
    unittest.main()
