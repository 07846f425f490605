-- The read model `people`: accounts, their profiles, their log-in sessions. Personal texts are boxes, as the events have them.
-- Writes: the projector (projector/people/people.h). Reads: query-service.
-- Every table of a read model ends in `partition`: the one partition whose events write the row.
-- fillfactor 90 and not less: a page that is fuller than its fillfactor is pruned at every access, at 90 only when 10 % are left.

CREATE SCHEMA read_people;

CREATE TABLE read_people.accounts (
  account            uuid NOT NULL,
  profile            uuid NOT NULL,         -- the first one, which tokens name
  email              text NOT NULL,         -- box
  password           uuid NOT NULL,
  continuing_session uuid,                  -- goes on although it was proved with an earlier password
  created_at         timestamptz NOT NULL,
  version            bigint NOT NULL,       -- of the stream
  partition          smallint NOT NULL,
  PRIMARY KEY (account)
) WITH (fillfactor = 90);

CREATE TABLE read_people.profiles (
  profile      uuid NOT NULL,
  account      uuid NOT NULL,
  handle       text NOT NULL,               -- box
  display_name text NOT NULL,               -- box
  avatar_url   text,                        -- box
  time_zone    text NOT NULL,
  language     text NOT NULL,
  privacy      text COLLATE "C" NOT NULL,   -- public, friends, private
  created_at   timestamptz NOT NULL,
  partition    smallint NOT NULL,
  PRIMARY KEY (profile)
) WITH (fillfactor = 90);

-- One is live if it has not ended, and was proved with the account's present password or is its continuing session.
CREATE TABLE read_people.login_sessions (
  session           uuid NOT NULL,
  account           uuid NOT NULL,
  profile           uuid NOT NULL,
  password          uuid NOT NULL,
  device            text,                   -- box
  started_at        timestamptz NOT NULL,
  last_refreshed_at timestamptz,
  ended_at          timestamptz,
  version           bigint NOT NULL,
  partition         smallint NOT NULL,
  PRIMARY KEY (session)
) WITH (fillfactor = 90);
CREATE INDEX ON read_people.login_sessions (account, started_at DESC, session DESC) WHERE ended_at IS NULL;
