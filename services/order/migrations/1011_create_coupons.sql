create table coupon_templates (
    merchant_id uuid not null,
    code text not null,
    definition bytea not null,
    claimed bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint coupon_templates_pkey primary key (merchant_id, code),
    constraint coupon_templates_claimed_check check (claimed >= 0)
);

comment on table coupon_templates is 'what coupons are claimed from';
comment on column coupon_templates.merchant_id is 'the tenant';
comment on column coupon_templates.code is 'the merchant''s own key';
comment on column coupon_templates.definition is 'an encoded siyu.order.v1.CouponTemplate: read whole, never searched';
comment on column coupon_templates.claimed is 'how many coupons were claimed: counted in the transaction of each claim';
comment on column coupon_templates.created_at is 'when it was created here';
comment on column coupon_templates.updated_at is 'when it was last changed here';

create table coupon_claims (
    merchant_id uuid not null,
    template_code text not null,
    person_id uuid not null,
    claimed integer not null,
    constraint coupon_claims_pkey primary key (merchant_id, template_code, person_id),
    constraint coupon_claims_template_code_fkey foreign key (merchant_id, template_code)
        references coupon_templates (merchant_id, code),
    constraint coupon_claims_claimed_check check (claimed > 0)
);

comment on table coupon_claims is 'how many coupons of a template each person has claimed';
comment on column coupon_claims.merchant_id is 'the tenant';
comment on column coupon_claims.template_code is 'the template';
comment on column coupon_claims.person_id is 'the person, of the member service';
comment on column coupon_claims.claimed is 'how many';

create table coupons (
    merchant_id uuid not null,
    id uuid not null,
    template_code text not null,
    person_id uuid not null,
    definition bytea not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    created_at timestamptz not null,
    constraint coupons_pkey primary key (merchant_id, id),
    constraint coupons_template_code_fkey foreign key (merchant_id, template_code)
        references coupon_templates (merchant_id, code),
    constraint coupons_valid_to_check check (valid_to > valid_from)
);

comment on table coupons is 'promises to persons';
comment on column coupons.merchant_id is 'the tenant';
comment on column coupons.id is 'the coupon';
comment on column coupons.template_code is 'what it was claimed from';
comment on column coupons.person_id is 'who holds it, of the member service';
comment on column coupons.definition is 'an encoded siyu.order.v1.CouponTemplate: what was promised at the claim';
comment on column coupons.valid_from is 'from when on it can be used';
comment on column coupons.valid_to is 'until when, exclusive';
comment on column coupons.created_at is 'when it was claimed';

create index coupons_person_id_idx on coupons (merchant_id, person_id, valid_to);

select siyu_tenant_table('coupon_templates');
select siyu_tenant_table('coupon_claims');
select siyu_tenant_table('coupons');
