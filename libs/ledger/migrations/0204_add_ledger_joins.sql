alter table ledger_accounts
    add column joined_to uuid,
    add column joined_by uuid,
    add column joined_code smallint,
    add constraint ledger_accounts_joined_check check (
        num_nulls(joined_to, joined_by, joined_code) in (0, 3) and joined_to <> id and joined_code > 0
    );

comment on column ledger_accounts.joined_to is
    'the account that is to have what this one has: free units go there at once, what it must give comes from there';
comment on column ledger_accounts.joined_by is 'why: the reference of the transfers between the two';
comment on column ledger_accounts.joined_code is 'the reason on the transfers between the two';

grant update (joined_to, joined_by, joined_code) on ledger_accounts to siyu_app, siyu_job;
