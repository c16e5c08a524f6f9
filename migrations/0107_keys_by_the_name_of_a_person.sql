-- As 0063 has it. Among the keys of everybody `word` is also a part of the name of the person whose workspace it is, and so is `of_owner`: a
-- workspace may have another name.
create or replace function keys_left(
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
        or exists (select from accounts o where o.id = w.personal_of and (strpos(lower(o.email), lower(word)) > 0 or strpos(lower(o.name), lower(word)) > 0))))
      or exists (select from key_secrets s where s.key_id = k.id and (starts_with(s.start, word) or (length(s.start) >= 8 and starts_with(word, s.start)))))
    and (wants_review is null or case when wants_review = 'leaked'
      then k.state = 'active' and (k.expires_at is null or k.expires_at > moment) and k.id in (
        select l.key_id from key_leaks l join key_secrets s on s.id = l.secret_id where l.cleared_at is null and (s.expires_at is null or s.expires_at > moment))
      else key_wants_review(wants_review, k, u.last_used_at, moment) end)
    and (of_owner is null or strpos(lower(w.name), lower(of_owner)) > 0
      or exists (select from accounts o where o.id = w.personal_of and (strpos(lower(o.email), lower(of_owner)) > 0 or strpos(lower(o.name), lower(of_owner)) > 0)))
$$;
