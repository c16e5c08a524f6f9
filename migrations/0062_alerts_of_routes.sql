-- A rule on errors knows what the page Errors filters by, an API and a route, and may ask for a share of the calls beside their number:
-- ten failed calls are many of twenty, and none to tell of among a million.
alter table alert_rules add column api_id uuid references apis on delete cascade;
comment on column alert_rules.api_id is 'Only calls of this API; none: of every one.';
alter table alert_rules add column route text check (route <> '');
comment on column alert_rules.route is 'Only calls of this route, as usage counts it; none: of every one.';
alter table alert_rules add column percent smallint check (percent between 1 and 99);
comment on column alert_rules.percent is 'Fires only if more than so many per cent of all calls (of this key, API and route) are such; none: whatever the others are.';

-- Everybody's refusals as a file that a job writes: what operators see under Admin, Refusals.
alter table exports drop constraint exports_subject_check;
alter table exports add constraint exports_subject_check check (subject in ('usage', 'refusals', 'all-refusals', 'keys'));
