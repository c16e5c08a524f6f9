-- Files and plain lists of keys go on where the page before ended and count nothing, so that a page reads as many rows as it has, however many
-- keys there are. Those of one workspace have `keys_by_workspace` for it, those of everybody this. It is for them alone: of a workspace whose keys
-- are the oldest it would lead over those of all others. So it has a condition that holds for every key, which statements for everybody name.
create index keys_by_age on keys (created_at desc, id desc) where id > '00000000-0000-0000-0000-000000000000';

-- The keys that filters leave, all but the one by standing: for the page Keys, for plain pages and for their number. A null says nothing.
-- `word` is a part of a name or of an external id, how a tag begins, or the start of a secret, and among the keys of everybody (`of_workspace`
-- null) also a part of the owner's name or email, which `of_owner` is alone. Postgres plans for it as for a part of the statement that it stands
-- in, so a page bounds what is read of it.
create function keys_left(
  of_workspace uuid, of_id uuid, of_ids uuid[], of_hashes bytea[], of_external_id text, of_api text, word text, wants_review text, of_tag text, of_owner text,
  moment timestamptz)
returns table (id uuid, state text, expires_at timestamptz, created_at timestamptz, last_used_at timestamptz)
language sql stable as $$
  select k.id, k.state, k.expires_at, k.created_at, u.last_used_at
  from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id left join key_activity u on u.key_id = k.id
  where (of_workspace is null or k.workspace_id = of_workspace) and (of_workspace is not null or k.id > '00000000-0000-0000-0000-000000000000')
    and (of_id is null or k.id = of_id) and (of_ids is null or k.id = any (of_ids))
    and (of_hashes is null or k.id = any (array(select s.key_id from key_secrets s where s.hash = any (of_hashes))))
    and (of_external_id is null or k.external_id = of_external_id) and (of_api is null or a.slug = of_api) and (of_tag is null or of_tag = any (k.tags))
    and (word is null or strpos(lower(k.name), lower(word)) > 0 or strpos(lower(k.external_id), lower(word)) > 0
      or exists (select from unnest(k.tags) t where starts_with(t, lower(word)))
      or (of_workspace is null and (strpos(lower(w.name), lower(word)) > 0
        or exists (select from accounts o where o.id = w.personal_of and strpos(lower(o.email), lower(word)) > 0)))
      or exists (select from key_secrets s where s.key_id = k.id and (starts_with(s.start, word) or (length(s.start) >= 8 and starts_with(word, s.start)))))
    and (wants_review is null or case when wants_review = 'leaked'
      then k.state = 'active' and (k.expires_at is null or k.expires_at > moment) and k.id in (
        select l.key_id from key_leaks l join key_secrets s on s.id = l.secret_id where l.cleared_at is null and (s.expires_at is null or s.expires_at > moment))
      else key_wants_review(wants_review, k, u.last_used_at, moment) end)
    and (of_owner is null or strpos(lower(w.name), lower(of_owner)) > 0
      or exists (select from accounts o where o.id = w.personal_of and strpos(lower(o.email), lower(of_owner)) > 0))
$$;

-- How a key stands, decided here alone, so that the filter and the badge agree: `limited` and `refused` are its calls of today that a limit held
-- and that were refused, `soon` how many days are soon, new and not yet idle.
create function key_standing(
  state text, expires_at timestamptz, created_at timestamptz, last_used_at timestamptz, limited bigint, refused bigint, moment timestamptz, soon integer)
returns text language sql stable as $$
  select case
    when state in ('disabled', 'revoked') then state
    when expires_at <= moment then 'expired'
    when expires_at <= moment + make_interval(days => soon) then 'expiring'
    when limited > 0 then 'held'
    when refused > 0 then 'refused'
    when last_used_at is null and created_at > moment - make_interval(days => soon) then 'new'
    when last_used_at is null or last_used_at <= moment - make_interval(days => soon) then 'idle'
    else 'passing'
  end
$$;
