-- What a plan gives beside limits is answered with each verification: nodes read a plan again when it changes there.
drop trigger plans_changed on plans;
create trigger plans_changed after update of slug, entitlements on plans for each row
  when (old.slug is distinct from new.slug or old.entitlements is distinct from new.entitlements) execute function limits_changed('id');
