# Projectors that share the partitions of Kafka: what is acknowledged is shown whichever of them folds it, whoever is killed, and every read
# model is the fold of the log. Also what operators see and do meanwhile: lag, parked keys, a rebuild, another feed.
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from bloomwatch import PROGRAM, Server, fresh_database, kafka_address, psql, run, wait_until

PROGRAMS = pathlib.Path(PROGRAM).parent


class Partitions(unittest.TestCase):
    def setUp(self):
        self.database_url, drop = fresh_database()
        self.addCleanup(drop)
        self.kafka = ("--kafka-bootstrap", kafka_address())
        self.home = tempfile.mkdtemp(prefix="bloomwatch-home-")
        self.addCleanup(shutil.rmtree, self.home, True)
        # One process with everything, on the Kafka feed; the relay is in it.
        self.server = Server(self.database_url, self.home, arguments=("--feed", "kafka", *self.kafka))
        self.addCleanup(self.server.close)
        self.projectors = []

    def projector(self):
        home = tempfile.mkdtemp(prefix="bloomwatch-home-")
        self.addCleanup(shutil.rmtree, home, True)
        projector = Server(
            self.database_url, home, program=str(PROGRAMS / "projector"), command=None, arguments=("--feed", "kafka", *self.kafka)
        )
        self.addCleanup(projector.close)
        self.projectors.append(projector)
        return projector

    def operator(self, *arguments, **options):
        return run(PROGRAM, *arguments, "--database-url", self.database_url, **options)

    def holders(self):
        """Who holds how many partitions of the dashboard, as `bloomwatch lag` tells it."""
        held = {}
        for line in self.operator("lag", *self.kafka).splitlines():
            words = line.split()
            if words[:1] == ["dashboard"] and len(words) > 5 and words[5] != "-":
                held[words[5]] = held.get(words[5], 0) + 1
        return held

    def behind(self):
        text = self.operator("lag", *self.kafka)
        return {line.split()[0]: int(line.split()[2]) for line in text.splitlines() if line.endswith("events behind")}

    def folded(self):
        """Whether topic and read models have all that the log has."""
        behind = self.behind()
        return {"(topic)", "people", "spaces", "tracking", "dashboard"} <= set(behind) and not any(behind.values())

    def checkpoint_forms(self):
        """How many checkpoints a read model has; one number, unless they differ."""
        return {int(rows) for model, rows in psql(self.database_url, "SELECT model, count(*) FROM projection.checkpoints GROUP BY 1")}

    def shows(self, person, space, count, answer):
        page = person.call("GET", f"/api/watch-spaces/{space}/dashboard?atLeast={answer['position']}", headers={"Prefer": "wait=10"})
        self.assertEqual(page.status, 200, page)
        self.assertEqual(page["stats"]["totalShows"], count)

    def test_pages_go_on_when_a_projector_is_killed(self):
        people = [self.server.person(f"person{i}") for i in range(6)]
        spaces = [person.make_space("Shared") for person in people]
        self.projector()
        victim = self.projector()
        wait_until(lambda: sorted(self.holders().values()) == [5, 5, 6], 60, "three projectors to share the partitions")
        count = 0

        def everybody_adds():
            nonlocal count
            count += 1
            for person, space in zip(people, spaces):
                self.shows(person, space, count, person.add_anime(space, 1000 + count))

        for _ in range(3):
            everybody_adds()
        victim.kill()
        # Its partitions are shown again when its group session is over; the others meanwhile.
        count += 1
        added = [person.add_anime(space, 1000 + count) for person, space in zip(people, spaces)]
        for person, space, answer in zip(people, spaces, added):
            wait_until(
                lambda: person.call(
                    "GET", f"/api/watch-spaces/{space}/dashboard?atLeast={answer['position']}", headers={"Prefer": "wait=5"}
                ).status
                == 200,
                60,
                "the others to take over",
            )
        for _ in range(2):
            everybody_adds()
        wait_until(self.folded, 60, "everything to be folded")
        self.assertEqual(self.checkpoint_forms(), {16})
        self.operator("verify")

    def test_the_feed_of_an_installation_may_change(self):
        mira = self.server.person("mira")
        space = mira.make_space("Here and there")
        count = 0
        for arguments, rows in (((), 1), (("--feed", "kafka", *self.kafka), 16), ((*self.kafka,), 1)):
            count += 1
            self.shows(mira, space, count, mira.add_anime(space, 2000 + count))
            self.server.stop()
            self.server.arguments = [str(argument) for argument in arguments]
            self.server.start()
            mira.client = self.server.client()
            mira.log_in()
            count += 1
            self.shows(mira, space, count, mira.add_anime(space, 2000 + count))
            wait_until(lambda: self.checkpoint_forms() == {rows}, 30, "the checkpoints to change their form")
            self.operator("verify")

    def test_a_rebuild_from_kafka_changes_nothing_that_pages_show(self):
        mira = self.server.person("mira")
        space = mira.make_space("Rebuilt")
        for i in range(20):
            added = mira.add_anime(space, 3000 + i)
        wait_until(self.folded, 60, "everything to be folded")
        said = self.operator("rebuild", "--feed", "kafka", *self.kafka, "dashboard", "tracking")
        self.assertIn("events came from Kafka", said)
        self.assertNotIn(" 0 events came from Kafka", said)
        self.assertEqual(said.count(", switched"), 2)
        self.shows(mira, space, 20, added)
        self.operator("verify")

    def test_a_parked_key_is_retried_and_discarded(self):
        mira = self.server.person("mira")
        space = mira.make_space("Sick")
        well = mira.make_space("Well")
        wait_until(self.folded, 60, "everything to be folded")
        # A row that another partition seems to have written: the fold refuses to touch it.
        psql(self.database_url, f"UPDATE read_spaces.spaces SET partition = (partition + 1) % 16 WHERE watch_space = '{space}'")
        mira.patch(f"/api/watch-spaces/{space}", {"name": "Renamed"})
        wait_until(lambda: space in self.operator("parked", "list"), 60, "the key to be parked")
        mira.add_anime(well, 4000)
        retried = self.operator_status("parked", "retry", "spaces", space)
        self.assertEqual(retried[0], 1)
        self.assertIn("parked again", retried[1])
        psql(self.database_url, f"UPDATE read_spaces.spaces SET partition = (partition + 15) % 16 WHERE watch_space = '{space}'")
        self.assertIn("1 events folded", self.operator("parked", "retry", "spaces", space))
        self.assertEqual(mira.call("GET", f"/api/watch-spaces/{space}")["name"], "Renamed")
        renamed = mira.patch(f"/api/watch-spaces/{space}", {"name": "Again"})
        page = mira.call("GET", f"/api/watch-spaces/{space}?atLeast={renamed['position']}", expect=200)
        self.assertEqual(page["name"], "Again")

        psql(self.database_url, f"UPDATE read_spaces.spaces SET partition = (partition + 1) % 16 WHERE watch_space = '{space}'")
        mira.patch(f"/api/watch-spaces/{space}", {"name": "Never shown"})
        wait_until(lambda: space in self.operator("parked", "list"), 60, "the key to be parked")
        psql(self.database_url, f"UPDATE read_spaces.spaces SET partition = (partition + 15) % 16 WHERE watch_space = '{space}'")
        self.operator("parked", "discard", "spaces", space, "--reason", "a test")
        self.assertIn("nothing is parked", self.operator("parked", "list"))
        self.assertEqual(mira.call("GET", f"/api/watch-spaces/{space}")["name"], "Again")
        self.operator("verify")

    def operator_status(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments, "--database-url", self.database_url], capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def test_lag_asks_the_instance_where_kafka_is(self):
        self.server.person("mira")
        wait_until(self.folded, 60, "everything to be folded")
        self.assertEqual(self.holders(), {"bloomwatch-projector-" + str(self.server.instance["pid"]): 16})
        said = run(PROGRAM, "lag", "--home", self.home)
        lines = [line.split() for line in said.splitlines()]
        held = [words for words in lines if words[:1] == ["dashboard"] and words[5:6] == ["bloomwatch-projector-" + str(self.server.instance["pid"])]]
        self.assertEqual(len(held), 16, said)
        self.assertIn("(topic) is 0 events behind", said)
        self.assertIn("events came from Kafka", run(PROGRAM, "rebuild", "dashboard", "--feed", "kafka", "--home", self.home))

    def test_verify_asks_the_instance_where_kafka_is(self):
        self.server.person("mira")
        wait_until(self.folded, 60, "everything to be folded")
        for database in ([], ["--database-url", self.database_url]):
            self.assertRegex(run(PROGRAM, "verify", "--home", self.home, *database), r"(?m)^topic +[1-9]\d* events as the log has them .*: yes$")

    def test_a_replay_asks_the_instance_where_kafka_is(self):
        self.server.person("mira")
        topic = "replayed." + psql(self.database_url, "SELECT epoch FROM log.epoch")[0][0]
        done = subprocess.run([PROGRAM, "replay", "--topic", topic, "--home", self.home], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"to topic {topic}", done.stderr)
        status, said = self.operator_status("replay", "--topic", topic)
        self.assertEqual((status, "--kafka-bootstrap" in said), (1, True), said)

    def test_lag_works_without_kafka(self):
        self.server.person("mira")
        wait_until(self.folded, 60, "everything to be folded")
        said = self.operator("lag")
        self.assertIn("dashboard is 0 events behind", said)
        self.assertNotIn("(topic)", said)


if __name__ == "__main__":
    unittest.main()
