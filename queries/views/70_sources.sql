-- title: Sources
-- answers: Which logs were read, whose they are, and how many lines each gave; with --since or --until, those whose files can hold rows of that time.
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
    organisation, max(server) as server, kind, max(log_service) as log_service, max(path) as path,
    cast(sum(lines) as bigint) as lines, cast(sum(header) as bigint) as header, cast(sum(rows) as bigint) as rows,
    cast(sum(quarantined) as bigint) as quarantined,
    cast(sum(purged) as bigint) as purged, min(first_time) as first_time, max(last_time) as last_time,
    max(assignment) as assignment, string_agg(distinct warning, '; ' order by warning) as warning, source_id
from source_ranges
where in_window
group by organisation, kind, source_id
