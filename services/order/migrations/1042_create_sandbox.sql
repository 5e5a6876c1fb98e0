create table sandbox_trades (
    merchant_id uuid not null,
    account_code text not null,
    out_trade_no text not null,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    provider_no text not null,
    paid_minor bigint,
    paid_at timestamptz,
    swallow integer not null,
    refuses_refunds boolean not null,
    constraint sandbox_trades_pkey primary key (merchant_id, account_code, out_trade_no),
    constraint sandbox_trades_state_check check (state in ('open', 'paid', 'closed')),
    constraint sandbox_trades_paid_minor_check check ((state = 'paid') = (paid_minor is not null and paid_at is not null)),
    constraint sandbox_trades_swallow_check check (swallow >= 0)
);

comment on table sandbox_trades is 'what the sandbox, a payment company without money, knows of payments: its books, not ours';
comment on column sandbox_trades.merchant_id is 'the tenant';
comment on column sandbox_trades.account_code is 'the account';
comment on column sandbox_trades.out_trade_no is 'our number of the payment';
comment on column sandbox_trades.amount_minor is 'what is to be paid, in minor units';
comment on column sandbox_trades.currency is 'the currency, ISO 4217';
comment on column sandbox_trades.state is 'open, paid, closed';
comment on column sandbox_trades.provider_no is 'the sandbox''s own number';
comment on column sandbox_trades.paid_minor is 'what was paid';
comment on column sandbox_trades.paid_at is 'when it was paid';
comment on column sandbox_trades.swallow is 'how many of the next answers are swallowed';
comment on column sandbox_trades.refuses_refunds is 'whether refunds are refused';

create table sandbox_refunds (
    merchant_id uuid not null,
    account_code text not null,
    out_refund_no text not null,
    out_trade_no text not null,
    amount_minor bigint not null,
    provider_no text not null,
    refunded_at timestamptz not null,
    constraint sandbox_refunds_pkey primary key (merchant_id, account_code, out_refund_no),
    constraint sandbox_refunds_account_code_out_trade_no_fkey foreign key (merchant_id, account_code, out_trade_no)
        references sandbox_trades (merchant_id, account_code, out_trade_no),
    constraint sandbox_refunds_amount_minor_check check (amount_minor > 0)
);

comment on table sandbox_refunds is 'what the sandbox gave back';
comment on column sandbox_refunds.merchant_id is 'the tenant';
comment on column sandbox_refunds.account_code is 'the account';
comment on column sandbox_refunds.out_refund_no is 'our number of the refund';
comment on column sandbox_refunds.out_trade_no is 'our number of the payment';
comment on column sandbox_refunds.amount_minor is 'how much, in minor units';
comment on column sandbox_refunds.provider_no is 'the sandbox''s own number';
comment on column sandbox_refunds.refunded_at is 'when';

create index sandbox_trades_paid_at_idx on sandbox_trades (merchant_id, account_code, paid_at) where paid_at is not null;
create index sandbox_refunds_refunded_at_idx on sandbox_refunds (merchant_id, account_code, refunded_at);
create index sandbox_refunds_out_trade_no_idx on sandbox_refunds (merchant_id, account_code, out_trade_no);

select siyu_tenant_table('sandbox_trades');
select siyu_tenant_table('sandbox_refunds');
