# Reads a topic of BloomWatch's events, and proves on the way that nothing is missing, doubled or out of order: each record names, in
# `ce_previous`, the position of the event before it in its partition. A consumer in any language can do the same with a few lines;
# here they are in Partition.take().
# Needs confluent-kafka: "$(ops/analytics/venv)" ops/analytics/consumer.py --bootstrap HOST:PORT --topic TOPIC
import argparse
import collections
import json
import signal
import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

GAPS_SHOWN_MAX = 20
BATCH_MAX = 1000
# The headers that every event has, whatever its type.
REQUIRED = ("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "ce_position", "ce_previous")
NUMBERS = {"position", "previous", "streamversion", "schemaversion"}


class Foreign(ValueError):
    """A record that is no event of ours."""


def event_of(record):
    """A record as an event in CloudEvents' JSON format, as `bloomwatch replay` writes it: attributes without `ce_`, and `data`."""
    try:  # the headers of others may hold anything, also beside ours
        headers = {name: (value or b"").decode() for name, value in record.headers() or [] if name.startswith("ce_")}
    except UnicodeDecodeError as error:
        raise Foreign(str(error)) from None
    for name in REQUIRED:
        if not headers.get(name):
            raise Foreign(f"no header {name}")
    event = {name.removeprefix("ce_"): value for name, value in headers.items()}
    try:
        for name in NUMBERS & event.keys():
            event[name] = int(event[name])
        event["data"] = json.loads(record.value())
    except (TypeError, ValueError) as error:
        raise Foreign(str(error)) from None
    if not 0 <= event["previous"] < event["position"]:
        raise Foreign(f"position {event['position']} does not follow previous {event['previous']}")
    event["partition"] = record.partition()
    return event


class Partition:
    """What was seen of one partition. Partitions are independent: order and completeness are proved in each."""

    def __init__(self):
        self.position = 0  # of the last event taken; 0 before the first, which is what the first one's `previous` says
        self.events = 0
        self.repeats = 0

    def take(self, event):
        """True: this is the next event. False: a repeat, to be passed over. Throws LookupError when events between are missing."""
        if event["position"] <= self.position:
            self.repeats += 1  # the relay sends again what it is not sure of; first occurrences stay in order
            return False
        previous, expected = event["previous"], self.position
        self.position = event["position"]
        self.events += 1
        if previous > expected:
            raise LookupError(f"missing: from after position {expected} up to position {previous}, before position {event['position']}")
        if previous < expected:
            raise LookupError(f"position {event['position']} says that it follows {previous}, but {expected} came before it")
        return True


class Proof:
    """All partitions of a topic together."""

    def __init__(self, show):
        self.partitions = collections.defaultdict(Partition)
        self.types = collections.Counter()
        self.gaps = []
        self.foreign = []
        self.show = show

    def take(self, record):
        where = f"partition {record.partition()}, offset {record.offset()}"
        try:
            event = event_of(record)
        except Foreign as error:
            self.foreign.append(f"{where}: {error}")
            return
        try:
            if not self.partitions[record.partition()].take(event):
                return
        except LookupError as error:
            self.gaps.append(f"{where}: {error}")
        self.types[event["type"]] += 1
        if self.show:
            print(json.dumps(event, ensure_ascii=False, separators=(",", ":")))

    def events(self):
        return sum(partition.events for partition in self.partitions.values())

    def check_head(self, head):
        """Positions of the whole log are 1, 2, 3 … without gaps: so many events as the head's position, and none beyond it."""
        if self.events() != head or max((partition.position for partition in self.partitions.values()), default=0) != head:
            self.gaps.append(f"{self.events()} events were seen, but the log's head is at position {head}")

    def summary(self):
        lines = ["partition  events  repeats  last position"]
        for number, partition in sorted(self.partitions.items()):
            lines.append(f"{number:>9}  {partition.events:>6}  {partition.repeats:>7}  {partition.position:>13}")
        repeats = sum(partition.repeats for partition in self.partitions.values())
        lines.append(f"{self.events()} events, {repeats} repeats passed over, {len(self.foreign)} records of somebody else's, {len(self.gaps)} gaps")
        lines += [f"  {count:>8}  {name}" for name, count in self.types.most_common()]
        for title, found in (("not ours", self.foreign), ("GAP", self.gaps)):
            lines += [f"{title}: {text}" for text in found[:GAPS_SHOWN_MAX]]
            if len(found) > GAPS_SHOWN_MAX:
                lines.append(f"{title}: and {len(found) - GAPS_SHOWN_MAX} more")
        return "\n".join(lines)

    def as_json(self):
        return {
            "events": self.events(),
            "repeats": sum(partition.repeats for partition in self.partitions.values()),
            "partitions": {str(number): vars(partition) for number, partition in sorted(self.partitions.items())},
            "types": dict(self.types),
            "foreign": self.foreign,
            "gaps": self.gaps,
        }


def read(options, proof):
    """Reads every partition from its beginning to the end that it has when it is reached; with --follow, until Ctrl-C."""
    settings = {"bootstrap.servers": options.bootstrap, "group.id": "bloomwatch-consumer-py", "enable.auto.commit": False,
                "auto.offset.reset": "earliest", "enable.partition.eof": True}
    settings.update(text.split("=", 1) for text in options.property)
    consumer = Consumer(settings)
    stopped = []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    try:
        topic = consumer.list_topics(options.topic, timeout=options.timeout).topics[options.topic]
        if topic.error or not topic.partitions:
            raise KafkaException(topic.error or KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
        # All partitions by hand and offset 0: a group of several processes would share them, and each would prove its share.
        consumer.assign([TopicPartition(options.topic, number, 0) for number in topic.partitions])
        unread = set(topic.partitions)
        deadline = time.monotonic() + options.timeout
        while (unread or options.follow) and not stopped:
            records = consumer.consume(BATCH_MAX, timeout=0.5)
            for record in records:
                if not record.error():
                    proof.take(record)
                elif record.error().code() == KafkaError._PARTITION_EOF:
                    unread.discard(record.partition())
                else:
                    raise KafkaException(record.error())
            if records:
                deadline = time.monotonic() + options.timeout
            elif time.monotonic() > deadline and not options.follow:
                raise TimeoutError(f"nothing came for {options.timeout} s, and partitions {sorted(unread)} are not read to their ends")
    finally:
        consumer.close()


def main():
    parser = argparse.ArgumentParser(description="Read a topic of BloomWatch's events and prove that it is complete and in order.",
                                     epilog="Exit status: 0 complete and in order, 1 a gap, 2 Kafka could not be read.")
    parser.add_argument("--bootstrap", required=True, help="the brokers, HOST:PORT by commas")
    parser.add_argument("--topic", required=True, help="bloomwatch.events.<epoch>, or one that `bloomwatch replay --topic` made")
    parser.add_argument("--property", action="append", default=[], metavar="NAME=VALUE", help="of librdkafka's: SASL, TLS …")
    parser.add_argument("--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    parser.add_argument("--head", type=int, help="the log's last position: also prove that the topic holds all of 1 … HEAD")
    parser.add_argument("--print", action="store_true", help="print each event once, as a line of JSON; the summary goes to standard error")
    parser.add_argument("--json", action="store_true", help="the summary as JSON")
    parser.add_argument("--timeout", type=float, default=60, help="seconds without a record after which to give up (60)")
    options = parser.parse_args()
    proof = Proof(options.print)
    try:
        read(options, proof)
    except (KafkaException, TimeoutError, KeyError) as error:
        print(f"consumer.py: {error}", file=sys.stderr)
        return 2
    if options.head is not None:
        proof.check_head(options.head)
    print(json.dumps(proof.as_json()) if options.json else proof.summary(), file=sys.stderr if options.print else sys.stdout)
    return 1 if proof.gaps else 0


if __name__ == "__main__":
    sys.exit(main())
