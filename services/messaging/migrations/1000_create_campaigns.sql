create table campaigns (
    merchant_id uuid not null,
    id uuid not null,
    name text not null,
    channel text not null,
    text text not null,
    growth_min bigint not null,
    person_ids uuid[] not null,
    state text not null,
    pending boolean not null,
    created_at timestamptz not null,
    started_at timestamptz,
    audience_cursor text,
    prepare_attempt integer not null default 0,
    prepare_lease_until timestamptz,
    dispatched_at timestamptz,
    constraint campaigns_pkey primary key (merchant_id, id),
    constraint campaigns_state_check check (state in ('draft', 'preparing', 'running', 'done', 'cancelled')),
    constraint campaigns_started_at_check check (state in ('draft', 'cancelled') or started_at is not null),
    constraint campaigns_pending_check check (
        case when state in ('preparing', 'running') then pending
            when state in ('draft', 'done') then not pending
            else true
        end),
    constraint campaigns_growth_min_check check (growth_min >= 0)
);

comment on table campaigns is 'messages to audiences';
comment on column campaigns.merchant_id is 'the tenant';
comment on column campaigns.id is 'the campaign';
comment on column campaigns.name is 'for the merchant';
comment on column campaigns.channel is 'how it is sent';
comment on column campaigns.text is 'what is sent';
comment on column campaigns.growth_min is 'only persons with at least this growth';
comment on column campaigns.person_ids is 'only these persons; empty: everyone';
comment on column campaigns.state is 'where it is in its life';
comment on column campaigns.pending is 'messages of it may be queued: the jobs look here';
comment on column campaigns.created_at is 'when it was drafted';
comment on column campaigns.started_at is 'when it was started';
comment on column campaigns.audience_cursor is 'where the next page of the audience begins; null: at its start';
comment on column campaigns.prepare_attempt is 'how many pages of the audience were begun; fences a worker that is late';
comment on column campaigns.prepare_lease_until is 'until when a worker is at a page; null: none is';
comment on column campaigns.dispatched_at is 'when messages were taken last: campaigns take turns';

create index campaigns_preparing_idx on campaigns (prepare_attempt, started_at) where state = 'preparing';
create index campaigns_pending_idx on campaigns (dispatched_at nulls first, id) where pending;

select siyu_tenant_table('campaigns');
