-- The read model `spaces`: watch spaces, who is a member now, and who is invited. Pages join `members` to know who may see a space.
-- Writes: the projector (projector/spaces/spaces.h). Reads: query-service.

CREATE SCHEMA read_spaces;

CREATE TABLE read_spaces.spaces (
  watch_space uuid NOT NULL,
  name        text NOT NULL,
  time_zone   text NOT NULL,
  theme       text,
  created_by  uuid NOT NULL,                -- profile
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint NOT NULL,              -- of the stream
  partition   smallint NOT NULL,
  PRIMARY KEY (watch_space)
) WITH (fillfactor = 90);

-- Current members only: who leaves loses the row, who comes back gets a new one.
CREATE TABLE read_spaces.members (
  watch_space     uuid NOT NULL,
  profile         uuid NOT NULL,
  role            text COLLATE "C" NOT NULL,  -- owner, member
  session_consent text COLLATE "C" NOT NULL,  -- automatic, ask
  joined_at       timestamptz NOT NULL,
  partition       smallint NOT NULL,
  PRIMARY KEY (watch_space, profile)
) WITH (fillfactor = 90);
CREATE INDEX ON read_spaces.members (profile, watch_space);

-- Its status is accepted if accepted_at is there, revoked if revoked_at is, expired after expires_at, else pending.
CREATE TABLE read_spaces.invitations (
  invitation  uuid NOT NULL,
  watch_space uuid NOT NULL,
  role        text COLLATE "C" NOT NULL,
  invitee     uuid NOT NULL,                -- keyed hash of the address
  invited_by  uuid NOT NULL,                -- profile
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  accepted_by uuid,                         -- profile
  accepted_at timestamptz,
  revoked_at  timestamptz,
  partition   smallint NOT NULL,
  PRIMARY KEY (invitation)
) WITH (fillfactor = 90);
CREATE INDEX ON read_spaces.invitations (watch_space, created_at DESC, invitation DESC);
