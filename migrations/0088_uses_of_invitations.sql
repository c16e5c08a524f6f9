-- A sign-up by invitation whose address nobody proves (it was mistyped) is forgotten after a day, and gives back what it took of its invitation.

create table invite_uses (
  sign_up_id  uuid primary key,
  invite_id   uuid not null references invites on delete cascade,
  mark        bytea check (octet_length(mark) = 32),
  used_at     timestamptz not null
);
create index invite_uses_by_invite on invite_uses (invite_id);
create index invite_uses_by_age on invite_uses (used_at);
comment on table invite_uses is
  'Uses of invitations that may be given back. Those whose address had an account stand here, too: what comes back never tells which it was.';
comment on column invite_uses.sign_up_id is 'As in accounts.sign_up_id. No account has it: the address was another one''s, or the sign-up was overwritten or forgotten.';
comment on column invite_uses.mark is 'As in invites.last_use.';
