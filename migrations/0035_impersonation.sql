-- Operators who act as an account for a while, to see what its owner sees (R67).
--
-- The browser keeps the operator's own session; a row here says as whom that session acts. The account gets no session by it, so
-- nothing of this can outlive the operator's session, become a sign-in of the account, or count among its devices.

create table actings (
  id           uuid primary key,
  -- The operator's own; none when that session has ended, or the operator went back. A session acts as one account at most, and every
  -- request of a session asks this.
  session_id   uuid unique references sessions (id) on delete set null,
  operator_id  uuid references accounts on delete set null,
  account_id   uuid not null references accounts on delete cascade,
  reason       text not null check (char_length(reason) between 1 and 300),   -- its owner reads it
  minutes      smallint not null check (minutes in (15, 30, 60)),
  began_at     timestamptz not null,
  until        timestamptz not null check (until between began_at and began_at + interval '60 minutes'),
  ended_at     timestamptz,                          -- the operator went back; until then the browser does nothing else, even when time is over
  check (operator_id is distinct from account_id),
  check (ended_at is null or session_id is null)
);
create index actings_by_account on actings (account_id, began_at desc);
create index actings_by_operator on actings (operator_id);
create index actings_by_age on actings (began_at);

insert into role_permissions (role, permission) values ('operator', 'accounts:act-as') on conflict do nothing;
