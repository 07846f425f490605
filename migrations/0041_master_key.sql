-- Which master key this database's secrets are made with: a subkey that is no secret. With another one e-mails would be taken for free, and
-- nobody could log in, so no service starts with it.
-- Writes: the first service that starts. Reads: every service that has a master key, once.

CREATE TABLE secrets.master_key (
  one         boolean PRIMARY KEY DEFAULT true CHECK (one),
  fingerprint bytea NOT NULL
);
