-- title: Floors of which one third-party source alone tells
-- answers: Which floors of the catalogue name one site alone, which is not Microsoft's: dates from which they hold are marked.
-- columns:
--   product: product id of the catalogue
--   since: from when the floor holds
--   source: what the catalogue names
select
    product, cast(effective_from as date) as since, source_url as source
from ref_baselines
where
    effective_from is not null and status <> 'published'
    and len(list_distinct(regexp_extract_all(concat_ws(' ', source_url, note), 'https?://(?:www\.)?([^/\s;,)]+)', 1))) <= 1
    and not regexp_matches(concat_ws(' ', source_url, note), 'https?://[^/\s;,)]*microsoft\.com([/\s;,)]|$)')
