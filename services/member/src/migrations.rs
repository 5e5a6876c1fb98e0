//! The schema, one change after the other.

use siyu_pg::Migration;

/// The schema on top of the libraries'.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1000,
        name: "create_organisation",
        sql: include_str!("../migrations/1000_create_organisation.sql"),
    },
    Migration {
        version: 1001,
        name: "create_persons",
        sql: include_str!("../migrations/1001_create_persons.sql"),
    },
    Migration {
        version: 1002,
        name: "create_order_earnings",
        sql: include_str!("../migrations/1002_create_order_earnings.sql"),
    },
    Migration {
        version: 1010,
        name: "add_person_aliases",
        sql: include_str!("../migrations/1010_add_person_aliases.sql"),
    },
    Migration {
        version: 1011,
        name: "create_merge_reviews",
        sql: include_str!("../migrations/1011_create_merge_reviews.sql"),
    },
    Migration {
        version: 1020,
        name: "create_vault_keys",
        sql: include_str!("../migrations/1020_create_vault_keys.sql"),
    },
    Migration {
        version: 1021,
        name: "create_identity_addresses",
        sql: include_str!("../migrations/1021_create_identity_addresses.sql"),
    },
    Migration {
        version: 1022,
        name: "create_profiles",
        sql: include_str!("../migrations/1022_create_profiles.sql"),
    },
    Migration {
        version: 1023,
        name: "create_consents",
        sql: include_str!("../migrations/1023_create_consents.sql"),
    },
    Migration {
        version: 1024,
        name: "create_blacklist_entries",
        sql: include_str!("../migrations/1024_create_blacklist_entries.sql"),
    },
    Migration {
        version: 1025,
        name: "create_reveals",
        sql: include_str!("../migrations/1025_create_reveals.sql"),
    },
    Migration {
        version: 1030,
        name: "create_purchases",
        sql: include_str!("../migrations/1030_create_purchases.sql"),
    },
    Migration {
        version: 1031,
        name: "create_tags",
        sql: include_str!("../migrations/1031_create_tags.sql"),
    },
    Migration {
        version: 1032,
        name: "create_attributes",
        sql: include_str!("../migrations/1032_create_attributes.sql"),
    },
    Migration {
        version: 1033,
        name: "create_audiences",
        sql: include_str!("../migrations/1033_create_audiences.sql"),
    },
    Migration {
        version: 1040,
        name: "create_points",
        sql: include_str!("../migrations/1040_create_points.sql"),
    },
    Migration {
        version: 1041,
        name: "create_tiers",
        sql: include_str!("../migrations/1041_create_tiers.sql"),
    },
    Migration {
        version: 1042,
        name: "create_sign_ins",
        sql: include_str!("../migrations/1042_create_sign_ins.sql"),
    },
    Migration {
        version: 1043,
        name: "create_cards",
        sql: include_str!("../migrations/1043_create_cards.sql"),
    },
    Migration {
        version: 1050,
        name: "create_value_cards",
        sql: include_str!("../migrations/1050_create_value_cards.sql"),
    },
    Migration {
        version: 1051,
        name: "create_recharges",
        sql: include_str!("../migrations/1051_create_recharges.sql"),
    },
    Migration {
        version: 1052,
        name: "create_value_payments",
        sql: include_str!("../migrations/1052_create_value_payments.sql"),
    },
    Migration {
        version: 1053,
        name: "create_redemptions",
        sql: include_str!("../migrations/1053_create_redemptions.sql"),
    },
    Migration {
        version: 1060,
        name: "extend_organisation",
        sql: include_str!("../migrations/1060_extend_organisation.sql"),
    },
    Migration {
        version: 1061,
        name: "create_owners",
        sql: include_str!("../migrations/1061_create_owners.sql"),
    },
    Migration {
        version: 1062,
        name: "extend_connections",
        sql: include_str!("../migrations/1062_extend_connections.sql"),
    },
    Migration {
        version: 1063,
        name: "create_stages",
        sql: include_str!("../migrations/1063_create_stages.sql"),
    },
    Migration {
        version: 1064,
        name: "create_relations",
        sql: include_str!("../migrations/1064_create_relations.sql"),
    },
    Migration {
        version: 1070,
        name: "index_traces",
        sql: include_str!("../migrations/1070_index_traces.sql"),
    },
    Migration {
        version: 1071,
        name: "create_person_traits",
        sql: include_str!("../migrations/1071_create_person_traits.sql"),
    },
    Migration {
        version: 1072,
        name: "add_multipliers",
        sql: include_str!("../migrations/1072_add_multipliers.sql"),
    },
    Migration {
        version: 1073,
        name: "create_value_adjustments",
        sql: include_str!("../migrations/1073_create_value_adjustments.sql"),
    },
    Migration {
        version: 1074,
        name: "create_tag_marks",
        sql: include_str!("../migrations/1074_create_tag_marks.sql"),
    },
    Migration {
        version: 1103,
        name: "create_order_disputes",
        sql: include_str!("../migrations/1103_create_order_disputes.sql"),
    },
    Migration {
        version: 1104,
        name: "sort_persons",
        sql: include_str!("../migrations/1104_sort_persons.sql"),
    },
    Migration {
        version: 1114,
        name: "create_issuer_closings",
        sql: include_str!("../migrations/1114_create_issuer_closings.sql"),
    },
    Migration {
        version: 1120,
        name: "place_stores",
        sql: include_str!("../migrations/1120_place_stores.sql"),
    },
];
