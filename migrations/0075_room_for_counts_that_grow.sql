-- Counts are added to in place, batch after batch. On a page that is full the new version of a row goes elsewhere, and each index of the table
-- gets an entry for it; on one that is half empty it stays beside the old one, and no index changes (a HOT update). A batch of 20,000 keys
-- takes Postgres half the time, and tables and indexes are smaller: what looked like room saved was taken by versions spread over all of them.
alter table usage_days set (fillfactor = 50);
alter table latency_days set (fillfactor = 50);
alter table usage_shared_hours set (fillfactor = 50);
alter table key_activity set (fillfactor = 50);
alter table key_secret_uses set (fillfactor = 50);

do $$
declare
  counts regclass;
begin
  for counts in
    select inhrelid::regclass from pg_inherits
    where inhparent::regclass::text in (
      'usage_minutes', 'usage_quarters', 'usage_hours', 'usage_addresses', 'usage_permissions', 'usage_secrets', 'latency_quarters', 'unknown_attempts')
  loop
    execute format('alter table %s set (fillfactor = 50)', counts);
  end loop;
end $$;

-- As before; a new partition is stored as the default one is.
create or replace function usage_make_partition(of_table text, of_column text, step text, at timestamptz) returns boolean
language plpgsql set lock_timeout = '2s' as $$
declare
  first timestamptz := date_trunc(step, at at time zone 'UTC') at time zone 'UTC';
  next timestamptz := (date_trunc(step, at at time zone 'UTC') + ('1 ' || step)::interval) at time zone 'UTC';
  name text := of_table || '_' || to_char(first at time zone 'UTC', 'YYYYMMDD');
  stored text;
begin
  if exists (select from usage_partitions(of_table) p where p.begins < next and p.ends > first) then
    return false;
  end if;
  -- Who writes waits and then finds the new one; who reads does not.
  execute format('lock table only %I in share row exclusive mode', of_table);
  if exists (select from usage_partitions(of_table) p where p.begins < next and p.ends > first) then
    return false;
  end if;
  select array_to_string(reloptions, ', ') into stored from pg_class where oid = (of_table || '_default')::regclass;
  execute format('create table %I (like %I including defaults including constraints) %s', name, of_table, 'with (' || nullif(stored, '') || ')');
  execute format('lock table %I in access exclusive mode', of_table || '_default');
  execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
    of_table || '_default', of_column, first, of_column, next, name);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', of_table, name, first, next);
  return true;
end $$;
