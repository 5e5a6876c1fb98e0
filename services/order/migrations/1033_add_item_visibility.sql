alter table items
    add column for_stores text[] not null default '{}',
    add column for_regions uuid[] not null default '{}',
    add column for_tiers integer[] not null default '{}',
    add column for_channels text[] not null default '{}',
    add column visible_from timestamptz,
    add column visible_to timestamptz,
    add constraint items_visible_to_check check (visible_to > visible_from);

comment on column items.for_stores is 'the stores that show it, by code; empty: wherever';
comment on column items.for_regions is 'the regions that show it, with the smaller ones in them; empty: wherever';
comment on column items.for_tiers is 'the tiers that see it; empty: whoever looks';
comment on column items.for_channels is 'the channels that show it; empty: by whatever';
comment on column items.visible_from is 'from when on it is shown; null: ever since';
comment on column items.visible_to is 'until when, exclusive; null: without an end';
