-- Pictures of people: drawn anew by us as JPEG at two sizes, never the file that was sent.
create table avatars (
  account_id  uuid primary key references accounts on delete cascade,
  hash        bytea not null unique check (octet_length(hash) = 32),   -- SHA-256 over account and picture: its address
  small       bytea not null check (octet_length(small) between 1 and 65536),
  large       bytea not null check (octet_length(large) between 1 and 524288),
  set_at      timestamptz not null
);

-- Everybody may see it if its owner says so.
alter table accounts drop constraint accounts_published_check;
alter table accounts add constraint accounts_published_check check (published <@ array['name', 'picture', 'time_zone', 'language', 'joined']);
