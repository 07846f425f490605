-- Ends of log-in sessions, found without reading what else was appended: every process that checks tokens asks for the new ones several
-- times a second, and read each new event for that.
-- Writes: the log's writer, by inserting into log.events. Reads: whoever checks tokens (events/access.cpp, whose types these are).

CREATE INDEX events_session_ends ON log.events (position) WHERE type IN ('LoginSessionEnded', 'PasswordChanged');
