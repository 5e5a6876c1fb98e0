create table point_policies (
    merchant_id uuid not null,
    version integer not null,
    effective_at timestamptz not null,
    policy bytea not null,
    created_at timestamptz not null,
    constraint point_policies_pkey primary key (merchant_id, version),
    constraint point_policies_version_check check (version > 0)
);

comment on table point_policies is 'the rules by which a merchant gives points, version by version';
comment on column point_policies.merchant_id is 'the tenant';
comment on column point_policies.version is 'the version, from 1';
comment on column point_policies.effective_at is 'from when on it is in force';
comment on column point_policies.policy is 'an encoded siyu.member.v1.PointsPolicy: read whole, never searched';
comment on column point_policies.created_at is 'when it was set';

create table point_notes (
    merchant_id uuid not null,
    transfer_id uuid not null,
    action text not null,
    reason text not null,
    constraint point_notes_pkey primary key (merchant_id, transfer_id)
);

comment on table point_notes is 'what somebody said about a transfer of the ledger, where something was said';
comment on column point_notes.merchant_id is 'the tenant';
comment on column point_notes.transfer_id is 'the transfer';
comment on column point_notes.action is 'what the points were for; may be empty';
comment on column point_notes.reason is 'why, in words; may be empty';

create table point_days (
    merchant_id uuid not null,
    person_id uuid not null,
    day date not null,
    action text not null,
    points bigint not null,
    constraint point_days_pkey primary key (merchant_id, person_id, day, action),
    constraint point_days_points_check check (points > 0)
);

comment on table point_days is 'what limited actions gave a person on one day';
comment on column point_days.merchant_id is 'the tenant';
comment on column point_days.person_id is 'the person';
comment on column point_days.day is 'the day, in the merchant''s zone';
comment on column point_days.action is 'the action';
comment on column point_days.points is 'the points that it gave on that day';

alter table order_earnings add column available_at timestamptz;
comment on column order_earnings.available_at is
    'from when on its points can be spent; null while they wait for the completion of the order';

select siyu_tenant_table('point_policies');
select siyu_tenant_table('point_notes');
select siyu_tenant_table('point_days');
