-- title: Findings, worst first
-- answers: What is wrong, or will be, or cannot be seen, and what to do about it by when.
-- terminal: severity, organisation, server, act_by, finding, action, acknowledged_on, acknowledged_reason
-- columns:
--   organisation: id of the organisation
--   server: server, first label in capitals; null where it concerns the whole organisation
--   severity: critical, warning or note
--   degree: how far it has gone, comparable inside one finding_key only (a stage, a number of messages); higher is worse
--   finding_key: the same in every run for the same finding; for --acknowledge and --since-report
--   finding: one sentence
--   action: what to do; null where nothing
--   act_by: day by which it should be done; null where no date is known
--   since: when it began, as far as the logs tell, UTC
--   acknowledged_on: day of its acknowledgement (--acknowledge); null where it is not acknowledged
--   acknowledged_reason: reason given there
--   third_party_dates: dates of this row that rest on one third-party source, by column or the beginning of its name; null = none
select
    organisation, server, severity, degree, finding_key, finding, action, act_by, since,
    cast(null as date) as acknowledged_on, cast(null as varchar) as acknowledged_reason,
    case
        when not finding_key like '%/next-stage' then null
        when (organisation, server) in (
            select (e.organisation, e.server)
            from servers as e
            inner join third_party_clocks as m on e.stage is not distinct from m.stage and e.next_stage is not distinct from m.next_stage
            where m.next_stage_is_marked
        )
            then concat_ws(', ', 'act_by', 'finding')
        when regexp_matches(finding, '\d{4}-\d\d-\d\d') and exists (select 1 from third_party_stages where is_last)
            then 'finding'
    end as third_party_dates
from findings
order by
    case severity when 'critical' then 1 when 'warning' then 2 else 3 end, act_by nulls last, organisation, server nulls first,
    degree desc, finding_key
