-- title: Quarantined lines
-- answers: Which lines could not be read, whole, with the reason.
-- columns:
--   organisation: id of the organisation
--   server: server of the log; null where nothing names it
--   table_name: table the line belongs to
--   source_file: path of the source
--   source_line: line number
--   reason: why it could not be read
--   raw_line: the line as it stands in the log
select organisation, server, 'message_tracking' as table_name, source_file, source_line, parse_error as reason, raw_line
from message_tracking_lines
where parse_error is not null
union all
select organisation, server, 'smtp_protocol' as table_name, source_file, source_line, parse_error as reason, raw_line
from smtp_protocol_lines
where parse_error is not null
