-- title: What each coming stage will do to the mail of each server
-- answers: How many messages a day each coming stage delays, by how long, and bounces; beside it what the present stage did.
-- terminal: organisation, server, stage, stage_is, begins_earliest, messages_per_day, delayed_per_day_expected, delay_minutes_expected, bounced_per_day_expected, observed_delayed_per_day, observed_bounced_per_day
-- columns:
--   organisation: id of the organisation
--   server: server that hands over, first label in capitals
--   stage: stage of the table
--   stage_is: present, next, later, or after the next raise (no date: its build is accepted today)
--   basis: observed, imported or predicted: what the dates rest on; null = no date
--   begins_earliest: it does not begin earlier, UTC; null = no bound
--   begins_latest: without another pause it begins by then, UTC; null = no upper bound
--   begins_latest_if_paused: it begins by then even if paused, UTC; null = no upper bound
--   throttle_minutes_lowest: minutes an hour of temporary refusals; 0 where the number is not public
--   throttle_minutes_highest: the same; all that the block leaves where the number is not public
--   block_minutes: minutes an hour of permanent refusals
--   messages_per_day: messages that the server hands over in scope on an observed day
--   days_observed: days of its logs behind that
--   busiest_hour: hour of the day with most of them, UTC
--   delayed_per_day_lowest: messages a day that come late, in the most favourable reading
--   delayed_per_day_expected: the same, mean of all readings
--   delayed_per_day_highest: the same, in the least favourable reading
--   delay_minutes_lowest: shortest delay of such a message, minutes
--   delay_minutes_expected: its mean over all readings, minutes
--   delay_minutes_highest: longest delay, minutes
--   bounced_per_day_lowest: messages a day that are refused for good, in the most favourable reading
--   bounced_per_day_expected: the same, mean of all readings
--   bounced_per_day_highest: the same, in the least favourable reading
--   observed_stage: present stage, where it is known; this and what was observed in it stand in its own row alone, null in others
--   observed_hours: hours of logs since the first refusal of the present stage
--   observed_delayed_per_day: messages a day that were delayed in them; null below 6 hours
--   observed_bounced_per_day: messages a day that were refused for good in them; null below 6 hours
--   observed_delay_minutes: median delay in them, minutes
--   assumptions: what the numbers rest on
--   third_party_dates: dates of this row that rest on one third-party source, by column or the beginning of its name; null = none
select
    organisation, server, stage, stage_is, basis, begins_earliest, begins_latest, begins_latest_if_paused,
    throttle_minutes_lowest, throttle_minutes_highest, block_minutes, messages_per_day, days_observed,
    busiest_hour, delayed_per_day_lowest, delayed_per_day_expected, delayed_per_day_highest,
    delay_minutes_lowest, delay_minutes_expected, delay_minutes_highest, bounced_per_day_lowest,
    bounced_per_day_expected, bounced_per_day_highest, observed_stage, observed_hours,
    observed_delayed_per_day, observed_bounced_per_day, observed_delay_minutes, assumptions,
    case when coalesce(begins_earliest, begins_latest) is not null and stage in (select stage from third_party_stages) then 'begins' end as third_party_dates
from impact
order by organisation, server, stage
