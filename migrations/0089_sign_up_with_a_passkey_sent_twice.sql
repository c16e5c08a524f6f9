-- A form of sign-up with a passkey that is sent twice, by a double click, is answered twice alike, as that with a password.

alter table passkey_challenges
  add column answered  bytea check (octet_length(answered) = 32);
comment on column passkey_challenges.answered is
  'Of a sign-up: a hash of the answer and of the address that it came with. Until its time is over it is good once more for these, and for nothing else.';
