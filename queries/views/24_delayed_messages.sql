-- title: Messages that a throttle refused
-- answers: Every message that a throttle refused at least once, and how late it was.
-- inline: few readers need all columns
-- columns:
--   organisation: id of the organisation
--   server: server that handed it over; null where unknown
--   connector: Send connector
--   message_id: id of the message; null where no log names it
--   network_message_id: id that all copies share
--   sender: sender, <> for the null sender
--   recipients: refused recipients, joined with ;
--   received: first RECEIVE of the message in the organisation's tracking, UTC
--   first_attempt: start of the first try to hand it over, UTC
--   first_refused: first temporary refusal, UTC
--   last_refused: last temporary refusal, UTC
--   times_refused: temporary refusals
--   minutes_per_hour: minutes per hour in the last of them
--   outcome: accepted, bounced or pending (neither is in these logs)
--   outcome_time: when, UTC; null while pending
--   delay_seconds: from first_attempt to outcome_time, seconds; null while pending
--   waiting_seconds: of a pending message, from first_attempt to the end of the organisation's logs, seconds
--   submitted_by: host that submitted it, by name or address: a device or program, or the mailbox server; null where not seen
--   submitted_over: Receive connector over which it came; null where it came over none
--   submitted_path: smtp, storedriver (a mailbox), pickup, agent (journal reports), dsn, ...; null where not seen
--   mail_class: internal (the sender is of the organisation), external (is not) or system (nobody reads a report to its sender)
--   message_key: key of the message inside its organisation
with ended as (
    select
        *,
        case
            when first_blocked > first_throttled and (failed_time is null or first_blocked <= failed_time)
                then first_blocked
            when failed_time >= first_throttled then failed_time
        end as bounced_time
    from refused_messages
    where times_throttled > 0
),

decided as (
    select
        *,
        case
            when accepted_time is not null and (bounced_time is null or accepted_time < bounced_time) then 'accepted'
            when bounced_time is not null then 'bounced'
            else 'pending'
        end as outcome,
        case
            when accepted_time is not null and (bounced_time is null or accepted_time < bounced_time) then accepted_time
            else bounced_time
        end as outcome_time
    from ended
)

select
    organisation, server, connector, message_id, network_message_id, sender, recipients, received, first_attempt,
    first_throttled as first_refused, last_throttled as last_refused, times_throttled as times_refused,
    throttle_minutes as minutes_per_hour, outcome, outcome_time,
    round(date_diff('millisecond', first_attempt, outcome_time) / 1000.0, 3) as delay_seconds,
    case
        when outcome = 'pending'
            then greatest(round(date_diff('millisecond', first_attempt, logs_until) / 1000.0, 3), 0)
    end as waiting_seconds,
    submitted_by, submitted_over, submitted_path, mail_class, message_key
from decided
