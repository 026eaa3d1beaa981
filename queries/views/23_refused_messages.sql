-- title: Messages that were refused at least once, and what became of them
-- answers: What became of every refused message.
-- inline: a join, and few readers need all columns
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
--   logs_until: last row of the organisation's logs, or --until, or the report date, whichever is first, UTC
with log_ends as (
    select
        s.organisation,
        least(
            max(case when p.until is null or s.first_time < p.until then least(s.last_time, coalesce(p.until, s.last_time)) end),
            min(p.as_of)
        ) as logs_until
    from source_ranges as s
    cross join parameters as p
    group by s.organisation
)

select f.*, e.logs_until
from message_fates as f
left join log_ends as e on f.organisation = e.organisation
