-- Ids that the database makes itself are UUIDv7 as the others are (F40), of the moment of their row: what happened earlier sorts before what
-- happened later, also where the row is written afterwards. Postgres has a function of its own for it only since 18, and that one knows no
-- moment.

-- The first 48 bits are the moment in milliseconds; of a random UUID the version 4 becomes 7, all else stays random (RFC 9562, 5.7).
create function uuid_at(moment timestamptz) returns uuid language sql volatile parallel safe as $$
  select encode(set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid()) placing substring(int8send(floor(extract(epoch from moment) * 1000)::bigint) from 3) from 1 for 6),
    52, 1), 53, 1), 'hex')::uuid
$$;

-- As in 0058, with such ids.
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
      values (uuid_at(new.at), taken.id, new.at, case when taken.is_new then 'revoked' else 'disabled' end, 'system',
        'added or changed while somebody else was in the account');
    new.keys_ended := new.keys_ended + 1;
  end loop;
  return new;
end $$;
