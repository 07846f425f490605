-- Lets somebody of the data team in: a role of their own that reads the analytics views and nothing else, and holds nothing up by mistake.
-- psql "$DATABASE_URL" -v name=ada -f ops/analytics/analyst.sql      then, for a password:  \password ada
-- Settings are inherited from nobody in Postgres, so each login gets them, and may set others; a second run sets them again.
\set ON_ERROR_STOP on
SELECT format('CREATE ROLE %I LOGIN IN ROLE bloomwatch_analyst CONNECTION LIMIT 4', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('GRANT bloomwatch_analyst TO %I', :'name') \gexec
SELECT format('ALTER ROLE %I SET %s = %L', :'name', setting, value)
  FROM (VALUES ('statement_timeout', '60s'), ('idle_in_transaction_session_timeout', '60s'), ('default_transaction_read_only', 'on'),
               ('search_path', 'analytics')) AS settings (setting, value) \gexec
