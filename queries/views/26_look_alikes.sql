-- title: Replies that are not transport-based enforcement
-- answers: Which other refusals the logs hold, so that they are not mistaken for enforcement.
-- kept: a pass over the replies
-- columns:
--   organisation: id of the organisation
--   server: server whose log holds them, first label in capitals; null where nothing names it
--   log_kind: message-tracking, smtp-send or smtp-receive
--   connector: connector of the rows
--   from_exchange_online: whether Exchange Online said it
--   enhanced_code: enhanced status code
--   meaning: what it is; says so where only the code fits and the words differ
--   lines: lines that hold it; a retry is a line of its own
--   messages: different messages in them, by message id; null in protocol logs, which name none with a refusal
--   first_time: first of them, UTC
--   last_time: last of them, UTC
--   reply: one of the replies
--   what_to_do: advice
--   source_url: page that explains it
with patterns as (
    select
        split_part(code_pattern, '.', 1) || '.' || split_part(code_pattern, '.', 2) as code_start,
        cast(split_part(split_part(code_pattern, '-', 1), '.', 3) as integer) as code_from,
        cast(
            split_part(
                case when contains(code_pattern, '-') then split_part(code_pattern, '-', 2) else code_pattern end, '.', 3
            ) as integer
        ) as code_to,
        -- capital N stands for a number; a pattern of LIKE is looser there and needs no regular expression a row
        '%' || replace(replace(replace(replace(words, '*', '%'), 'NNN', '%'), 'NN', '%'), 'N', '%') || '%' as words,
        words <> '' as has_words, meaning, what_to_do, source_url
    from (
        select *, unnest(string_split(coalesce(reply_text_pattern, ''), ' | ')) as words
        from ref_replies
        where is_tbes = 'no'
    ) as alternatives
),

codes as (
    select distinct code_start from patterns
),

lines as materialized (
    select
        organisation, server, 'message-tracking' as log_kind, connector_id as connector, cast(null as varchar) as session_id,
        log_service, coalesce(message_id, cast(internal_message_id as varchar)) as message_id, enhanced_code, reply, date_time as time, source_id,
        source_line,
        split_part(enhanced_code, '.', 1) || '.' || split_part(enhanced_code, '.', 2) as code_start,
        try_cast(split_part(enhanced_code, '.', 3) as integer) as code_last,
        reply_host is not null or destination_class = 'exchange-online' as from_exchange_online
    from message_tracking
    where enhanced_code is not null and enforcement_action is null
        and (enhanced_code like '4.%' or enhanced_code like '5.%')
    union all
    select
        organisation, server, log_kind, connector_id as connector, session_id, log_service, cast(null as varchar) as message_id,
        enhanced_code, reply,
        date_time as time, source_id, source_line,
        split_part(enhanced_code, '.', 1) || '.' || split_part(enhanced_code, '.', 2) as code_start,
        try_cast(split_part(enhanced_code, '.', 3) as integer) as code_last,
        reply_host is not null as from_exchange_online
    from smtp_protocol
    where enhanced_code is not null and enforcement_action is null
        and (enhanced_code like '4.%' or enhanced_code like '5.%')
),

named as (
    select
        *,
        row_number() over (
            partition by source_id, source_line
            order by case when has_words and words_fit then 0 when words_fit then 1 else 2 end, code_width, pattern_meaning
        ) as rank,
        case when words_fit then pattern_meaning else pattern_meaning || ' (by its code alone: the words differ)' end as meaning
    from (
        select
            l.*, p.meaning as pattern_meaning, p.what_to_do, p.source_url, p.has_words, p.code_to - p.code_from as code_width,
            coalesce(lower(l.reply) like p.words, false) as words_fit
        from lines as l
        inner join codes as c on l.code_start = c.code_start
        inner join patterns as p on l.code_start = p.code_start and l.code_last between p.code_from and p.code_to
    ) as candidates
    -- the words of a reply change, its code stays; but a code to 30 is one of IANA's registry that any system says
    where words_fit or code_last > 30
),

-- in a protocol log the banner of the session tells who said it
send_sessions as (
    select distinct organisation, session_id
    from named
    where log_kind = 'smtp-send' and not from_exchange_online
),

online_sessions as (
    select distinct p.organisation, p.session_id, p.server, p.log_service
    from smtp_protocol as p
    inner join send_sessions as s on p.organisation = s.organisation and p.session_id = s.session_id
    where p.log_kind = 'smtp-send' and p.destination_class = 'exchange-online'
),

said as (
    select
        n.organisation, upper(split_part(n.server, '.', 1)) as server, n.log_kind, n.connector,
        coalesce(n.from_exchange_online, false) or o.session_id is not null as from_exchange_online,
        n.enhanced_code, n.meaning, n.message_id, n.reply, n.time, n.what_to_do, n.source_url
    from named as n
    left join online_sessions as o
        on n.log_kind = 'smtp-send' and n.organisation = o.organisation and n.session_id = o.session_id
        and n.server is not distinct from o.server and n.log_service is not distinct from o.log_service
    where n.rank = 1
)

select
    organisation, server, log_kind, connector, from_exchange_online, enhanced_code, meaning, count(*) as lines,
    case when log_kind = 'message-tracking' then count(distinct message_id) end as messages,
    min(time) as first_time, max(time) as last_time, min(reply) as reply, what_to_do, source_url
from said
group by
    organisation, server, log_kind, connector, from_exchange_online, enhanced_code, meaning, what_to_do, source_url
