-- The audit log (R83): events are only appended to, and each becomes an entry of a chain that nobody can write without the master key.
-- An event is written with its entry-to-be (`audit_waiting`), vouched for under that key, in one transaction and without a lock; one
-- process at a time then links what waits (`audit_links`), so that no two transactions wait for each other because both write events.

-- An entry holds digests of an event, not the event. What a person can be recognised by has a digest of its own, with this salt in it:
-- erasing a person puts another salt in its place, and what stood there can't be found by trying any more, not even with the master key.
alter table events add column salt uuid not null default gen_random_uuid();

-- Deleting an account or a workspace must not change what happened. Who deletes one takes the person out of the events before.
alter table events drop constraint events_workspace_id_fkey, drop constraint events_actor_id_fkey;

-- What is on its way into the chain. `number` is the order of writing; gaps in it mean nothing.
create table audit_waiting (
  number    bigint generated always as identity primary key,
  kind      text not null check (kind in ('adopted', 'event', 'erased')),
  event_id  uuid not null,                           -- no reference: that an event is gone must be seen, not prevented by this table
  facts     bytea,                                   -- digest of what never changes
  person    bytea,                                   -- digest of what erasing changes
  key_id    text,
  voucher   bytea,                                   -- HMAC over all of it: whoever can only write tables can't queue an entry
  refused   boolean not null default false,          -- the voucher is wrong: no entry is made of it, and verifying names it
  check (kind = 'adopted' or (facts is not null and person is not null and key_id is not null and voucher is not null))
);
create index audit_waiting_by_event on audit_waiting (event_id);

-- The chain. `mac` covers all other columns, and by `previous` the entry before; 'start' says "vouched for from here on": what stands
-- before it was adopted as it was found, and nothing is adopted after it.
create table audit_links (
  number    bigint primary key check (number > 0),
  kind      text not null check (kind in ('adopted', 'start', 'event', 'erased')),
  event_id  uuid not null,                           -- nil for 'start'
  at        timestamptz not null,                    -- when it was linked
  facts     bytea not null,
  person    bytea not null,
  key_id    text not null,
  previous  bytea not null,
  mac       bytea not null
);
create index audit_links_by_event on audit_links (event_id, number);
create unique index audit_links_one_start on audit_links (kind) where kind = 'start';

-- How it stands: one row.
create table audit_state (
  only_one     boolean primary key default true check (only_one),
  verified_at  timestamptz,
  verified_to  bigint not null default 0,
  broken       text,                                 -- the first break that the last verification found
  anchored_at  timestamptz,
  anchored_to  bigint not null default 0,            -- the entry whose MAC was last written outside the database
  trouble      text                                  -- why it could not be
);
insert into audit_state default values;

-- What happened before this migration, the oldest first.
insert into audit_waiting (kind, event_id) select 'adopted', id from events order by id;

-- Only appended to. The one way to change an event is to take a person out of it, within a transaction that says so
-- (`set local tollgate.erasing = 'on'`), and it reaches nothing else. Whoever may switch triggers off is what the chain is for.
create function events_stay() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and current_setting('tollgate.erasing', true) = 'on' then
    if new.id = old.id and new.at = old.at and new.kind = old.kind and new.subject_id is not distinct from old.subject_id
       and new.reason = old.reason
       and new.data - array['address', 'device', 'name'] = old.data - array['address', 'device', 'name'] then
      return new;
    end if;
  end if;
  raise exception 'events are only appended to: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end $$;
create trigger events_stay before update or delete on events for each row execute function events_stay();
create trigger events_stay_all before truncate on events for each statement execute function events_stay();

create function audit_links_stay() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is only appended to: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end $$;
create trigger audit_links_stay before update or delete on audit_links for each row execute function audit_links_stay();
create trigger audit_links_stay_all before truncate on audit_links for each statement execute function audit_links_stay();

-- The same by rights: even the owner of the tables is left only what erasing needs. A superuser has no rights that could be revoked.
revoke update, delete, truncate on events, audit_links from public;
revoke update, delete, truncate on events, audit_links from current_user;
grant update (actor, actor_id, workspace_id, data, salt) on events to current_user;
