create table locations (
    merchant_id uuid not null,
    code text not null,
    name text not null,
    kind text not null,
    store_code text not null,
    store_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint locations_pkey primary key (merchant_id, code),
    constraint locations_store_id_key unique (merchant_id, store_id),
    constraint locations_kind_check check (kind in ('store', 'warehouse')),
    constraint locations_store_check check ((store_id is null) = (store_code = '') and (kind = 'store' or store_id is null))
);

comment on table locations is 'where pieces lie';
comment on column locations.merchant_id is 'the tenant';
comment on column locations.code is 'the merchant''s own key';
comment on column locations.name is 'the name';
comment on column locations.kind is 'a store or a warehouse';
comment on column locations.store_code is 'the merchant''s own key of the store; empty without one';
comment on column locations.store_id is 'the store, of the member service';
comment on column locations.created_at is 'when it was created here';
comment on column locations.updated_at is 'when it was last changed here';

-- A row may be changed some thousand times in a flash sale: there is room for its next version on its own page, and no index
-- holds what changes.
create table stocks (
    merchant_id uuid not null,
    sku text not null,
    location text not null,
    on_hand bigint not null,
    reserved bigint not null,
    safety bigint not null,
    buckets jsonb not null,
    updated_at timestamptz not null,
    constraint stocks_pkey primary key (merchant_id, sku, location),
    constraint stocks_location_fkey foreign key (merchant_id, location) references locations (merchant_id, code),
    constraint stocks_on_hand_check check (on_hand >= 0),
    constraint stocks_reserved_check check (reserved >= 0),
    constraint stocks_safety_check check (safety >= 0)
) with (fillfactor = 70);

comment on table stocks is 'how many pieces of a SKU there are at a location';
comment on column stocks.merchant_id is 'the tenant';
comment on column stocks.sku is 'the SKU';
comment on column stocks.location is 'the location';
comment on column stocks.on_hand is 'pieces that lie there: the sum of the movements';
comment on column stocks.reserved is 'pieces of them that orders wait for: the sum of what reservations hold';
comment on column stocks.safety is 'pieces that are not sold';
comment on column stocks.buckets is 'pieces that are set aside and not reserved yet, by channel: {"live": 30}';
comment on column stocks.updated_at is 'when it was last changed';

create index stocks_location_idx on stocks (merchant_id, location, sku);

create table stock_movements (
    merchant_id uuid not null,
    id uuid not null,
    sku text not null,
    location text not null,
    cause text not null,
    on_hand_delta bigint not null,
    reserved_delta bigint not null,
    on_hand bigint not null,
    reserved bigint not null,
    order_id uuid,
    line_no integer,
    document_no text not null,
    row_no integer,
    note text not null,
    created_at timestamptz not null,
    constraint stock_movements_pkey primary key (merchant_id, id),
    constraint stock_movements_cause_check check (cause in ('received', 'adjusted', 'counted', 'reserved', 'released',
        'committed', 'returned', 'transferred_out', 'transferred_in')),
    constraint stock_movements_on_hand_check check (on_hand >= 0),
    constraint stock_movements_reserved_check check (reserved >= 0),
    constraint stock_movements_order_id_check check ((order_id is null) = (line_no is null)),
    constraint stock_movements_row_no_check check (row_no is null or document_no <> '')
);

comment on table stock_movements is 'why stock is as it is; a row is never changed';
comment on column stock_movements.merchant_id is 'the tenant';
comment on column stock_movements.id is 'the movement; later ones sort after';
comment on column stock_movements.sku is 'the SKU';
comment on column stock_movements.location is 'the location';
comment on column stock_movements.cause is 'why';
comment on column stock_movements.on_hand_delta is 'pieces that came or, below zero, went';
comment on column stock_movements.reserved_delta is 'pieces that were reserved or, below zero, are no longer';
comment on column stock_movements.on_hand is 'pieces at the location after it';
comment on column stock_movements.reserved is 'reserved pieces after it';
comment on column stock_movements.order_id is 'the order that it is for';
comment on column stock_movements.line_no is 'the line of the order';
comment on column stock_movements.document_no is 'the document that it comes from; may be empty';
comment on column stock_movements.row_no is 'the row of a document that was imported';
comment on column stock_movements.note is 'what is said besides; may be empty';
comment on column stock_movements.created_at is 'when';

create index stock_movements_sku_idx on stock_movements (merchant_id, sku, location, id);
create index stock_movements_location_idx on stock_movements (merchant_id, location, id);
create index stock_movements_order_id_idx on stock_movements (merchant_id, order_id, id) where order_id is not null;
create index stock_movements_document_no_idx on stock_movements (merchant_id, document_no, id) where document_no <> '';
create unique index stock_movements_row_no_key on stock_movements (merchant_id, document_no, row_no)
    where row_no is not null;

create table stock_reservations (
    merchant_id uuid not null,
    order_id uuid not null,
    line_no integer not null,
    sku text not null,
    location text not null,
    channel text not null,
    quantity bigint not null,
    held bigint not null,
    from_bucket bigint not null,
    committed bigint not null,
    returned bigint not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint stock_reservations_pkey primary key (merchant_id, order_id, line_no, sku, location, channel),
    constraint stock_reservations_held_check check (held >= 0 and held + committed <= quantity),
    constraint stock_reservations_from_bucket_check check (from_bucket between 0 and held),
    constraint stock_reservations_returned_check check (returned between 0 and committed)
);

comment on table stock_reservations is 'pieces that orders wait for, took or gave back';
comment on column stock_reservations.merchant_id is 'the tenant';
comment on column stock_reservations.order_id is 'the order';
comment on column stock_reservations.line_no is 'its line';
comment on column stock_reservations.sku is 'the SKU';
comment on column stock_reservations.location is 'the location';
comment on column stock_reservations.channel is 'the channel that it was sold by; may be empty';
comment on column stock_reservations.quantity is 'pieces that were ever reserved';
comment on column stock_reservations.held is 'pieces of them that are reserved now';
comment on column stock_reservations.from_bucket is 'pieces of those held that were set aside for the channel';
comment on column stock_reservations.committed is 'pieces that were handed over';
comment on column stock_reservations.returned is 'pieces of those handed over that came back';
comment on column stock_reservations.expires_at is 'until when the pieces are held; null: as long as the order wants them';
comment on column stock_reservations.created_at is 'when it was made';
comment on column stock_reservations.updated_at is 'when it was last changed';

create index stock_reservations_sku_idx on stock_reservations (merchant_id, sku, location, order_id);
create index stock_reservations_expires_at_idx on stock_reservations (expires_at, merchant_id, order_id) where held > 0;

select siyu_tenant_table('locations');
select siyu_tenant_table('stocks');
select siyu_tenant_table('stock_movements');
select siyu_tenant_table('stock_reservations');
