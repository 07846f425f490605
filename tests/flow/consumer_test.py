# A consumer that is not ours in language or library reads real topics and proves order and completeness by `ce_previous`; in topics that
# were doctored it finds what is wrong, where, and nothing else. The topics come from the relay and from `bloomwatch replay --topic`.
import json
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
import uuid

from bloomwatch import PROGRAM, ROOT, Server, fresh_database, kafka_address, psql, run, wait_until

DEMO_HISTORY = str(pathlib.Path(PROGRAM).parent / "demo_history")
PARTITIONS = 16


def python_with_packages():
    return run(ROOT / "ops/analytics/venv", env=os.environ | {"PYTHON": sys.executable}).strip()


PYTHON = python_with_packages()
sys.path += [str(path) for path in pathlib.Path(PYTHON).parent.parent.glob("lib/python*/site-packages")]

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402


def records_of(topic):
    """All records of a topic, by partition: [(key, value, headers)]."""
    consumer = Consumer({"bootstrap.servers": kafka_address(), "group.id": str(uuid.uuid4()), "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    found = [[] for _ in range(PARTITIONS)]
    unread = PARTITIONS
    end = time.monotonic() + 120
    while unread and time.monotonic() < end:
        for record in consumer.consume(500, timeout=1):
            if not record.error():
                found[record.partition()].append((record.key(), record.value(), record.headers()))
            elif record.error().code() == KafkaError._PARTITION_EOF:
                unread -= 1
    consumer.close()
    assert not unread, "the topic could not be read to its end"
    return found


class PythonConsumer(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.database, drop = fresh_database()
        cls.addClassCleanup(drop)
        run(DEMO_HISTORY, "--database-url", cls.database, "--spaces", "40")
        cls.head = int(psql(cls.database, "SELECT max(position) FROM log.events")[0][0])
        cls.admin = AdminClient({"bootstrap.servers": kafka_address()})
        cls.topics = []
        cls.addClassCleanup(cls.remove_topics)
        cls.whole = cls.topic_name()
        cls.replay("--topic", cls.whole)
        cls.records = records_of(cls.whole)

    @classmethod
    def remove_topics(cls):
        for removed in cls.admin.delete_topics(cls.topics).values():
            try:
                removed.result(30)
            except Exception:  # one that was never made
                pass

    @classmethod
    def topic_name(cls):
        cls.topics.append(f"bloomwatch.consumer-test.{uuid.uuid4().hex[:12]}")
        return cls.topics[-1]

    @classmethod
    def command(cls, *arguments):
        return [PROGRAM, "replay", "--database-url", cls.database, "--kafka-bootstrap", kafka_address(), *map(str, arguments)]

    @classmethod
    def replay(cls, *arguments):
        return run(*cls.command(*arguments))

    def topic_of(self, records):
        """A new topic with these records."""
        topic = self.topic_name()
        self.admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(30)
        producer = Producer({"bootstrap.servers": kafka_address(), "enable.idempotence": True})
        for partition, these in enumerate(records):
            for key, value, headers in these:
                producer.produce(topic, value, key, partition, headers=headers)
            producer.flush(60)
        return topic

    def consume(self, topic, *arguments):
        """Exit status and findings of the consumer."""
        command = [PYTHON, str(ROOT / "ops/analytics/consumer.py"), "--bootstrap", kafka_address(), "--topic", topic, "--json", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode, json.loads(done.stdout)

    def fullest(self):
        """A partition with many events, and a copy of all records to doctor."""
        copy = [list(these) for these in self.records]
        return max(range(PARTITIONS), key=lambda number: len(copy[number])), copy

    @staticmethod
    def position(record):
        return int(dict(record[2])["ce_position"])

    def test_a_topic_of_the_whole_log_is_complete(self):
        status, found = self.consume(self.whole, "--head", self.head)
        self.assertEqual((status, found["events"], found["repeats"], found["gaps"], found["foreign"]), (0, self.head, 0, [], []))
        types = psql(self.database, "SELECT type, count(*) FROM log.events WHERE position > 0 GROUP BY 1")
        self.assertEqual(found["types"], {name: int(count) for name, count in types})

    def test_the_relays_topic_is_complete_and_the_same(self):
        topic = "bloomwatch.events." + psql(self.database, "SELECT epoch FROM log.epoch")[0][0]
        self.topics.append(topic)
        home = tempfile.mkdtemp(prefix="bloomwatch-home-")
        self.addCleanup(shutil.rmtree, home, True)
        relay = Server(self.database, home, ["--kafka-bootstrap", kafka_address()], command="relay")
        self.addCleanup(relay.close)
        relayed = lambda: self.consume(topic)[1]["events"] == self.head  # noqa: E731
        wait_until(relayed, 120, "the relay to copy the log")
        status, found = self.consume(topic, "--head", self.head)
        self.assertEqual((status, found["gaps"], found["foreign"]), (0, [], []))
        for theirs, ours in zip(records_of(topic), self.records):
            firsts = {self.position(record): record for record in reversed(theirs)}
            self.assertEqual([firsts[position] for position in sorted(firsts)], ours)

    def test_its_records_are_the_logs_events(self):
        shown = run(PYTHON, ROOT / "ops/analytics/consumer.py", "--bootstrap", kafka_address(), "--topic", self.whole, "--print")
        seen = {event["position"]: event for event in map(json.loads, shown.splitlines())}
        lines = [json.loads(line) for line in self.replay().splitlines()]
        self.assertEqual(len(seen), len(lines))
        for line in lines:
            line.pop("datacontenttype")  # `content-type` in Kafka's binary mode
            self.assertEqual(seen[line["position"]], line)

    def test_a_filtered_topic_is_complete_in_itself(self):
        topic = self.topic_name()
        self.replay("--topic", topic, "--type", "AnimeRated", "--from", "2026-01-20")
        expected = int(psql(self.database, "SELECT count(*) FROM log.events WHERE type = 'AnimeRated' AND recorded_at >= '2026-01-20Z'")[0][0])
        status, found = self.consume(topic)
        self.assertEqual((status, found["events"], list(found["types"])), (0, expected, ["AnimeRated"]))

    def test_a_replay_that_was_killed_goes_on_at_least_once(self):
        moments = random.Random(4)
        topic, state = self.topic_name(), f"/tmp/bloomwatch-{uuid.uuid4().hex}.state"
        self.addCleanup(lambda: pathlib.Path(state).unlink(missing_ok=True))
        for _ in range(3):
            process = subprocess.Popen(self.command("--topic", topic, "--state", state, "--resume", "--rate", self.head // 4), stderr=subprocess.DEVNULL)
            time.sleep(moments.uniform(0.2, 1.2))
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.replay("--topic", topic, "--state", state, "--resume")
        status, found = self.consume(topic, "--head", self.head)
        self.assertEqual((status, found["events"], found["gaps"]), (0, self.head, []))

    def test_a_missing_event_is_a_gap_with_its_position(self):
        partition, records = self.fullest()
        lost = records[partition].pop(20)
        status, found = self.consume(self.topic_of(records))
        self.assertEqual(status, 1)
        self.assertEqual(len(found["gaps"]), 1, found["gaps"])
        before, after = self.position(records[partition][19]), self.position(records[partition][20])
        self.assertIn(f"from after position {before} up to position {self.position(lost)}, before position {after}", found["gaps"][0])
        self.assertIn(f"partition {partition}", found["gaps"][0])
        self.assertEqual(found["events"], self.head - 1)

    def test_a_missing_beginning_is_a_gap_and_a_missing_end_is_one_of_the_whole(self):
        partition, records = self.fullest()
        records[partition] = records[partition][1:]
        status, found = self.consume(self.topic_of(records))
        self.assertEqual((status, len(found["gaps"])), (1, 1))
        partition, records = self.fullest()
        last = max(range(PARTITIONS), key=lambda number: self.position(records[number][-1]) if records[number] else 0)
        records[last].pop()
        topic = self.topic_of(records)
        self.assertEqual(self.consume(topic)[0], 0)  # nothing after it tells
        self.assertEqual(self.consume(topic, "--head", self.head)[0], 1)

    def test_repeats_are_passed_over_and_counted(self):
        partition, records = self.fullest()
        these = records[partition]
        records[partition] = these[:30] + these[10:30] + these[29:30] + these[30:] + these[:5]
        status, found = self.consume(self.topic_of(records), "--head", self.head)
        self.assertEqual((status, found["events"], found["repeats"], found["gaps"]), (0, self.head, 26, []))

    def test_events_in_a_wrong_order_are_told(self):
        partition, records = self.fullest()
        these = records[partition]
        these[8], these[9] = these[9], these[8]
        status, found = self.consume(self.topic_of(records))
        self.assertEqual(status, 1)
        self.assertTrue(found["gaps"])

    def test_what_is_no_event_is_told_and_hides_nothing(self):
        partition, records = self.fullest()
        records[partition].insert(7, (b"key", b"not an event", [("ce_type", b"AnimeRated")]))
        records[partition].insert(15, (None, None, None))
        records[partition].insert(20, (b"key", b"{}", [("ce_type", b"\xff")]))
        key, value, headers = records[partition][25]
        records[partition][25] = (key, value, [*headers, ("trace", b"\xff")])  # somebody on the way may add what they like
        status, found = self.consume(self.topic_of(records), "--head", self.head)
        self.assertEqual((status, len(found["foreign"]), found["events"]), (0, 3, self.head))
        records[partition][30] = (b"key", b"{}", [])  # in an event's place
        status, found = self.consume(self.topic_of(records))
        self.assertEqual((status, len(found["foreign"]), len(found["gaps"])), (1, 4, 1))

    def test_a_replay_leaves_topics_that_do_not_fit_alone(self):
        topic = self.topic_name()
        self.admin.create_topics([NewTopic(topic, 3, 1)])[topic].result(30)
        for name, why in ((topic, "3 partitions"), ("bloomwatch.events.00000000", "relay's")):
            done = subprocess.run(self.command("--topic", name), capture_output=True, text=True, timeout=60)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)


if __name__ == "__main__":
    unittest.main()
