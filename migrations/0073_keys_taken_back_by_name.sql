-- Every key that ends because its account was taken back is an event, as every other change of a key is: so the row says which ended.

alter table account_recoveries
  add column ended uuid[] not null default '{}',
  -- The state of each before.
  add column ended_from text[] not null default '{}',
  add check (cardinality(ended) = cardinality(ended_from));

-- As in 0058, and each key and its state is noted.
create or replace function keys_taken_back() returns trigger language plpgsql as $$
declare
  taken record;
  moment timestamptz := coalesce(new.since, '-infinity');
begin
  for taken in
    select k.id, k.state, k.created_at between moment and new.until and k.created_by is not distinct from new.account_id as is_new
    from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
    where a.slug = 'tollgate' and w.personal_of = new.account_id and k.state <> 'revoked'
      and ((k.created_at between moment and new.until and k.created_by = new.account_id)
        or (k.state = 'active' and exists (
          select from key_state_changes c
          where c.key_id = k.id and c.at between moment and new.until and c.actor_id = new.account_id
            and c.act in ('enabled', 'expiry', 'permitted', 'addressed', 'paged', 'routed', 'signed', 'rotated', 'extended', 'bundled'))))
    order by k.id
    for update of k
  loop
    update keys set state = case when taken.is_new then 'revoked' else 'disabled' end, updated_at = new.at where id = taken.id;
    insert into key_state_changes (id, key_id, at, act, actor, reason)
      values (uuid_at(new.at), taken.id, new.at, case when taken.is_new then 'revoked' else 'disabled' end, 'system',
        'added or changed while somebody else was in the account');
    new.keys_ended := new.keys_ended + 1;
    new.ended := array_append(new.ended, taken.id);
    new.ended_from := array_append(new.ended_from, taken.state);
  end loop;
  return new;
end $$;
