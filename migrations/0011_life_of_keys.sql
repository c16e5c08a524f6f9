-- The life of keys: an old secret may end with the first use of the newest, each secret tells who used it last, keys carry tags.

-- This secret ends as soon as the newest one of its key passes a call; `expires_at` is then the latest end, whatever happens.
alter table key_secrets add column until_first_use boolean not null default false;

-- When and by whom a secret was used last, by the minute; written by the meter's batches. No foreign key: a batch must never fail
-- because a secret was dropped meanwhile; what is left of dropped ones goes nightly.
create table key_secret_uses (
  secret_id     uuid primary key,
  last_used_at  timestamptz not null,
  address       text not null default '',
  route         text not null default ''
);

alter table keys add column tags text[] not null default '{}' check (cardinality(tags) <= 10);

-- Whether a key that can pass is worth a second look; the words are those of the list's filter (keys::model::Review).
create function key_wants_review(word text, k keys, last_used_at timestamptz, moment timestamptz) returns boolean language sql stable as $$
  select k.state = 'active' and (k.expires_at is null or k.expires_at > moment) and case word
    when 'idle-30' then k.created_at <= moment - interval '30 days' and coalesce(last_used_at <= moment - interval '30 days', true)
    when 'idle-90' then k.created_at <= moment - interval '90 days' and coalesce(last_used_at <= moment - interval '90 days', true)
    when 'unused' then last_used_at is null
    when 'endless' then k.expires_at is null
    when 'broad' then (select count(*) > 1 and bool_and(p.permission = any (k.permissions)) from api_permissions p where p.api_id = k.api_id)
    else false
  end
$$;
