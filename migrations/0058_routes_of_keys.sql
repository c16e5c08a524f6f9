-- Which routes a key may call: a list that narrows what its permissions allow. Beside its addresses and origins in the key's own row: it is
-- read with it, changes with it (the trigger of 0004 wakes the nodes), and a key without a list costs nothing.

-- `METHOD /pattern`, as api_routes has them in two columns: `GET /orders/{id}`, `* /reports/*`. Empty: all routes. By pattern, any method last.
alter table keys add column routes text[] not null default '{}'
  check (cardinality(routes) <= 50 and array_position(routes, null) is null);

-- Whoever was in an account may have let a key for Tollgate itself call more: that counts as a change like those of 0034.
create or replace function keys_taken_back() returns trigger language plpgsql as $$
declare
  taken record;
  moment timestamptz := coalesce(new.since, '-infinity');
begin
  for taken in
    select k.id, k.created_at between moment and new.until and k.created_by is not distinct from new.account_id as is_new
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
      values (gen_random_uuid(), taken.id, new.at, case when taken.is_new then 'revoked' else 'disabled' end, 'system',
        'added or changed while somebody else was in the account');
    new.keys_ended := new.keys_ended + 1;
  end loop;
  return new;
end $$;
