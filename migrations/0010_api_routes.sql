-- What the routes of an API need: method and path pattern, the permission, the cost, whether calls count against limits. The gate
-- holds them in memory; the most specific rule wins (keys::server::gate::routing).

alter table apis
  -- What becomes of a call that no rule matches.
  add column unmatched text not null default 'allow' check (unmatched in ('allow', 'refuse')),
  -- The transaction that last changed what the gate knows of this API; nodes poll by it, as they do for keys.
  add column changed_in xid8 not null default pg_current_xact_id();

-- Which permissions the preset Basic gives; none: those that only read.
alter table api_permissions add column is_basic boolean not null default false;

create table api_routes (
  api_id       uuid not null references apis on delete cascade,
  method       text not null check (method in ('*', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')),
  pattern      text not null check (pattern like '/%' and char_length(pattern) <= 100),
  permission   text,
  cost         integer not null default 1 check (cost between 1 and 1000000),
  is_counted   boolean not null default true,          -- false: verified and metered, but charged to no limit
  description  text not null default '' check (char_length(description) <= 200),
  primary key (api_id, method, pattern),
  foreign key (api_id, permission) references api_permissions
);

create function api_marked() returns trigger language plpgsql as $$
begin
  new.changed_in := pg_current_xact_id();
  return new;
end $$;
create trigger api_marked before insert or update on apis for each row execute function api_marked();

-- A changed route marks its API, which wakes the nodes (the trigger of 0004).
create function api_routes_changed() returns trigger language plpgsql as $$
begin
  update apis set changed_in = pg_current_xact_id() where id in (select api_id from changed);
  return null;
end $$;
create trigger api_routes_inserted after insert on api_routes referencing new table as changed for each statement execute function api_routes_changed();
create trigger api_routes_updated after update on api_routes referencing new table as changed for each statement execute function api_routes_changed();
create trigger api_routes_deleted after delete on api_routes referencing old table as changed for each statement execute function api_routes_changed();

-- A key for Tollgate itself may describe APIs, if its owner may.
insert into api_permissions (api_id, permission, description) values
  ('01890000-0000-7000-8000-000000000001', 'apis:manage', 'Describe APIs and their routes');
