-- From which addresses a key may be used: networks in CIDR notation, v4 and v6; none: from everywhere.
alter table keys add column addresses cidr[] not null default '{}' check (cardinality(addresses) <= 50);
