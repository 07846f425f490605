-- Every figure of the analytics pages, computed anew from the events in log.events and from nothing else: what the tests compare the pages
-- with. Written to be right and not to be quick. Each told.<page>() answers the page's JSON without labels and cursors.
-- Used by tests/integration/pages and tests/flow; belongs to no program.
CREATE SCHEMA told;

-- Anime that stand, with what they are now.
CREATE VIEW told.anime AS
SELECT a.stream_id AS anime, a.partition_key AS space, a.position, a.recorded_at, a.profile, (a.data #>> '{snapshot,episodeMinutes}')::int AS minutes,
       (a.data #>> '{snapshot,episodeCount}')::int AS count,
       COALESCE((SELECT e.data ->> 'status' FROM log.events e WHERE e.stream_id = a.stream_id AND e.type = 'SharedStatusChanged'
                  ORDER BY e.position DESC LIMIT 1), a.data ->> 'sharedStatus', 'backlog') AS status,
       COALESCE((SELECT (e.data ->> 'episodes')::int FROM log.events e WHERE e.stream_id = a.stream_id AND e.type = 'SharedProgressChanged'
                  ORDER BY e.position DESC LIMIT 1), 0) AS episodes
  FROM log.events a
 WHERE a.type = 'AnimeAdded'
   AND (SELECT e.type FROM log.events e WHERE e.stream_id = a.stream_id AND e.type IN ('AnimeAdded', 'AnimeRemoved', 'AnimeRestored')
         ORDER BY e.position DESC LIMIT 1) <> 'AnimeRemoved';

CREATE VIEW told.members AS
SELECT m.space, m.profile, m.recorded_at AS joined_at FROM (
  SELECT DISTINCT ON (e.partition_key, e.data ->> 'profile') e.partition_key AS space, (e.data ->> 'profile')::uuid AS profile, e.type, e.recorded_at
    FROM log.events e WHERE e.type IN ('MemberJoined', 'MemberLeft', 'MemberRemoved')
   ORDER BY e.partition_key, e.data ->> 'profile', e.position DESC) AS m
 WHERE m.type = 'MemberJoined';

-- Sessions that stand.
CREATE VIEW told.sessions AS
SELECT s.partition_key AS space, s.stream_id AS anime, (s.data ->> 'session')::uuid AS session, s.position, s.profile,
       (s.data ->> 'sessionDate')::timestamptz AS at,
       ((s.data ->> 'sessionDate')::timestamptz AT TIME ZONE (s.data ->> 'timeZone'))::date AS day,
       (s.data ->> 'endEpisode')::int - (s.data ->> 'startEpisode')::int + 1 AS episodes,
       (SELECT (a.data #>> '{snapshot,episodeMinutes}')::int FROM log.events a WHERE a.stream_id = s.stream_id AND a.type = 'AnimeAdded') AS minutes,
       s.data -> 'participants' AS participants
  FROM log.events s
 WHERE s.type = 'WatchSessionRecorded'
   AND (SELECT e.type FROM log.events e WHERE e.stream_id = s.stream_id AND e.data ->> 'session' = s.data ->> 'session'
           AND e.type IN ('WatchSessionRecorded', 'WatchSessionRemoved', 'WatchSessionRestored') ORDER BY e.position DESC LIMIT 1)
       <> 'WatchSessionRemoved';

-- Who was there: as recorded, or as they said last.
CREATE VIEW told.present AS
SELECT s.*, (p ->> 'profile')::uuid AS member FROM told.sessions s CROSS JOIN LATERAL jsonb_array_elements(s.participants) AS p
 WHERE COALESCE((SELECT CASE e.type WHEN 'AttendanceConfirmed' THEN 'present' WHEN 'AttendanceDeclined' THEN 'declined' ELSE 'invited' END
                   FROM log.events e WHERE e.stream_id = s.anime AND e.data ->> 'session' = s.session::text AND e.data ->> 'profile' = p ->> 'profile'
                    AND e.type IN ('AttendanceConfirmed', 'AttendanceDeclined', 'AttendanceReopened') ORDER BY e.position DESC LIMIT 1),
                p ->> 'attendance') = 'present';

-- Scores that stand, of present members.
CREATE VIEW told.scores AS
SELECT a.space, r.anime, r.profile, r.tenths FROM (
  SELECT DISTINCT ON (e.stream_id, e.data ->> 'profile') e.stream_id AS anime, (e.data ->> 'profile')::uuid AS profile, (e.data ->> 'scoreTenths')::int AS tenths
    FROM log.events e WHERE e.type IN ('AnimeRated', 'RatingCleared') ORDER BY e.stream_id, e.data ->> 'profile', e.position DESC) AS r
  JOIN told.anime a USING (anime) JOIN told.members m ON m.space = a.space AND m.profile = r.profile
 WHERE r.tenths IS NOT NULL;

CREATE FUNCTION told.time_of(episodes bigint, minutes bigint, untimed bigint) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('minutes', CASE WHEN episodes > 0 AND untimed = episodes THEN NULL ELSE minutes END,
                            'episodesTimed', episodes - untimed, 'episodesUntimed', untimed)
$$;

CREATE TYPE told.watched AS (sessions bigint, episodes bigint, minutes bigint, untimed bigint);
CREATE FUNCTION told.watched_json(w told.watched) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('sessions', w.sessions, 'episodes', w.episodes, 'time', told.time_of(w.episodes, w.minutes, w.untimed))
$$;
CREATE FUNCTION told.watched_by(of_space uuid, who uuid, in_month text) RETURNS told.watched LANGUAGE sql AS $$
  SELECT count(*), COALESCE(sum(episodes), 0), COALESCE(sum(episodes * minutes), 0), COALESCE(sum(episodes) FILTER (WHERE minutes IS NULL), 0)
    FROM told.present WHERE space = of_space AND member = who AND (in_month IS NULL OR to_char(day, 'YYYY-MM') = in_month)
$$;

CREATE FUNCTION told.members_watched(of_space uuid, in_month text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(told.watched_json(told.watched_by(of_space, m.profile, in_month)) || jsonb_build_object('userId', m.profile)
                   ORDER BY m.joined_at, m.profile) FROM told.members m WHERE m.space = of_space
$$;

CREATE FUNCTION told.streak(of_space uuid, today date) RETURNS jsonb LANGUAGE sql AS $$
  WITH days AS (SELECT DISTINCT day FROM told.sessions WHERE space = of_space),
       runs AS (SELECT max(day) AS last, count(*) AS length FROM (SELECT day, day - row_number() OVER (ORDER BY day)::int AS run FROM days) AS d GROUP BY run)
  SELECT jsonb_build_object('longest', COALESCE(max(length), 0), 'current', COALESCE(max(length) FILTER (WHERE last >= today - 1 AND last = (SELECT max(day) FROM days)), 0),
                            'lastDay', to_char(max(last), 'YYYY-MM-DD')) FROM runs
$$;

CREATE FUNCTION told.completion(of_space uuid) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('totalShows', count(*), 'backlog', count(*) FILTER (WHERE status = 'backlog'), 'watching', count(*) FILTER (WHERE status = 'watching'),
           'finished', count(*) FILTER (WHERE status = 'finished'), 'paused', count(*) FILTER (WHERE status = 'paused'),
           'dropped', count(*) FILTER (WHERE status = 'dropped'),
           'rate', count(*) FILTER (WHERE status = 'finished')::float8 / NULLIF(count(*) FILTER (WHERE status <> 'backlog'), 0))
    FROM told.anime WHERE space = of_space
$$;

-- `zone` is the space's; months of which there are sessions, newest first.
CREATE FUNCTION told.shared_stats(of_space uuid, zone text, today date, months_max bigint) RETURNS jsonb LANGUAGE sql AS $$
  WITH shared AS (SELECT COALESCE(sum(episodes), 0) AS episodes, COALESCE(sum(episodes * minutes), 0) AS minutes,
                         COALESCE(sum(episodes) FILTER (WHERE minutes IS NULL), 0) AS untimed,
                         count(*) FILTER (WHERE minutes IS NULL AND episodes > 0) AS titles FROM told.anime WHERE space = of_space),
       evenings AS (SELECT count(*) AS sessions, COALESCE(sum(episodes), 0) AS episodes, COALESCE(sum(episodes * minutes), 0) AS minutes,
                           COALESCE(sum(episodes) FILTER (WHERE minutes IS NULL), 0) AS untimed FROM told.sessions WHERE space = of_space),
       months AS (SELECT to_char(day, 'YYYY-MM') AS month, ROW(count(*), sum(episodes), COALESCE(sum(episodes * minutes), 0),
                         COALESCE(sum(episodes) FILTER (WHERE minutes IS NULL), 0))::told.watched AS watched
                    FROM told.sessions WHERE space = of_space GROUP BY 1 ORDER BY 1 DESC LIMIT months_max)
  SELECT jsonb_build_object('watchSpaceId', of_space, 'timeZone', zone, 'episodesWatchedTogether', s.episodes, 'episodesInSessions', e.episodes,
           'sessions', e.sessions, 'completion', told.completion(of_space), 'timeTogether', told.time_of(s.episodes, s.minutes, s.untimed),
           'titlesOfUnknownLength', s.titles, 'timeInSessions', told.time_of(e.episodes, e.minutes, e.untimed),
           'streak', told.streak(of_space, today), 'members', told.members_watched(of_space, NULL),
           'months', COALESCE((SELECT jsonb_agg(told.watched_json(m.watched) || jsonb_build_object('month', m.month, 'members', told.members_watched(of_space, m.month))
                                                ORDER BY m.month DESC) FROM months m), '[]'))
    FROM shared s, evenings e
$$;

CREATE FUNCTION told.distribution(of_space uuid, who uuid) RETURNS jsonb LANGUAGE sql AS $$
  WITH given AS (SELECT tenths FROM told.scores WHERE space = of_space AND (who IS NULL OR profile = who))
  SELECT jsonb_build_object('ratedCount', (SELECT count(*) FROM given), 'averageScore', (SELECT round(avg(tenths) / 10, 2)::float8 FROM given),
           'scores', (SELECT jsonb_agg(jsonb_build_object('score', half / 2.0::float8, 'count', (SELECT count(*) FROM given WHERE floor(tenths / 5.0 + 0.5) = half))
                                       ORDER BY half) FROM generate_series(1, 20) AS half))
$$;
CREATE FUNCTION told.rating_distribution(of_space uuid) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('watchSpaceId', of_space, 'together', told.distribution(of_space, NULL),
           'members', (SELECT jsonb_agg(told.distribution(of_space, m.profile) || jsonb_build_object('userId', m.profile) ORDER BY m.joined_at, m.profile)
                         FROM told.members m WHERE m.space = of_space))
$$;

CREATE VIEW told.pairs AS
SELECT l.space, l.anime, l.profile AS low, h.profile AS high, abs(l.tenths - h.tenths) AS gap
  FROM told.scores l JOIN told.scores h ON h.anime = l.anime AND l.profile < h.profile;

CREATE FUNCTION told.compatibility(of_space uuid) RETURNS jsonb LANGUAGE sql AS $$
  WITH means AS (SELECT low, high, avg(gap) AS mean, count(*) AS rated FROM told.pairs WHERE space = of_space GROUP BY low, high),
       joined AS (SELECT profile, row_number() OVER (ORDER BY joined_at, profile) AS place FROM told.members WHERE space = of_space),
       ordered AS (SELECT m.*, least(l.place, h.place) AS first, greatest(l.place, h.place) AS second, CASE WHEN l.place < h.place THEN low ELSE high END AS one,
                          CASE WHEN l.place < h.place THEN high ELSE low END AS other
                     FROM means m JOIN joined l ON l.profile = m.low JOIN joined h ON h.profile = m.high)
  SELECT jsonb_build_object('watchSpaceId', of_space, 'score', CASE WHEN count(*) > 0 THEN greatest(0, round(100 - avg(mean)))::float8 END, 'averageGap', round(avg(mean) / 10, 1)::float8,
           'ratedTogetherCount', (SELECT count(DISTINCT anime) FROM told.pairs WHERE space = of_space),
           'pairs', COALESCE(jsonb_agg(jsonb_build_object('userIds', jsonb_build_array(one, other), 'score', greatest(0, round(100 - mean))::float8,
                              'averageGap', round(mean / 10, 1)::float8, 'ratedTogetherCount', rated) ORDER BY first, second), '[]'))
    FROM ordered
$$;

-- All of them, the biggest gap first; the page's other order is this one from its end.
CREATE FUNCTION told.rating_gaps(of_space uuid) RETURNS jsonb LANGUAGE sql AS $$
  SELECT COALESCE(jsonb_agg(jsonb_build_object('animeId', anime, 'gap', gap / 10.0::float8, 'scores', scores) ORDER BY gap DESC, anime DESC), '[]') FROM (
    SELECT s.anime, max(s.tenths) - min(s.tenths) AS gap,
           jsonb_agg(jsonb_build_object('userId', s.profile, 'score', s.tenths / 10.0::float8) ORDER BY m.joined_at, m.profile) AS scores
      FROM told.scores s JOIN told.members m ON m.space = s.space AND m.profile = s.profile WHERE s.space = of_space
     GROUP BY s.anime HAVING count(*) > 1) AS g
$$;

-- The last time that an anime was finished, and that stands: of its undo, the undo of that and so on the last one says whether it does. An
-- import does not know when that was.
CREATE VIEW told.finishes AS
WITH RECURSIVE said AS (
  SELECT e.stream_id, e.position AS finish, e.event_id, e.position, e.data ->> 'status' AS status FROM log.events e
   WHERE e.type = 'SharedStatusChanged' AND e.data ->> 'status' = 'finished' AND e.undoes IS NULL AND e.origin <> 'import'
   UNION ALL
  SELECT s.stream_id, s.finish, u.event_id, u.position, u.data ->> 'status' FROM said s
    JOIN log.events u ON u.stream_id = s.stream_id AND u.type = 'SharedStatusChanged' AND u.undoes = s.event_id),
standing AS (
  SELECT finish FROM (SELECT DISTINCT ON (finish) finish, status FROM said ORDER BY finish, position DESC) AS last WHERE status = 'finished')
SELECT DISTINCT ON (a.anime) a.space, a.anime, f.position, f.recorded_at, f.profile FROM told.anime a
  JOIN log.events f ON f.stream_id = a.anime JOIN standing s ON s.finish = f.position
 ORDER BY a.anime, f.position DESC;

CREATE FUNCTION told.timeline(of_space uuid) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(jsonb_build_object('kind', kind, 'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'position', position,
                                      'userId', profile, 'animeId', anime, 'sessionId', session) ORDER BY at DESC, position DESC) FROM (
    SELECT CASE type WHEN 'WatchSpaceCreated' THEN 'space-created' WHEN 'MemberJoined' THEN 'member-joined' ELSE 'member-left' END AS kind, recorded_at AS at,
           position, COALESCE((data ->> 'profile')::uuid, profile) AS profile, NULL::uuid AS anime, NULL::uuid AS session
      FROM log.events WHERE partition_key = of_space AND type IN ('WatchSpaceCreated', 'MemberJoined', 'MemberLeft', 'MemberRemoved')
    UNION ALL SELECT 'anime-added', recorded_at, position, profile, anime, NULL FROM told.anime WHERE space = of_space
    UNION ALL SELECT 'anime-finished', recorded_at, position, profile, anime, NULL FROM told.finishes WHERE space = of_space
    UNION ALL SELECT 'session', at, position, profile, anime, session FROM told.sessions WHERE space = of_space) AS moments
$$;

-- A page's JSON as the functions above have it.
CREATE FUNCTION told.bare(page jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF jsonb_typeof(page) = 'object' THEN
    RETURN COALESCE((SELECT jsonb_object_agg(key, told.bare(value)) FROM jsonb_each(page)
                      WHERE key NOT IN ('label', 'labelKey', 'next', 'preferredTitle')), '{}');
  ELSIF jsonb_typeof(page) = 'array' THEN
    RETURN COALESCE((SELECT jsonb_agg(told.bare(value) ORDER BY place) FROM jsonb_array_elements(page) WITH ORDINALITY AS e (value, place)), '[]');
  END IF;
  RETURN page;
END
$$;
