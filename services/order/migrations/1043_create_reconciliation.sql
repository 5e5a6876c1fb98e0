create table statement_days (
    merchant_id uuid not null,
    account_code text not null,
    day integer not null,
    complete boolean not null,
    compared_at timestamptz not null,
    constraint statement_days_pkey primary key (merchant_id, account_code, day),
    constraint statement_days_account_code_fkey foreign key (merchant_id, account_code)
        references provider_accounts (merchant_id, code)
);

comment on table statement_days is 'the days whose statements of payment companies were compared';
comment on column statement_days.merchant_id is 'the tenant';
comment on column statement_days.account_code is 'the account';
comment on column statement_days.day is 'the day in the company''s zone, as days since 1970-01-01';
comment on column statement_days.complete is 'whether all of the statement is here';
comment on column statement_days.compared_at is 'when it was compared last';

create table statement_rows (
    merchant_id uuid not null,
    account_code text not null,
    kind text not null,
    out_no text not null,
    day integer not null,
    provider_no text not null,
    amount_minor bigint not null,
    currency text not null,
    constraint statement_rows_pkey primary key (merchant_id, account_code, kind, out_no),
    constraint statement_rows_account_code_day_fkey foreign key (merchant_id, account_code, day)
        references statement_days (merchant_id, account_code, day),
    constraint statement_rows_kind_check check (kind in ('payment', 'refund')),
    constraint statement_rows_amount_minor_check check (amount_minor > 0)
);

comment on table statement_rows is 'movements of money as payment companies state them';
comment on column statement_rows.merchant_id is 'the tenant';
comment on column statement_rows.account_code is 'the account';
comment on column statement_rows.kind is 'payment: from a buyer, refund: back to a buyer';
comment on column statement_rows.out_no is 'our number of it';
comment on column statement_rows.day is 'the day of the statement that has it';
comment on column statement_rows.provider_no is 'the company''s number of it';
comment on column statement_rows.amount_minor is 'how much, in minor units';
comment on column statement_rows.currency is 'the currency, ISO 4217';

create index statement_rows_day_idx on statement_rows (merchant_id, account_code, day);

create table statement_differences (
    merchant_id uuid not null,
    id uuid not null,
    account_code text not null,
    kind text not null,
    out_no text not null,
    day integer not null,
    difference text not null,
    theirs_minor bigint,
    theirs_currency text,
    ours_minor bigint,
    ours_currency text,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    resolved_by text not null,
    note text not null,
    created_at timestamptz not null,
    resolved_at timestamptz,
    constraint statement_differences_pkey primary key (merchant_id, id),
    constraint statement_differences_account_code_day_fkey foreign key (merchant_id, account_code, day)
        references statement_days (merchant_id, account_code, day),
    constraint statement_differences_account_code_kind_out_no_key unique (merchant_id, account_code, kind, out_no),
    constraint statement_differences_kind_check check (kind in ('payment', 'refund')),
    constraint statement_differences_difference_check check (
        difference in ('missing_here', 'missing_there', 'amount_differs')
    ),
    constraint statement_differences_theirs_minor_check check ((difference = 'missing_there') = (theirs_minor is null)),
    constraint statement_differences_ours_minor_check check ((difference = 'missing_here') = (ours_minor is null)),
    constraint statement_differences_state_check check (state in ('open', 'resolved')),
    constraint statement_differences_resolved_at_check check ((state = 'resolved') = (resolved_at is not null))
);

comment on table statement_differences is 'movements that our books and a statement do not agree on: the list of what is in suspense';
comment on column statement_differences.merchant_id is 'the tenant';
comment on column statement_differences.id is 'the difference';
comment on column statement_differences.account_code is 'the account';
comment on column statement_differences.kind is 'payment: from a buyer, refund: back to a buyer';
comment on column statement_differences.out_no is 'our number of the movement';
comment on column statement_differences.day is 'the day of the statement that has it or should';
comment on column statement_differences.difference is 'what is wrong';
comment on column statement_differences.theirs_minor is 'what the statement says, in minor units; null: nothing';
comment on column statement_differences.theirs_currency is 'in which currency';
comment on column statement_differences.ours_minor is 'what we say, in minor units; null: nothing';
comment on column statement_differences.ours_currency is 'in which currency';
comment on column statement_differences.amount_minor is 'what their books hold more than ours, in minor units; refunds count the other way round';
comment on column statement_differences.currency is 'the currency of that';
comment on column statement_differences.state is 'open, or resolved: somebody has looked at it, or it is gone';
comment on column statement_differences.resolved_by is 'who resolved it; "statement" when a later statement did';
comment on column statement_differences.note is 'what came of it';
comment on column statement_differences.created_at is 'when it was found';
comment on column statement_differences.resolved_at is 'when it was resolved';

create index statement_differences_day_idx on statement_differences (merchant_id, account_code, day);
create index statement_differences_state_idx on statement_differences (merchant_id, state, id);

select siyu_tenant_table('statement_days');
select siyu_tenant_table('statement_rows');
select siyu_tenant_table('statement_differences');
