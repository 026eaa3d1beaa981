-- title: Stages of which one third-party source alone tells
-- answers: Which stages of the catalogue name one site alone, which is not Microsoft's: dates on which they begin are marked.
-- columns:
--   stage: stage of enforcement
--   is_last: whether it is the last stage, at which all mail is blocked
--   source: what the catalogue names
select
    c.stage, c.stage = l.stage as is_last, r.source
from current_stages as c
inner join ref_stages as r on c.stage = r.stage and cast(r.valid_from as date) = c.valid_from
cross join (select max(stage) as stage from current_stages) as l
where
    len(list_distinct(regexp_extract_all(concat_ws(' ', r.source, r.note), 'https?://(?:www\.)?([^/\s;,)]+)', 1))) <= 1
    and not regexp_matches(concat_ws(' ', r.source, r.note), 'https?://[^/\s;,)]*microsoft\.com([/\s;,)]|$)')
