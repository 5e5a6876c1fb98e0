create table provider_accounts (
    merchant_id uuid not null,
    code text not null,
    kind text not null,
    paused boolean not null,
    definition bytea not null,
    sealed bytea,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint provider_accounts_pkey primary key (merchant_id, code),
    constraint provider_accounts_kind_check check (kind in ('sandbox', 'wechat')),
    constraint provider_accounts_sealed_check check (kind = 'sandbox' or sealed is not null)
);

comment on table provider_accounts is 'accounts of a merchant with payment companies';
comment on column provider_accounts.merchant_id is 'the tenant';
comment on column provider_accounts.code is 'the merchant''s own key';
comment on column provider_accounts.kind is 'with whom: sandbox or wechat';
comment on column provider_accounts.paused is 'whether no new payments are begun with it';
comment on column provider_accounts.definition is 'an encoded siyu.order.v1.ProviderAccount without its secrets: read whole, never searched';
comment on column provider_accounts.sealed is 'its secrets, sealed by the vault; null: it has none';
comment on column provider_accounts.created_at is 'when it was created here';
comment on column provider_accounts.updated_at is 'when it was last changed here';

create table payment_claims (
    merchant_id uuid not null,
    order_id uuid not null,
    cash_minor bigint not null,
    currency text not null,
    state text not null,
    deadline_at timestamptz not null,
    attempts integer not null,
    payment_id uuid,
    settled_at timestamptz,
    created_at timestamptz not null,
    constraint payment_claims_pkey primary key (merchant_id, order_id),
    constraint payment_claims_cash_minor_check check (cash_minor >= 0),
    constraint payment_claims_state_check check (state in ('open', 'closing', 'paid', 'closed')),
    constraint payment_claims_settled_at_check check ((state in ('paid', 'closed')) = (settled_at is not null)),
    constraint payment_claims_payment_id_check check (state = 'paid' or payment_id is null),
    constraint payment_claims_attempts_check check (attempts >= 0)
);

comment on table payment_claims is 'what is to be paid in cash for an order: what payments settle';
comment on column payment_claims.merchant_id is 'the tenant';
comment on column payment_claims.order_id is 'the order';
comment on column payment_claims.cash_minor is 'what is to be paid, in minor units';
comment on column payment_claims.currency is 'the currency, ISO 4217';
comment on column payment_claims.state is 'open, closing (payment companies are asked first), paid, closed';
comment on column payment_claims.deadline_at is 'until when it may be paid, exclusive';
comment on column payment_claims.attempts is 'how many payments were begun: the seq of the last one';
comment on column payment_claims.payment_id is 'the payment that settled it; null while none did, or when there was nothing to pay';
comment on column payment_claims.settled_at is 'when it was paid or closed';
comment on column payment_claims.created_at is 'when it was opened';

create index payment_claims_deadline_at_idx on payment_claims (deadline_at, merchant_id, order_id) where state = 'open';

create table payments (
    merchant_id uuid not null,
    id uuid not null,
    order_id uuid not null,
    seq integer not null,
    request_id text not null,
    account_code text not null,
    method text not null,
    description text not null,
    payer_id text not null,
    out_trade_no text not null,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    prepay bytea not null,
    provider_no text not null,
    paid_minor bigint,
    paid_currency text,
    problem text not null,
    tries integer not null,
    due_at timestamptz,
    expires_at timestamptz not null,
    succeeded_at timestamptz,
    created_at timestamptz not null,
    constraint payments_pkey primary key (merchant_id, id),
    constraint payments_order_id_fkey foreign key (merchant_id, order_id) references payment_claims (merchant_id, order_id),
    constraint payments_account_code_fkey foreign key (merchant_id, account_code)
        references provider_accounts (merchant_id, code),
    constraint payments_order_id_seq_key unique (merchant_id, order_id, seq),
    constraint payments_request_id_key unique (merchant_id, request_id),
    constraint payments_account_code_out_trade_no_key unique (merchant_id, account_code, out_trade_no),
    constraint payments_seq_check check (seq >= 1),
    constraint payments_amount_minor_check check (amount_minor > 0),
    constraint payments_state_check check (
        state in ('created', 'pending', 'closing', 'closed', 'failed', 'succeeded', 'surplus', 'held_for_review')
    ),
    constraint payments_due_at_check check ((state in ('created', 'pending', 'closing')) = (due_at is not null)),
    constraint payments_paid_minor_check check (
        (state in ('succeeded', 'surplus', 'held_for_review')) = (paid_minor is not null and paid_currency is not null)
    )
);

comment on table payments is 'attempts to pay claims through payment companies';
comment on column payments.merchant_id is 'the tenant';
comment on column payments.id is 'the payment';
comment on column payments.order_id is 'the order';
comment on column payments.seq is 'counts the payments of the order, from 1';
comment on column payments.request_id is 'the key of the request that began it';
comment on column payments.account_code is 'the account with the payment company';
comment on column payments.method is 'the way that the buyer pays: native, jsapi, app';
comment on column payments.description is 'what the buyer reads on the bill';
comment on column payments.payer_id is 'the buyer at the payment company; empty where it is not needed';
comment on column payments.out_trade_no is 'the number that the payment company knows it by: it follows from order and seq';
comment on column payments.amount_minor is 'what is to be paid, in minor units';
comment on column payments.currency is 'the currency, ISO 4217';
comment on column payments.state is 'how it stands';
comment on column payments.prepay is 'an encoded siyu.order.v1.Payment with what the buyer''s device needs: code_url or parameters';
comment on column payments.provider_no is 'the payment company''s own number; empty before it is paid';
comment on column payments.paid_minor is 'what the payment company says was paid, in minor units';
comment on column payments.paid_currency is 'the currency of that';
comment on column payments.problem is 'why it failed or is held; empty otherwise';
comment on column payments.tries is 'how often in a row the payment company was asked without an end';
comment on column payments.due_at is 'when the payment company is asked next; null: it has ended';
comment on column payments.expires_at is 'when the payment company itself closes it';
comment on column payments.succeeded_at is 'when the buyer paid, as the payment company says';
comment on column payments.created_at is 'when it was begun';

create index payments_due_at_idx on payments (due_at, merchant_id, id) where due_at is not null;
create index payments_state_idx on payments (merchant_id, state, id);
create index payments_succeeded_at_idx on payments (merchant_id, account_code, succeeded_at)
    where succeeded_at is not null;

create table payment_refunds (
    merchant_id uuid not null,
    id uuid not null,
    payment_id uuid not null,
    number integer not null,
    key text not null,
    account_code text not null,
    out_refund_no text not null,
    amount_minor bigint not null,
    reason text not null,
    state text not null,
    provider_no text not null,
    failure text not null,
    tries integer not null,
    due_at timestamptz,
    created_at timestamptz not null,
    ended_at timestamptz,
    constraint payment_refunds_pkey primary key (merchant_id, id),
    constraint payment_refunds_payment_id_fkey foreign key (merchant_id, payment_id) references payments (merchant_id, id),
    constraint payment_refunds_payment_id_number_key unique (merchant_id, payment_id, number),
    constraint payment_refunds_payment_id_key_key unique (merchant_id, payment_id, key),
    constraint payment_refunds_account_code_out_refund_no_key unique (merchant_id, account_code, out_refund_no),
    constraint payment_refunds_amount_minor_check check (amount_minor > 0),
    constraint payment_refunds_state_check check (
        state in ('created', 'sending', 'unknown', 'processing', 'succeeded', 'failed')
    ),
    constraint payment_refunds_due_at_check check ((state in ('succeeded', 'failed')) = (due_at is null)),
    constraint payment_refunds_ended_at_check check ((state in ('succeeded', 'failed')) = (ended_at is not null))
);

comment on table payment_refunds is 'money of payments on its way back to buyers';
comment on column payment_refunds.merchant_id is 'the tenant';
comment on column payment_refunds.id is 'the refund';
comment on column payment_refunds.payment_id is 'the payment';
comment on column payment_refunds.number is 'counts the refunds of the payment, from 1';
comment on column payment_refunds.key is 'what whoever asked for it knows it by: the same key is the same refund';
comment on column payment_refunds.account_code is 'the account of the payment';
comment on column payment_refunds.out_refund_no is 'the number that the payment company knows it by: it follows from payment and number';
comment on column payment_refunds.amount_minor is 'how much, in minor units of the payment''s currency';
comment on column payment_refunds.reason is 'why it was made';
comment on column payment_refunds.state is 'how it stands';
comment on column payment_refunds.provider_no is 'the payment company''s own number; empty before it took it';
comment on column payment_refunds.failure is 'what the payment company said when it failed';
comment on column payment_refunds.tries is 'how often in a row the payment company was asked without an end';
comment on column payment_refunds.due_at is 'when it is sent or asked for next; null: it has ended';
comment on column payment_refunds.created_at is 'when it was made';
comment on column payment_refunds.ended_at is 'when it succeeded or failed';

create index payment_refunds_due_at_idx on payment_refunds (due_at, merchant_id, id) where due_at is not null;
create index payment_refunds_ended_at_idx on payment_refunds (merchant_id, account_code, ended_at)
    where state = 'succeeded';

create table payment_notifications (
    merchant_id uuid not null,
    id uuid not null,
    account_code text not null,
    event_id text,
    state text not null,
    problem text not null,
    headers bytea not null,
    body text not null,
    times integer not null,
    tries integer not null,
    received_at timestamptz not null,
    processed_at timestamptz,
    due_at timestamptz,
    constraint payment_notifications_pkey primary key (merchant_id, id),
    constraint payment_notifications_account_code_fkey foreign key (merchant_id, account_code)
        references provider_accounts (merchant_id, code),
    constraint payment_notifications_account_code_event_id_key unique (merchant_id, account_code, event_id),
    constraint payment_notifications_state_check check (state in ('received', 'processed', 'refused', 'unmatched')),
    constraint payment_notifications_event_id_check check ((state = 'refused') = (event_id is null)),
    constraint payment_notifications_due_at_check check ((state = 'received') = (due_at is not null))
);

comment on table payment_notifications is 'what payment companies told, as it came';
comment on column payment_notifications.merchant_id is 'the tenant';
comment on column payment_notifications.id is 'the notification';
comment on column payment_notifications.account_code is 'the account that it was sent to';
comment on column payment_notifications.event_id is 'the payment company''s own id of it; null while it is refused, so that a forged one takes no place';
comment on column payment_notifications.state is 'what became of it';
comment on column payment_notifications.problem is 'why it was refused or does not match';
comment on column payment_notifications.headers is 'an encoded siyu.order.v1.ReceiveNotificationRequest with the headers alone';
comment on column payment_notifications.body is 'the body, byte for byte';
comment on column payment_notifications.times is 'how often it came';
comment on column payment_notifications.tries is 'how often it was worked on without an end';
comment on column payment_notifications.received_at is 'when it came first: its signature is checked as of then';
comment on column payment_notifications.processed_at is 'when it was worked on last';
comment on column payment_notifications.due_at is 'when it is worked on next; null: it was';

create index payment_notifications_due_at_idx on payment_notifications (due_at, merchant_id, id) where due_at is not null;
create index payment_notifications_state_idx on payment_notifications (merchant_id, state, id);

select siyu_tenant_table('provider_accounts');
select siyu_tenant_table('payment_claims');
select siyu_tenant_table('payments');
select siyu_tenant_table('payment_refunds');
select siyu_tenant_table('payment_notifications');
