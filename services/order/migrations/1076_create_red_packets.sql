create table red_packet_policies (
    merchant_id uuid not null,
    definition bytea not null,
    updated_at timestamptz not null,
    constraint red_packet_policies_pkey primary key (merchant_id)
);

comment on table red_packet_policies is 'the limits of merchants for red packets';
comment on column red_packet_policies.merchant_id is 'the tenant';
comment on column red_packet_policies.definition is 'an encoded siyu.order.v1.RedPacketPolicy';
comment on column red_packet_policies.updated_at is 'when it was last changed';

create table red_packet_budgets (
    merchant_id uuid not null,
    code text not null,
    total_minor bigint not null,
    spent_minor bigint not null,
    updated_at timestamptz not null,
    constraint red_packet_budgets_pkey primary key (merchant_id, code),
    constraint red_packet_budgets_spent_minor_check check (spent_minor between 0 and total_minor)
);

comment on table red_packet_budgets is 'how much may be sent in red packets: a hard stop';
comment on column red_packet_budgets.merchant_id is 'the tenant';
comment on column red_packet_budgets.code is 'the merchant''s own key';
comment on column red_packet_budgets.total_minor is 'all that may be sent';
comment on column red_packet_budgets.spent_minor is 'what is reserved or sent, and did not come back';
comment on column red_packet_budgets.updated_at is 'when it was last set';

create table red_packet_counts (
    merchant_id uuid not null,
    kind text not null,
    key text not null,
    day date not null,
    packets integer not null,
    minor bigint not null,
    constraint red_packet_counts_pkey primary key (merchant_id, kind, key, day),
    constraint red_packet_counts_kind_check check (kind in ('order', 'person', 'employee')),
    constraint red_packet_counts_packets_check check (packets >= 0 and minor >= 0)
);

comment on table red_packet_counts is 'what is reserved or sent, for each limit';
comment on column red_packet_counts.merchant_id is 'the tenant';
comment on column red_packet_counts.kind is 'what is limited';
comment on column red_packet_counts.key is 'the order, the person or the employee';
comment on column red_packet_counts.day is 'the day in the merchant''s zone; 1970-01-01 for an order, whose limit is not one of a day';
comment on column red_packet_counts.packets is 'how many packets';
comment on column red_packet_counts.minor is 'how much';

create table red_packets (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    order_id uuid,
    employee text not null,
    approved_by text not null,
    wishing text not null,
    budget_code text not null,
    amount_minor bigint not null,
    day date not null,
    state text not null,
    channel_no text not null,
    failure text not null,
    created_at timestamptz not null,
    sent_at timestamptz,
    received_at timestamptz,
    refunded_at timestamptz,
    due_at timestamptz not null,
    attempts integer not null,
    constraint red_packets_pkey primary key (merchant_id, id),
    constraint red_packets_budget_code_fkey foreign key (merchant_id, budget_code)
        references red_packet_budgets (merchant_id, code),
    constraint red_packets_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint red_packets_amount_minor_check check (amount_minor > 0),
    constraint red_packets_state_check
        check (state in ('created', 'sending', 'sent', 'received', 'refunded', 'failed', 'unknown'))
);

comment on table red_packets is 'money that is sent to persons';
comment on column red_packets.merchant_id is 'the tenant';
comment on column red_packets.id is 'the packet; its bill number follows from it';
comment on column red_packets.person_id is 'who gets it';
comment on column red_packets.order_id is 'the order that it is for; null without one';
comment on column red_packets.employee is 'who sends it; empty: nobody in person';
comment on column red_packets.approved_by is 'who approved it; empty: nobody';
comment on column red_packets.wishing is 'what stands on it; may be empty';
comment on column red_packets.budget_code is 'the budget';
comment on column red_packets.amount_minor is 'how much';
comment on column red_packets.day is 'the day in the merchant''s zone on which its limits are reserved';
comment on column red_packets.state is 'where it is in its life';
comment on column red_packets.channel_no is 'the provider''s own number; empty before it is known';
comment on column red_packets.failure is 'why it failed; empty if it did not';
comment on column red_packets.created_at is 'when it was asked for';
comment on column red_packets.sent_at is 'when it was sent';
comment on column red_packets.received_at is 'when it was opened';
comment on column red_packets.refunded_at is 'when it came back';
comment on column red_packets.due_at is 'when the next step is due, in states that have one';
comment on column red_packets.attempts is 'how often the step was tried';

create index red_packets_created_at_idx on red_packets (merchant_id, created_at, id);
create index red_packets_due_at_idx on red_packets (due_at) where state in ('created', 'sending', 'sent', 'unknown');

create table red_packet_entries (
    merchant_id uuid not null,
    packet_id uuid not null,
    kind text not null,
    amount_minor bigint not null,
    occurred_at timestamptz not null,
    constraint red_packet_entries_pkey primary key (merchant_id, packet_id, kind),
    constraint red_packet_entries_packet_id_fkey foreign key (merchant_id, packet_id)
        references red_packets (merchant_id, id),
    constraint red_packet_entries_kind_check check (kind in ('sent', 'returned')),
    constraint red_packet_entries_amount_minor_check check (amount_minor > 0)
);

comment on table red_packet_entries is 'money that left and came back, each once: never changed, never deleted';
comment on column red_packet_entries.merchant_id is 'the tenant';
comment on column red_packet_entries.packet_id is 'the packet';
comment on column red_packet_entries.kind is 'sent, or returned';
comment on column red_packet_entries.amount_minor is 'how much';
comment on column red_packet_entries.occurred_at is 'when';

select siyu_tenant_table('red_packet_policies');
select siyu_tenant_table('red_packet_budgets');
select siyu_tenant_table('red_packet_counts');
select siyu_tenant_table('red_packets');
select siyu_tenant_table('red_packet_entries');
