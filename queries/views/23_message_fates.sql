-- title: Messages that were refused at least once, and what the logs hold of them
-- answers: What the logs hold of every refused message.
-- kept: three passes over the base tables
-- columns:
--   organisation: id of the organisation
--   server: server that handed it over last; null where unknown
--   connector: Send connector
--   message_key: message id in lower case without brackets, else a key of the session
--   message_id: id of the message; null where nothing names it
--   network_message_id: id that all copies share
--   sender: sender, <> for the null sender
--   null_sender: whether the envelope sender is empty
--   recipients: all refused recipients, sorted, joined with ;
--   blocked_recipients: those refused for good, all where the lines do not say it; null without a permanent refusal
--   received: first RECEIVE of the message in the organisation's tracking, UTC; null where not seen
--   first_attempt: start of the first try to hand it over, UTC
--   first_throttled: first temporary refusal, UTC
--   last_throttled: last temporary refusal, UTC
--   times_throttled: temporary refusals
--   throttle_minutes: minutes per hour in the last temporary refusal
--   first_blocked: first permanent refusal, UTC
--   last_blocked: last permanent refusal, UTC
--   times_blocked: permanent refusals
--   block_minutes: minutes per hour in the last permanent refusal
--   block_reply: words of the last permanent refusal
--   exchange_online_host: host of Exchange Online in the last refusal
--   accepted_time: first acceptance after the last refusal, UTC
--   failed_time: first FAIL of the same recipient after the first refusal, UTC
--   dsn_time: first report to the sender that the message failed, UTC
--   submitted_by: host that submitted it, by name or address: a device or program, or the mailbox server; null where not seen
--   submitted_over: Receive connector over which it came; null where it came over none
--   submitted_path: smtp, storedriver (a mailbox), pickup, agent (journal reports), dsn, ...; null where not seen
--   mail_class: internal (the sender is of the organisation), external (is not) or system (nobody reads a report to its sender)
with events as materialized (
    select * from refusal_events
),

-- by line: tracking may write a row for each recipient
addresses as (
    select organisation, message_key, lower(trim(address, ' ''')) as address, bool_or(permanent) as blocked
    from (
        select organisation, message_key, permanent, unnest(string_split(recipients, ';')) as address
        from refusals
    ) as split
    where trim(address, ' ''') <> ''
    group by organisation, message_key, lower(trim(address, ' '''))
),

recipients as (
    select
        organisation, message_key, string_agg(address, ';' order by address) as recipients,
        string_agg(case when blocked then address end, ';' order by address) as blocked_recipients
    from addresses
    group by organisation, message_key
),

messages as materialized (
    select
        organisation, message_key,
        nullif(max_by(coalesce(server, ''), time), '') as server,
        nullif(max_by(coalesce(connector, ''), time), '') as connector,
        min(message_id) as message_id, min(network_message_id) as network_message_id, min(sender) as sender,
        bool_or(null_sender) as null_sender,
        least(min(attempt_time), min(time)) as first_attempt,
        min(time) as first_refused, max(time) as last_refused,
        min(case when not permanent then time end) as first_throttled,
        max(case when not permanent then time end) as last_throttled,
        count(case when not permanent then 1 end) as times_throttled,
        max_by(minutes_per_hour, case when not permanent then time end) as throttle_minutes,
        min(case when permanent then time end) as first_blocked,
        max(case when permanent then time end) as last_blocked,
        count(case when permanent then 1 end) as times_blocked,
        max_by(minutes_per_hour, case when permanent then time end) as block_minutes,
        max_by(reply, case when permanent then time end) as block_reply,
        max_by(exchange_online_host, time) as exchange_online_host
    from events
    group by organisation, message_key
),

connectors as (
    select distinct organisation, message_key, connector
    from events
    where connector is not null
),

-- logs spell an id with angle brackets or without
ids as (
    select organisation, message_key, message_id as id from messages where message_id is not null
    union
    select organisation, message_key, trim(message_id, '<> ') as id from messages where message_id is not null
    union
    select organisation, message_key, '<' || trim(message_id, '<> ') || '>' as id from messages
    where message_id is not null
),

-- one narrow pass over each table, for the refused ids alone
fates as (
    select
        i.organisation, i.message_key, t.date_time as time, t.event_id as event, t.connector_id as connector,
        t.destination_class = 'exchange-online' as to_exchange_online, lower(t.recipient_address) as recipients,
        t.enforcement_action is not null as refused, lower(t.source) as path,
        -- behind a front end the client is the front end itself
        coalesce(
            case when t.original_client_ip <> t.client_ip then t.original_client_ip end, t.client_hostname, t.client_ip
        ) as client
    from message_tracking as t
    inner join ids as i on t.organisation = i.organisation and t.message_id = i.id
    where t.event_id in ('RECEIVE', 'SEND', 'SENDEXTERNAL', 'FAIL')
    union all
    select
        i.organisation, i.message_key, t.date_time as time, 'DSN' as event, cast(null as varchar) as connector,
        false as to_exchange_online, cast(null as varchar) as recipients, false as refused, cast(null as varchar) as path,
        cast(null as varchar) as client
    from message_tracking as t
    inner join ids as i on t.organisation = i.organisation and split_part(t.reference, ';', 1) = i.id
    where t.event_id = 'DSN' and coalesce(t.source_context, '') not like 'Delay%'
    union all
    select
        i.organisation, i.message_key, p.date_time as time, 'SEND' as event, p.connector_id as connector,
        p.reply_host is not null as to_exchange_online, cast(null as varchar) as recipients, false as refused,
        cast(null as varchar) as path, cast(null as varchar) as client
    from smtp_protocol as p
    inner join ids as i on p.organisation = i.organisation and p.message_id = i.id
    where p.log_kind = 'smtp-send' and p.event = '<' and p.reply_code = 250
),

outcomes as (
    select
        m.organisation, m.message_key,
        min(case when f.event = 'RECEIVE' then f.time end) as received,
        min(
            case
                when f.event in ('SEND', 'SENDEXTERNAL') and f.time > m.last_refused
                    and (f.to_exchange_online or c.connector is not null) then f.time
            end
        ) as accepted_time,
        min(
            case
                when f.event = 'FAIL' and f.time >= m.first_refused
                    and (f.refused or contains(f.recipients, split_part(r.recipients, ';', 1))) then f.time
            end
        ) as failed_time,
        min(case when f.event = 'DSN' and f.time >= m.first_refused then f.time end) as dsn_time,
        -- how it came in: the first RECEIVE, where servers pass it on among themselves
        min_by(f.path, case when f.event = 'RECEIVE' then f.time end) as submitted_path,
        nullif(min_by(coalesce(f.client, ''), case when f.event = 'RECEIVE' then f.time end), '') as submitted_by,
        nullif(min_by(coalesce(f.connector, ''), case when f.event = 'RECEIVE' then f.time end), '') as submitted_over
    from messages as m
    inner join fates as f on m.organisation = f.organisation and m.message_key = f.message_key
    left join recipients as r on m.organisation = r.organisation and m.message_key = r.message_key
    left join connectors as c
        on f.organisation = c.organisation and f.message_key = c.message_key and f.connector = c.connector
    group by m.organisation, m.message_key
),

own_senders as (
    select m.organisation, m.message_key
    from messages as m
    inner join organisation_domains as d
        on m.organisation = d.organisation and lower(split_part(m.sender, '@', 2)) = lower(d.domain)
    group by m.organisation, m.message_key
)

select
    m.organisation, m.server, m.connector, m.message_key, m.message_id, m.network_message_id, m.sender, m.null_sender,
    r.recipients,
    case when m.times_blocked > 0 then coalesce(r.blocked_recipients, r.recipients) end as blocked_recipients, o.received, m.first_attempt, m.first_throttled, m.last_throttled, m.times_throttled,
    m.throttle_minutes, m.first_blocked, m.last_blocked, m.times_blocked, m.block_minutes, m.block_reply,
    m.exchange_online_host, o.accepted_time, o.failed_time, o.dsn_time,
    o.submitted_by, o.submitted_over, o.submitted_path,
    case
        when m.null_sender or o.submitted_path in ('agent', 'dsn', 'approval') then 'system'
        -- a mailbox of the organisation, a domain of its own, or the domain of the recipient or of its tenant
        when o.submitted_path in ('storedriver', 'mailboxrule', 'publicfolder') or s.message_key is not null
            or lower(split_part(m.sender, '@', 2)) = lower(split_part(split_part(r.recipients, ';', 1), '@', 2))
            or (
                r.recipients like '%.onmicrosoft.com'
                and replace(replace(lower(split_part(m.sender, '@', 2)), '.', ''), '-', '')
                    = split_part(split_part(split_part(r.recipients, ';', 1), '@', 2), '.', 1)
            ) then 'internal'
        when m.sender is not null then 'external'
    end as mail_class
from messages as m
left join outcomes as o on m.organisation = o.organisation and m.message_key = o.message_key
left join recipients as r on m.organisation = r.organisation and m.message_key = r.message_key
left join own_senders as s on m.organisation = s.organisation and m.message_key = s.message_key
