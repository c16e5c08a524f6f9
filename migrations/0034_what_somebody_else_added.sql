-- Who keeps what was set up before an address was proven, and the end of what somebody else added to an account.

-- The newest sign-up with this address: whoever began it holds this id, sealed in their browser. Whoever proves the address without it, and
-- without the password of the sign-up, is somebody else: nothing that was planted before stays.
alter table accounts add column sign_up_id uuid;

-- When whoever asked for another address came in: what was added since then goes with the change.
alter table email_changes add column since timestamptz;
alter table email_undos add column since timestamptz;

-- An account was taken back from somebody else: what was added to it since then is gone.
create table account_recoveries (
  number      bigint primary key generated always as identity,
  account_id  uuid not null references accounts on delete cascade,
  at          timestamptz not null,
  since       timestamptz,                           -- none: since ever
  until       timestamptz not null,                  -- what its owner made after that is theirs
  keys_ended  integer not null default 0
);
create index account_recoveries_by_account on account_recoveries (account_id);

-- A key for Tollgate itself is a way in, so it ends with the others, without the accounts feature knowing of keys: one that the account made
-- since then is revoked; one that was there before, and which it let do more since then, is disabled, for its owner to look at. What
-- operators and the command line made stays.
create function keys_taken_back() returns trigger language plpgsql as $$
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
            and c.act in ('enabled', 'expiry', 'permitted', 'addressed', 'paged', 'signed', 'rotated', 'extended', 'bundled'))))
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
create trigger account_recoveries_end_keys before insert on account_recoveries for each row execute function keys_taken_back();
