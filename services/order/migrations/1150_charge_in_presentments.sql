alter table order_presentments
    add column charge_minor bigint,
    add constraint order_presentments_charge_minor_check check (charge_minor >= 0);

comment on table order_presentments is 'orders in the currencies that their buyers see and are charged in: the snapshot that refunds use, never changed';
comment on column order_presentments.charge_minor is 'what is charged for the part that is paid in cash; null: placed when that was charged in the merchant''s currency';

alter table payment_claims
    add column charge_minor bigint,
    add column charge_currency text,
    add constraint payment_claims_charge_minor_check check (charge_minor > 0),
    add constraint payment_claims_charge_currency_check check (
        (charge_minor is null) = (charge_currency is null) and (charge_currency is null or charge_currency <> currency)
    );

comment on column payment_claims.cash_minor is 'what is to be paid, in minor units: what the books hold';
comment on column payment_claims.charge_minor is 'what the buyer is charged for it, in minor units of charge_currency; null: as cash_minor';
comment on column payment_claims.charge_currency is 'the currency that the buyer is charged in, ISO 4217; null: as currency';
