# A MyAnimeList export becomes tracked anime, whole: every row is compared with Python's own reading of the file.
# Two files: a small hand-written one of every kind of row, and a real one of 2008 with broken UTF-8 (skipped where it is absent).
import gzip
import html
import json
import os
import pty
import re
import subprocess
import tempfile
import unittest

from bloomwatch import PROGRAM, ROOT, SHARED_DATA, FlowTest, wait_until

STATUS = {"Watching": "watching", "Completed": "finished", "On-Hold": "paused", "Dropped": "dropped", "Plan to Watch": "backlog"}


def element(anime, name):
    """The text of a child element. Real exports are no XML that a strict parser takes, so this reads them as the text that they are."""
    match = re.search(rf"<{name}>(.*?)</{name}>", anime, re.S)
    text = match.group(1) if match else ""
    cdata = re.fullmatch(r"\s*<!\[CDATA\[(.*?)\]\]>\s*", text, re.S)
    return (cdata.group(1) if cdata else text).strip()


def partial_date(text):
    year, month, day = (int(part) for part in text.split("-"))
    if year == 0:
        return None
    return {name: value for name, value in (("year", year), ("month", month), ("day", day)) if value}


def plain_text(comment):
    """Comments of old exports are HTML in CDATA."""
    return re.sub(r"<br */?>\n?", "\n", html.unescape(comment)).strip()


def read_export(data):
    """The export's rows as the API should tell them."""
    text = data.decode("utf-8", errors="replace")
    rows = []
    for anime in re.findall(r"<anime>(.*?)</anime>", text, re.S):
        count = int(element(anime, "series_episodes"))
        watched = int(element(anime, "my_watched_episodes"))
        score = int(element(anime, "my_score"))
        rows.append(
            {
                "mal_id": int(element(anime, "series_animedb_id")),
                "title": element(anime, "series_title"),
                "episodeCount": count if count and watched <= count else None,
                "exceeds": bool(count) and watched > count,
                "status": STATUS[element(anime, "my_status")],
                "episodesWatched": watched,
                "startedOn": partial_date(element(anime, "my_start_date")),
                "finishedOn": partial_date(element(anime, "my_finish_date")),
                "timesRewatched": int(element(anime, "my_times_watched") or 0),
                "score": score or None,
                "notes": plain_text(element(anime, "my_comments")) or None,
            }
        )
    return rows


class MalImport(FlowTest):
    def setUp(self):
        self.mira = self.server.person(f"mira_{self._testMethodName[-20:]}".strip("_"))
        self.space = self.mira.make_space("Imports")
        self.path = f"/api/watch-spaces/{self.space}/imports/mal"
        self.small = (ROOT / "tests/data/mal-small.xml").read_bytes()

    def send(self, data, query="", expect=200, person=None):
        person = person or self.mira
        return person.call("POST", self.path + query, data, headers={"Content-Type": "application/octet-stream"}, expect=expect)

    def tracked(self, at_least):
        items = self.mira.items(f"/api/watch-spaces/{self.space}/anime", at_least=at_least)
        return {item["media"]["id"] if isinstance(item["media"]["id"], int) else int(item["media"]["id"]): item for item in items}

    def assert_all_rows(self, rows, report):
        self.assertEqual(len(report["rows"]), len(rows))
        tracked = self.tracked(report["position"])
        self.assertEqual(set(tracked), {row["mal_id"] for row in rows})
        for row in rows:
            anime = tracked[row["mal_id"]]
            me = next(p for p in anime["participants"] if p["userId"] == self.mira.id)
            with self.subTest(mal_id=row["mal_id"]):
                self.assertEqual(anime["media"]["source"], "mal")
                for name in ("status", "episodesWatched", "timesRewatched", "score"):
                    self.assertEqual(me[name], row[name], name)
                # One comment of the real file is UTF-8 that somebody escaped byte by byte; the server puts it together again.
                if "\u00e3" not in (row["notes"] or ""):
                    self.assertEqual(me["notes"], row["notes"])
                for name in ("startedOn", "finishedOn"):
                    date = me[name] and {part: value for part, value in me[name].items() if value is not None}
                    self.assertEqual(date, row[name], name)
                self.assertEqual(anime["episodeCount"], row["episodeCount"])
                if "�" not in row["title"] and "&" not in row["title"]:
                    self.assertEqual(anime["preferredTitle"], row["title"])
        return tracked

    def test_the_small_export_comes_in_whole_and_twice_is_once(self):
        rows = read_export(self.small)
        dry = self.send(self.small, "?dryRun=true")
        self.assertTrue(dry["dryRun"])
        self.assertEqual(dry["counts"]["added"], len(rows))
        self.assertEqual(self.tracked(dry["position"]), {})

        report = self.send(self.small)
        self.assertEqual(report["counts"], {"added": len(rows), "changed": 0, "unchanged": 0, "failed": 0})
        tracked = self.assert_all_rows(rows, report)
        # A title new to the space starts as shared backlog at 0.
        self.assertEqual({(a["sharedStatus"], a["sharedEpisodesWatched"]) for a in tracked.values()}, {("backlog", 0)})
        for row, told in zip(rows, report["rows"]):
            self.assertEqual(told["outcome"], "added")
            self.assertEqual(bool(told["reason"]), row["exceeds"], told)

        before = self.server.last_position()
        again = self.send(gzip.compress(self.small))
        self.assertEqual(again["counts"], {"added": 0, "changed": 0, "unchanged": len(rows), "failed": 0})
        self.assertEqual(self.server.last_position(), before, "importing twice appends nothing")

    def bring(self, titles):
        """The catalogue comes to know titles: the MyAnimeList ids of each, and twelve episodes."""
        head, entry, *_ = [json.loads(line) for line in (ROOT / "tests/data/catalog-small.jsonl").read_text().splitlines()]
        entries = [entry | {"sources": [f"https://myanimelist.net/anime/{mal}" for mal in ids], "title": f"Title {ids[0]}"} for ids in titles]
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(json.dumps(line) + "\n" for line in [head, *entries])
            file.flush()
            self.server.operator("catalog", "import", file.name)

    @staticmethod
    def list_of(rows):
        """An export of rows, each by its MyAnimeList id and what else it says."""
        fields = lambda row: "".join(f"<{name}>{value}</{name}>" for name, value in row.items())
        return f"<myanimelist>{''.join(f'<anime>{fields(row)}</anime>' for row in rows)}</myanimelist>".encode()

    def test_rows_that_are_one_title_are_taken_once(self):
        titles = [(810_000 + i, 820_000 + i) for i in range(40)]
        self.bring(titles)
        row = lambda mal, score: {"series_animedb_id": mal, "my_score": score}
        rows = [row(one, 7) for one, _ in titles] + [row(other, 9) for _, other in reversed(titles)] + [row(titles[0][1], 7)]
        taken = {"added": 40, "changed": 0, "unchanged": 1, "failed": 40}
        self.assertEqual(self.send(self.list_of(rows), "?dryRun=true")["counts"], taken)
        report = self.send(self.list_of(rows))
        self.assertEqual(report["counts"], taken)
        self.assertIn("the same anime as row 39, which was taken", report["rows"][40]["reason"])
        self.assertEqual({item["participants"][0]["score"] for item in self.tracked(report["position"]).values()}, {7})
        before = self.server.last_position()
        again = self.send(self.list_of(rows))
        self.assertEqual(again["counts"], {"added": 0, "changed": 0, "unchanged": 41, "failed": 40})
        self.assertEqual(self.server.last_position(), before, "importing twice appends nothing")

    def test_progress_beyond_the_catalogues_count_is_told(self):
        self.bring([(830_001,)])
        report = self.send(self.list_of([{"series_animedb_id": 830_001, "series_episodes": 0, "my_watched_episodes": 20}]))
        self.assertEqual(report["counts"]["added"], 1)
        self.assertIn("20 of 12 in the catalogue: the number of episodes is kept as unknown", report["rows"][0]["reason"])
        self.assertIsNone(self.tracked(report["position"])[830_001]["episodeCount"])

    def test_shared_moves_the_shared_state_too(self):
        report = self.send(self.small, "?shared=true")
        tracked = self.tracked(report["position"])
        for row in read_export(self.small):
            self.assertEqual(tracked[row["mal_id"]]["sharedStatus"], row["status"])
            self.assertEqual(tracked[row["mal_id"]]["sharedEpisodesWatched"], row["episodesWatched"])

    def test_what_is_there_keeps_its_shared_state(self):
        added = self.mira.post(
            f"/api/watch-spaces/{self.space}/anime",
            {"media": {"source": "mal", "id": 52991}, "preferredTitle": "Frieren", "episodeCount": 28, "sharedStatus": "paused"},
        )
        report = self.send(self.small)
        self.assertEqual(report["counts"]["changed"], 1)
        anime = self.tracked(report["position"])[52991]
        self.assertEqual((anime["id"], anime["sharedStatus"], anime["preferredTitle"]), (added["id"], "paused", "Frieren"))
        self.assertEqual(anime["participants"][0]["episodesWatched"], 12)

    def test_a_bad_row_stops_nothing(self):
        text = self.small.decode()
        text = text.replace("<my_status>Dropped</my_status>", "<my_status>Sleeping</my_status>")
        text = text.replace("<my_score>10</my_score>", "<my_score>eleven</my_score>")
        report = self.send(text.encode())
        self.assertEqual(report["counts"]["failed"], 2)
        self.assertEqual(report["counts"]["added"], 8)
        failed = [row for row in report["rows"] if row["outcome"] == "failed"]
        self.assertTrue(all(row["reason"] for row in failed), failed)

    def test_what_is_no_export_is_refused(self):
        bomb = (
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
            b"<myanimelist><anime><series_animedb_id>1</series_animedb_id><series_title>&b;</series_title></anime></myanimelist>"
        )
        for what, data in {
            "nothing": b"",
            "not XML": b"hello",
            "another root": b"<list></list>",
            "a broken gzip": gzip.compress(self.small)[:200],
            "an inflated giant": gzip.compress(b"<myanimelist>" + b" " * (200 << 20), 1),
            "entities": bomb,
        }.items():
            with self.subTest(what):
                answer = self.send(data, expect=None)
                self.assertIn(answer.status, (400, 413, 422), answer)
                self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/problem+json")

    def test_an_account_imports_only_so_many_rows_in_a_while(self):
        many = self.list_of([{"series_title": "a row without an id"}] * 40_000)
        self.assertEqual(self.send(many, "?dryRun=true")["counts"]["failed"], 40_000)
        self.send(many)
        refused = self.send(many, expect=429)
        self.assertLessEqual(int(refused.headers["Retry-After"]), 20_000 / 50)
        self.send(many, "?dryRun=true")
        self.send(self.small)

    def real_export(self):
        """Packed, as it was downloaded."""
        path = SHARED_DATA / "mal/real-export-2008.xml.gz"
        if not path.exists():
            self.skipTest(f"{path} is not here")
        return path.read_bytes()

    def test_the_real_export_comes_in_whole(self):
        packed = self.real_export()
        rows = read_export(gzip.decompress(packed))
        self.assertEqual(len(rows), 109)
        report = self.send(packed)
        self.assertEqual(report["counts"]["failed"], 0, [row for row in report["rows"] if row["reason"]])
        tracked = self.assert_all_rows(rows, report)
        (mine,) = (p for p in tracked[150]["participants"] if p["userId"] == self.mira.id)
        self.assertEqual(mine["notes"], "こんにちは、世界\nDownloaded Episodes: 50")

        # Nothing that is shared has moved.
        stats = self.mira.dashboard(self.space)["stats"]
        self.assertEqual({name: stats[name] for name in ("totalShows", "currentlyWatching", "finished", "episodesWatchedTogether")},
                         {"totalShows": 109, "currentlyWatching": 0, "finished": 0, "episodesWatchedTogether": 0})
        before = self.server.last_position()
        self.assertEqual(self.send(packed)["counts"]["unchanged"], 109)
        self.assertEqual(self.server.last_position(), before)

    def test_the_real_export_that_is_shared_is_what_the_dashboard_tells(self):
        packed = self.real_export()
        rows = {row["mal_id"]: row for row in read_export(gzip.decompress(packed))}
        report = self.send(packed, "?shared=true")
        dashboard = self.mira.dashboard(self.space, at_least=report)
        # As the file counts itself in its <myinfo>, and all episodes that it says were watched.
        stats = dashboard["stats"]
        self.assertEqual({name: stats[name] for name in ("totalShows", "currentlyWatching", "finished", "episodesWatchedTogether")},
                         {"totalShows": 109, "currentlyWatching": 12, "finished": 73, "episodesWatchedTogether": 1312})
        for highlights, status in (("currentlyWatching", "watching"), ("backlogHighlights", "backlog")):
            shown = {int(item["media"]["id"]) for item in dashboard[highlights]}
            self.assertEqual(len(shown), 5)
            self.assertEqual({rows[mal_id]["status"] for mal_id in shown}, {status})
        self.assertEqual(rows[int(dashboard["randomPick"]["media"]["id"])]["status"], "backlog")
        for status, count in (("watching", 12), ("finished", 73), ("paused", 0), ("dropped", 3), ("backlog", 21)):
            listed = self.mira.items(f"/api/watch-spaces/{self.space}/anime?status={status}")
            self.assertEqual(len(listed), count, status)

    def bring_by_command_line(self, *options):
        """What it says, of the small list."""
        small = str(ROOT / "tests/data/mal-small.xml")
        return self.server.operator("import", "mal", small, "--space", self.space, "--as", self.mira.handle, *options)

    def test_the_command_line_imports_too(self):
        self.assertIn("\n10 rows: 10 added, 0 changed, 0 unchanged, 0 failed\n", "\n" + self.bring_by_command_line())
        tracked = self.tracked(self.server.last_position())
        self.assertEqual(len(tracked), 10)
        self.assertEqual({(a["sharedStatus"], a["sharedEpisodesWatched"]) for a in tracked.values()}, {("backlog", 0)})

    def test_the_command_line_moves_the_shared_state_when_asked(self):
        self.bring_by_command_line("--shared")
        tracked = self.tracked(self.server.last_position())
        shared = {mal_id: (anime["sharedStatus"], anime["sharedEpisodesWatched"]) for mal_id, anime in tracked.items()}
        self.assertEqual(shared, {row["mal_id"]: (row["status"], row["episodesWatched"]) for row in read_export(self.small)})

    def test_a_dry_run_by_the_command_line_writes_nothing(self):
        before = self.server.last_position()
        told = "10 rows: 10 added, 0 changed, 0 unchanged, 0 failed (a dry run: nothing was written)"
        for options in (["--dry-run"], ["--dry-run", "--shared"]):
            self.assertIn(f"{told}\n", self.bring_by_command_line(*options))
        self.assertEqual(self.server.last_position(), before)
        self.assertEqual(self.tracked(before), {})

    def test_progress_is_shown_on_a_terminal(self):
        terminal, other_end = pty.openpty()
        self.server.operator(
            "import", "mal", str(ROOT / "tests/data/mal-small.xml"), "--space", self.space, "--as", self.mira.handle, stderr=other_end
        )
        os.close(other_end)
        self.assertRegex(os.read(terminal, 65536).decode(), r"importing: \d+ changes so far")
        os.close(terminal)

    def test_an_import_whose_progress_cannot_be_read_goes_on(self):
        # The server's next append waits for the lock, so that there is an import under way.
        lock = "BEGIN; LOCK TABLE log.events IN SHARE ROW EXCLUSIVE MODE; SELECT pg_sleep(2)"
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'log.events'::regclass"
        end_readers = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bloomwatch import'"
        )
        terminal, other_end = pty.openpty()
        self.addCleanup(os.close, terminal)
        holder = subprocess.Popen(["psql", "--no-psqlrc", "-q", "-d", self.server.database_url, "-c", lock], stdout=subprocess.DEVNULL)
        self.addCleanup(holder.wait)
        command = [PROGRAM, "import", "mal", ROOT / "tests/data/mal-small.xml", "--space", self.space, "--as", self.mira.handle]
        importing = subprocess.Popen(
            [*map(str, command), "--home", str(self.server.home)], stdout=subprocess.PIPE, stderr=other_end, text=True
        )
        os.close(other_end)
        wait_until(lambda: self.server.rows(waits), 10, "the import to wait")
        wait_until(lambda: self.server.rows(end_readers), 10, "the reader of its progress to be there")
        shown, _ = importing.communicate(timeout=60)
        self.assertEqual((importing.returncode, "10 added" in shown), (0, True), shown)

    @classmethod
    def tearDownClass(cls):
        cls.server.verify()


if __name__ == "__main__":
    unittest.main()
