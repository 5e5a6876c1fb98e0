alter table provider_accounts drop constraint provider_accounts_kind_check;
alter table provider_accounts add constraint provider_accounts_kind_check check (kind in ('sandbox', 'wechat', 'offline'));
alter table provider_accounts drop constraint provider_accounts_sealed_check;
alter table provider_accounts add constraint provider_accounts_sealed_check check (kind <> 'wechat' or sealed is not null);

comment on column provider_accounts.kind is 'with whom: sandbox, wechat, or nobody (offline: staff record what came)';
comment on column payments.method is 'the way that the buyer pays: native, jsapi, app; recorded: cash, transfer, pos';

create table payment_records (
    merchant_id uuid not null,
    subject_id uuid not null,
    kind text not null,
    payment_id uuid not null,
    account_code text not null,
    reference text not null,
    operator text not null,
    actor text not null,
    note text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    constraint payment_records_pkey primary key (merchant_id, subject_id),
    constraint payment_records_payment_id_fkey foreign key (merchant_id, payment_id) references payments (merchant_id, id),
    constraint payment_records_reference_key unique (merchant_id, account_code, kind, reference),
    constraint payment_records_kind_check check (kind in ('payment', 'refund'))
);

comment on table payment_records is 'who recorded which money that no payment company knows of';
comment on column payment_records.merchant_id is 'the tenant';
comment on column payment_records.subject_id is 'the payment, or the refund of a payment';
comment on column payment_records.kind is 'which of them';
comment on column payment_records.payment_id is 'the payment';
comment on column payment_records.account_code is 'the account';
comment on column payment_records.reference is 'the number of the receipt, transfer or terminal: each is recorded once';
comment on column payment_records.operator is 'who took the money or paid it out';
comment on column payment_records.actor is 'the credential that recorded it';
comment on column payment_records.note is 'what was said besides; may be empty';
comment on column payment_records.occurred_at is 'when the money moved';
comment on column payment_records.recorded_at is 'when it was recorded';

create index payment_records_payment_id_idx on payment_records (merchant_id, payment_id, subject_id);

select siyu_tenant_table('payment_records');
