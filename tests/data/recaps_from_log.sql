-- Every figure of the recap pages, computed anew from the events in log.events, with the views of analytics_from_log.sql: what the tests
-- compare the pages with. Written to be right and not to be quick. `first` and `after` are the days of a period, `zone` the space's, for scores.
-- Used by tests/integration/pages; belongs to no program.

-- When a score was given that an event says: what an undo brings back, when it was given. Null: nobody knows, an import brought it.
CREATE FUNCTION told.given(of_event uuid) RETURNS timestamptz LANGUAGE sql AS $$
  WITH RECURSIVE back AS (
    SELECT e.* FROM log.events e WHERE e.event_id = of_event
     UNION ALL
    SELECT before.* FROM back b JOIN log.events u ON u.event_id = b.undoes CROSS JOIN LATERAL (
      SELECT e.* FROM log.events e WHERE e.stream_id = b.stream_id AND e.type IN ('AnimeRated', 'RatingCleared')
         AND e.data ->> 'profile' = b.data ->> 'profile' AND e.position < u.position ORDER BY e.position DESC LIMIT 1) AS before)
  SELECT recorded_at FROM back WHERE undoes IS NULL AND origin <> 'import'
$$;

-- Scores as they stood at a moment: the last word of each, of anime that had not left their space by then. Not of those only who are members.
CREATE FUNCTION told.scores_at(moment timestamptz) RETURNS TABLE (space uuid, anime uuid, profile uuid, tenths int, given timestamptz, imported boolean, here boolean)
LANGUAGE sql AS $$
  SELECT r.partition_key, r.stream_id, (r.data ->> 'profile')::uuid, (r.data ->> 'scoreTenths')::int, told.given(r.event_id), told.given(r.event_id) IS NULL,
         (SELECT e.type FROM log.events e WHERE e.stream_id = r.stream_id AND e.recorded_at < moment AND e.type IN ('AnimeAdded', 'AnimeRemoved', 'AnimeRestored')
           ORDER BY e.position DESC LIMIT 1) <> 'AnimeRemoved'
    FROM (SELECT DISTINCT ON (e.stream_id, e.data ->> 'profile') e.* FROM log.events e
           WHERE e.type IN ('AnimeRated', 'RatingCleared') AND e.recorded_at < moment ORDER BY e.stream_id, e.data ->> 'profile', e.position DESC) AS r
   WHERE r.type = 'AnimeRated'
$$;

CREATE FUNCTION told.title_of(of_anime uuid) RETURNS uuid LANGUAGE sql AS $$
  SELECT (data ->> 'title')::uuid FROM log.events WHERE stream_id = of_anime AND type = 'AnimeAdded'
$$;

CREATE FUNCTION told.watched_with_hours(w told.watched) RETURNS jsonb LANGUAGE sql AS $$
  SELECT told.watched_json(w) || jsonb_build_object('hours',
    CASE WHEN (told.watched_json(w) #>> '{time,minutes}') IS NULL THEN NULL ELSE floor((w.minutes + 3) / 6)::float8 / 10 END)
$$;

-- What follows from sessions: those of a space, or those that one person was at anywhere.
CREATE FUNCTION told.recap_of_sessions(of_space uuid, who uuid, first date, after date) RETURNS jsonb LANGUAGE sql AS $$
  WITH chosen AS MATERIALIZED (
         SELECT s.*, told.title_of(s.anime) AS title FROM told.sessions s WHERE day >= first AND day < after
            AND (of_space IS NULL OR space = of_space)
            AND (who IS NULL OR EXISTS (SELECT FROM told.present p WHERE p.session = s.session AND p.member = who))),
       by_title AS (SELECT title, (array_agg(anime ORDER BY anime))[1] AS anime, sum(episodes) AS episodes FROM chosen GROUP BY title),
       days AS (SELECT day, sum(episodes) AS episodes FROM chosen GROUP BY day),
       runs AS (SELECT min(day) AS "from", max(day) AS "to", count(*) AS days FROM (SELECT day, day - row_number() OVER (ORDER BY day)::int AS run FROM days) AS d GROUP BY run),
       binge AS (SELECT day, episodes FROM days ORDER BY episodes DESC, day LIMIT 1)
  SELECT told.watched_with_hours(ROW(count(*), COALESCE(sum(episodes), 0), COALESCE(sum(episodes * minutes), 0),
                                     COALESCE(sum(episodes) FILTER (WHERE minutes IS NULL), 0))::told.watched)
      || jsonb_build_object(
           'daysWatched', (SELECT count(*) FROM days), 'titleCount', (SELECT count(*) FROM by_title),
           'titles', (SELECT COALESCE(jsonb_agg(jsonb_build_object('titleId', title, 'animeId', anime, 'episodes', episodes) ORDER BY episodes DESC, title), '[]')
                        FROM (SELECT * FROM by_title ORDER BY episodes DESC, title LIMIT 5) AS t),
           'first', (SELECT jsonb_build_object('titleId', title, 'animeId', anime, 'episodes', episodes, 'sessionId', session, 'day', day) FROM chosen
                      WHERE day = (SELECT min(day) FROM chosen) ORDER BY at, session LIMIT 1),
           'last', (SELECT jsonb_build_object('titleId', title, 'animeId', anime, 'episodes', episodes, 'sessionId', session, 'day', day) FROM chosen
                     WHERE day = (SELECT max(day) FROM chosen) ORDER BY at DESC, session DESC LIMIT 1),
           'binge', (SELECT jsonb_build_object('day', b.day, 'episodes', b.episodes, 'titles', (
                       SELECT jsonb_agg(jsonb_build_object('titleId', title, 'animeId', anime, 'episodes', episodes) ORDER BY episodes DESC, title)
                         FROM (SELECT title, (array_agg(anime ORDER BY at, session))[1] AS anime, sum(episodes) AS episodes FROM chosen WHERE day = b.day
                                GROUP BY title ORDER BY episodes DESC, title LIMIT 5) AS t)) FROM binge b),
           'longestStreak', (SELECT jsonb_build_object('days', days, 'from', "from", 'to', "to") FROM runs ORDER BY days DESC, "from" LIMIT 1))
    FROM chosen
$$;

CREATE FUNCTION told.compatibility_json(users jsonb, gap numeric, rated numeric) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('userIds', users, 'score', greatest(0, round(100 - gap / rated))::float8, 'averageGap', round(gap / rated / 10, 1)::float8,
                            'ratedTogetherCount', rated)
$$;

CREATE FUNCTION told.space_recap(of_space uuid, first date, after date, zone text) RETURNS jsonb LANGUAGE sql AS $$
  WITH standing AS MATERIALIZED (SELECT s.*, NOT imported AND given >= (first::timestamp AT TIME ZONE zone) AS within
                                   FROM told.scores_at(after::timestamp AT TIME ZONE zone) AS s WHERE space = of_space),
       joined AS (SELECT profile, row_number() OVER (ORDER BY joined_at, profile) AS place FROM told.members WHERE space = of_space),
       rated AS (SELECT anime FROM standing JOIN joined USING (profile) GROUP BY anime HAVING bool_or(within)),
       shown AS (SELECT anime, round(avg(tenths) / 10, 2)::float8 AS mean, count(*) AS raters, max(tenths) - min(tenths) AS spread,
                        jsonb_agg(jsonb_build_object('userId', s.profile, 'score', tenths / 10.0::float8) ORDER BY place) AS scores
                   FROM standing s JOIN rated USING (anime) JOIN joined USING (profile) JOIN told.anime a USING (anime) GROUP BY anime),
       pairs AS (SELECT CASE WHEN jl.place < jh.place THEN l.profile ELSE h.profile END AS one, CASE WHEN jl.place < jh.place THEN h.profile ELSE l.profile END AS other,
                        l.profile AS low, h.profile AS high, sum(abs(l.tenths - h.tenths)) AS gap, count(*) AS rated
                   FROM standing l JOIN standing h ON h.anime = l.anime AND l.profile < h.profile JOIN joined jl ON jl.profile = l.profile
                   JOIN joined jh ON jh.profile = h.profile WHERE l.here GROUP BY 1, 2, 3, 4)
  SELECT told.recap_of_sessions(of_space, NULL, first, after) || jsonb_build_object(
    'members', (SELECT jsonb_agg(told.watched_with_hours((SELECT ROW(count(*), COALESCE(sum(episodes), 0), COALESCE(sum(episodes * minutes), 0),
                    COALESCE(sum(episodes) FILTER (WHERE minutes IS NULL), 0))::told.watched FROM told.present
                   WHERE space = of_space AND member = j.profile AND day >= first AND day < after)) || jsonb_build_object('userId', profile) ORDER BY place) FROM joined j),
    'ratedCount', (SELECT count(DISTINCT anime) FROM standing JOIN rated USING (anime) JOIN joined USING (profile)),
    'bestRated', (SELECT COALESCE(jsonb_agg(jsonb_build_object('titleId', told.title_of(anime), 'animeId', anime, 'score', mean, 'scores', scores)
                                            ORDER BY mean DESC, raters DESC, anime DESC), '[]')
                    FROM (SELECT * FROM shown ORDER BY mean DESC, raters DESC, anime DESC LIMIT 5) AS s),
    'biggestDisagreement', (SELECT jsonb_build_object('titleId', told.title_of(anime), 'animeId', anime, 'gap', spread / 10.0::float8, 'scores', scores)
                              FROM shown WHERE spread > 0 ORDER BY spread DESC, anime DESC LIMIT 1),
    'tasteTwins', (SELECT COALESCE(jsonb_agg(told.compatibility_json(jsonb_build_array(one, other), gap, rated) ORDER BY gap / rated, rated DESC, low, high), '[]')
                     FROM (SELECT * FROM pairs ORDER BY gap / rated, rated DESC, low, high LIMIT 5) AS p))
$$;

CREATE FUNCTION told.my_recap(who uuid, first date, after date, zone text) RETURNS jsonb LANGUAGE sql AS $$
  WITH standing AS MATERIALIZED (SELECT s.*, NOT imported AND given >= (first::timestamp AT TIME ZONE zone) AS within
                                   FROM told.scores_at(after::timestamp AT TIME ZONE zone) AS s),
       mine AS (SELECT * FROM standing WHERE profile = who AND within),
       titles AS (SELECT DISTINCT ON (told.title_of(anime)) anime, tenths FROM mine JOIN told.anime a USING (anime) ORDER BY told.title_of(anime), tenths DESC, anime DESC),
       -- of titles that anybody rated in the period, in spaces that one is a member of now
       gaps AS (SELECT o.anime, s.tenths AS mine, o.tenths AS theirs, o.profile AS other FROM standing s
                  JOIN standing o ON o.anime = s.anime AND o.profile <> who JOIN told.members m ON m.space = s.space AND m.profile = who
                  JOIN told.members n ON n.space = s.space AND n.profile = o.profile JOIN told.anime a ON a.anime = s.anime
                 WHERE s.profile = who AND EXISTS (SELECT FROM standing x WHERE x.anime = s.anime AND x.within)),
       twins AS (SELECT o.profile AS other, sum(abs(s.tenths - o.tenths)) AS gap, count(*) AS rated FROM standing s
                   JOIN standing o ON o.anime = s.anime AND o.profile <> who JOIN told.members m ON m.space = s.space AND m.profile = who
                   JOIN told.members n ON n.space = s.space AND n.profile = o.profile WHERE s.profile = who AND s.here GROUP BY o.profile)
  SELECT told.recap_of_sessions(NULL, who, first, after) || jsonb_build_object(
    'ratedCount', (SELECT count(*) FROM mine), 'averageScore', (SELECT round(avg(tenths) / 10, 2)::float8 FROM mine),
    'bestRated', (SELECT COALESCE(jsonb_agg(jsonb_build_object('titleId', told.title_of(anime), 'animeId', anime, 'score', tenths / 10.0::float8, 'scores', '[]'::jsonb)
                                            ORDER BY tenths DESC, anime DESC), '[]')
                    FROM (SELECT * FROM titles ORDER BY tenths DESC, anime DESC LIMIT 5) AS t),
    'biggestDisagreement', (SELECT jsonb_build_object('titleId', told.title_of(anime), 'animeId', anime, 'gap', abs(mine - theirs) / 10.0::float8,
                               'scores', jsonb_build_array(jsonb_build_object('userId', who, 'score', mine / 10.0::float8), jsonb_build_object('userId', other, 'score', theirs / 10.0::float8)))
                              FROM gaps WHERE mine <> theirs ORDER BY abs(mine - theirs) DESC, anime DESC, other LIMIT 1),
    'tasteTwins', (SELECT COALESCE(jsonb_agg(told.compatibility_json(jsonb_build_array(other), gap, rated) ORDER BY gap / rated, rated DESC, other), '[]')
                     FROM (SELECT * FROM twins ORDER BY gap / rated, rated DESC, other LIMIT 5) AS t))
$$;

-- A page's recap without what the functions above do not say.
CREATE FUNCTION told.bare_recap(page jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT told.bare(page) - ARRAY['period', 'from', 'to', 'timeZone', 'over', 'userId', 'displayName', 'watchSpaceId', 'name', 'genres']
      || jsonb_build_object('tasteTwins', (SELECT COALESCE(jsonb_agg(told.bare(value) - 'displayName' ORDER BY place), '[]')
                                             FROM jsonb_array_elements(page -> 'tasteTwins') WITH ORDINALITY AS e (value, place)))
      || CASE WHEN page ? 'members' THEN jsonb_build_object('members',
           (SELECT jsonb_agg(told.bare(value) - 'displayName' - 'recapConsent' ORDER BY place) FROM jsonb_array_elements(page -> 'members') WITH ORDINALITY AS e (value, place)))
         ELSE '{}' END
$$;
