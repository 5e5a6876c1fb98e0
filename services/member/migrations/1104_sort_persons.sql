-- By growth and then by id, so that a list by growth goes on after any person.
drop index persons_growth_idx;

create index persons_growth_idx on persons (merchant_id, growth, id);
