//! The table of fields in the README is that of the catalogue.

use std::fmt::Write as _;

use siyu_member::filter::catalogue::{FIELDS, Field};
use siyu_proto::member::v1::{FieldType, Operator};

const README: &str = include_str!("../../README.md");

fn row(field: &Field) -> String {
    let argument = if field.argument.is_empty() { "" } else { ":…" };
    let of = if field.argument.is_empty() {
        String::new()
    } else {
        format!("; after the colon: {}", field.argument)
    };
    let kind = match field.field_type() {
        FieldType::Unspecified => panic!("{} has no type", field.name),
        FieldType::Number => "number",
        FieldType::Amount => "amount",
        FieldType::Time => "time",
        FieldType::Day => "day",
        FieldType::Choice => "choice",
        FieldType::Text => "text",
        FieldType::Id => "id",
        FieldType::Flag => "flag",
        FieldType::Attribute => "as the attribute",
    };
    let operators: Vec<String> = field.operators().iter().map(|operator| word(*operator)).collect();
    let window = if field.windowed { "yes" } else { "" };
    let operators = operators.join(", ");
    format!(
        "| `{}{argument}` | {kind} | {operators} | {window} | {}{of} |\n",
        field.name, field.doc
    )
}

fn word(operator: Operator) -> String {
    operator.as_str_name().trim_start_matches("OPERATOR_").to_lowercase().replace('_', " ")
}

#[test]
fn the_readme_names_every_field_as_the_catalogue_does() {
    let mut table = String::from(
        "| field | values | operators | window | what it is |\n| --- | --- | --- | --- | --- |\n",
    );
    for field in FIELDS {
        let _ = write!(table, "{}", row(field));
    }
    assert!(README.contains(&table), "the table should be\n{table}");
}
