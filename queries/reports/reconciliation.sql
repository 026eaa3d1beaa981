-- title: Imported report and logs
-- answers: Where Microsoft's own report and the logs agree, where not, and what the difference would mean.
-- terminal: organisation, server, field, agreement, reported, expected, expected_by
-- below: reading
-- columns:
--   organisation: id of the organisation
--   server: server, first label in capitals
--   field_number: order of the fields, as the cmdlet writes them
--   field: field of Get-OnPremServerReportInfo
--   agreement: agrees, conflict, only in the report, only in the logs or not comparable
--   reported: what the report says
--   expected: what it is compared with
--   expected_by: logs, refusals, table of stages, catalogue or organisations.toml
--   reading: what the difference would mean; null where there is none
--   file: imported file; null where the report does not name the server
--   reported_as_of: when the cmdlet was run, else when it was imported, UTC
--   date_reading: how its dates were read
select
    organisation, server, field_number, field, agreement, reported, expected, expected_by, reading, file, reported_as_of,
    date_reading
from reconciliation
order by organisation, server, field_number, field, expected_by, expected
