# Every event of a running instance is on Kafka, for anybody's client to read: kcat, which knows nothing of us, shows what was imported; and
# neither a relay that is killed nor a broker that is killed makes it less.
import html
import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import time
import unittest

from bloomwatch import PROGRAM, ROOT, Client, Kafka, Server, kafka_address, psql, run, wait_until

PROJECTOR = str(pathlib.Path(PROGRAM).parent / "projector")
EXPORT = ROOT / "tests/data/mal-small.xml"
TAKEOVER_SECONDS_MAX = 5


def topic_of(database_url):
    return "bloomwatch.events." + psql(database_url, "SELECT epoch FROM log.epoch")[0][0]


def kcat_reads(address, topic):
    """The records of a topic as kcat shows them, by partition in order: dicts of key, payload, ts and the headers as a dict."""
    partitions = {}
    for line in run("kcat", "-b", address, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J").splitlines():
        record = json.loads(line)
        names_and_values = record.get("headers", [])
        record["headers"] = dict(zip(names_and_values[::2], names_and_values[1::2]))
        partitions.setdefault(record["partition"], []).append(record)
    return partitions


def first_occurrences(records):
    """By partition the records without repeats; fails where order or completeness (by `ce_previous`) is broken."""
    kept = {}
    for partition, some in records.items():
        last = 0
        for record in some:
            position = int(record["headers"]["ce_position"])
            if position <= last:
                continue
            previous = int(record["headers"]["ce_previous"])
            assert previous == last, f"partition {partition}: {position} says that {previous} came before it, it was {last}"
            last = position
            kept[position] = record
    return kept


def log_of(database_url):
    """Position → (event id, type, stream, partition, partition key, data)."""
    rows = psql(
        database_url,
        "SELECT position, event_id, type, category || '-' || stream_id, partition, partition_key, data FROM log.events WHERE position > 0",
    )
    return {int(row[0]): row[1:5] + [row[5], json.loads(row[6])] for row in rows}


class KafkaFlow(unittest.TestCase):
    maxDiff = 2000

    def assert_topic_holds_the_log(self, database_url, address, seconds=60):
        """Returns the records by position."""
        log = log_of(database_url)
        topic = topic_of(database_url)
        counted = lambda: sum(map(len, kcat_reads(address, topic).values())) >= len(log)  # noqa: E731
        wait_until(counted, seconds, "the relay to copy the log")
        wait_until(lambda: len(first_occurrences(kcat_reads(address, topic))) == len(log), seconds, "the topic to hold the log")
        records = first_occurrences(kcat_reads(address, topic))
        for position, (event_id, kind, stream, partition, key, data) in log.items():
            record = records[position]
            headers = record["headers"]
            self.assertEqual((headers["ce_id"], headers["ce_type"], headers["ce_subject"]), (event_id, kind, stream))
            self.assertEqual((str(record["partition"]), record["key"]), (partition, key))
            self.assertEqual(json.loads(record["payload"]), data)
        return records


class ReadableByAnybody(KafkaFlow):
    def setUp(self):
        self.server = Server(arguments=["--kafka-bootstrap", kafka_address()])
        self.addCleanup(self.server.close)

    def test_kcat_shows_an_import_as_cloud_events(self):
        mira = self.server.person("mira")
        space = mira.make_space("Imports")
        mira.call(
            "POST",
            f"/api/watch-spaces/{space}/imports/mal",
            EXPORT.read_bytes(),
            headers={"Content-Type": "application/octet-stream"},
            expect=200,
        )
        records = self.assert_topic_holds_the_log(self.server.database_url, kafka_address())
        added = [record for record in records.values() if record["headers"]["ce_type"] == "AnimeAdded"]
        for record in added:
            headers = record["headers"]
            self.assertEqual(headers["ce_specversion"], "1.0")
            self.assertEqual(headers["content-type"], "application/json")
            self.assertEqual(headers["ce_source"], "/bloomwatch/" + topic_of(self.server.database_url).rpartition(".")[2])
            self.assertEqual(headers["ce_origin"], "import")
            self.assertEqual(headers["ce_account"], mira.id)
            self.assertEqual(record["key"], space)
            self.assertRegex(headers["ce_time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ$")
        titles = re.findall(r"<series_title>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</series_title>", EXPORT.read_text())
        self.assertEqual({json.loads(record["payload"])["snapshot"]["romaji"] for record in added}, set(map(html.unescape, titles)))

    def test_metrics_say_how_far_the_relay_is(self):
        self.server.person("mira")
        head = self.server.last_position()

        admin = Client(self.server.admin_url)
        self.addCleanup(admin.close)

        def relayed():
            text = admin.call("GET", "/metrics", expect=200).body.decode()
            values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("bloomwatch_relay"))
            return float(values["bloomwatch_relay_position"]) == head and float(values["bloomwatch_relay_lag_events"]) == 0

        wait_until(relayed, 30, "the relay's metrics to reach the head of the log")


class RelayAlone(KafkaFlow):
    def setUp(self):
        self.server = Server()  # without Kafka: the relays do it
        self.addCleanup(self.server.close)
        self.home = tempfile.mkdtemp(prefix="bloomwatch-home-")
        self.addCleanup(shutil.rmtree, self.home, True)

    def relay(self, name, address=None):
        home = os.path.join(self.home, name)
        os.mkdir(home)
        relay = Server(self.server.database_url, home, ["--kafka-bootstrap", address or kafka_address()], command="relay", wait=False)
        self.addCleanup(self.end, relay)
        relay.wait_listening()
        return relay

    def end(self, relay):
        if relay.process.poll() is None:
            os.kill(relay.process.pid, signal.SIGCONT)
            relay.kill()
        relay.close()

    def test_a_killed_relay_is_followed_within_five_seconds(self):
        first = self.relay("first")
        wait_until(first.is_ready, 30, "the first to copy")
        second = self.relay("second")
        self.assertFalse(second.is_ready(), "it stands by")
        self.server.person("mira")
        self.assert_topic_holds_the_log(self.server.database_url, kafka_address())
        first.kill()
        wait_until(second.is_ready, TAKEOVER_SECONDS_MAX, "the second to take over")
        self.server.person("noor")
        self.assert_topic_holds_the_log(self.server.database_url, kafka_address())


    def test_a_relay_says_that_kafka_has_been_silent_for_long(self):
        broker = Kafka()
        self.addCleanup(broker.remove)
        relay = self.relay("only", broker.address)
        wait_until(relay.is_ready, 30, "the relay to copy")
        broker.kill()
        admin = Client(relay.admin_url)
        self.addCleanup(admin.close)
        wait_until(lambda: b"Kafka has not answered for" in admin.call("GET", "/health/ready").body, 60, "the relay to say it")
        self.assertFalse(relay.is_ready())
        self.server.person("mira")
        broker.start()
        wait_until(relay.is_ready, 60, "the relay to copy again")
        self.assert_topic_holds_the_log(self.server.database_url, broker.address)


class BrokerGoesAway(KafkaFlow):
    def setUp(self):
        self.broker = Kafka()
        self.addCleanup(self.broker.remove)
        self.server = Server(arguments=["--kafka-bootstrap", self.broker.address])
        self.addCleanup(self.server.close)
        self.mira = self.server.person("mira")

    def projector(self):
        """One more that folds from Kafka. The test fails unless it ends soon."""
        arguments = ("--feed", "kafka", "--kafka-bootstrap", self.broker.address)
        projector = Server(self.server.database_url, program=PROJECTOR, command=None, arguments=arguments)
        self.addCleanup(projector.close)

    def test_people_do_not_notice_and_kafka_gets_all_of_it_when_it_is_back(self):
        self.mira.make_space("Before")
        for number in range(2):
            self.broker.kill()
            for name in range(5):
                self.mira.make_space(f"Meanwhile {number} {name}")
            self.assertTrue(self.server.is_ready())
            self.broker.start()
            self.assert_topic_holds_the_log(self.server.database_url, self.broker.address)

    def test_a_projector_that_is_just_getting_its_share_stops_in_time(self):
        self.projector()
        self.projector()  # the first gives it its share
        self.broker.kill()
        time.sleep(3)

    def test_a_projector_whose_offsets_are_on_their_way_to_a_frozen_broker_stops_in_time(self):
        self.addCleanup(os.kill, self.broker.pid(), signal.SIGCONT)  # after the projector's end
        self.projector()
        until = time.monotonic() + 3
        while time.monotonic() < until:  # once a second the projector notes in its group how far it has read
            self.mira.make_space("Before")
        os.kill(self.broker.pid(), signal.SIGSTOP)
        time.sleep(3)


if __name__ == "__main__":
    unittest.main()
