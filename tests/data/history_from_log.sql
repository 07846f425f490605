-- What the pages of history should say, told anew from the events in log.events and from nothing else: who is in an event, and for the
-- fields whose values are plain, what was there before. Used by tests/integration/pages; belongs to no program.
CREATE SCHEMA told;

-- Everybody who did it or whom it is about.
CREATE VIEW told.people AS
SELECT position, profile AS person FROM log.events WHERE profile IS NOT NULL
UNION
SELECT position, (data ->> 'profile')::uuid FROM log.events WHERE data ? 'profile' AND category IN ('user', 'login-session', 'watch-space', 'anime')
UNION
SELECT position, partition_key FROM log.events WHERE category IN ('user', 'login-session', 'recap-share') AND NOT data ? 'profile'
UNION
SELECT position, (data ->> key)::uuid FROM log.events, unnest(ARRAY['from', 'to']) AS key WHERE type = 'OwnershipTransferred'
UNION
SELECT position, (p ->> 'profile')::uuid FROM log.events, jsonb_array_elements(data -> 'participants') AS p WHERE type = 'WatchSessionRecorded'
UNION
SELECT position, (data ->> 'person')::uuid FROM log.events WHERE type = 'AuditQueried' AND data ? 'person';

-- What an event gives a value: `of` whom where it is a person's own.
CREATE VIEW told.given AS
SELECT position, stream_id, type, 'rating' AS what, data ->> 'profile' AS of, to_jsonb(trim_scale((data ->> 'scoreTenths')::numeric / 10)) AS value
  FROM log.events WHERE type IN ('AnimeRated', 'RatingCleared')
UNION ALL
SELECT position, stream_id, type, 'sharedStatus', NULL, COALESCE(data -> 'status', data -> 'sharedStatus')
  FROM log.events WHERE type IN ('AnimeAdded', 'SharedStatusChanged')
UNION ALL
SELECT position, stream_id, type, 'sharedEpisodes', NULL, data -> 'episodes' FROM log.events WHERE type = 'SharedProgressChanged'
UNION ALL
SELECT position, stream_id, type, 'status', data ->> 'profile', data -> 'status' FROM log.events WHERE type = 'ParticipantStatusChanged'
UNION ALL
SELECT position, stream_id, type, 'episodes', data ->> 'profile', data -> 'episodes' FROM log.events WHERE type = 'ParticipantProgressChanged'
UNION ALL
SELECT position, stream_id, type, 'role', data ->> 'profile', data -> 'role'
  FROM log.events WHERE type IN ('MemberJoined', 'MemberLeft', 'MemberRemoved', 'MemberRoleChanged')
UNION ALL
SELECT position, stream_id, type, 'role', data ->> 'to', '"owner"' FROM log.events WHERE type = 'OwnershipTransferred'
UNION ALL
SELECT position, stream_id, 'beside', 'role', data ->> 'from', '"member"' FROM log.events WHERE type = 'OwnershipTransferred'
UNION ALL
SELECT position, stream_id, type, 'name', NULL, data -> 'name' FROM log.events WHERE type IN ('WatchSpaceCreated', 'WatchSpaceRenamed')
UNION ALL
SELECT position, stream_id, type, 'accountRole', NULL, data -> 'role' FROM log.events WHERE type = 'AccountRoleChanged';

CREATE VIEW told.values AS
SELECT position, type, value AS after,
       COALESCE(lag(value) OVER (PARTITION BY stream_id, what, of ORDER BY position),
                CASE WHEN first_value(position) OVER (PARTITION BY stream_id, what, of ORDER BY position) = position THEN
                  CASE WHEN type IN ('SharedProgressChanged', 'ParticipantProgressChanged') THEN '0'::jsonb
                       WHEN type = 'ParticipantStatusChanged' THEN '"backlog"'
                       WHEN type = 'AccountRoleChanged' THEN '"user"' END
                END) AS before
  FROM told.given;

-- As the pages' items of these types say it: [{position, before, after}], newest first.
CREATE FUNCTION told.changes(positions bigint[]) RETURNS jsonb LANGUAGE sql AS $$
  SELECT COALESCE(jsonb_agg(jsonb_build_object('position', position, 'before', before, 'after', after) ORDER BY position DESC), '[]')
    FROM told.values WHERE position = ANY (positions) AND type NOT IN ('beside', 'AnimeAdded', 'WatchSpaceCreated')
$$;
CREATE FUNCTION told.changes_of(items jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT COALESCE(jsonb_agg(jsonb_build_object('position', i -> 'position', 'before', i -> 'before', 'after', i -> 'after') ORDER BY place), '[]')
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (i, place)
   WHERE i ->> 'type' IN (SELECT type FROM told.given) AND i ->> 'type' NOT IN ('AnimeAdded', 'WatchSpaceCreated')
$$;

-- The last undo of an event that was not undone itself.
CREATE FUNCTION told.undone_by(of_position bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  undo bigint;
BEGIN
  FOR undo IN SELECT u.position FROM log.events e JOIN log.events u ON u.undoes = e.event_id WHERE e.position = of_position ORDER BY u.position DESC LOOP
    IF told.undone_by(undo) IS NULL THEN
      RETURN undo;
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;
