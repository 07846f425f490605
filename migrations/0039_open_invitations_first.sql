-- A space's page shows so many invitations: those that nobody has accepted or revoked first, so that an open one can always be revoked.
-- Writes: the projector. Reads: query-service.

CREATE INDEX ON read_spaces.invitations (watch_space, ((accepted_at IS NULL AND revoked_at IS NULL)) DESC, created_at DESC, invitation DESC);
DROP INDEX read_spaces.invitations_watch_space_created_at_invitation_idx;
