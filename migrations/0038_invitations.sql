-- Invitations for one address, mailed to it; how many people one was made for; and one that is taken back (S92).

alter table invites
  add column email         text check (char_length(email) between 3 and 254),
  add column email_key     text,                        -- who signs up with another address can't use it
  add column uses          integer,
  add column sent_at       timestamptz,                 -- the last mail; an older one's link is dead
  add column cancelled_at  timestamptz;
-- Of older ones it is not known any more.
update invites set uses = greatest(uses_left, 1);
alter table invites alter column uses set default 1, alter column uses set not null;
alter table invites add constraint invites_uses_check check (uses between 1 and 1000 and uses_left <= uses);
alter table invites add constraint invites_mailed_check check ((email is null) = (email_key is null) and (email is null) = (sent_at is null) and (email is null or uses = 1));

-- An address is invited once at a time, however it is written. An expired one is cancelled when another one is made.
create unique index invites_by_email on invites (email_key) where email_key is not null and cancelled_at is null and uses_left > 0;
create index invites_by_age on invites (created_at desc, id);
