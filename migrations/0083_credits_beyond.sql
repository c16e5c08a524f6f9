-- Credits refused whatever was beyond them (0039). They may now do with such calls what limits with windows may: let them pass and mark them, or
-- let so many of them pass in each second. These take nothing of the bucket, so nothing else changes here: it is never below zero by them.
do $$
declare t text;
begin
  foreach t in array array['key_limits', 'plan_limits', 'workspace_limits', 'group_limits', 'api_limits'] loop
    execute format('alter table %I drop constraint %I', t, t || '_credits_refuse_check');
  end loop;
end $$;
