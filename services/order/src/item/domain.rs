//! What an item is. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{Currency, Violation};
use siyu_proto::{order::v1 as proto, r#type::v1::Money};

use crate::{
    condition::{self, Condition, Sale},
    price::Bounds,
};

/// An item: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Item {
    /// The merchant's own key.
    pub code: String,
    /// The name.
    pub name: String,
    /// The categories, the top-level one first.
    pub categories: Vec<String>,
    /// Whether it is not sold at present.
    pub withdrawn: bool,
    /// When it was created here.
    pub created_at: DateTime<Utc>,
    /// When it was last changed here.
    pub updated_at: DateTime<Utc>,
    /// Where, when and to whom it is sold.
    #[sqlx(flatten)]
    pub visibility: Visibility,
    /// Its SKUs, in their order.
    #[sqlx(skip)]
    pub skus: Vec<Sku>,
}

/// Where, when and to whom an item is sold.
#[derive(Debug, Clone, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Visibility {
    /// The sales.
    #[sqlx(flatten)]
    pub condition: Condition,
    /// From when on.
    pub visible_from: Option<DateTime<Utc>>,
    /// Until when, exclusive.
    pub visible_to: Option<DateTime<Utc>>,
}

/// A kind of an item: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Sku {
    /// The merchant's own key.
    pub code: String,
    /// The name beside the item's.
    pub name: String,
    /// The list price of one piece.
    pub price_minor: i64,
    /// Whether pieces are counted.
    pub stock_kept: bool,
}

/// The SKUs that stand under more than one of the items of a request, at each place but the first: a SKU is of one item.
pub fn shared_skus(items: &[proto::Item]) -> Vec<Violation> {
    let (mut first, mut wrong) = (BTreeMap::new(), Vec::new());
    for (i, item) in items.iter().enumerate() {
        for (k, sku) in item.skus.iter().enumerate() {
            let (of, place) = *first.entry(sku.code.as_str()).or_insert((i, k));
            // What stands twice under one item is told of when that is read, and an item that stands twice by its own code.
            if items[of].code != item.code {
                let field = format!("items[{i}].skus[{k}].code");
                let description =
                    format!("\"{}\" stands at items[{of}].skus[{place}] too", sku.code);
                wrong.push(Violation { field, description });
            }
        }
    }
    wrong
}

/// Reads an item, or says what is wrong with it.
pub fn read(
    field: &str,
    item: &proto::Item,
    currency: Currency,
    now: DateTime<Utc>,
) -> Result<Item, Vec<Violation>> {
    let (mut skus, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, sku) in item.skus.iter().enumerate() {
        let field = format!("{field}.skus[{i}]");
        if !seen.insert(&sku.code) {
            let description = format!("\"{}\" stands twice", sku.code);
            wrong.push(Violation { field: format!("{field}.code"), description });
        }
        match price(sku.price.as_ref(), currency) {
            Ok(price_minor) => {
                skus.push(Sku {
                    code: sku.code.clone(),
                    name: sku.name.clone(),
                    price_minor,
                    stock_kept: sku.stock_kept.unwrap_or(true),
                });
            }
            Err(description) => {
                wrong.push(Violation { field: format!("{field}.price"), description });
            }
        }
    }
    if item.categories.iter().any(String::is_empty) {
        let description = "an element is empty".to_owned();
        wrong.push(Violation { field: format!("{field}.categories"), description });
    }
    let visibility = read_visibility(&format!("{field}.visibility"), item.visibility.as_ref())
        .unwrap_or_else(|violations| {
            wrong.extend(violations);
            Visibility::default()
        });
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Item {
        code: item.code.clone(),
        name: item.name.clone(),
        categories: item.categories.clone(),
        withdrawn: item.withdrawn,
        created_at: now,
        updated_at: now,
        visibility,
        skus,
    })
}

fn read_visibility(
    field: &str,
    wire: Option<&proto::Visibility>,
) -> Result<Visibility, Vec<Violation>> {
    let Some(wire) = wire else { return Ok(Visibility::default()) };
    let all = proto::SaleCondition::default();
    let sales = wire.condition.as_ref().unwrap_or(&all);
    let condition = Condition::read(&format!("{field}.condition"), sales);
    let ends = (wire.visible_time_from, wire.visible_time_to);
    match (condition, condition::read_span(field, "visible_time", ends)) {
        (Ok(condition), Ok((visible_from, visible_to))) => {
            Ok(Visibility { condition, visible_from, visible_to })
        }
        (condition, span) => {
            Err([condition.err(), span.err()].into_iter().flatten().flatten().collect())
        }
    }
}

fn price(money: Option<&Money>, currency: Currency) -> Result<i64, String> {
    let Some(money) = money else { return Err("is required".into()) };
    if money.currency_code != currency.code() {
        return Err(format!("must be in {}, the currency of the merchant", currency.code()));
    }
    if !(0..=Bounds::UNIT_MINOR).contains(&money.minor_units) {
        return Err(format!("must be 0 to {} minor units", Bounds::UNIT_MINOR));
    }
    Ok(money.minor_units)
}

impl Item {
    /// Whether both say the same, apart from when they were stored.
    pub fn same_as(&self, other: &Self) -> bool {
        let said = |item: &Self| Self {
            created_at: other.created_at,
            updated_at: other.updated_at,
            ..item.clone()
        };
        said(self) == *other
    }

    /// As callers see it.
    pub fn show(self, currency: Currency) -> proto::Item {
        let money = |minor_units| Money { currency_code: currency.code().to_owned(), minor_units };
        let sku = |sku: Sku| proto::Sku {
            code: sku.code,
            name: sku.name,
            price: Some(money(sku.price_minor)),
            stock_kept: Some(sku.stock_kept),
        };
        proto::Item {
            code: self.code,
            name: self.name,
            categories: self.categories,
            skus: self.skus.into_iter().map(sku).collect(),
            withdrawn: self.withdrawn,
            create_time: Some(siyu_grpc::parse::timestamp(self.created_at)),
            update_time: Some(siyu_grpc::parse::timestamp(self.updated_at)),
            visibility: self.visibility.show(),
        }
    }
}

impl Visibility {
    /// Whether the item is sold in a sale at an instant.
    pub fn holds(&self, sale: &Sale, now: DateTime<Utc>) -> bool {
        self.condition.holds(sale)
            && condition::is_within((self.visible_from, self.visible_to), now)
    }

    /// As callers see it; none where it says nothing.
    fn show(self) -> Option<proto::Visibility> {
        (self != Self::default()).then(|| proto::Visibility {
            condition: self.condition.show(),
            visible_time_from: self.visible_from.map(siyu_grpc::parse::timestamp),
            visible_time_to: self.visible_to.map(siyu_grpc::parse::timestamp),
        })
    }
}
