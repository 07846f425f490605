# `bloomwatch replay` over a log of thousands of events: what comes out is the log, filters take what they say, and a replay that is killed
# again and again ends with the same bytes as one that never was.
import csv
import io
import json
import os
import pathlib
import pty
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from bloomwatch import PROGRAM, fresh_database, psql, run, wait_until

DEMO_HISTORY = str(pathlib.Path(PROGRAM).parent / "demo_history")

# The columns of log.events under the names of a replay's line.
ENVELOPE = """
  SELECT json_build_object('position', position, 'id', event_id, 'type', type, 'subject', category || '-' || stream_id,
    'streamversion', version, 'schemaversion', schema_version, 'partition', partition, 'partitionkey', partition_key,
    'account', account, 'profile', profile, 'origin', origin, 'provider', provider, 'reference', reference, 'commandid', command_id,
    'correlationid', correlation_id, 'causationid', causation_id, 'undoes', undoes,
    'time', to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'data', data)
  FROM log.events WHERE position > 0 ORDER BY position"""


class Replay(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.database, drop = fresh_database()
        cls.addClassCleanup(drop)
        run(DEMO_HISTORY, "--database-url", cls.database, "--spaces", "60")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bloomwatch-replay-"))
        cls.addClassCleanup(lambda: shutil.rmtree(cls.folder, ignore_errors=True))
        cls.replay("--to", cls.folder / "whole.ndjson")
        cls.replay("--to", cls.folder / "whole.csv", "--format", "csv")
        cls.whole = (cls.folder / "whole.ndjson").read_bytes()
        cls.whole_csv = (cls.folder / "whole.csv").read_bytes()
        cls.lines = [json.loads(line) for line in cls.whole.decode().splitlines()]
        cls.epoch = psql(cls.database, "SELECT epoch FROM log.epoch")[0][0]

    @classmethod
    def command(cls, *arguments):
        return [str(part) for part in (PROGRAM, "replay", "--database-url", cls.database, *arguments)]

    @classmethod
    def replay(cls, *arguments):
        return run(*cls.command(*arguments))

    def selected(self, *arguments):
        return [json.loads(line) for line in self.replay(*arguments).splitlines()]

    def refused(self, *arguments):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0, done.stdout[:200])
        return done.stderr

    def test_every_line_is_the_logs_event(self):
        previous = {}
        rows = psql(self.database, ENVELOPE)
        self.assertGreater(len(rows), 1500)
        self.assertEqual(len(self.lines), len(rows))
        for line, (row,) in zip(self.lines, rows):
            expected = {name: value for name, value in json.loads(row).items() if value is not None}
            expected |= {"specversion": "1.0", "datacontenttype": "application/json", "source": f"/bloomwatch/{self.epoch}"}
            expected["previous"] = previous.get(line["partition"], 0)
            previous[line["partition"]] = line["position"]
            self.assertEqual(line, expected)

    def test_csv_says_the_same(self):
        self.assertTrue(self.whole_csv.endswith(b"\r\n"))
        rows = list(csv.DictReader(io.StringIO(self.whole_csv.decode(), newline="")))
        self.assertEqual(len(rows), len(self.lines))
        for row, line in zip(rows, self.lines):
            self.assertEqual(json.loads(row.pop("data")), line["data"])
            for name, value in row.items():
                self.assertEqual(value, str(line.get(name, "")), name)

    def test_filters_take_what_they_say(self):
        types = {"AnimeRated", "MemberJoined"}
        self.assertEqual([one["position"] for one in self.selected("--type", "AnimeRated", "--type", "MemberJoined")],
                         [one["position"] for one in self.lines if one["type"] in types])
        self.assertEqual([one["position"] for one in self.selected("--partition", "3", "--partition", "12", "--from", "100", "--until", "900")],
                         [one["position"] for one in self.lines if one["partition"] in (3, 12) and 100 <= one["position"] <= 900])
        space = next(one["partitionkey"] for one in self.lines if one["type"] == "WatchSpaceCreated")
        self.assertEqual([one["position"] for one in self.selected("--space", space, "--type", "AnimeAdded", "--type", "MemberJoined")],
                         [one["position"] for one in self.lines
                          if one["partitionkey"] == space and one["type"] in ("AnimeAdded", "MemberJoined")])
        week = self.selected("--from", "2026-02-02", "--until", "2026-02-09T00:00:00Z")
        self.assertEqual([one["position"] for one in week],
                         [one["position"] for one in self.lines if "2026-02-02" <= one["time"] < "2026-02-09"])
        self.assertGreater(len(week), 50)
        exact = self.lines[700]["time"]
        self.assertEqual(self.selected("--from", exact)[0]["time"], exact)
        self.assertLess(self.selected("--until", exact)[-1]["time"], exact)

    def test_what_was_left_out_does_not_break_the_chain(self):
        previous = {}
        for line in self.selected("--type", "AnimeRated"):
            self.assertEqual(line["previous"], previous.get(line["partition"], 0))
            previous[line["partition"]] = line["position"]

    def test_a_replay_killed_at_any_moment_ends_with_the_same_bytes(self):
        moments = random.Random(20261121)
        for form, whole in (("ndjson", self.whole), ("csv", self.whole_csv)):
            to = self.folder / f"killed.{form}"
            arguments = ("--format", form, "--to", to, "--resume")
            for attempt in range(5):
                # Slow enough to be caught in the middle, wherever that is.
                process = subprocess.Popen(self.command(*arguments, "--rate", str(len(self.lines) // 5)), stderr=subprocess.DEVNULL)
                time.sleep(moments.uniform(0.05, 0.9))
                process.send_signal(signal.SIGKILL)
                process.wait()
                if attempt % 2 and to.exists():
                    with open(to, "ab") as file:  # the end came after the lines were written and before that was noted
                        file.write(whole[file.tell() : file.tell() + moments.randrange(1, 5000)])
            if to.exists():
                self.assertEqual(whole[: json.loads(to.with_name(to.name + ".state").read_text())["bytes"]],
                                 to.read_bytes()[: json.loads(to.with_name(to.name + ".state").read_text())["bytes"]])
            self.replay(*arguments)
            self.assertEqual(to.read_bytes(), whole)
            self.replay(*arguments)  # nothing is left to do
            self.assertEqual(to.read_bytes(), whole)

    def test_a_kill_in_the_middle_leaves_a_part_that_is_gone_on_with(self):
        to = self.folder / "middle.ndjson"
        process = subprocess.Popen(self.command("--to", to, "--rate", "400"), stderr=subprocess.DEVNULL)
        wait_until(lambda: to.exists() and to.stat().st_size > 100_000, 60, "the first lines")
        process.send_signal(signal.SIGKILL)
        process.wait()
        state = json.loads((self.folder / "middle.ndjson.state").read_text())
        self.assertTrue(0 < state["events"] < len(self.lines), state)
        self.replay("--to", to, "--resume")
        self.assertEqual(to.read_bytes(), self.whole)

    def test_two_do_not_write_one_file(self):
        to = self.folder / "shared.ndjson"
        process = subprocess.Popen(self.command("--to", to, "--rate", str(len(self.lines) // 4)), stderr=subprocess.DEVNULL)
        wait_until(lambda: to.exists() and to.stat().st_size > 0, 60, "the first lines")
        self.assertIn("another replay writes", self.refused("--to", to, "--resume"))
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(to.read_bytes(), self.whole)

    def test_what_the_log_has_got_since_is_added(self):
        to = self.folder / "later.ndjson"
        self.replay("--to", to, "--until", "1000")
        self.assertEqual(to.read_bytes().count(b"\n"), 1000)
        self.replay("--to", to, "--resume")
        self.assertEqual(to.read_bytes(), self.whole)

    def test_standard_output_gets_the_same(self):
        done = subprocess.run(self.command(), capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, self.whole)

    def test_pipes_and_devices_get_the_same(self):
        self.replay("--to", "/dev/null")
        self.assertFalse(os.path.exists("/dev/null.state"))
        self.assertIn("--resume needs", self.refused("--to", "/dev/null", "--resume"))
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        process = subprocess.Popen(self.command("--to", pipe), stderr=subprocess.DEVNULL)
        with open(pipe, "rb") as reader:
            self.assertEqual(reader.read(), self.whole)
        self.assertEqual(process.wait(60), 0)
        self.assertFalse((self.folder / "pipe.state").exists())

    def test_a_rate_is_kept(self):
        begin = time.monotonic()
        self.replay("--until", "600", "--rate", "300", "--to", self.folder / "slow.ndjson")
        self.assertGreater(time.monotonic() - begin, 1.9)

    def test_progress_is_shown_on_a_terminal_only(self):
        terminal, theirs = pty.openpty()
        process = subprocess.Popen(self.command("--rate", "600", "--until", "600"), stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(terminal, 4096):
                shown += chunk
        except OSError:  # its other end was closed
            pass
        os.close(terminal)
        self.assertEqual(process.wait(60), 0)
        self.assertRegex(shown.decode(), r"replaying: \d+ events, position \d+ of 600")
        quiet = subprocess.run(self.command("--until", "600"), capture_output=True, text=True, timeout=60)
        self.assertNotIn("replaying", quiet.stderr)
        self.assertIn("600 events", quiet.stderr)

    def test_what_cannot_be_gone_on_with_is_refused(self):
        to = self.folder / "mine.ndjson"
        self.replay("--to", to, "--until", "500")
        before = to.read_bytes()
        self.assertIn("there already", self.refused("--to", to))
        self.assertIn("was asked for", self.refused("--to", to, "--resume", "--type", "AnimeRated"))
        self.assertIn("was asked for", self.refused("--to", to, "--resume", "--format", "csv"))
        state = self.folder / "mine.ndjson.state"
        kept = state.read_text()
        state.write_text(kept.replace(self.epoch, "00000000"))
        self.assertIn("epoch", self.refused("--to", to, "--resume"))
        read = json.loads(kept)
        self.assertEqual(read["event"], self.lines[499]["id"])
        state.write_text(json.dumps(read | {"event": self.lines[498]["id"]}))  # as after a restore that began no epoch
        self.assertIn("another event at position 500", self.refused("--to", to, "--resume"))
        state.write_text(json.dumps(read | {"position": len(self.lines) + 1}))
        self.assertIn("less at position", self.refused("--to", to, "--resume"))
        state.unlink()
        self.assertIn("no state file", self.refused("--to", to, "--resume"))
        state.write_text(kept)
        to.write_bytes(before[:-10])
        self.assertIn("shorter", self.refused("--to", to, "--resume"))
        self.assertIn("no event called", self.refused("--type", "AnimeRatd"))
        self.assertIn("neither a position nor a time", self.refused("--from", "yesterday"))
        self.assertIn("is a time to come", self.refused("--from", "2999-01-01"))
        self.assertEqual(self.selected("--from", str(len(self.lines) + 1)), [])
        self.assertIn("is after the last event of the log", self.refused("--from", str(len(self.lines) + 2)))
        self.assertIn("that --until 5 leaves", self.refused("--from", "7", "--until", "5"))
        self.assertEqual(len(self.selected("--until", "2999-01-01T00:00:00Z")), len(self.lines))
        self.assertIn("--resume needs", self.refused("--resume"))


if __name__ == "__main__":
    unittest.main()
