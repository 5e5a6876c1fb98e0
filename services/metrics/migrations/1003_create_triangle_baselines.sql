create table triangle_baselines (
    merchant_id uuid not null,
    version integer not null,
    day integer not null,
    pillars bytea not null,
    definition_version text not null,
    taken_at timestamptz not null,
    constraint triangle_baselines_pkey primary key (merchant_id, version),
    constraint triangle_baselines_version_check check (version >= 1)
);

comment on table triangle_baselines is 'what the triangle is compared with: frozen; the highest version counts';
comment on column triangle_baselines.merchant_id is 'the tenant';
comment on column triangle_baselines.version is 'counts the baselines of the merchant, from 1';
comment on column triangle_baselines.day is 'the last local day that it looks at, counted from 1970-01-01';
comment on column triangle_baselines.pillars is 'an encoded siyu.metrics.v1.Pillars';
comment on column triangle_baselines.definition_version is 'the definitions that it was computed by';
comment on column triangle_baselines.taken_at is 'when it was frozen';

select siyu_tenant_table('triangle_baselines');
