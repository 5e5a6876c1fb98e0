//! The SQL of checkouts and nothing else.

mod waiting;

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Id, Point,
    kind::{Merchant, Person},
};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

pub use self::waiting::{is_ripe, ripe, wait};
use crate::order::domain::OrderId;

/// How an order came about: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkout {
    /// The order.
    pub order_id: OrderId,
    /// The caller's key.
    pub request_id: String,
    /// SHA-256 of the request.
    pub fingerprint: Vec<u8>,
    /// An encoded `PriceSnapshot`.
    pub snapshot: Vec<u8>,
    /// The goods without any rule.
    pub list_minor: i64,
    /// What is to be paid.
    pub payable_minor: i64,
    /// The part of it that is shipping.
    pub shipping_minor: i64,
    /// The part of it that is cash.
    pub cash_minor: i64,
    /// How the goods come to the buyer.
    pub delivery_method: Delivery,
    /// How far north they go, in millionths of a degree; none: not known, like the longitude.
    pub latitude_e6: Option<i32>,
    /// How far east.
    pub longitude_e6: Option<i32>,
    /// Whether it waits for its payment.
    pub open: bool,
    /// Until when.
    pub pay_deadline: DateTime<Utc>,
    /// So many days after receipt the order is completed by itself.
    pub confirm_days: i32,
    /// So many days after its completion it is closed.
    pub after_sale_days: i32,
}

impl Checkout {
    /// Where the goods go, if that is known.
    pub fn destination(&self) -> Option<Point> {
        Point::new(self.latitude_e6?, self.longitude_e6?).ok()
    }
}

/// How goods come to a buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Delivery {
    /// By parcel.
    Parcel,
    /// Fetched in a store.
    PickUp,
    /// By a courier of the town.
    Local,
}

/// What a request finds before it begins.
#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct Before {
    /// The merchant's encoded rules.
    pub policy: Option<Vec<u8>>,
    /// The order that the request made before.
    pub order_id: Option<OrderId>,
    /// The fingerprint of the request that made it.
    pub fingerprint: Option<Vec<u8>>,
    /// Whom the buyer turned out to be, if that is somebody else.
    pub leads_to: Option<Id<Person>>,
}

/// The merchant's rules, what a request id has made, and whom a buyer's id leads to, in one look.
pub async fn before(
    tx: &mut Tx,
    request_id: &str,
    buyer: Id<Person>,
) -> Result<Before, siyu_pg::Error> {
    let before = sqlx::query_as(
        "select (select definition from checkout_policies where merchant_id = $1) as policy, c.order_id, c.fingerprint,
            (select merged_into from buyer_aliases where merchant_id = $1 and person_id = $3) as leads_to
        from (values (1)) as one
        left join checkouts c on c.merchant_id = $1 and c.request_id = $2",
    )
    .bind(tx.merchant())
    .bind(request_id)
    .bind(buyer)
    .fetch_one(&mut **tx)
    .await?;
    Ok(before)
}

/// The merchant's rules, and what a request id has made, for whoever does not know the buyer.
pub async fn placed(tx: &mut Tx, request_id: &str) -> Result<Before, siyu_pg::Error> {
    before(tx, request_id, Id::from_uuid(Uuid::nil())).await
}

/// The merchant's encoded rules.
pub async fn policy(tx: &mut Tx) -> Result<Option<Vec<u8>>, siyu_pg::Error> {
    let definition =
        sqlx::query_scalar("select definition from checkout_policies where merchant_id = $1")
            .bind(tx.merchant())
            .fetch_optional(&mut **tx)
            .await?;
    Ok(definition)
}

/// Saves the merchant's rules.
pub async fn save_policy(
    tx: &mut Tx,
    definition: &[u8],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into checkout_policies (merchant_id, definition, updated_at) values ($1, $2, $3)
        on conflict on constraint checkout_policies_pkey do update
        set definition = excluded.definition, updated_at = excluded.updated_at
        where checkout_policies.definition <> excluded.definition",
    )
    .bind(tx.merchant())
    .bind(definition)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores a checkout, unless another call with the same request id was faster; then it waits for that one's end and says
/// no.
pub async fn insert(tx: &mut Tx, checkout: &Checkout) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into checkouts (merchant_id, order_id, request_id, fingerprint, snapshot, list_minor, payable_minor,
            shipping_minor, cash_minor, delivery_method, open, pay_deadline, confirm_days, after_sale_days, latitude_e6,
            longitude_e6)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        on conflict on constraint checkouts_request_id_key do nothing",
    )
    .bind(tx.merchant())
    .bind(checkout.order_id)
    .bind(&checkout.request_id)
    .bind(&checkout.fingerprint)
    .bind(&checkout.snapshot)
    .bind(checkout.list_minor)
    .bind(checkout.payable_minor)
    .bind(checkout.shipping_minor)
    .bind(checkout.cash_minor)
    .bind(checkout.delivery_method)
    .bind(checkout.open)
    .bind(checkout.pay_deadline)
    .bind(checkout.confirm_days)
    .bind(checkout.after_sale_days)
    .bind(checkout.latitude_e6)
    .bind(checkout.longitude_e6)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The checkout of an order.
pub async fn find(tx: &mut Tx, id: OrderId) -> Result<Option<Checkout>, siyu_pg::Error> {
    let checkout = sqlx::query_as(
        "select order_id, request_id, fingerprint, snapshot, list_minor, payable_minor, shipping_minor, cash_minor,
            delivery_method, open, pay_deadline, confirm_days, after_sale_days, latitude_e6, longitude_e6
        from checkouts
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(checkout)
}

/// Forgets where orders of persons went.
pub async fn forget(tx: &mut Tx, persons: &[Id<Person>]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update checkouts as c
        set latitude_e6 = null, longitude_e6 = null
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (select id from orders where merchant_id = $1 and person_id = k.person_id offset 0) as o
        where c.merchant_id = $1 and c.order_id = o.id and c.latitude_e6 is not null",
    )
    .bind(tx.merchant())
    .bind(persons)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What follows when an order is paid, in one round trip: it waits no longer, its coupons are used up, its stock is reserved
/// without an end, and what is held for it is to be taken. Gives what each tender pays.
pub async fn paid(
    tx: &mut Tx,
    id: OrderId,
    now: DateTime<Utc>,
) -> Result<Vec<(String, i64)>, siyu_pg::Error> {
    let tenders = sqlx::query_as(
        "with closed as (
            update checkouts set open = false where merchant_id = $1 and order_id = $2 returning cash_minor
        ), used as (
            update coupons set state = 'used' where merchant_id = $1 and order_id = $2 and state = 'locked'
        ), reserved as (
            update stock_reservations set expires_at = null, updated_at = $3
            where merchant_id = $1 and order_id = $2 and held > 0
        ), taken as (
            update tenders set state = 'capturing', due_at = $3, attempts = 0
            where merchant_id = $1 and order_id = $2 and state = 'held'
            returning kind, amount_minor
        )
        select 'cash', cash_minor from closed where cash_minor > 0
        union all
        select kind, amount_minor from taken where kind = 'value'",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(tenders)
}

/// What follows when an order ends before it is paid: it waits no longer, its coupons can be used again, and what is held
/// for it is to be freed.
pub async fn ended(tx: &mut Tx, id: OrderId, now: DateTime<Utc>) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with closed as (
            update checkouts set open = false where merchant_id = $1 and order_id = $2
        ), given as (
            update coupons set state = 'issued', order_id = null where merchant_id = $1 and order_id = $2
        )
        update tenders set state = 'voiding', due_at = $3, attempts = 0
        where merchant_id = $1 and order_id = $2 and state in ('planned', 'held')",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Orders without a claim whose time to be paid is over, the longest first. Those with one end with it.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select c.merchant_id, c.order_id
        from checkouts c
        where c.open and c.pay_deadline <= $1 and not exists (
            select from payment_claims p where p.merchant_id = c.merchant_id and p.order_id = c.order_id
        )
        order by c.pay_deadline
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}
