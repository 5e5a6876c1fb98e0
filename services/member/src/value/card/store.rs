//! The SQL of cards and nothing else.

use siyu_kernel::Fault;
use siyu_pg::{OnConstraint, Tx};
use uuid::Uuid;

use super::Card;
use crate::{
    person::{PersonId, store::moving::Owned},
    value::CardId,
};

/// Cards of persons.
pub const CARDS: Owned = Owned { table: "value_cards", unique: &[] };

/// What a card can name that is not there.
#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error("the {0} does not exist")]
    Named(&'static str),
    #[error("the store of cards failed")]
    Store(#[from] siyu_pg::Error),
}

/// Inserts a card.
pub async fn insert(tx: &mut Tx, card: &Card) -> Result<(), Fault> {
    let done: Result<_, Missing> = sqlx::query(
        "insert into value_cards (merchant_id, id, number, kind, state, person_id, origin_person_id, issuer_id, store_id,
            origin_card_id, principal_account_id, bonus_account_id, outside_principal_account_id,
            outside_bonus_account_id, expires_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(tx.merchant())
    .bind(card.id)
    .bind(&card.number)
    .bind(card.kind.as_str())
    .bind(card.state.as_str())
    .bind(card.person_id)
    .bind(card.origin_person_id)
    .bind(card.issuer_id)
    .bind(card.store_id)
    .bind(card.origin_card_id)
    .bind(card.purse.principal)
    .bind(card.purse.bonus)
    .bind(card.purse.outside_principal)
    .bind(card.purse.outside_bonus)
    .bind(card.expires_at)
    .bind(card.created_at)
    .execute(&mut **tx)
    .await
    .on_constraints(|name| match name {
        "value_cards_issuer_id_fkey" => Some(Missing::Named("issuer")),
        "value_cards_store_id_fkey" => Some(Missing::Named("store")),
        _ => None,
    });
    match done {
        Ok(_) => Ok(()),
        Err(Missing::Named(what)) => Err(Fault::not_found(what)),
        Err(Missing::Store(error)) => Err(error.into()),
    }
}

/// Saves what of a locked card can change.
pub async fn save(tx: &mut Tx, card: &Card) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update value_cards set state = $3, person_id = $4, expires_at = $5 where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(card.id)
    .bind(card.state.as_str())
    .bind(card.person_id)
    .bind(card.expires_at)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the card is locked");
    Ok(())
}

/// Locks cards in the order given, which is that of their ids.
pub async fn lock(tx: &mut Tx, ids: &[CardId]) -> Result<Vec<Card>, siyu_pg::Error> {
    let cards = sqlx::query_as(
        "select c.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, number, kind, state, person_id, origin_person_id, issuer_id, store_id, origin_card_id,
                principal_account_id, bonus_account_id, outside_principal_account_id, outside_bonus_account_id,
                expires_at, created_at
            from value_cards
            where merchant_id = $1 and id = k.id
            limit 1
            for update
        ) as c",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(cards)
}

/// One card.
pub async fn find(tx: &mut Tx, id: CardId) -> Result<Option<Card>, siyu_pg::Error> {
    let card = sqlx::query_as(
        "select id, number, kind, state, person_id, origin_person_id, issuer_id, store_id, origin_card_id,
            principal_account_id, bonus_account_id, outside_principal_account_id, outside_bonus_account_id,
            expires_at, created_at
        from value_cards
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(card)
}

/// The card with a number.
pub async fn find_number(tx: &mut Tx, number: &str) -> Result<Option<Card>, siyu_pg::Error> {
    let card = sqlx::query_as(
        "select id, number, kind, state, person_id, origin_person_id, issuer_id, store_id, origin_card_id,
            principal_account_id, bonus_account_id, outside_principal_account_id, outside_bonus_account_id,
            expires_at, created_at
        from value_cards
        where merchant_id = $1 and number = $2",
    )
    .bind(tx.merchant())
    .bind(number)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(card)
}

/// The cards of a person after one, oldest first.
pub async fn list(
    tx: &mut Tx,
    person: PersonId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Card>, siyu_pg::Error> {
    let cards = sqlx::query_as(
        "select id, number, kind, state, person_id, origin_person_id, issuer_id, store_id, origin_card_id,
            principal_account_id, bonus_account_id, outside_principal_account_id, outside_bonus_account_id,
            expires_at, created_at
        from value_cards
        where merchant_id = $1 and person_id = $2 and ($3::uuid is null or id > $3)
        order by id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(cards)
}

/// The active cards that the holders of cards have with the same issuers, oldest first.
pub async fn others(tx: &mut Tx, ids: &[CardId]) -> Result<Vec<CardId>, siyu_pg::Error> {
    let others = sqlx::query_scalar(
        "select o.id
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, person_id, issuer_id from value_cards where merchant_id = $1 and id = k.id limit 1
        ) as c
        cross join lateral (
            select id
            from value_cards
            where merchant_id = $1 and person_id = c.person_id and issuer_id = c.issuer_id and id <> c.id
                and state = 'active'
            offset 0
        ) as o
        order by o.id",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(others)
}
