create table ledger_holds (
    merchant_id uuid not null,
    pending_id uuid not null,
    state text not null,
    expires_at timestamptz,
    ended_by_id uuid,
    constraint ledger_holds_pkey primary key (merchant_id, pending_id),
    constraint ledger_holds_state_check check (state in ('open', 'posted', 'voided', 'expired')),
    constraint ledger_holds_ended_by_id_check check ((state = 'open') = (ended_by_id is null))
) with (
    fillfactor = 70,
    autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = 2000, autovacuum_analyze_threshold = 2000
);

-- For the expiry job, which asks across merchants.
create index ledger_holds_expires_at_idx on ledger_holds (expires_at, merchant_id, pending_id)
    where state = 'open' and expires_at is not null;

comment on table ledger_holds is 'how each pending transfer stands: open, then posted, voided or expired for ever';
comment on column ledger_holds.merchant_id is 'whose ledger';
comment on column ledger_holds.pending_id is 'the pending transfer';
comment on column ledger_holds.state is 'open, posted, voided or expired';
comment on column ledger_holds.expires_at is 'from when on it can only expire';
comment on column ledger_holds.ended_by_id is 'the transfer that ended it';

select siyu_tenant_table('ledger_holds');
revoke update, delete on ledger_holds from siyu_app, siyu_job;
grant update (state, ended_by_id) on ledger_holds to siyu_app, siyu_job;
