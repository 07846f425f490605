-- The data team's schema: one typed view an event type, made by the program from the described structs (events/analytics_views.cpp), and
-- the two functions that go with them. Views run as their owner: analysts see what a view shows and nothing of what is below it.
-- Writes: nobody; the program replaces the views when events have changed. Reads: analysts, as members of the role bloomwatch_analyst.

CREATE SCHEMA analytics;
COMMENT ON SCHEMA analytics IS 'Every event as a row of the view of its type; for analysts (role bloomwatch_analyst), read-only.';

-- Whose box it is: all that analysts see of a personal text is the account that it is about (events/personal.h says what a box is).
-- Null for what is no box.
CREATE FUNCTION analytics.account_of(box text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN get_byte(start, 0) = 1 THEN encode(substring(start FROM 2 FOR 16), 'hex')::uuid END
    FROM (SELECT CASE WHEN box ~ '^[A-Za-z0-9_-]{24}' THEN decode(translate(left(box, 24), '-_', '+/'), 'base64') END) AS box (start)
$$;

-- The last position that was recorded at or before a time; 0 if none. recorded_at never decreases with position, so a span of time is a
-- span of positions, and those are indexed: WHERE position > analytics.position_at('2026-11-01') reads November and nothing before it.
CREATE FUNCTION analytics.position_at(at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  low  bigint := 0;
  high bigint := (SELECT e.position FROM log.events e ORDER BY e.position DESC LIMIT 1);
  mid  bigint;
BEGIN
  WHILE low < high LOOP
    mid := (low + high + 1) / 2;
    IF (SELECT e.recorded_at <= at FROM log.events e WHERE e.position = mid) THEN low := mid; ELSE high := mid - 1; END IF;
  END LOOP;
  RETURN low;
END
$$;
