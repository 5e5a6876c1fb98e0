//! The schema on top of the libraries', by number.

use siyu_pg::Migration;

/// Every migration of the service.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1000,
        name: "create_orders",
        sql: include_str!("../migrations/1000_create_orders.sql"),
    },
    Migration {
        version: 1001,
        name: "create_import",
        sql: include_str!("../migrations/1001_create_import.sql"),
    },
    Migration {
        version: 1002,
        name: "add_paid_version",
        sql: include_str!("../migrations/1002_add_paid_version.sql"),
    },
    Migration {
        version: 1003,
        name: "create_buyer_aliases",
        sql: include_str!("../migrations/1003_create_buyer_aliases.sql"),
    },
    Migration {
        version: 1010,
        name: "create_catalogue",
        sql: include_str!("../migrations/1010_create_catalogue.sql"),
    },
    Migration {
        version: 1011,
        name: "create_coupons",
        sql: include_str!("../migrations/1011_create_coupons.sql"),
    },
    Migration {
        version: 1020,
        name: "create_checkouts",
        sql: include_str!("../migrations/1020_create_checkouts.sql"),
    },
    Migration {
        version: 1030,
        name: "create_stock",
        sql: include_str!("../migrations/1030_create_stock.sql"),
    },
    Migration {
        version: 1031,
        name: "add_stock_kept",
        sql: include_str!("../migrations/1031_add_stock_kept.sql"),
    },
    Migration {
        version: 1032,
        name: "create_price_lists",
        sql: include_str!("../migrations/1032_create_price_lists.sql"),
    },
    Migration {
        version: 1033,
        name: "add_item_visibility",
        sql: include_str!("../migrations/1033_add_item_visibility.sql"),
    },
    Migration {
        version: 1040,
        name: "create_vault_keys",
        sql: include_str!("../migrations/1040_create_vault_keys.sql"),
    },
    Migration {
        version: 1041,
        name: "create_payments",
        sql: include_str!("../migrations/1041_create_payments.sql"),
    },
    Migration {
        version: 1042,
        name: "create_sandbox",
        sql: include_str!("../migrations/1042_create_sandbox.sql"),
    },
    Migration {
        version: 1043,
        name: "create_reconciliation",
        sql: include_str!("../migrations/1043_create_reconciliation.sql"),
    },
    Migration {
        version: 1050,
        name: "create_guarantees",
        sql: include_str!("../migrations/1050_create_guarantees.sql"),
    },
    Migration {
        version: 1060,
        name: "create_fulfilment",
        sql: include_str!("../migrations/1060_create_fulfilment.sql"),
    },
    Migration {
        version: 1070,
        name: "follow_coupons",
        sql: include_str!("../migrations/1070_follow_coupons.sql"),
    },
    Migration {
        version: 1071,
        name: "create_groups",
        sql: include_str!("../migrations/1071_create_groups.sql"),
    },
    Migration {
        version: 1072,
        name: "create_bargains",
        sql: include_str!("../migrations/1072_create_bargains.sql"),
    },
    Migration {
        version: 1073,
        name: "create_blind_boxes",
        sql: include_str!("../migrations/1073_create_blind_boxes.sql"),
    },
    Migration {
        version: 1074,
        name: "create_attributions",
        sql: include_str!("../migrations/1074_create_attributions.sql"),
    },
    Migration {
        version: 1075,
        name: "create_fx",
        sql: include_str!("../migrations/1075_create_fx.sql"),
    },
    Migration {
        version: 1076,
        name: "create_red_packets",
        sql: include_str!("../migrations/1076_create_red_packets.sql"),
    },
    Migration {
        version: 1080,
        name: "add_quarantine_buyers",
        sql: include_str!("../migrations/1080_add_quarantine_buyers.sql"),
    },
    Migration {
        version: 1090,
        name: "create_refunds",
        sql: include_str!("../migrations/1090_create_refunds.sql"),
    },
    Migration {
        version: 1091,
        name: "route_orders",
        sql: include_str!("../migrations/1091_route_orders.sql"),
    },
    Migration {
        version: 1092,
        name: "record_payments",
        sql: include_str!("../migrations/1092_record_payments.sql"),
    },
    Migration {
        version: 1093,
        name: "create_invoices",
        sql: include_str!("../migrations/1093_create_invoices.sql"),
    },
    Migration {
        version: 1100,
        name: "put_seats_off",
        sql: include_str!("../migrations/1100_put_seats_off.sql"),
    },
    Migration {
        version: 1101,
        name: "find_line_prices",
        sql: include_str!("../migrations/1101_find_line_prices.sql"),
    },
    Migration {
        version: 1110,
        name: "lock_pickup_failures",
        sql: include_str!("../migrations/1110_lock_pickup_failures.sql"),
    },
    Migration {
        version: 1111,
        name: "count_returned_pieces",
        sql: include_str!("../migrations/1111_count_returned_pieces.sql"),
    },
    Migration {
        version: 1112,
        name: "name_who_returns_payments",
        sql: include_str!("../migrations/1112_name_who_returns_payments.sql"),
    },
    Migration {
        version: 1113,
        name: "bound_refused_notifications",
        sql: include_str!("../migrations/1113_bound_refused_notifications.sql"),
    },
    Migration {
        version: 1120,
        name: "give_coupons_for_orders",
        sql: include_str!("../migrations/1120_give_coupons_for_orders.sql"),
    },
    Migration {
        version: 1121,
        name: "stop_red_packets",
        sql: include_str!("../migrations/1121_stop_red_packets.sql"),
    },
    Migration {
        version: 1122,
        name: "keep_refund_rewards",
        sql: include_str!("../migrations/1122_keep_refund_rewards.sql"),
    },
    Migration {
        version: 1130,
        name: "route_by_distance",
        sql: include_str!("../migrations/1130_route_by_distance.sql"),
    },
    Migration {
        version: 1140,
        name: "import_refunds",
        sql: include_str!("../migrations/1140_import_refunds.sql"),
    },
    Migration {
        version: 1141,
        name: "create_parcel_cards",
        sql: include_str!("../migrations/1141_create_parcel_cards.sql"),
    },
    Migration {
        version: 1150,
        name: "charge_in_presentments",
        sql: include_str!("../migrations/1150_charge_in_presentments.sql"),
    },
];
