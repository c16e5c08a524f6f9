-- Usage by time: the large tables become ranges of their time column, so that retention drops a whole partition (no rows deleted one by
-- one, nothing left to vacuum), and a query reads the indexes of the time it asks for.
--
-- A partition is a week of what is kept for weeks and a month of what is kept for years: few, as a statement is planned for each that its
-- times touch. Of what holds addresses of people, the week in which its time ends loses its rows by the day. They are made ahead (usage_make_partition, called at start and by a job); a row of a time without one goes to the default
-- partition, is counted as any other, and moves when its partition is made. What stood here before is attached as it is, as one
-- partition of all the past: nothing is copied, however long the tables are. usage_days and latency_days stay whole: a year of them is
-- smaller than a month of quarters.

-- A unique index of a partitioned table has the column of its ranges.
alter table refusal_samples drop constraint refusal_samples_pkey, add primary key (id, at);
drop trigger usage_rolled_up on usage_quarters;
drop trigger usage_rolled_up_more on usage_quarters;

do $$
declare
  t record;
  i record;
  definitions text[];
  primary_key text;
  newest timestamptz;
  views text[];
  v text;
begin
  -- A view stays with the table it was made for, whatever that is called: those of these tables are made anew.
  select array_agg(format('create view %s as %s', seen.name, pg_get_viewdef(seen.name))) into views from (
    select distinct c.oid::regclass as name from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class c on c.oid = r.ev_class
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and c.relkind = 'v' and d.refobjid in (
      'usage_minutes'::regclass, 'usage_quarters'::regclass, 'usage_hours'::regclass, 'latency_quarters'::regclass, 'usage_addresses'::regclass,
      'refusal_samples'::regclass, 'unknown_attempts'::regclass, to_regclass('usage_permissions'))) seen;
  foreach v in array coalesce(views, '{}') loop
    execute format('drop view %s', split_part(v, ' ', 3));
  end loop;
  for t in select * from (values
    ('usage_minutes', 'minute', 'week'), ('usage_quarters', 'quarter', 'month'), ('usage_hours', 'hour', 'month'), ('latency_quarters', 'quarter', 'month'),
    ('usage_addresses', 'quarter', 'week'), ('refusal_samples', 'at', 'week'), ('unknown_attempts', 'minute', 'week'), ('usage_permissions', 'quarter', 'week')) as parted (name, at, step)
  loop
    continue when to_regclass(t.name) is null;
    select array_agg(pg_get_indexdef(indexrelid)) into definitions from pg_index where indrelid = t.name::regclass and not indisprimary;
    select pg_get_constraintdef(oid) into primary_key from pg_constraint where conrelid = t.name::regclass and contype = 'p';
    for i in select indexrelid::regclass::text as name from pg_index where indrelid = t.name::regclass loop
      execute format('alter index %I rename to %I', i.name, i.name || '_before');
    end loop;
    execute format('alter table %I rename to %I', t.name, t.name || '_before');
    execute format('create table %I (like %I including defaults including constraints including comments) partition by range (%I)', t.name, t.name || '_before', t.at);
    execute format('alter table %I add %s', t.name, primary_key);
    for n in 1 .. coalesce(cardinality(definitions), 0) loop
      execute definitions[n];
    end loop;
    execute format('create table %I partition of %I default', t.name || '_default', t.name);
    execute format('select max(%I) from %I', t.at, t.name || '_before') into newest;
    if newest is null then
      execute format('drop table %I', t.name || '_before');
    else
      execute format('alter table %I attach partition %I for values from (minvalue) to (%L)', t.name, t.name || '_before',
        (date_trunc(t.step, greatest(newest, now()) at time zone 'UTC') + ('1 ' || t.step)::interval) at time zone 'UTC');
    end if;
  end loop;
  foreach v in array coalesce(views, '{}') loop
    execute v;
  end loop;
end $$;

-- The rollups follow the quarters, as before.
create trigger usage_rolled_up after insert on usage_quarters referencing new table as added for each statement execute function usage_rolled_up();
create trigger usage_rolled_up_more after update on usage_quarters referencing old table as before new table as now
  for each statement execute function usage_rolled_up_more();

-- The partitions of a table with their edges; both null for the default.
create function usage_partitions(of_table text) returns table (partition regclass, begins timestamptz, ends timestamptz) language sql stable as $$
  select c.oid::regclass,
    case when b.bound like 'FOR VALUES FROM (MINVALUE)%' then '-infinity' else substring(b.bound from 'FROM \(''([^'']+)''\)')::timestamptz end,
    substring(b.bound from 'TO \(''([^'']+)''\)')::timestamptz
  from pg_inherits i join pg_class c on c.oid = i.inhrelid cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as bound) b
  where i.inhparent = of_table::regclass
$$;

-- Makes the partition that this time falls into, and moves there what the default partition took in its place; false if there is one.
-- Two nodes may ask for the same at once.
create function usage_make_partition(of_table text, of_column text, step text, at timestamptz) returns boolean
language plpgsql set lock_timeout = '2s' as $$
declare
  first timestamptz := date_trunc(step, at at time zone 'UTC') at time zone 'UTC';
  next timestamptz := (date_trunc(step, at at time zone 'UTC') + ('1 ' || step)::interval) at time zone 'UTC';
  name text := of_table || '_' || to_char(first at time zone 'UTC', 'YYYYMMDD');
begin
  if exists (select from usage_partitions(of_table) p where p.begins < next and p.ends > first) then
    return false;
  end if;
  -- Who writes waits and then finds the new one; who reads does not.
  execute format('lock table only %I in share row exclusive mode', of_table);
  if exists (select from usage_partitions(of_table) p where p.begins < next and p.ends > first) then
    return false;
  end if;
  execute format('create table %I (like %I including defaults including constraints)', name, of_table);
  execute format('lock table %I in access exclusive mode', of_table || '_default');
  execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
    of_table || '_default', of_column, first, of_column, next, name);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', of_table, name, first, next);
  return true;
end $$;

-- Drops the partitions that ended before that; answers how many. It waits two seconds for statements under way, as others wait behind it;
-- what could not be dropped is dropped the next time.
create function usage_drop_partitions(of_table text, before timestamptz) returns integer
language plpgsql set lock_timeout = '2s' as $$
declare
  old regclass;
  dropped integer := 0;
begin
  for old in select p.partition from usage_partitions(of_table) p where p.ends <= before order by p.ends loop
    execute format('drop table %s', old);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;

-- Deletes rows from before that of the partitions that no date drops yet: the default one, the one of all the past, and, if it is said to,
-- the one that the date cuts. At most so many of each, so that no statement runs long; answers how many it were in the fullest.
create function usage_delete_rows(of_table text, of_column text, before timestamptz, cut boolean, most bigint) returns bigint language plpgsql as $$
declare
  open regclass;
  n bigint;
  deleted bigint := 0;
begin
  for open in select p.partition from usage_partitions(of_table) p where p.ends is null or p.begins = '-infinity' or cut and p.begins < before loop
    execute format('delete from %s where ctid in (select ctid from %s where %I < $1 limit $2)', open, open, of_column) using before, most;
    get diagnostics n = row_count;
    deleted := greatest(deleted, n);
  end loop;
  return deleted;
end $$;

-- As in 0012; the first hour is said so that the planner knows it (date_bin, unlike date_trunc, hangs on no time zone) and plans for the
-- partitions of the range alone.
create or replace function usage_cells(edges timestamptz[], of_workspace uuid, of_key uuid, of_api uuid, of_route text, of_outcomes text[])
returns table (key_id uuid, at timestamptz, outcome text, count bigint)
language sql stable as $$
  select h.key_id, h.hour, h.outcome, h.count from usage_hours h
  where of_route is null and h.hour >= date_bin('1 hour', edges[1], timestamptz '2000-01-01 00:00:00+00') and h.hour < edges[cardinality(edges)]
    and h.hour <> all (array(select date_trunc('hour', e, 'UTC') from unnest(edges) e where e <> date_trunc('hour', e, 'UTC')))
    and (of_workspace is null or h.workspace_id = of_workspace) and (of_key is null or h.key_id = of_key)
    and (of_api is null or h.api_id = of_api) and (of_outcomes is null or h.outcome = any (of_outcomes))
  union all
  select q.key_id, q.quarter, q.outcome, q.count from usage_quarters q
  where of_route is null and q.quarter >= edges[1] and q.quarter < edges[cardinality(edges)]
    and q.quarter = any (array(select distinct date_trunc('hour', e, 'UTC') + n * interval '15 minutes' from unnest(edges) e, generate_series(0, 3) n
                               where e <> date_trunc('hour', e, 'UTC')))
    and (of_workspace is null or q.workspace_id = of_workspace) and (of_key is null or q.key_id = of_key)
    and (of_api is null or q.api_id = of_api) and (of_outcomes is null or q.outcome = any (of_outcomes))
  union all
  select q.key_id, q.quarter, q.outcome, q.count from usage_quarters q
  where of_route is not null and q.route = of_route and q.quarter >= edges[1] and q.quarter < edges[cardinality(edges)]
    and (of_workspace is null or q.workspace_id = of_workspace) and (of_key is null or q.key_id = of_key)
    and (of_api is null or q.api_id = of_api) and (of_outcomes is null or q.outcome = any (of_outcomes))
$$;
