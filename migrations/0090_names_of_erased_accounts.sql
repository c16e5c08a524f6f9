-- An account that is erased leaves no name in what belongs to others: the histories of their keys, reports of leaks, blocks, invitations.
-- As in events, bans and resets, its pseudonym takes the place of the name (accounts::server::leaving::erasing).

-- Of who reported a leak a name alone was kept. Older reports find the account in the history of the key, written in the same transaction.
alter table key_leaks add column reporter_id uuid references accounts on delete set null;
update key_leaks l set reporter_id = c.actor_id from key_state_changes c
  where c.key_id = l.key_id and c.act = 'leaked' and c.actor_id is not null and c.actor = l.reported_by
    and c.at between l.at and l.at + interval '1 minute' and right(c.detail, length(l.url)) = l.url;
create index key_leaks_by_reporter on key_leaks (reporter_id) where reporter_id is not null;

-- Who made an invitation is read from the account; of one that is erased this is left, so that it does not read as the command line.
alter table invites add column maker text;

-- Accounts that were erased before: the events of the same acts have their pseudonyms already, under the same master key and for good.
update key_state_changes c set actor = e.actor from events e
  where c.actor_id is null and e.actor_id is null and e.actor ~ '^former-[0-9a-f]{12}$' and e.subject_id = c.key_id and e.kind = 'key.' || c.act
    and e.at between c.at and c.at + interval '1 minute' and e.reason = c.reason and c.actor not in ('cli', 'system', 'secret scanning');
update key_leaks l set reported_by = c.actor from key_state_changes c
  where l.reporter_id is null and c.key_id = l.key_id and c.act = 'leaked' and c.actor ~ '^former-[0-9a-f]{12}$'
    and c.at between l.at and l.at + interval '1 minute' and right(c.detail, length(l.url)) = l.url;
update blocks b set by_name = e.actor from events e
  where b.by_account is null and e.actor_id is null and e.actor ~ '^former-[0-9a-f]{12}$' and e.subject_id = b.id and e.kind = 'block.added'
    and b.by_name not in ('cli', 'system');
update blocks b set lifted_name = e.actor from events e
  where b.lifted_by is null and e.actor_id is null and e.actor ~ '^former-[0-9a-f]{12}$' and e.subject_id = b.id and e.kind = 'block.lifted'
    and b.lifted_name not in ('', 'cli', 'system');

-- In one place, whichever feature a table belongs to: it must happen in the transaction that erases the account, in every process that may.
create function replace_actor_name(of_account uuid, other text) returns void language plpgsql as $$
begin
  update key_state_changes set actor = other where actor_id = of_account;
  update key_leaks set reported_by = other where reporter_id = of_account;
  update blocks
    set by_name = case when by_account = of_account then other else by_name end,
      lifted_name = case when lifted_by = of_account then other else lifted_name end
    where of_account in (by_account, lifted_by);
  update invites set maker = other where created_by = of_account;
end $$;
