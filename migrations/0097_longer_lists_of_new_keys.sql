-- A list of 1,000 keys with all that each may have is longer than a form: it is sent as a file.
alter table key_batches drop constraint key_batches_list_check;
alter table key_batches add constraint key_batches_list_check check (char_length(list) <= 2000000);
