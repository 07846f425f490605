-- How people rate: of each profile and title in a space the rating that stands now, that is the last one, unless it was cleared after that.
WITH said AS (
  SELECT partitionkey, subject, (data->>'profile')::uuid AS profile, type, (data->>'scoreTenths')::integer AS tenths,
         row_number() OVER (PARTITION BY subject, data->>'profile' ORDER BY position DESC) AS latest
    FROM events WHERE type IN ('AnimeRated', 'RatingCleared')
), standing AS (
  SELECT * FROM said WHERE latest = 1 AND type = 'AnimeRated'
)
SELECT CASE WHEN bucket = 10 THEN '10' ELSE bucket || ' to ' || bucket || '.9' END AS score,
       count(tenths) AS ratings,
       round(100.0 * count(tenths) / (SELECT count(*) FROM standing), 1) AS "ratings, %",
       count(DISTINCT profile) AS people
  FROM range(1, 11) AS scores (bucket) LEFT JOIN standing ON tenths // 10 = bucket
 GROUP BY bucket ORDER BY bucket;
