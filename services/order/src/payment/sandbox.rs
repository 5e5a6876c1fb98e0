//! The sandbox: a payment company without money. Its books are tables of their own, so that they outlive a crash like a real
//! company's; it signs what it tells with a digest of the merchant's, gives every number once, and does nothing by itself:
//! buyers and mishaps are simulated.

pub mod store;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use siyu_kernel::{Currency, Fault, Id, LocalDay, Zone, kind::Merchant};
use siyu_pg::{Db, Tx};
use siyu_proto::order::v1::{HttpHeader, ReceiveNotificationRequest};
use siyu_vault::Keys;
use tonic::async_trait;

use super::provider::{
    About, Attempt, Closing, Distrust, Incoming, Notice, Paid, Prepay, Provider, RefundOrder,
    RefundStand, Trade, Trouble,
};
use crate::{App, reconciliation::domain::Row};
use store::{TradeRow, TradeState};

/// The header that its signature stands in.
pub const SIGNATURE: &str = "Sandbox-Signature";

/// An account with the sandbox.
#[derive(Debug, Clone)]
pub struct Sandbox {
    db: Db,
    merchant: Id<Merchant>,
    code: String,
    keys: Keys,
    clock: Arc<dyn siyu_kernel::Clock>,
}

/// What it tells.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    id: String,
    out_trade_no: String,
    provider_no: String,
    amount_minor: i64,
    currency: String,
    payee: String,
    paid_at: DateTime<Utc>,
}

impl Sandbox {
    /// The account of a code.
    pub(crate) fn new(app: &App, merchant: Id<Merchant>, code: &str, keys: Keys) -> Self {
        let (db, clock) = (app.db.clone(), app.clock.clone());
        Self { db, merchant, code: code.to_owned(), keys, clock }
    }

    /// A buyer pays; gives what the sandbox then tells. `None` when it cannot be paid any more.
    pub(crate) async fn pay(
        &self,
        out_trade_no: &str,
        paid_minor: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<Option<ReceiveNotificationRequest>, Fault> {
        let mut tx = self.db.tenant(self.merchant).await?;
        let Some(mut row) = store::lock(&mut tx, &self.code, out_trade_no).await? else {
            return Ok(None);
        };
        match row.state {
            TradeState::Open => {
                row.state = TradeState::Paid;
                row.paid_minor = Some(paid_minor.unwrap_or(row.amount_minor));
                row.paid_at = Some(now);
                store::save(&mut tx, &self.code, &row).await?;
                tx.commit().await?;
            }
            TradeState::Paid => {}
            TradeState::Closed => return Ok(None),
        }
        self.tell(&row).map(Some)
    }

    /// A closed attempt takes money all the same; false when it is not known.
    pub(crate) async fn reopen(&self, number: &str) -> Result<bool, Fault> {
        let open = |row: &mut TradeRow| {
            if row.state == TradeState::Closed {
                row.state = TradeState::Open;
            }
        };
        self.change(number, open).await
    }

    /// The next answers about a payment are swallowed; false when it is not known.
    pub(crate) async fn swallow(&self, number: &str, answers: i32) -> Result<bool, Fault> {
        self.change(number, |row| row.swallow = answers).await
    }

    /// Refunds of a payment are refused from now on; false when it is not known.
    pub(crate) async fn refuse_refunds(&self, number: &str) -> Result<bool, Fault> {
        self.change(number, |row| row.refuses_refunds = true).await
    }

    /// Refunds of a payment are taken again; false when it is not known.
    pub(crate) async fn take_refunds(&self, number: &str) -> Result<bool, Fault> {
        self.change(number, |row| row.refuses_refunds = false).await
    }

    async fn change(
        &self,
        number: &str,
        change: impl FnOnce(&mut TradeRow),
    ) -> Result<bool, Fault> {
        let mut tx = self.db.tenant(self.merchant).await?;
        let Some(mut row) = store::lock(&mut tx, &self.code, number).await? else {
            return Ok(false);
        };
        change(&mut row);
        store::save(&mut tx, &self.code, &row).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What it tells of a payment: the same again is the same event.
    fn tell(&self, row: &TradeRow) -> Result<ReceiveNotificationRequest, Fault> {
        let (amount_minor, paid_at) = row
            .paid_minor
            .zip(row.paid_at)
            .ok_or_else(|| Fault::internal("a payment that was not paid is told"))?;
        let told = Told {
            id: format!("{}-paid", row.out_trade_no),
            out_trade_no: row.out_trade_no.clone(),
            provider_no: row.provider_no.clone(),
            amount_minor,
            currency: row.currency.clone(),
            payee: self.code.clone(),
            paid_at,
        };
        let body = serde_json::to_string(&told).map_err(Fault::internal)?;
        let signature = HttpHeader { name: SIGNATURE.to_owned(), value: self.sign(&body) };
        let account_code = self.code.clone();
        Ok(ReceiveNotificationRequest { account_code, headers: vec![signature], body })
    }

    fn sign(&self, body: &str) -> String {
        self.keys.digest("payment.sandbox", &format!("{}\n{body}", self.code))
    }

    /// The trade of a number, locked, and whether the answer of this call is swallowed.
    async fn open(&self, tx: &mut Tx, number: &str) -> Result<Option<(TradeRow, bool)>, Trouble> {
        let Some(mut row) = store::lock(tx, &self.code, number).await? else {
            return Ok(None);
        };
        let swallowed = row.swallow > 0;
        if swallowed {
            row.swallow -= 1;
            store::save(tx, &self.code, &row).await?;
        }
        Ok(Some((row, swallowed)))
    }

    async fn begin(&self) -> Result<Tx, Trouble> {
        Ok(self.db.tenant(self.merchant).await?)
    }
}

/// A sandbox whose database is away does not answer.
impl From<siyu_pg::Error> for Trouble {
    fn from(error: siyu_pg::Error) -> Self {
        Self::Unknown(error.to_string())
    }
}

async fn answer<T>(tx: Tx, swallowed: bool, said: T) -> Result<T, Trouble> {
    tx.commit().await?;
    if swallowed { Err(Trouble::Unknown("the answer was swallowed".to_owned())) } else { Ok(said) }
}

#[async_trait]
impl Provider for Sandbox {
    fn payee(&self) -> &str {
        &self.code
    }

    fn zone(&self) -> Zone {
        Zone::SHANGHAI
    }

    async fn create(&self, attempt: &Attempt<'_>) -> Result<Prepay, Trouble> {
        let mut tx = self.begin().await?;
        let fresh = TradeRow::open(attempt);
        let url = format!("sandbox://pay/{}/{}", self.code, attempt.out_trade_no);
        if store::insert(&mut tx, &self.code, &fresh).await? {
            return answer(tx, false, Prepay::CodeUrl(url)).await;
        }
        let opened = self.open(&mut tx, attempt.out_trade_no).await?;
        let (row, swallowed) = opened.ok_or_else(|| Trouble::Unknown("it is gone".to_owned()))?;
        if row.amount_minor != fresh.amount_minor || row.currency != fresh.currency {
            return Err(Trouble::Refused("the number stands for another payment".to_owned()));
        }
        if row.state != TradeState::Open {
            return Err(Trouble::Refused("it cannot be paid any more".to_owned()));
        }
        answer(tx, swallowed, Prepay::CodeUrl(url)).await
    }

    async fn query(&self, out_trade_no: &str) -> Result<Trade, Trouble> {
        let mut tx = self.begin().await?;
        let Some((row, swallowed)) = self.open(&mut tx, out_trade_no).await? else {
            return Ok(Trade::Absent);
        };
        let trade = match row.state {
            TradeState::Open => Trade::Open,
            TradeState::Closed => Trade::Closed,
            TradeState::Paid => Trade::Paid(paid(&row, &self.code)?),
        };
        answer(tx, swallowed, trade).await
    }

    async fn close(&self, out_trade_no: &str) -> Result<Closing, Trouble> {
        let mut tx = self.begin().await?;
        let Some((mut row, swallowed)) = self.open(&mut tx, out_trade_no).await? else {
            return Ok(Closing::Closed);
        };
        let said = match row.state {
            TradeState::Paid => Closing::AlreadyPaid,
            TradeState::Open | TradeState::Closed => {
                row.state = TradeState::Closed;
                store::save(&mut tx, &self.code, &row).await?;
                Closing::Closed
            }
        };
        answer(tx, swallowed, said).await
    }

    async fn refund(&self, refund: &RefundOrder<'_>) -> Result<RefundStand, Trouble> {
        let mut tx = self.begin().await?;
        let Some((row, swallowed)) = self.open(&mut tx, refund.out_trade_no).await? else {
            return Err(Trouble::Refused("there is no such payment".to_owned()));
        };
        let known = store::find_refund(&mut tx, &self.code, refund.out_refund_no).await;
        if let Some((provider_no, at)) = known? {
            return answer(tx, swallowed, RefundStand::Succeeded { provider_no, at }).await;
        }
        let given = store::refunded(&mut tx, &self.code, refund.out_trade_no).await;
        let left = row.paid_minor.unwrap_or(0) - given?;
        if row.refuses_refunds || refund.amount_minor > left {
            return Err(Trouble::Refused("the payment cannot be given back".to_owned()));
        }
        let (at, provider_no) = (self.clock.now(), format!("SBXR{}", refund.out_refund_no));
        let stored = store::insert_refund(&mut tx, &self.code, refund, &provider_no, at).await;
        stored?;
        answer(tx, swallowed, RefundStand::Succeeded { provider_no, at }).await
    }

    async fn query_refund(&self, out_refund_no: &str) -> Result<RefundStand, Trouble> {
        let mut tx = self.begin().await?;
        let known = store::find_refund(&mut tx, &self.code, out_refund_no).await;
        Ok(match known? {
            Some((provider_no, at)) => RefundStand::Succeeded { provider_no, at },
            None => RefundStand::Absent,
        })
    }

    fn parse_notification(&self, incoming: &Incoming<'_>) -> Result<Notice, Distrust> {
        let distrust = |why: &str| Distrust(why.to_owned());
        let mut headers = incoming.headers.iter();
        let header = headers.find(|header| header.name.eq_ignore_ascii_case(SIGNATURE));
        let signature = header.ok_or_else(|| distrust("it bears no signature"))?;
        if signature.value != self.sign(incoming.body) {
            return Err(distrust("its signature does not fit"));
        }
        let told: Told = serde_json::from_str(incoming.body)
            .map_err(|error| Distrust(format!("it cannot be read: {error}")))?;
        let currency = Currency::parse(&told.currency).map_err(|e| Distrust(e.to_string()))?;
        let paid = Paid {
            provider_no: told.provider_no,
            amount_minor: told.amount_minor,
            currency,
            payee: told.payee,
            paid_at: told.paid_at,
        };
        let about = About::Trade(told.out_trade_no, Trade::Paid(paid));
        Ok(Notice { event_id: told.id, about })
    }

    async fn statement(&self, day: LocalDay) -> Result<Vec<Row>, Trouble> {
        let zone = self.zone();
        let (from, to) = (zone.start_of(day), zone.start_of(LocalDay(day.0 + 1)));
        if self.clock.now() < to {
            return Err(Trouble::NotReady);
        }
        let mut tx = self.begin().await?;
        Ok(store::statement(&mut tx, &self.code, from, to).await?)
    }
}

fn paid(row: &TradeRow, payee: &str) -> Result<Paid, Trouble> {
    let unknown = |what: &str| Trouble::Unknown(format!("its books are broken: {what}"));
    Ok(Paid {
        provider_no: row.provider_no.clone(),
        amount_minor: row.paid_minor.ok_or_else(|| unknown("no amount"))?,
        currency: Currency::parse(&row.currency).map_err(|_| unknown("no currency"))?,
        payee: payee.to_owned(),
        paid_at: row.paid_at.ok_or_else(|| unknown("no instant"))?,
    })
}
