create table stages (
    merchant_id uuid not null,
    person_id uuid not null,
    stage smallint not null,
    entered_at timestamptz not null,
    implied boolean not null,
    recorded_at timestamptz not null,
    constraint stages_pkey primary key (merchant_id, person_id, stage),
    constraint stages_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint stages_stage_check check (stage between 2 and 6)
);

comment on table stages is 'which stages of the journey persons came to, and when first; everybody is a consumer, without a row';
comment on column stages.merchant_id is 'the tenant';
comment on column stages.person_id is 'the person';
comment on column stages.stage is '2 connected, 3 member, 4 repeat, 5 advocate, 6 partner';
comment on column stages.entered_at is 'when the person came there first';
comment on column stages.implied is 'whether only a later stage says so';
comment on column stages.recorded_at is 'when it was recorded here';

create table person_stages (
    merchant_id uuid not null,
    person_id uuid not null,
    stage smallint not null,
    constraint person_stages_pkey primary key (merchant_id, person_id),
    constraint person_stages_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint person_stages_stage_check check (stage between 2 and 6)
);

comment on table person_stages is 'the highest stage of each person beyond consumer, kept to be counted';
comment on column person_stages.merchant_id is 'the tenant';
comment on column person_stages.person_id is 'the person';
comment on column person_stages.stage is 'the stage';

create index person_stages_stage_idx on person_stages (merchant_id, stage, person_id);

create table referrals (
    merchant_id uuid not null,
    person_id uuid not null,
    referrer_id uuid not null,
    bound_at timestamptz not null,
    constraint referrals_pkey primary key (merchant_id, person_id, referrer_id)
);

comment on table referrals is 'who brought whom, as the distribution service tells it; ids as told, aliases too';
comment on column referrals.merchant_id is 'the tenant';
comment on column referrals.person_id is 'the customer';
comment on column referrals.referrer_id is 'the promoter''s person';
comment on column referrals.bound_at is 'since when, first';

create index referrals_referrer_id_idx on referrals (merchant_id, referrer_id);

create table promoters (
    merchant_id uuid not null,
    promoter_id uuid not null,
    person_id uuid,
    approved_at timestamptz,
    first_sale_at timestamptz,
    constraint promoters_pkey primary key (merchant_id, promoter_id)
);

comment on table promoters is 'who may promote and sold something, as the distribution service tells it';
comment on column promoters.merchant_id is 'the tenant';
comment on column promoters.promoter_id is 'the promoter, of the distribution service';
comment on column promoters.person_id is 'the promoter''s person; null: not told yet';
comment on column promoters.approved_at is 'since when; null: not told yet';
comment on column promoters.first_sale_at is 'when the first order that earned commission was paid; null: none';

create index promoters_person_id_idx on promoters (merchant_id, person_id);

select siyu_tenant_table('stages');
select siyu_tenant_table('person_stages');
select siyu_tenant_table('referrals');
select siyu_tenant_table('promoters');
