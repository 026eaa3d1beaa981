-- title: Sources
-- answers: Which logs were read, whose they are, and how many lines each gave.
-- terminal: organisation, server, kind, path, rows, quarantined, first_time, last_time, warning
-- columns:
--   organisation: id of the organisation
--   server: server of the source; null where its rows name it
--   kind: message-tracking, smtp-receive or smtp-send
--   log_service: transport service that wrote it
--   path: path when it was read
--   lines: records, header lines included
--   header: header and blank lines
--   rows: rows
--   quarantined: lines that could not be read
--   purged: rows and lines removed for good since
--   first_time: first row, UTC
--   last_time: last row, UTC
--   assignment: how organisation and server were found
--   warning: what is doubtful
--   source_id: identity of the source
select
    organisation, server, kind, log_service, path, lines, header, rows, quarantined, purged, first_time,
    last_time, assignment, warning, source_id
from sources
order by organisation, kind, path, source_id
