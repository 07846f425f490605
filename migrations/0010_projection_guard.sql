-- The guard of the read models: a batch is flushed only onto the rows that it was folded on, so that nothing is ever added twice.
-- Writes: the projector (by move_checkpoints, in the transaction of the rows); `bloomwatch parked` and `rebuild` raise generations.
-- Reads: the projector.

-- Raised by whoever changes rows other than by folding on (a rebuild's switch, a retried key): a projector that keeps rows in memory
-- lets go of them.
ALTER TABLE projection.checkpoints ADD COLUMN generation bigint NOT NULL DEFAULT 0;

-- Moves checkpoints on from where the caller knows them, or raises `stale` and so undoes its transaction. The row lock that it takes is
-- held until the end of the transaction: flushes, switches and retries of one model go one after another.
CREATE FUNCTION projection.move_checkpoints(models text[], slot_ text, partitions smallint[], generations bigint[], versions integer[],
                                            known bigint[], reached bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  moved bigint;
BEGIN
  WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(models, partitions, generations, versions, known, reached) AS w (model, partition, generation, version, known, reached)
  ), locked AS MATERIALIZED (
    SELECT c.model, c.partition FROM projection.checkpoints c JOIN wanted USING (model, partition) WHERE c.slot = slot_
     ORDER BY c.model, c.partition FOR UPDATE OF c
  )
  UPDATE projection.checkpoints c SET position = w.reached
    FROM wanted w JOIN locked USING (model, partition)
   WHERE c.model = w.model AND c.slot = slot_ AND c.partition = w.partition
     AND c.position = w.known AND c.generation = w.generation AND c.version = w.version;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> cardinality(models) THEN
    RAISE EXCEPTION 'stale: somebody else has moved a checkpoint' USING ERRCODE = 'BW001';
  END IF;
END
$$;
