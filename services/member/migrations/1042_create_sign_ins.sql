create table sign_in_policies (
    merchant_id uuid not null,
    policy bytea not null,
    updated_at timestamptz not null,
    constraint sign_in_policies_pkey primary key (merchant_id)
);

comment on table sign_in_policies is 'what signing in brings';
comment on column sign_in_policies.merchant_id is 'the tenant';
comment on column sign_in_policies.policy is 'an encoded siyu.member.v1.SignInPolicy: read whole, never searched';
comment on column sign_in_policies.updated_at is 'when it was set';

create table sign_ins (
    merchant_id uuid not null,
    person_id uuid not null,
    day date not null,
    streak integer not null,
    points bigint not null,
    signed_at timestamptz not null,
    origin_person_id uuid,
    constraint sign_ins_pkey primary key (merchant_id, person_id, day),
    constraint sign_ins_streak_check check (streak >= 1),
    constraint sign_ins_points_check check (points >= 0)
);

comment on table sign_ins is 'the days on which persons signed in';
comment on column sign_ins.merchant_id is 'the tenant';
comment on column sign_ins.person_id is 'the person';
comment on column sign_ins.day is 'the day, in the merchant''s zone';
comment on column sign_ins.streak is 'which day of the streak it was, from 1';
comment on column sign_ins.points is 'the points that it brought';
comment on column sign_ins.signed_at is 'when';
comment on column sign_ins.origin_person_id is 'who signed in before a merge; null: nobody else';

select siyu_tenant_table('sign_in_policies');
select siyu_tenant_table('sign_ins');
