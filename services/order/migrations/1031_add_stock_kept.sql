alter table skus add column stock_kept boolean not null default true;

comment on column skus.stock_kept is 'whether pieces are counted; a service or a virtual good has none';
