-- title: Refusals, line by line
-- answers: Every line that holds a refusal by Exchange Online for the build of a server, and which lines are the same refusal.
-- kept: three passes over the base tables, asked for by many views
-- columns:
--   time: when the line was written, UTC; of a row that quotes an older reply, not the time of the refusal
--   organisation: id of the organisation
--   server: server whose log holds the line, first label in capitals; null where nothing names it
--   handed_over_by: server that handed the message over (a front end may only relay); null where unknown
--   log_kind: message-tracking, smtp-send or smtp-receive
--   log_service: transport service that wrote the log
--   event: tracking event id, or < and > of a protocol log
--   connector: connector of the row
--   session_id: SMTP session of a protocol row
--   message_id: id of the refused message; null where nothing names it
--   network_message_id: id that all copies of the message share
--   sender: sender of the refused message, <> for the null sender
--   recipients: recipients joined with ;
--   reply_code: three-digit code
--   enhanced_code: enhanced status code
--   action: throttle or block
--   permanent: whether the message is not tried again
--   minutes_per_hour: minutes per hour that the reply names; null where it names none
--   reply: the reply's own words
--   exchange_online_host: host of Exchange Online in the reply
--   peer_time: clock of Exchange Online in the reply, UTC
--   flags: what to know about this line, sentences joined with ;
--   refusal_key: the same for all lines of one refusal of one message
--   message_key: the same for all refusals of one message
--   envelope_sender: envelope sender in lower case, <> for the null sender
--   destination: next hop in lower case, tracking only
--   attempt_time: start of the attempt, UTC; null in tracking
--   quotes_older: whether the row quotes a reply that came earlier
--   source_file: path of the source
--   source_line: line number
with lines as materialized (
    select
        *, lower(trim(message_id, '<> ')) as id_key, lower(split_part(recipients, ';', 1)) as first_recipient,
        'session ' || session_id || ' message ' || cast(transaction as varchar) as session_key
    from refusal_lines
),

-- A line that names no message is the same refusal as a line that does, if sender, recipient and moment agree
-- (15 seconds); the same bracket of Exchange Online decides between candidates, then the nearer time.
anchors as (
    select *, date_trunc('minute', time - interval 15 second) as minute from lines
    where not quotes_older and (id_key is not null or log_kind = 'smtp-send')
    union all
    select *, date_trunc('minute', time + interval 15 second) as minute from lines
    where not quotes_older and (id_key is not null or log_kind = 'smtp-send')
        and date_trunc('minute', time + interval 15 second) <> date_trunc('minute', time - interval 15 second)
),

candidates as (
    select
        l.source_id, l.source_line, a.id_key, a.message_id, a.session_key,
        row_number() over (
            partition by l.source_id, l.source_line
            order by
                case when a.id_key is not null then 0 else 1 end,
                case when l.exchange_online_host = a.exchange_online_host and l.peer_time = a.peer_time then 0 else 1 end,
                abs(date_diff('millisecond', l.time, a.time)), a.time, a.source_id, a.source_line
        ) as rank
    from lines as l
    inner join anchors as a
        on l.organisation = a.organisation and l.action = a.action and l.envelope_sender = a.envelope_sender
        and date_trunc('minute', l.time) = a.minute
    where l.id_key is null
        and abs(date_diff('millisecond', l.time, a.time)) <= 15000
        and (l.recipients is null or contains(lower(a.recipients), l.first_recipient))
        and (a.id_key is not null or l.log_kind = 'smtp-receive')
),

keyed as (
    select
        l.*, coalesce(l.message_id, c.message_id) as known_id, l.id_key is null and c.id_key is not null as id_adopted,
        coalesce(l.id_key, c.id_key, c.session_key, l.session_key, 'line ' || l.source_id || ' ' || cast(l.source_line as varchar))
            as message_key
    from lines as l
    left join candidates as c on l.source_id = c.source_id and l.source_line = c.source_line and c.rank = 1
),

-- Tries again come a minute apart at the earliest: lines of one message within 45 seconds are one refusal.
gaps as (
    select
        *,
        max(case when not quotes_older then time end) over (
            partition by organisation, message_key, action order by time, quotes_older, source_id, source_line
            rows between unbounded preceding and 1 preceding
        ) as refused_before
    from keyed
),

islands as (
    select
        *,
        sum(
            case
                when quotes_older then 0
                when refused_before is null or date_diff('millisecond', refused_before, time) > 45000 then 1
                else 0
            end
        ) over (
            partition by organisation, message_key, action order by time, quotes_older, source_id, source_line
            rows between unbounded preceding and current row
        ) as nth
    from gaps
),

united as (
    select
        *, organisation || ' ' || message_key || ' ' || action || ' ' || cast(nth as varchar) as refusal_key
    from islands
)

select
    time, organisation, server,
    coalesce(
        min(case when log_kind = 'message-tracking' then server end) over same,
        min(case when log_kind = 'smtp-send' and coalesce(log_service, '') <> 'frontend' then server end) over same,
        min(case when log_kind = 'smtp-receive' then peer_server end) over same,
        min(case when log_kind = 'smtp-send' then server end) over same
    ) as handed_over_by,
    log_kind, log_service, event, connector, session_id, known_id as message_id,
    coalesce(network_message_id, min(network_message_id) over same) as network_message_id,
    coalesce(sender, min(sender) over same) as sender, coalesce(recipients, min(recipients) over same) as recipients,
    reply_code, enhanced_code, action, permanent, minutes_per_hour, reply, exchange_online_host, peer_time,
    nullif(
        concat_ws(
            '; ',
            case when permanent <> (action = 'block') then 'code and words disagree' end,
            case when not words_known then 'code without the words' end,
            case when quotes_older then 'quotes an older reply' end,
            case when nth = 0 then 'the refusal itself is in no log' end,
            case when id_adopted then 'message found by sender, recipient and time' end,
            case when server_by_address then 'server found by its local address' end,
            case when server is null then 'the log names no server' end
        ),
        ''
    ) as flags,
    refusal_key, message_key, envelope_sender, destination, attempt_time, quotes_older, source_file, source_line
from united
window same as (partition by refusal_key)
