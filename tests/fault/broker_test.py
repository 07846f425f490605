# Whatever dies between the log and the read models, Kafka in the middle: relay, projectors, broker, Postgres, the topic itself, each again and
# again while clients write. One checker says after each round what must hold: acknowledged, in the log, in Kafka, in each read model.
# How often: BLOOMWATCH_KAFKA_ROUNDS, `short` (what ops/test runs) or `full` (20 kills of relay and projectors, 5 of broker and Postgres).
# What is killed when comes from BLOOMWATCH_FAULT_SEED, which every failure names.
import contextlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
from bloomwatch import PROGRAM, ROOT, Cluster, Kafka, Server, fresh_database, kafka_address, psql, run, wait_until  # noqa: E402
from history_checker import Log, check_acknowledged, check_topic, demand, read_topic  # noqa: E402
from load import Load, Target  # noqa: E402

FULL = os.environ.get("BLOOMWATCH_KAFKA_ROUNDS", "short") == "full"
SEED = int(os.environ.get("BLOOMWATCH_FAULT_SEED", random.randrange(1 << 32)))
SPACES = 6  # each a partition key of its own, and so are its people
CLIENTS = 8
PAUSE = 0.02  # between a client's commands: what counts is what dies, not how much is written
LOAD_SECONDS = 1.0  # before and after what happens in a round
CATCH_UP_SECONDS_MAX = 300
TAKEOVER_SECONDS_MAX = 60  # of a relay: 5 by design (tests/integration/relay), and a busy machine
PROJECTORS = (1, 2, 4, 2)  # how many there are, round by round

# Partitions of models that have not folded all of the log.
BEHIND = """
SELECT count(*)
  FROM (SELECT partition, max(position) AS last FROM log.events WHERE position > 0 GROUP BY partition) AS l
 CROSS JOIN (SELECT substr(nspname, length('read_') + 1) AS model FROM pg_namespace WHERE nspname ~ '^read_' AND nspname !~ '_next$') AS m
 WHERE NOT EXISTS (SELECT FROM projection.checkpoints AS c
                    WHERE c.model = m.model AND c.slot = 'live' AND c.partition IN (l.partition, -1) AND c.position >= l.last)
"""


class KafkaFaults(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"seed {SEED}", flush=True)
        self.acknowledged = []
        self.projectors = []
        self.planted = set()  # records that a test put into the topic: (partition, offset)

    # ------------------------------------------------------------------------------------------------------------- what there is

    def start(self, kafka, database_url=None, projectors=1):
        """Command-service, a relay and projectors as programs of their own, and the spaces that the load writes to."""
        self.kafka = kafka
        if database_url is None:
            database_url, drop = fresh_database()
            self.addCleanup(drop)
        self.database_url = database_url
        self.home = tempfile.mkdtemp(prefix="bloomwatch-home-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.commands = self.start_program("command-service")
        self.topic = "bloomwatch.events." + psql(database_url, "SELECT epoch FROM log.epoch")[0][0]
        self.relay = self.start_relay()
        self.set_projectors(projectors)
        self.targets = []
        people = [self.commands.person(f"person_{number}") for number in range(SPACES)]
        spaces = [person.make_space() for person in people]
        for number in range(CLIENTS):
            person, space = people[number % SPACES], spaces[number % SPACES]
            self.targets.append(Target(person, space, person.add_anime(space, number + 1)["id"]))

    def start_program(self, name, home=None, **options):
        """Programs share a home, and so the master key, where they do not name one."""
        server = Server(self.database_url, home or self.home, program=str(pathlib.Path(PROGRAM).parent / name), command=None, **options)
        self.addCleanup(self.end, server)
        return server

    def home_of_its_own(self):
        home = tempfile.mkdtemp(prefix="bloomwatch-home-")
        self.addCleanup(shutil.rmtree, home, True)
        return home

    def start_relay(self, wait=True):
        relay = Server(
            self.database_url, self.home_of_its_own(), arguments=["--kafka-bootstrap", self.kafka], program=PROGRAM, command="relay", wait=wait
        )
        self.addCleanup(self.end, relay)
        return relay

    def set_projectors(self, count):
        """Ends projectors by SIGTERM, or starts some, until there are `count`."""
        while len(self.projectors) > count:
            self.projectors.pop(self.random.randrange(len(self.projectors))).close()
        while len(self.projectors) < count:
            arguments = ["--feed", "kafka", "--kafka-bootstrap", self.kafka]
            self.projectors.append(self.start_program("projector", home=self.home_of_its_own(), arguments=arguments))

    def end(self, server):
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGCONT)
            server.close()

    # -------------------------------------------------------------------------------------------------------------- what must hold

    @contextlib.contextmanager
    def load(self):
        """Clients write while the block runs, and a while before and after it."""
        load = Load(self.commands, self.targets, PAUSE)
        try:
            time.sleep(LOAD_SECONDS * self.random.uniform(0.5, 1))
            yield
            time.sleep(LOAD_SECONDS)
        finally:
            acknowledged = load.stop()
        self.assertGreater(len(acknowledged), CLIENTS)
        self.acknowledged += acknowledged

    def check(self):
        """The whole way, from what clients were told to what pages are made of. Returns how many records Kafka holds twice."""
        log = Log(self.database_url)
        check_acknowledged(log, self.acknowledged)
        wait_until(lambda: self.relayed() >= log.head(), CATCH_UP_SECONDS_MAX, "the relay to catch up")
        repeats = check_topic(log, read_topic(self.kafka, self.topic), self.planted)
        self.wait_folded()
        demand(psql(self.database_url, "SELECT count(*) FROM projection.parked")[0][0] == "0", "a key was parked")
        run(PROGRAM, "verify", "--database-url", self.database_url, "--kafka-bootstrap", self.kafka)
        return repeats

    def relayed(self):
        """The last position in Kafka."""
        records = (record for record in read_topic(self.kafka, self.topic) if (record["partition"], record["offset"]) not in self.planted)
        return max((int(record["headers"]["ce_position"]) for record in records), default=0)

    def wait_folded(self):
        wait_until(lambda: psql(self.database_url, BEHIND)[0][0] == "0", CATCH_UP_SECONDS_MAX, "the read models to catch up")

    def round(self, number, what):
        print(f"{what} {number}: {len(self.acknowledged)} commands acknowledged, {self.check()} records repeated", flush=True)

    # ------------------------------------------------------------------------------------------------------------------ what happens

    def test_the_relay_dies(self):
        self.start(kafka_address())
        for number in range(1, 21 if FULL else 4):
            with self.load():
                self.relay.kill()
                self.relay.start()
            self.round(number, "relay killed")

    def test_a_stopped_relay_loses_its_place_and_wakes_up_as_a_standby(self):
        self.start(kafka_address())
        standby = self.start_relay(wait=False)
        standby.wait_listening()
        for number in range(1, 4 if FULL else 2):
            with self.load():
                self.relay.process.send_signal(signal.SIGSTOP)
                wait_until(standby.is_ready, TAKEOVER_SECONDS_MAX, "the standby to take over")
                self.relay.process.send_signal(signal.SIGCONT)
                wait_until(lambda: not self.relay.is_ready(), TAKEOVER_SECONDS_MAX, "the first to notice")
            self.relay, standby = standby, self.relay
            self.round(number, "relay stopped")

    def test_projectors_die_and_share_anew(self):
        self.start(kafka_address())
        for number in range(1, 21 if FULL else 5):
            with self.load():
                self.set_projectors(PROJECTORS[number % len(PROJECTORS)])
                time.sleep(self.random.uniform(0, 0.5))  # in the middle of sharing, or after
                victim = self.random.choice(self.projectors)
                victim.kill()
                time.sleep(self.random.uniform(0, 0.5))
                victim.start()
            self.round(number, f"one of {len(self.projectors)} projectors killed")

    def test_the_broker_dies(self):
        broker = Kafka()
        self.addCleanup(broker.remove)
        self.start(broker.address)
        for number in range(1, 6 if FULL else 2):
            with self.load():
                broker.kill()
                time.sleep(self.random.uniform(0, 1))
                broker.start()
            self.round(number, "broker killed")

    def test_postgres_dies(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        self.start(kafka_address(), cluster.url)
        for number in range(1, 6 if FULL else 2):
            with self.load():
                cluster.kill()
                cluster.start()
                wait_until(self.commands.is_ready, 60, "command-service to be ready again")
            self.round(number, "Postgres killed")

    def test_the_topic_is_made_anew_and_empty(self):
        self.start(kafka_address())
        for number in range(1, 3 if FULL else 2):
            with self.load():
                self.empty_topic()
            self.round(number, "topic emptied")

    def empty_topic(self):
        """Deletes the topic; the relay makes it anew."""
        script = (
            "import sys; from confluent_kafka.admin import AdminClient\n"
            "admin = AdminClient({'bootstrap.servers': sys.argv[1]})\n"
            "admin.delete_topics([sys.argv[2]])[sys.argv[2]].result(30)"
        )
        run(run(ROOT / "ops/analytics/venv").strip(), "-c", script, self.kafka, self.topic)

    def test_records_that_are_no_events_stop_nobody(self):
        self.start(kafka_address(), projectors=2)
        for number in range(1, 4 if FULL else 2):
            with self.load():
                for partition in range(16):
                    self.plant(partition, self.random.choice([b"not json", b"{}", b"\xff\xfe\x00", b""]))
            self.find_planted()
            self.round(number, "poison planted")

    def plant(self, partition, value):
        subprocess.run(
            ["kcat", "-P", "-b", self.kafka, "-t", self.topic, "-p", str(partition), "-k", "poison", "-H", "ce_type=AnimeRated"],
            input=value or b"\n",
            check=True,
            timeout=60,
        )

    def find_planted(self):
        for record in read_topic(self.kafka, self.topic):
            if record["key"] == "poison":
                self.planted.add((record["partition"], record["offset"]))
        self.assertTrue(self.planted)

    def test_a_projector_that_starts_from_nothing_folds_all(self):
        self.start(kafka_address(), projectors=0)
        with self.load():
            pass
        self.set_projectors(1)
        self.round(1, "started late")
        self.set_projectors(0)
        with self.load():
            pass
        self.set_projectors(2)
        self.round(2, "came back")


if __name__ == "__main__":
    unittest.main()
