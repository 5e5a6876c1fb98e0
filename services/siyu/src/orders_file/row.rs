//! One row to an order with one line. The bounds of the fields come from the contract's own shape rules.

use siyu_kernel::{Currency, Violation, Zone, parse_decimal};
use siyu_proto::{
    Path, Shape,
    order::v1::{Domain, ExternalOrder, OrderLine},
    r#type::v1::Money,
};

use super::{
    Column, Header, Options, Row,
    moment::{Moment, timestamp},
};

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) column: Option<Column>,
    pub(super) reason: String,
}

impl Problem {
    pub(super) fn new(column: Column, reason: impl Into<String>) -> Self {
        Self { column: Some(column), reason: reason.into() }
    }
}

/// Reads a row. `number` counts the lines of an order and is asked once for each row that names its order but no line,
/// bad ones too: a row keeps its number when it is mended and imported later.
pub(super) fn read(
    header: &Header,
    options: &Options,
    row: &mut Row,
    number: impl FnOnce(&str) -> i32,
) -> Result<ExternalOrder, Problem> {
    let fields = Fields { header, row };
    let order_no = fields.needed(Column::OrderNo);
    let line_no = match (&order_no, fields.text(Column::LineNo)) {
        (Ok(order_no), Ok(None)) => Some(number(order_no)),
        (_, Ok(Some(text))) => text.parse().ok(),
        (_, Ok(None) | Err(_)) => None,
    };
    let order = fields.order(options, line_no);
    row.line_no = line_no;
    let order = order?;
    let mut violations = Vec::new();
    order.violations(&Path::Root, &mut violations);
    violations.into_iter().next().map_or(Ok(order), |first| Err(out_of_shape(first)))
}

struct Fields<'a> {
    header: &'a Header,
    row: &'a Row,
}

impl Fields<'_> {
    fn order(&self, options: &Options, line_no: Option<i32>) -> Result<ExternalOrder, Problem> {
        self.same_length_as_header()?;
        let store_code = self.text(Column::StoreId)?.unwrap_or_default();
        let zone = zone_of(store_code, options)?;
        let status = self.text(Column::Status)?.unwrap_or_default();
        Ok(ExternalOrder {
            platform: options.platform.clone(),
            shop_id: options.shop.clone(),
            order_no: self.needed(Column::OrderNo)?.to_owned(),
            buyer_id: self.needed(Column::BuyerId)?.to_owned(),
            pay_time: self.pay_time(status, zone)?,
            status: status.to_owned(),
            domain: self.domain()?.into(),
            channel: self.text(Column::Channel)?.unwrap_or_default().to_owned(),
            store_code: store_code.to_owned(),
            update_time: self.moment(Column::UpdatedAt, zone)?,
            lines: vec![self.line(options, line_no)?],
            platform_subsidy: None,
        })
    }

    fn line(&self, options: &Options, line_no: Option<i32>) -> Result<OrderLine, Problem> {
        let line_no = line_no.filter(|&number| number > 0);
        let not_a_number = || Problem::new(Column::LineNo, "must be a whole number from 1");
        Ok(OrderLine {
            line_no: line_no.ok_or_else(not_a_number)?,
            sku: self.text(Column::Sku)?.unwrap_or_default().to_owned(),
            category: self.text(Column::Category)?.unwrap_or_default().to_owned(),
            quantity: self.quantity()?,
            paid: Some(self.amount(options)?),
        })
    }

    /// A field without surrounding blanks; none where it is empty or the file has no such column.
    fn text(&self, column: Column) -> Result<Option<&str>, Problem> {
        let Some(place) = self.header.place(column) else { return Ok(None) };
        let Some(bytes) = self.row.fields.get(place) else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Problem::new(
                column,
                format!("is not UTF-8; if the whole file is not, {}", super::NOT_UTF8),
            )
        })?;
        Ok(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    fn needed(&self, column: Column) -> Result<&str, Problem> {
        self.text(column)?.ok_or_else(|| Problem::new(column, "is empty"))
    }

    fn same_length_as_header(&self) -> Result<(), Problem> {
        let (has, wants) = (self.row.fields.len(), self.header.fields().len());
        if has == wants {
            return Ok(());
        }
        let fields = if has == 1 { "field" } else { "fields" };
        let reason = format!("the row has {has} {fields}, the header has {wants}");
        Err(Problem { column: None, reason })
    }

    fn pay_time(
        &self,
        status: &str,
        zone: Zone,
    ) -> Result<Option<prost_types::Timestamp>, Problem> {
        let time = self.moment(Column::PaidAt, zone)?;
        // Of other words only the suite knows whether they mean that something was paid.
        if time.is_none() && (status.is_empty() || status == "paid") {
            return Err(Problem::new(Column::PaidAt, "is empty"));
        }
        Ok(time)
    }

    fn moment(
        &self,
        column: Column,
        zone: Zone,
    ) -> Result<Option<prost_types::Timestamp>, Problem> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        let moment = Moment::parse(text).map_err(|reason| quoted(column, text, &reason))?;
        Ok(Some(timestamp(moment.instant(zone))))
    }

    fn domain(&self) -> Result<Domain, Problem> {
        match self.text(Column::Domain)? {
            None => Ok(Domain::Unspecified),
            Some("private") => Ok(Domain::Private),
            Some("public") => Ok(Domain::Public),
            Some("pos") => Ok(Domain::Pos),
            Some(text) => Err(quoted(Column::Domain, text, "must be private, public or pos")),
        }
    }

    fn quantity(&self) -> Result<i64, Problem> {
        let Some(text) = self.text(Column::Quantity)? else { return Ok(1) };
        let quantity = text.parse().ok().filter(|&quantity: &i64| quantity >= 0);
        quantity.ok_or_else(|| quoted(Column::Quantity, text, "must be a whole number from 0"))
    }

    fn amount(&self, options: &Options) -> Result<Money, Problem> {
        let currency = match self.text(Column::Currency)? {
            None => options.currency,
            Some(code) => Currency::parse(code)
                .map_err(|error| Problem::new(Column::Currency, error.to_string()))?,
        };
        let text = self.needed(Column::Amount)?;
        let minor_units = parse_decimal(text, currency)
            .map_err(|error| quoted(Column::Amount, text, &error.to_string()))?;
        if minor_units < 0 {
            return Err(quoted(Column::Amount, text, "must not be negative"));
        }
        Ok(Money { currency_code: currency.code().to_owned(), minor_units })
    }
}

fn zone_of(store_code: &str, options: &Options) -> Result<Zone, Problem> {
    if store_code.is_empty() {
        return Ok(options.zone);
    }
    let known = options.stores.get(store_code).copied();
    known.ok_or_else(|| {
        let reason = "no store has this id; bring it in with `siyu store import`";
        quoted(Column::StoreId, store_code, reason)
    })
}

fn quoted(column: Column, text: &str, reason: &str) -> Problem {
    const SHOWN_CHARS: usize = 40;
    let cut = text.chars().count() > SHOWN_CHARS;
    let shown: String = text.chars().take(SHOWN_CHARS).collect();
    Problem::new(column, format!("\"{shown}{}\" {reason}", if cut { "…" } else { "" }))
}

fn out_of_shape(violation: Violation) -> Problem {
    let Violation { field, description } = violation;
    match Column::locate(&field).1 {
        Some(column) => Problem::new(column, description),
        None => Problem { column: None, reason: format!("{field} {description}") },
    }
}
