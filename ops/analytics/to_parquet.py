# Turns a replay (NDJSON, `bloomwatch replay`) into one Parquet file by DuckDB, and proves before that it is whole: every line names the
# position of the event before it in its partition. The data of an event stay JSON text: what is in them depends on the type.
# "$(ops/analytics/venv)" ops/analytics/to_parquet.py events.ndjson events.parquet
import pathlib
import sys

import duckdb

# The envelope, as `bloomwatch replay --help` tells; specversion and datacontenttype are the same in every line.
COLUMNS = {
    "position": "BIGINT", "time": "TIMESTAMP", "type": "VARCHAR", "id": "UUID", "source": "VARCHAR", "subject": "VARCHAR",
    "previous": "BIGINT", "streamversion": "BIGINT", "schemaversion": "SMALLINT", "partition": "SMALLINT", "partitionkey": "UUID",
    "account": "UUID", "profile": "UUID", "origin": "VARCHAR", "provider": "VARCHAR", "reference": "VARCHAR", "commandid": "UUID",
    "correlationid": "UUID", "causationid": "UUID", "undoes": "UUID", "data": "JSON",
}

FIRST_GAP = """
  SELECT partition, position, previous, before FROM (
    SELECT partition, position, previous, coalesce(lag(position) OVER (PARTITION BY partition ORDER BY position), 0) AS before FROM events)
  WHERE previous <> before ORDER BY position LIMIT 1"""


def quoted(path):
    return "'" + str(path).replace("'", "''") + "'"


def to_parquet(ndjson, parquet):
    """Returns how many events there are. Raises ValueError where the replay is not whole."""
    connection = duckdb.connect()
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE VIEW events AS FROM read_json({quoted(ndjson)}, format = 'newline_delimited', columns = {{{columns}}})")
    gap = connection.execute(FIRST_GAP).fetchone()
    if gap:
        raise ValueError(f"events are missing in partition {gap[0]}: position {gap[1]} follows {gap[2]}, but {gap[3]} came before it")
    return connection.execute(f"COPY events TO {quoted(parquet)} (FORMAT parquet, COMPRESSION zstd)").fetchone()[0]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: to_parquet.py REPLAY.ndjson EVENTS.parquet")
    source, made = map(pathlib.Path, sys.argv[1:])
    try:
        count = to_parquet(source, made)
    except (ValueError, duckdb.Error) as error:
        sys.exit(f"to_parquet.py: {source}: {error}")
    print(f"{count} events: {source.stat().st_size / 1e6:.1f} MB of NDJSON, {made.stat().st_size / 1e6:.1f} MB of Parquet")
