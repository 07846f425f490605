-- What happened under one partition key is found by its streams: each keeps its key for good (`bloomwatch verify` checks it), so an index of
-- first events tells the streams, and the index of streams their events. An index of every event by its key cost each append more than the
-- row itself: keys come in no order, so every event touched another page of it.
-- Writes: the writer. Reads: "as of" pages, retries of parked keys, replays of one space.

DROP INDEX log.events_partition_key;
CREATE INDEX events_first_of_stream ON log.events (partition_key, stream_id, category) WHERE version = 1;
