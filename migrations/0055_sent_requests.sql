-- Requests that name themselves (Idempotency-Key): each is done once, and sent again it gets the answer of the first time.

-- A row is written before anything is done, so that whoever sends the same meanwhile sees that it runs. What is made notes itself here in its
-- own transaction (done_at), so after a crash it is known whether it was made. The answer comes last. Rows live for a day.
create table sent_requests (
  request     bytea primary key check (octet_length(request) = 32),  -- SHA-256 of who sends it, where to, and its name
  account_id  uuid not null references accounts (id) on delete cascade,
  said        bytea not null check (octet_length(said) = 32),        -- a keyed hash of query and body, which may hold a password
  attempt     uuid not null,                                          -- who does it; another one takes over from a server that went down
  begun_at    timestamptz not null,
  done_at     timestamptz,                                            -- null: nothing was made, or not yet
  status      smallint check (status between 200 and 299),            -- null: it runs, or its answer got lost
  location    text,
  kind        text,                                                   -- the answer's Content-Type
  answer      bytea                                                   -- null: it held a secret, which is stored nowhere
);
create index sent_requests_begun on sent_requests (begun_at);  -- what is forgotten
create index sent_requests_account on sent_requests (account_id);  -- accounts that go
