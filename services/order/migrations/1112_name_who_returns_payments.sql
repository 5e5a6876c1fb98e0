alter table payment_refunds add column actor text not null default '';

comment on column payment_refunds.actor is 'the credential that asked for it; empty: an order''s refund did, or it goes back by itself';
