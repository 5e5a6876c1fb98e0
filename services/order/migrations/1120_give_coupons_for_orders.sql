alter table coupons add column given_order_id uuid;
alter table coupons add constraint coupons_given_order_id_fkey foreign key (merchant_id, given_order_id)
    references orders (merchant_id, id);

comment on column coupons.given_order_id is 'the order that it was given for; null without one';

create index coupons_given_order_id_idx on coupons (merchant_id, given_order_id, id) where given_order_id is not null;
