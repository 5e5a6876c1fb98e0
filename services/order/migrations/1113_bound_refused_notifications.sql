create table payment_notification_refusals (
    merchant_id uuid not null,
    account_code text not null,
    since timestamptz not null,
    kept integer not null,
    constraint payment_notification_refusals_pkey primary key (merchant_id, account_code),
    constraint payment_notification_refusals_account_code_fkey foreign key (merchant_id, account_code)
        references provider_accounts (merchant_id, code),
    constraint payment_notification_refusals_kept_check check (kept > 0)
);

comment on table payment_notification_refusals is 'how many refused notifications were kept of late, so that nobody fills the store';
comment on column payment_notification_refusals.merchant_id is 'the tenant';
comment on column payment_notification_refusals.account_code is 'the account that they were sent to';
comment on column payment_notification_refusals.since is 'when the first of them came';
comment on column payment_notification_refusals.kept is 'how many since then';

select siyu_tenant_table('payment_notification_refusals');

create index payment_notifications_refused_idx on payment_notifications (received_at, merchant_id, id)
    where state = 'refused';
