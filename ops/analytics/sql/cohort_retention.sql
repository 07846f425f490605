-- Cohort retention: of the spaces founded in a week, how many percent recorded an evening 0, 1, 2 … weeks later. Empty: not yet known.
WITH founded AS (
  SELECT partitionkey, date_trunc('week', time)::date AS cohort FROM events WHERE type = 'WatchSpaceCreated'
), active AS (
  SELECT DISTINCT partitionkey, date_trunc('week', time)::date AS week FROM events WHERE type = 'WatchSessionRecorded'
), last AS (
  SELECT date_trunc('week', max(time))::date AS week FROM events
), ages AS (
  SELECT cohort, age, count(*) OVER (PARTITION BY cohort, age) AS size, active.partitionkey IS NOT NULL AS is_active
    FROM founded CROSS JOIN last
   CROSS JOIN range(0, 12) AS ages (age)
    LEFT JOIN active ON active.partitionkey = founded.partitionkey AND active.week = cohort + CAST(7 * age AS integer)
   WHERE cohort + CAST(7 * age AS integer) <= last.week
)
SELECT cohort, any_value(size) AS spaces, age, round(100.0 * count(*) FILTER (is_active) / any_value(size))::integer AS percent
  FROM ages GROUP BY cohort, age ORDER BY cohort, age;
