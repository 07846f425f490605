-- Secrets: what must never be in the log. A secret is written first, under a fresh id, in a transaction of its own; the event that names
-- the id makes it valid. What no event names is swept after a day. Destroying a row forgets.
-- Writes: command-service (accounts, spaces). Reads: command-service; query-service reads keys to open personal fields as it renders.

CREATE SCHEMA secrets;

-- One data key an account, wrapped by the master key: opens everything personal about one person. Made by registration only.
CREATE TABLE secrets.keys (
  account uuid PRIMARY KEY,
  wrapped bytea NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now()
);

-- Password hashes (Argon2id, libsodium's string form).
CREATE TABLE secrets.passwords (
  id      uuid PRIMARY KEY,
  account uuid NOT NULL,
  hash    text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX passwords_made_at ON secrets.passwords (made_at);

-- The addresses that invitations go to, sealed by the master key.
CREATE TABLE secrets.invitation_addresses (
  id      uuid PRIMARY KEY,
  box     bytea NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invitation_addresses_made_at ON secrets.invitation_addresses (made_at);
