-- A form of sign-up that is sent twice, by a double click, uses its invitation once and is answered twice alike.

alter table invites
  add column last_use  bytea check (octet_length(last_use) = 32);
comment on column invites.last_use is
  'The newest use: a hash of the address and of how the browser that came in by it holds the invitation. Null: not used, or not by a form.';
