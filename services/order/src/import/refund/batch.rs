//! Takes in one batch of refunds: read → lock what is known → decide → write and publish → commit. A constant number of
//! statements, however many refunds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::{Currency, Fault, Violation};
use siyu_pg::Tx;
use siyu_proto::{Path, Shape as _, order::v1 as proto};

use super::{
    Back,
    store::{self, Row},
};
use crate::{
    App, buyer,
    import::{
        self,
        batch::Answer,
        domain::{Draft, Key, Outcome},
        keep,
        parse::{self, Wrong},
    },
    order::domain::OrderId,
};

/// One version of a refund, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Incoming {
    key: Key,
    refund_no: String,
    back: Back,
    version: DateTime<Utc>,
}

/// What names a refund: its order, its number and the line.
type Name<'a> = (&'a Key, &'a str, i32);

/// Takes in a batch in a transaction of its own.
pub async fn import(
    app: &App,
    ctx: &Ctx,
    refunds: &[proto::ExternalRefund],
) -> Result<Vec<Answer>, Fault> {
    let currency = app.directory.known(ctx, &BTreeSet::new()).await?.currency;
    let read = |refund| read(refund, currency, ctx.now);
    let read: Vec<Result<Incoming, Vec<Violation>>> = refunds.iter().map(read).collect();
    // As imports of orders do, so that no merge of buyers holds the same orders in another sequence.
    let mut tx = buyer::store::begin(&app.db, ctx.merchant()?).await?;
    import::store::shut(&mut tx).await?;
    let answers = write(app, &mut tx, ctx, &read).await?;
    tx.commit().await?;
    Ok(answers)
}

/// Decides and writes. Nobody creates an order meanwhile.
async fn write(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    read: &[Result<Incoming, Vec<Violation>>],
) -> Result<Vec<Answer>, Fault> {
    let sound = || read.iter().filter_map(|one| one.as_ref().ok());
    let names: BTreeSet<Name<'_>> = sound().map(Incoming::name).collect();
    let known = store::known(tx, &names.into_iter().collect::<Vec<_>>()).await?;
    let mut rows: BTreeMap<(Key, String, i32), Row> = BTreeMap::new();
    for row in known {
        rows.insert((row.key(), row.refund_no.clone(), row.back.line_no), row);
    }
    let mut drafts = keep::load(tx, &sound().map(|incoming| &incoming.key).collect()).await?;
    let (mut answers, mut changed) = (Vec::with_capacity(read.len()), BTreeSet::new());
    for one in read {
        let incoming = match one {
            Ok(incoming) => incoming,
            Err(violations) => {
                answers.push(Answer::Rejected(violations.clone()));
                continue;
            }
        };
        let order_id = drafts.get(&incoming.key).map(Draft::id);
        let name = (incoming.key.clone(), incoming.refund_no.clone(), incoming.back.line_no);
        let outcome = match rows.get_mut(&name) {
            Some(row) if incoming.version <= row.version => Outcome::Unchanged,
            Some(row) => {
                (row.back, row.version, row.order_id) = (incoming.back, incoming.version, order_id);
                changed.insert(name);
                Outcome::Updated
            }
            None => {
                rows.insert(name.clone(), incoming.row(app, order_id, ctx.now));
                changed.insert(name);
                Outcome::Created
            }
        };
        answers.push(order_id.map_or(Answer::Waiting(outcome), |id| Answer::Done(outcome, id)));
    }
    let changed: Vec<Row> = changed.iter().filter_map(|name| rows.remove(name)).collect();
    if changed.is_empty() {
        return Ok(answers);
    }
    store::save(tx, &changed).await?;
    let orders: BTreeSet<Key> = changed.iter().map(Row::key).collect();
    drafts.retain(|key, _| orders.contains(*key));
    if !keep::save(app, tx, ctx, drafts).await? {
        return Err(Fault::internal("an order that is locked was created"));
    }
    Ok(answers)
}

impl Incoming {
    fn name(&self) -> Name<'_> {
        (&self.key, &self.refund_no, self.back.line_no)
    }

    fn row(&self, app: &App, order_id: Option<OrderId>, now: DateTime<Utc>) -> Row {
        Row {
            platform: self.key.platform.clone(),
            shop_id: self.key.shop_id.clone(),
            platform_order_no: self.key.order_no.clone(),
            refund_no: self.refund_no.clone(),
            back: self.back,
            version: self.version,
            id: app.ids.uuid(),
            order_id,
            created_at: now,
        }
    }
}

/// Reads one refund, or says field by field what is wrong.
fn read(
    refund: &proto::ExternalRefund,
    currency: Currency,
    now: DateTime<Utc>,
) -> Result<Incoming, Vec<Violation>> {
    let mut wrong = Wrong(Vec::new());
    refund.violations(&Path::Root, &mut wrong.0);
    parse::check_platform(&refund.platform, &mut wrong);
    let updated_at = parse::read_time("update_time", refund.update_time.as_ref(), &mut wrong);
    let amount = refund.amount.as_ref();
    let amount_minor =
        amount.map_or(0, |money| parse::read_money("amount", money, currency, &mut wrong));
    if refund.line_no == 0 && refund.quantity != 0 {
        wrong.add("quantity", "must be 0 for the order as a whole");
    }
    if !wrong.0.is_empty() {
        return Err(wrong.0);
    }
    let (platform, shop_id) = (refund.platform.clone(), refund.shop_id.clone());
    Ok(Incoming {
        key: Key { platform, shop_id, order_no: refund.order_no.clone() },
        refund_no: refund.refund_no.clone(),
        back: Back { line_no: refund.line_no, amount_minor, quantity: refund.quantity },
        version: updated_at.unwrap_or(now),
    })
}
