-- What an operator's services are told of a key beside what Tollgate knows: an id that the workspace has for whoever uses it, and
-- metadata. Few keys have either: none costs nothing here nor in the gate's memory.
alter table keys
  add column external_id text check (char_length(external_id) between 1 and 200),
  -- A JSON object as text, without spaces: the gate answers with these very bytes. None: nothing.
  add column meta text check (octet_length(meta) <= 1024 and json_typeof(meta::json) = 'object');

-- "Which keys has my customer 42?"
create index keys_by_external_id on keys (external_id, workspace_id) where external_id is not null;
