alter table refunds add column rewards bytea;

comment on column refunds.rewards is
    'an encoded siyu.order.v1.RefundPlan that holds rewards only: what was done with them; null: as planned';
