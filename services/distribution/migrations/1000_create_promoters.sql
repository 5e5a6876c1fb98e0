create table promoters (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    inviter_promoter_id uuid,
    created_at timestamptz not null,
    constraint promoters_pkey primary key (merchant_id, id),
    constraint promoters_person_id_key unique (merchant_id, person_id),
    constraint promoters_inviter_promoter_id_fkey
        foreign key (merchant_id, inviter_promoter_id) references promoters (merchant_id, id),
    constraint promoters_inviter_promoter_id_check check (inviter_promoter_id <> id)
);

comment on table promoters is 'people who bring customers';
comment on column promoters.merchant_id is 'the tenant';
comment on column promoters.id is 'the promoter';
comment on column promoters.person_id is 'the person, of the member service';
comment on column promoters.inviter_promoter_id is 'who invited; never changes, so that no cycle can come about';
comment on column promoters.created_at is 'since when';

create table bindings (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    promoter_id uuid not null,
    bound_at timestamptz not null,
    protect_until timestamptz not null,
    expires_at timestamptz,
    ended_at timestamptz,
    source text not null,
    created_at timestamptz not null,
    constraint bindings_pkey primary key (merchant_id, id),
    constraint bindings_promoter_id_fkey foreign key (merchant_id, promoter_id) references promoters (merchant_id, id)
);

comment on table bindings is 'which promoter a customer belonged to, over time';
comment on column bindings.merchant_id is 'the tenant';
comment on column bindings.id is 'the binding';
comment on column bindings.person_id is 'the customer';
comment on column bindings.promoter_id is 'the promoter';
comment on column bindings.bound_at is 'since when it is in force';
comment on column bindings.protect_until is 'until when no other promoter can take the customer, exclusive';
comment on column bindings.expires_at is 'when it ends by itself, exclusive; null: never';
comment on column bindings.ended_at is 'when another one took its place, exclusive; null: none has';
comment on column bindings.source is 'where it came from';
comment on column bindings.created_at is 'when it was stored here';

create unique index bindings_open_person_id_key on bindings (merchant_id, person_id) where ended_at is null;
create index bindings_person_id_idx on bindings (merchant_id, person_id, bound_at);
create index bindings_promoter_id_idx on bindings (merchant_id, promoter_id, bound_at, id);

select siyu_tenant_table('promoters');
select siyu_tenant_table('bindings');
