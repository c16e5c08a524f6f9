-- Leaked keys: who may report them (public keys of a scanner), where each secret was found, what a workspace wants done. And lists of
-- keys that are made at once.

-- Public keys of GitHub's secret scanning, or of anybody who keeps its contract. None: nobody may report.
create table leak_signers (
  identifier  text primary key check (char_length(identifier) between 1 and 200),
  public_key  text not null,                         -- PEM, P-256
  is_current  boolean not null,                      -- as the scanner says; a listed one counts either way
  set_at      timestamptz not null
);

-- Where a secret was found. A place is told of once for each secret; it goes with the secret, the history of the key stays.
create table key_leaks (
  id           uuid primary key,
  key_id       uuid not null references keys on delete cascade,
  secret_id    uuid not null references key_secrets on delete cascade,
  place        bytea not null,                       -- SHA-256 of the url: an index holds no long texts
  url          text not null check (char_length(url) <= 2000),
  source       text not null check (char_length(source) <= 100),
  reported_by  text not null,                        -- a name at that time, or 'secret scanning'
  at           timestamptz not null,
  cleared_at   timestamptz,
  unique (secret_id, place)
);
create index key_leaks_by_key on key_leaks (key_id, at desc);

-- What a workspace wants done with a leaked key besides being told; without a row nothing.
create table leak_choices (
  workspace_id  uuid primary key references workspaces on delete cascade,
  disables      boolean not null,
  updated_at    timestamptz not null
);

-- A key is leaked while a secret of it that is still accepted was found somewhere and nobody said that this is no harm.
create function key_is_leaked(of_key uuid, moment timestamptz) returns boolean language sql stable as $$
  select exists (select from key_leaks l join key_secrets s on s.id = l.secret_id
                 where l.key_id = of_key and l.cleared_at is null and (s.expires_at is null or s.expires_at > moment))
$$;

-- As in 0011, and leaked keys. The counts above the list of keys read the same conditions by set (keys::server::store::listing).
create or replace function key_wants_review(word text, k keys, last_used_at timestamptz, moment timestamptz) returns boolean language sql stable as $$
  select k.state = 'active' and (k.expires_at is null or k.expires_at > moment) and case word
    when 'leaked' then key_is_leaked(k.id, moment)
    when 'idle-30' then k.created_at <= moment - interval '30 days' and coalesce(last_used_at <= moment - interval '30 days', true)
    when 'idle-90' then k.created_at <= moment - interval '90 days' and coalesce(last_used_at <= moment - interval '90 days', true)
    when 'unused' then last_used_at is null
    when 'endless' then k.expires_at is null
    when 'broad' then (select count(*) > 1 and bool_and(p.permission = any (k.permissions)) from api_permissions p where p.api_id = k.api_id)
    else false
  end
$$;

-- A list of keys to make, looked at first. It has no column for secrets, and goes in the first night after it is a day old; once its keys
-- are made it makes no more.
create table key_batches (
  id            uuid primary key,
  workspace_id  uuid not null references workspaces on delete cascade,
  api           text not null,
  list          text not null check (char_length(list) <= 65536),
  created_at    timestamptz not null,
  done_at       timestamptz
);
