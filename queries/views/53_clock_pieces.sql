-- title: Refusals with one number, close together, and the bounds they give
-- answers: Which bounds on day 0 the refusals give, number by number.
-- kept: small, and asked for by many views
-- columns:
--   organisation: id of the organisation
--   server: server whose clock it is; empty text = one clock for the whole organisation, as a hypothesis
--   episode: accepted builds before it (0 = the first episode)
--   run: number of the run; in a run refusals are closer than a day, so that no pause lies in it
--   action: throttle or block
--   minutes_per_hour: number in the refusals
--   refusals: how many
--   stage_from: first stage that can have this number; null = no stage of the table has it
--   stage_to: last such stage
--   first_at: first refusal, true time, seconds since 1970
--   last_at: last refusal, true time, seconds since 1970
--   error_seconds: how far these times may be off, seconds
--   lower: day 0 is later than this, seconds since 1970; null = no bound
--   upper: day 0 is not later than this, seconds since 1970; null = no bound
--   connectors: Send connectors, joined with ,
--   first_line: source and line of the first refusal
--   last_line: source and line of the last refusal
with upgrades as (
    -- a day's grace: mail in the queue still carries the old build
    select organisation, server, accepted_from + case when below_before is null then 0 else 86400 end as ended_at
    from server_episodes
),

own as (
    select r.organisation, r.server, r.refusal_key, count(u.server) as episode
    from clock_refusals as r
    left join upgrades as u
        on r.organisation = u.organisation and r.server = u.server and u.ended_at <= r.refused_at
    where r.server is not null and not r.quoted_only
    group by r.organisation, r.server, r.refusal_key
),

refused as (
    select
        organisation, server, refusal_key, refused_at, error_seconds, action, minutes_per_hour, stage_from, stage_to,
            day_from,
        day_to, connector, source_file || ':' || cast(source_line as varchar) as line
    from clock_refusals
    where not quoted_only
),

events as (
    select r.*, o.episode
    from refused as r
    inner join own as o on r.organisation = o.organisation and r.server = o.server and r.refusal_key = o.refusal_key
    union all
    select
        organisation, '' as server, refusal_key, refused_at, error_seconds, action, minutes_per_hour, stage_from,
            stage_to,
        day_from, day_to, connector, line, 0 as episode
    from refused
),

gaps as (
    select
        *,
        lag(refused_at - error_seconds) over (
            partition by organisation, server, episode order by refused_at, refusal_key
        ) as previous
    from events
),

runs as (
    select
        *,
        sum(case when previous is null or refused_at + error_seconds - previous >= 86400 then 1 else 0 end) over (
            partition by organisation, server, episode order by refused_at, refusal_key
            rows between unbounded preceding and current row
        ) as run
    from gaps
)

select
    organisation, server, episode, cast(run as bigint) as run, action, minutes_per_hour, count(*) as refusals,
        stage_from,
    stage_to, min(refused_at) as first_at, max(refused_at) as last_at, max(error_seconds) as error_seconds,
    max(refused_at - error_seconds) - day_to * 86400 as lower,
        min(refused_at + error_seconds) - day_from * 86400 as upper,
    string_agg(distinct connector, ', ' order by connector) as connectors, min_by(line, refused_at) as first_line,
    max_by(line, refused_at) as last_line
from runs
group by organisation, server, episode, run, action, minutes_per_hour, stage_from, stage_to, day_from, day_to
