-- Nullable: servers of the version before go on writing while this is rolled out, and a promotion that was saved before is read
-- with those that have no SKU until it is saved again.
alter table promotions add column line_sku text;

comment on column promotions.line_sku is 'the SKU whose price it is; null: it is no price of one SKU, or was saved before this was kept';

drop index promotions_valid_to_idx;
create index promotions_valid_to_idx on promotions (merchant_id, valid_to) where line_sku is null;
create index promotions_line_sku_idx on promotions (merchant_id, line_sku, valid_to) where line_sku is not null;
