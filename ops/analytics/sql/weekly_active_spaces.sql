-- Weekly active spaces: a space is active in a week in which its members recorded at least one evening of watching. Weeks begin on Monday, UTC.
WITH founded AS (
  SELECT date_trunc('week', time)::date AS week, count(*) AS founded
    FROM events WHERE type = 'WatchSpaceCreated' GROUP BY 1
), active AS (
  SELECT date_trunc('week', time)::date AS week, count(DISTINCT partitionkey) AS active, count(*) AS evenings
    FROM events WHERE type = 'WatchSessionRecorded' GROUP BY 1
)
SELECT week,
       coalesce(founded, 0) AS "spaces founded",
       sum(coalesce(founded, 0)) OVER (ORDER BY week)::bigint AS "spaces in all",
       coalesce(active, 0) AS "active spaces",
       round(100.0 * coalesce(active, 0) / "spaces in all", 1) AS "active, %",
       coalesce(evenings, 0) AS evenings
  FROM founded FULL JOIN active USING (week)
 ORDER BY week;
