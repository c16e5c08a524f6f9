-- A key is looked for by what people know of it, beside its id: how its secret begins, and how its name does, whoever's it is. Both are
-- compared byte by byte, so that "begins with" is a range that an index has (0056 does it for the names of one workspace).
create index key_secrets_by_start on key_secrets (start collate "C");
create index keys_by_name_of_all on keys ((lower(name) collate "C"), created_at desc, id desc);
