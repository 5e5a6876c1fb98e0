-- A store that has tried no wrong code yet has a row, too: whoever tries one has it locked.
alter table pickup_failures drop constraint pickup_failures_failures_check;
alter table pickup_failures add constraint pickup_failures_failures_check check (failures >= 0);
