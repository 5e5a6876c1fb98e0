alter table red_packets drop constraint red_packets_state_check;
alter table red_packets add constraint red_packets_state_check
    check (state in ('created', 'sending', 'sent', 'received', 'refunded', 'failed', 'unknown', 'stopped'));

create index red_packets_order_id_idx on red_packets (merchant_id, order_id, id) where order_id is not null;
