-- Bounds of kept answers, and calls that are marked beyond a limit of calls at the same time.

-- Answers that are kept for requests sent again (0055) take bounded room: each at most 64 KiB, those of an account together at most 16 MiB.

alter table sent_requests
  -- What the kept answer counts for, at least 1 KiB; 0: none is kept.
  add column answer_room integer not null default 0 check (answer_room >= 0),
  -- The answer is not kept because it was too large, or because newer ones took its room. Else one that is missing held a secret.
  add column is_let_go boolean not null default false;
update sent_requests set answer_room = greatest(octet_length(answer), 1024) where answer is not null;

-- The room that an account's answers take, read and given back from the oldest: from this index alone, at most some 16,000 entries.
create index sent_requests_room on sent_requests (account_id, begun_at) include (answer_room) where answer_room > 0;

-- Beyond a limit of calls at the same time calls may now be marked (0040 knew only refuse): they pass without a place. Slowed down they are not.
do $$
declare t text;
begin
  foreach t in array array['key_limits', 'plan_limits', 'workspace_limits', 'group_limits', 'api_limits'] loop
    execute format(
      'alter table %I drop constraint %I, add constraint %I check (
         kind <> ''concurrent'' or (max_calls <= 10000 and window_seconds <= 3600 and over ~ ''^(refuse|mark)''))',
      t, t || '_concurrent_check', t || '_concurrent_check');
  end loop;
end $$;
