-- title: What a stage does to a message, by the minute at which it comes
-- answers: Whether a message is accepted, delayed (by how long) or bounced at each stage, by every reading of what is not public.
-- columns:
--   stage: stage of the table
--   throttle_minutes: minutes an hour of temporary refusals in this reading
--   block_minutes: minutes an hour of permanent refusals
--   place: where the block stands to the throttle in this reading
--   schedule: when a refused message is tried again in this reading: queue or message
--   minute: minutes from the start of the throttle (without one, of the block) to the first try, 0 to 59
--   outcome: accepted, delayed or bounced
--   delay_minutes: from the first try to acceptance, minutes; null where it is not delayed
-- materialised: small; it depends on the catalogue alone
-- Readings: a throttle that is not public is nothing or all the hour that the block leaves; the block comes before, after,
-- apart from or inside the throttle; windows come again each hour at the same place. Tries of a Mailbox server: queue =
-- glitch retries, then transient failure retries, then the message retry interval; message = the message retry interval alone.
with settings as (
    select
        max(case when setting = 'QueueGlitchRetryCount' then default_value end) as glitch_count,
        max(case when setting = 'QueueGlitchRetryInterval' then default_value end) / 60 as glitch_minutes,
        max(case when setting = 'TransientFailureRetryCount' then default_value end) as transient_count,
        max(case when setting = 'TransientFailureRetryInterval' then default_value end) / 60 as transient_minutes,
        max(case when setting = 'MessageRetryInterval' then default_value end) / 60 as message_minutes
    from ref_retry_intervals
    where server_role = 'mailbox'
),

digits as (
    select digit from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as given(digit)
),

numbers as (
    select t.digit * 10 + u.digit as number from digits as t cross join digits as u where t.digit < 6
),

tries as (
    select
        'queue' as schedule,
        cast(
            least(n.number, s.glitch_count) * s.glitch_minutes
            + least(greatest(n.number - s.glitch_count, 0), s.transient_count) * s.transient_minutes
            + greatest(n.number - s.glitch_count - s.transient_count, 0) * s.message_minutes as integer
        ) as after_minutes
    from numbers as n
    cross join settings as s
    where n.number <= 40
    union all
    select 'message' as schedule, cast(n.number * s.message_minutes as integer) as after_minutes
    from numbers as n
    cross join settings as s
    where n.number <= 40
),

throttles as (
    select stage, coalesce(block_minutes_per_hour, 0) as block_minutes, throttle_minutes_per_hour as throttle_minutes
    from current_stages
    where stage > 1 and throttle_minutes_per_hour is not null
    union all
    select stage, coalesce(block_minutes_per_hour, 0), 0
    from current_stages
    where stage > 1 and throttle_minutes_per_hour is null
    union all
    select stage, coalesce(block_minutes_per_hour, 0), 60 - coalesce(block_minutes_per_hour, 0)
    from current_stages
    where stage > 1 and throttle_minutes_per_hour is null
),

placed as (
    select stage, throttle_minutes, block_minutes, 'alone' as place, 0 as block_start
    from throttles
    where throttle_minutes = 0 or block_minutes = 0
    union all
    select stage, throttle_minutes, block_minutes, 'before the throttle', 60 - block_minutes
    from throttles
    where throttle_minutes > 0 and block_minutes > 0
    union all
    select stage, throttle_minutes, block_minutes, 'after the throttle', throttle_minutes
    from throttles
    where throttle_minutes > 0 and block_minutes > 0 and throttle_minutes + block_minutes < 60
    union all
    select
        stage, throttle_minutes, block_minutes, 'apart',
        cast(floor((60 + throttle_minutes - block_minutes) / 2.0) as integer)
    from throttles
    where throttle_minutes > 0 and block_minutes > 0 and throttle_minutes + block_minutes <= 58
    union all
    select stage, throttle_minutes, block_minutes, 'at the start of the throttle', 0
    from throttles
    where block_minutes > 0 and throttle_minutes >= block_minutes
    union all
    select stage, throttle_minutes, block_minutes, 'at the end of the throttle', throttle_minutes - block_minutes
    from throttles
    where block_minutes > 0 and throttle_minutes > block_minutes
),

-- a block outweighs a throttle in the same minute
decided as (
    select
        p.stage, p.throttle_minutes, p.block_minutes, p.place, t.schedule, n.number as minute,
        min(
            case
                when (n.number + t.after_minutes) % 60 >= p.throttle_minutes
                    or ((n.number + t.after_minutes) % 60 - p.block_start + 60) % 60 < p.block_minutes
                    then t.after_minutes
            end
        ) as after_minutes,
        min(
            case
                when (n.number + t.after_minutes) % 60 >= p.throttle_minutes
                    and ((n.number + t.after_minutes) % 60 - p.block_start + 60) % 60 >= p.block_minutes
                    then t.after_minutes
            end
        ) as accepted_after
    from placed as p
    cross join tries as t
    cross join numbers as n
    group by p.stage, p.throttle_minutes, p.block_minutes, p.place, t.schedule, n.number
)

-- a message that no try gets through expires in the queue and bounces
select
    stage, throttle_minutes, block_minutes, place, schedule, minute,
    case
        when accepted_after is null or after_minutes < accepted_after then 'bounced'
        when accepted_after = 0 then 'accepted'
        else 'delayed'
    end as outcome,
    case when accepted_after = after_minutes and accepted_after > 0 then accepted_after end as delay_minutes
from decided
