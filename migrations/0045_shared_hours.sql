-- What the keys of a workspace used together of limits that they share, by hours, in cost units: for the forecast of rolling limits, which would
-- otherwise read every key's quarters of an hour, and a workspace may have very many keys. Written with the counts themselves (usage/server/flush),
-- of the keys that share at that moment: those without limits of their own or of a plan of their own, and not for Tollgate's own API; and only
-- where the workspace may have limits at all. What was used before is not summed up here: a forecast takes it for even.
create table usage_shared_hours (
  workspace_id  uuid not null,
  hour          timestamptz not null,
  units         bigint not null check (units > 0),
  primary key (workspace_id, hour)
);
-- For forgetting.
create index usage_shared_hours_by_time on usage_shared_hours (hour);
