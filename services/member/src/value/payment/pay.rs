//! Pays at once, or reserves.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id};
use siyu_pg::Tx;
use siyu_proto::member::v1::{self as proto, ValueCharge};

use super::domain::{Part, Payment, State, show};
use crate::{
    App,
    person::{self, PersonId},
    publish,
    value::{
        CardId, HELD, PAID, StoreId,
        books::{self, Chain, Posted},
        card::{self, Card, Kind},
        entry::{self, Entry},
        error::Error,
        policy::{self, Terms},
    },
};

/// How long a hold is good when nobody says.
const HOLD_MINUTES: i32 = 30;

/// What somebody wants to pay.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    charges: Vec<(CardId, i64)>,
    person_id: Option<PersonId>,
    order_reference: String,
    store_id: Option<StoreId>,
}

impl Ask {
    /// Reads the fields that a payment and a hold share.
    pub(super) fn read(
        charges: &[ValueCharge],
        person_id: &str,
        order_reference: &str,
        store_id: &str,
    ) -> Result<Self, Fault> {
        let mut seen = BTreeSet::new();
        let mut read = Vec::with_capacity(charges.len());
        for (i, charge) in charges.iter().enumerate() {
            let field = format!("charges[{i}].card_id");
            let card = parse::id(&field, &charge.card_id)?;
            if !seen.insert(card) {
                return Err(Fault::field(field, "stands twice"));
            }
            read.push((card, charge.amount_minor));
        }
        Ok(Self {
            charges: read,
            person_id: parse::optional_id("person_id", person_id)?,
            order_reference: order_reference.to_owned(),
            store_id: parse::optional_id("store_id", store_id)?,
        })
    }

    fn amount(&self) -> i64 {
        self.charges.iter().map(|(_, amount)| amount).sum()
    }
}

/// Takes what is asked for, and tells it.
pub(super) async fn pay(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    ask: &Ask,
) -> Result<proto::ValuePayment, Fault> {
    let terms = policy::terms(tx, ctx.now).await?;
    let mut payment = new(app, ctx, ask, &terms)?;
    payment.state = State::Paid;
    payment.captured_minor = payment.amount_minor;
    payment.paid_at = Some(ctx.now);
    let mut chain = Chain::about(app, payment.id.uuid());
    let (cards, parts) =
        cut(tx, ctx, ask, &mut payment, |card, amount| chain.take(PAID, &card.purse, amount))
            .await?;
    chain.run(tx, ctx.now).await?;
    super::store::insert(tx, &payment, &parts).await?;
    entry::write(app, tx, &terms, ctx.now, &entries(&payment, &cards, &parts)).await?;
    let shown = show(&payment, &parts, terms.currency);
    let fact = proto::ValuePaid { payment: Some(shown.clone()) };
    publish(app, tx, ctx, payment.id.to_string(), &fact).await?;
    Ok(shown)
}

/// Reserves what is asked for, and tells it.
pub(super) async fn hold(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    ask: &Ask,
    minutes: i32,
) -> Result<proto::ValuePayment, Fault> {
    let terms = policy::terms(tx, ctx.now).await?;
    let mut payment = new(app, ctx, ask, &terms)?;
    let minutes = if minutes == 0 { HOLD_MINUTES } else { minutes };
    let until = Some(ctx.now + TimeDelta::minutes(minutes.into()));
    payment.expires_at = until;
    let mut chain = Chain::about(app, payment.id.uuid());
    let (_, parts) = cut(tx, ctx, ask, &mut payment, |card, amount| {
        chain.hold(HELD, &card.purse, amount, until)
    })
    .await?;
    chain.run(tx, ctx.now).await?;
    super::store::insert(tx, &payment, &parts).await?;
    let shown = show(&payment, &parts, terms.currency);
    let fact = proto::ValueHeld { payment: Some(shown.clone()) };
    publish(app, tx, ctx, payment.id.to_string(), &fact).await?;
    Ok(shown)
}

/// What cards gave to a payment that was taken, to be written down.
pub(super) fn entries<'a>(payment: &Payment, cards: &'a [Card], parts: &[Part]) -> Vec<Entry<'a>> {
    let entry = |(card, part): (&'a Card, &Part)| Entry {
        card,
        kind: entry::Kind::Pay,
        store_id: payment.store_id,
        subject: payment.id.to_string(),
        change: part.given().negative(),
        kept: 0,
    };
    cards.iter().zip(parts).map(entry).collect()
}

fn new(app: &App, ctx: &Ctx, ask: &Ask, terms: &Terms) -> Result<Payment, Fault> {
    Ok(Payment {
        id: Id::from_uuid(app.ids.uuid()),
        state: State::Held,
        consumption_order: terms.order()?,
        person_id: ask.person_id,
        store_id: ask.store_id,
        order_reference: ask.order_reference.clone(),
        amount_minor: ask.amount(),
        captured_minor: 0,
        refunded_minor: 0,
        expires_at: None,
        created_at: ctx.now,
        paid_at: None,
    })
}

/// Locks the cards and cuts what each pays into its buckets.
async fn cut(
    tx: &mut Tx,
    ctx: &Ctx,
    ask: &Ask,
    payment: &mut Payment,
    mut post: impl FnMut(&Card, crate::value::Buckets) -> Posted,
) -> Result<(Vec<Card>, Vec<Part>), Fault> {
    if let Some(person) = ask.person_id {
        payment.person_id = Some(person::canonical(tx, person).await?);
    }
    let ids: Vec<CardId> = ask.charges.iter().map(|(card, _)| *card).collect();
    let cards = card::lock_all(tx, &ids).await?;
    for card in &cards {
        card.is_usable(ctx.now)?;
        let is_own = payment.person_id.is_none_or(|person| card.person_id == Some(person));
        if card.kind == Kind::Named && !is_own {
            return Err(Error::CardOfAnother.into());
        }
    }
    let purses: Vec<_> = cards.iter().map(|card| card.purse).collect();
    let available = books::available(tx, &purses, ctx.now).await?;
    let mut parts = Vec::with_capacity(cards.len());
    for ((card, (_, amount)), has) in cards.iter().zip(&ask.charges).zip(available) {
        let given =
            has.take(*amount, payment.consumption_order).ok_or(Error::InsufficientBalance)?;
        let posted = post(card, given);
        parts.push(Part {
            payment_id: payment.id,
            position: i32::try_from(parts.len()).expect("few cards pay"),
            card_id: card.id,
            principal_minor: given.principal,
            bonus_minor: given.bonus,
            refunded_principal_minor: 0,
            refunded_bonus_minor: 0,
            principal_transfer_id: posted.principal,
            bonus_transfer_id: posted.bonus,
        });
    }
    Ok((cards, parts))
}
