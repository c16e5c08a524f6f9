-- Whose a secret was that has ended and is forgotten: its owner and operators are told that it ended, for everybody else it is unknown.

-- None: it was forgotten before this was kept, or its key went with it. No foreign key: this goes with no workspace.
alter table ended_secrets add column workspace_id uuid;

create or replace function secrets_ended() returns trigger language plpgsql as $$
begin
  insert into ended_secrets (hash, workspace_id)
  select of_one.hash, k.workspace_id
  from gone left join keys k on k.id = gone.key_id cross join lateral (values (gone.hash), (gone.salted)) of_one (hash)
  where of_one.hash is not null
  on conflict do nothing;
  return null;
end $$;
