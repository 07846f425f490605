# What must hold of a history whatever died while it was made: acknowledged, so in the log, once; in the log, so in Kafka, first occurrences in
# order and without a gap. That read models are the fold of the log is `bloomwatch verify`'s to say.
# Knows nothing of the server's code: the log is read by psql, the topic by kcat.
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
from bloomwatch import psql, run  # noqa: E402

PARTITIONS = 16


class BrokenHistory(AssertionError):
    """An invariant does not hold; says which, and where."""


def demand(holds, why):
    if not holds:
        raise BrokenHistory(why)


class Log:
    """Everything in the log, by position."""

    def __init__(self, database_url):
        columns = "position, event_id, type, partition, partition_key, command_id, stream_id, data"
        rows = psql(database_url, f"SELECT {columns} FROM log.events WHERE position > 0 ORDER BY position")
        names = columns.split(", ")
        self.events = {int(row[0]): dict(zip(names, row)) for row in rows}
        self.epoch = psql(database_url, "SELECT epoch FROM log.epoch")[0][0]
        demand(list(self.events) == list(range(1, len(rows) + 1)), "positions are not 1, 2, 3 …")

    def head(self):
        return len(self.events)


def check_acknowledged(log, acknowledged):
    """Every acknowledged command is in the log where it was told, and nothing that the load did is there twice."""
    told = set()
    for key, (kind, media), position, stream in acknowledged:
        event = log.events.get(position)
        demand(event is not None, f"the acknowledged command {key} is not in the log")
        demand((event["type"], event["stream_id"]) == (kind, stream), f"position {position} is not what command {key} did: {event}")
        demand(media is None or json.loads(event["data"])["media"]["id"] == media, f"position {position} adds another title than {media}")
        demand(position not in told, f"two commands were told position {position}")
        told.add(position)
    added = [json.loads(event["data"])["media"]["id"] for event in log.events.values() if event["type"] == "AnimeAdded"]
    demand(len(added) == len(set(added)), "a title was added twice")
    # The load never repeats under another key, and waits for every answer: what it did was all acknowledged.
    ratings = sum(event["type"] == "AnimeRated" for event in log.events.values())
    demand(ratings == sum(what[0] == "AnimeRated" for _, what, _, _ in acknowledged), "the log has ratings that nobody was told of")


def read_topic(address, topic):
    """The topic's records now, in the order of each partition."""
    lines = run("kcat", "-C", "-q", "-b", address, "-t", topic, "-o", "beginning", "-e", "-J").splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        headers = record.get("headers") or []
        record["headers"] = dict(zip(headers[::2], headers[1::2]))
    return records


def check_topic(log, records, foreign=()):
    """Kafka holds every event of the log, first occurrences in order with no gap, each as the log has it, and nothing else but the records
    in `foreign` (partition, offset), which a test put there. Returns how many were repeats."""
    seen = {partition: 0 for partition in range(PARTITIONS)}
    repeats = 0
    for record in records:
        partition = record["partition"]
        if (partition, record["offset"]) in foreign:
            continue
        where = f"partition {partition}, offset {record['offset']}"
        headers = record["headers"]
        position, previous = int(headers["ce_position"]), int(headers["ce_previous"])
        event = log.events.get(position)
        demand(event is not None and event["event_id"] == headers["ce_id"], f"{where}: position {position} is not the log's")
        demand((event["type"], int(event["partition"])) == (headers["ce_type"], partition), f"{where}: not as the log has it: {event}")
        demand(record["key"] == event["partition_key"], f"{where}: the key is not the event's")
        demand(json.loads(record["payload"]) == json.loads(event["data"]), f"{where}: other data than the log's")
        demand(headers["ce_source"] == f"/bloomwatch/{log.epoch}", f"{where}: of another log")
        if position <= seen[partition]:
            repeats += 1
            continue
        demand(previous == seen[partition], f"{where}: follows {previous}, but {seen[partition]} came before")
        seen[partition] = position
    last = {partition: 0 for partition in range(PARTITIONS)}
    for position, event in log.events.items():
        last[int(event["partition"])] = position
    demand(seen == last, f"Kafka ends at {seen}, the log at {last}")
    return repeats
