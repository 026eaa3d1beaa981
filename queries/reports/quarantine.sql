-- title: Quarantined lines
-- answers: Which lines could not be read, whole, with the reason.
-- terminal: organisation, source_file, source_line, reason, raw_line
-- columns:
--   organisation: id of the organisation
--   server: server of the log; null where nothing names it
--   table_name: table the line belongs to
--   source_file: path of the source
--   source_line: line number
--   reason: why it could not be read
--   raw_line: the line as it stands in the log
select
    organisation, server, table_name, source_file, source_line, reason, raw_line
from quarantine
order by organisation, source_file, source_line, table_name
