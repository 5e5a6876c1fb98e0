create table value_adjustments (
    merchant_id uuid not null,
    id uuid not null,
    card_id uuid not null,
    principal_minor bigint not null,
    bonus_minor bigint not null,
    reason text not null,
    adjusted_by text not null,
    created_at timestamptz not null,
    constraint value_adjustments_pkey primary key (merchant_id, id),
    constraint value_adjustments_card_id_fkey foreign key (merchant_id, card_id) references value_cards (merchant_id, id)
);

comment on table value_adjustments is 'corrections of cards by hand; the entry with the change names one';
comment on column value_adjustments.merchant_id is 'the tenant';
comment on column value_adjustments.id is 'the correction';
comment on column value_adjustments.card_id is 'the card';
comment on column value_adjustments.principal_minor is 'what the principal changed by';
comment on column value_adjustments.bonus_minor is 'what the bonus changed by';
comment on column value_adjustments.reason is 'why; empty once the holder was erased';
comment on column value_adjustments.adjusted_by is 'who did it';
comment on column value_adjustments.created_at is 'when';

create index value_adjustments_card_id_idx on value_adjustments (merchant_id, card_id, id);

alter table value_entries
    drop constraint value_entries_kind_check,
    add constraint value_entries_kind_check check (kind in ('recharge', 'recharge_refund', 'pay', 'refund', 'redeem',
        'bonus_expired', 'transfer_out', 'transfer_in', 'adjust'));

select siyu_tenant_table('value_adjustments');
