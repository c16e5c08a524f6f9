-- What exactly refused a call, and the name of the limit where one did: the code alone can't tell a missing permission from a bad
-- signature, or a ban of the owner from a block of the key, and so not what to do. Null: kept by an earlier version.
alter table refusal_samples add column ground text;
alter table refusal_samples add column limit_name text not null default '';
-- A request is found by its id, whatever its time.
create index refusal_samples_by_request on refusal_samples (request_id) where request_id <> '';
create index refusal_samples_by_api on refusal_samples (api_id, at desc);
