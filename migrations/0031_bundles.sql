-- Bundles: named sets of an API's permissions. A key may hold bundles beside single permissions, and a bundle may include other bundles of
-- its API. What a bundle gives in the end (its closure) is kept as rows, settled in the transaction of each change, so that the gate reads a
-- key with one join and nobody computes a closure in two ways.

create table api_bundles (
  id           uuid primary key,
  api_id       uuid not null references apis on delete cascade,
  name         text not null check (name ~ '^[a-z][a-z0-9-]{0,39}$'),
  description  text not null default '' check (char_length(description) <= 200),
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  unique (api_id, name),
  unique (id, api_id)                                -- so that what follows stays within one API
);

-- What a bundle names itself. A permission that a bundle needs can't be taken from its API.
create table api_bundle_permissions (
  bundle_id   uuid not null,
  api_id      uuid not null,
  permission  text not null,
  primary key (bundle_id, permission),
  foreign key (bundle_id, api_id) references api_bundles (id, api_id) on delete cascade,
  foreign key (api_id, permission) references api_permissions
);
create index api_bundle_permissions_by_permission on api_bundle_permissions (api_id, permission);

-- What it includes. A bundle that another one includes can't be deleted.
create table api_bundle_parts (
  bundle_id  uuid not null,
  part_id    uuid not null,
  api_id     uuid not null,
  primary key (bundle_id, part_id),
  foreign key (bundle_id, api_id) references api_bundles (id, api_id) on delete cascade,
  foreign key (part_id, api_id) references api_bundles (id, api_id),
  check (bundle_id <> part_id)
);
create index api_bundle_parts_by_part on api_bundle_parts (part_id);

-- Everything that a bundle gives, whoever of its parts names it. Written by settle_bundles alone.
create table api_bundle_grants (
  bundle_id   uuid not null references api_bundles on delete cascade,
  permission  text not null,
  primary key (bundle_id, permission)
);

create table key_bundles (
  key_id     uuid not null references keys on delete cascade,
  bundle_id  uuid not null references api_bundles on delete cascade,
  primary key (key_id, bundle_id)
);
create index key_bundles_by_bundle on key_bundles (bundle_id);
create trigger key_bundles_changed after insert or update or delete on key_bundles for each row execute function key_changed();

-- Refuses a circle, writes the closures of an API's bundles, and tells the nodes of each bundle whose closure is another: they read its
-- keys, as they do of a plan (0014). One change of an API at a time: two that only make a circle together see each other here.
create function settle_bundles(of_api uuid) returns void language plpgsql as $$
begin
  perform from apis where id = of_api for no key update;
  if exists (
    with recursive below (top, bundle) as (
      select bundle_id, part_id from api_bundle_parts where api_id = of_api
      union
      select b.top, p.part_id from below b join api_bundle_parts p on p.bundle_id = b.bundle
    )
    select from below where top = bundle
  ) then
    raise exception 'a bundle would include itself' using errcode = 'check_violation', constraint = 'api_bundles_acyclic';
  end if;
  with recursive below (top, bundle) as (
    select id, id from api_bundles where api_id = of_api
    union
    select b.top, p.part_id from below b join api_bundle_parts p on p.bundle_id = b.bundle
  ), wanted as (
    select distinct b.top as bundle_id, p.permission from below b join api_bundle_permissions p on p.bundle_id = b.bundle
  ), gone as (
    delete from api_bundle_grants g using api_bundles b
    where b.id = g.bundle_id and b.api_id = of_api
      and not exists (select from wanted w where w.bundle_id = g.bundle_id and w.permission = g.permission)
    returning g.bundle_id
  ), added as (
    insert into api_bundle_grants (bundle_id, permission) select w.bundle_id, w.permission from wanted w on conflict do nothing returning bundle_id
  )
  insert into limit_changes as c (holder, changed_in)
    select changed.bundle_id, pg_current_xact_id() from (select bundle_id from gone union select bundle_id from added) changed
    on conflict (holder) do update set changed_in = excluded.changed_in where c.changed_in <> excluded.changed_in;
  if found then
    perform pg_notify('keys_changed', 'bundles');
  end if;
end $$;
create function bundles_changed() returns trigger language plpgsql as $$
declare one uuid;
begin
  for one in select distinct api_id from changed loop
    perform settle_bundles(one);
  end loop;
  return null;
end $$;
create trigger api_bundle_permissions_inserted after insert on api_bundle_permissions referencing new table as changed for each statement execute function bundles_changed();
create trigger api_bundle_permissions_updated after update on api_bundle_permissions referencing new table as changed for each statement execute function bundles_changed();
create trigger api_bundle_permissions_deleted after delete on api_bundle_permissions referencing old table as changed for each statement execute function bundles_changed();
create trigger api_bundle_parts_inserted after insert on api_bundle_parts referencing new table as changed for each statement execute function bundles_changed();
create trigger api_bundle_parts_updated after update on api_bundle_parts referencing new table as changed for each statement execute function bundles_changed();
create trigger api_bundle_parts_deleted after delete on api_bundle_parts referencing old table as changed for each statement execute function bundles_changed();

-- What a key may by itself and by its bundles, each once, in the order of bytes.
create function key_permissions(k keys) returns text[] language sql stable as $$
  select array(
    select e.permission from (
      select unnest(k.permissions) as permission
      union
      select g.permission from key_bundles b join api_bundle_grants g on g.bundle_id = b.bundle_id where b.key_id = k.id
    ) e order by e.permission collate "C"
  )
$$;

-- As in 0018; a key is also broad by its bundles.
create or replace function key_wants_review(word text, k keys, last_used_at timestamptz, moment timestamptz) returns boolean language sql stable as $$
  select k.state = 'active' and (k.expires_at is null or k.expires_at > moment) and case word
    when 'leaked' then key_is_leaked(k.id, moment)
    when 'idle-30' then k.created_at <= moment - interval '30 days' and coalesce(last_used_at <= moment - interval '30 days', true)
    when 'idle-90' then k.created_at <= moment - interval '90 days' and coalesce(last_used_at <= moment - interval '90 days', true)
    when 'unused' then last_used_at is null
    when 'endless' then k.expires_at is null
    when 'broad' then (select count(*) > 1 and bool_and(p.permission = any (key_permissions(k))) from api_permissions p where p.api_id = k.api_id)
    else false
  end
$$;
