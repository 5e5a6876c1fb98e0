alter table order_earnings
    add column multiplier_bp bigint not null default 10000,
    add constraint order_earnings_multiplier_bp_check check (multiplier_bp >= 10000);

comment on column order_earnings.multiplier_bp is
    'by what its points are multiplied, in basis points: what the buyer was entitled to when it was paid';
