//! Audiences of a merchant with a million customers: counted by five conditions against the same SQL by hand, and a million
//! members streamed in flat memory. Facts are written straight into the store of member; asking goes by gRPC.

use std::{fs, time::Instant};

use siyu::host::services::Service;
use siyu_kernel::{Id, kind::Merchant};
use siyu_proto::member::v1::{
    Audience, Condition, CountAudienceRequest, CreateAudienceRequest, CreateTagRequest, Filter,
    Operator, StreamAudienceMembersRequest, Tag,
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Bench, Result,
    measure::{Row, Speed, as_f64, median_f64},
};

const PERSONS: u32 = 1_000_000;
const ROUNDS: usize = 7;
const MIB: f64 = 1_048_576.0;
/// The bytes of an id on the wire: a prefix and 26 characters.
const ID_BYTES: u32 = 30;

pub(crate) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let merchant: Id<Merchant> = bench.merchant_id.parse()?;
    let tag = make_tag(bench).await?;
    fill(bench, merchant, tag.parse::<Id<siyu_kernel::kind::Tag>>()?.uuid()).await?;
    let (own, hand) = count(bench, merchant, &tag).await?;
    let mut rows = vec![Row {
        name: "count of 1 M by five conditions: hand : ours".to_owned(),
        value: format!("{own:.1} ms"),
        limit: format!("{hand:.1} ms"),
        ratio: Some(hand / own),
        aim: "≥ 0.9",
        cpu_ms: None,
        limit_cpu_ms: None,
    }];
    rows.extend(stream(bench, merchant).await?);
    Ok(rows)
}

async fn make_tag(bench: &Bench) -> Result<String> {
    let tag = Tag { name: "bench".into(), ..Default::default() };
    let request = CreateTagRequest { tag: Some(tag), ..Default::default() };
    let tag = bench.client.tags().create_tag(request).await?.into_inner().tag;
    Ok(tag.ok_or("no tag")?.id)
}

/// A million persons: three fifths bought something, two thirds are connected, a third carries a tag.
async fn fill(bench: &Bench, merchant: Id<Merchant>, tag: Uuid) -> Result<()> {
    let pool = PgPool::connect(&bench.suite.owner_url(Service::Member)).await?;
    let person = "('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid";
    let order = "('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid";
    let buyer = "('00000000-0000-7000-8000-' || lpad(to_hex(1 + (n * 7919::bigint) % 600000), 12, '0'))::uuid";
    let paid = "now() - ((n * 104729::bigint) % 1000) * interval '1 day'";
    for statement in [
        format!(
            "insert into persons (merchant_id, id, growth, tier, created_at)
            select $1, {person}, n % 5000, 1, now() from generate_series(1, {PERSONS}) n where $2::uuid is not null"
        ),
        format!(
            "insert into purchases (merchant_id, order_id, person_id, platform, channel, domain, paid_at, paid_day,
                paid_minor, counts, revision)
            select $1, {order}, {buyer}, 'pos', '', 'private', {paid}, n % 1000, 1000 + n % 9000, true, 1
            from generate_series(1, 1500000) n where $2::uuid is not null"
        ),
        "insert into purchase_lines (merchant_id, order_id, line_no, person_id, paid_at, sku, category, quantity, paid_minor)
            select $1, order_id, 1, person_id, paid_at, '', (array['tea', 'cake', 'cups'])[1 + paid_minor % 3], 1, paid_minor
            from purchases where merchant_id = $1 and $2::uuid is not null"
            .to_owned(),
        "insert into person_purchases
                (merchant_id, person_id, orders, paid_minor, first_paid_at, last_paid_at, purchase_days)
            select $1, person_id, count(*), sum(paid_minor), min(paid_at), max(paid_at), count(distinct paid_day)
            from purchases where merchant_id = $1 and $2::uuid is not null group by person_id"
            .to_owned(),
        format!(
            "insert into connections (merchant_id, person_id, channel, account_id, state, state_at, source, created_at)
            select $1, {person}, (array['wecom', 'sms'])[1 + n % 2], 'a', 'connected', now(), '', now()
            from generate_series(1, {PERSONS}) n where n % 3 > 0 and $2::uuid is not null"
        ),
        format!(
            "insert into person_tags (merchant_id, person_id, tag_id, source, tagged_at)
            select $1, {person}, $2, '', now() from generate_series(1, {PERSONS}) n where n % 10 < 3"
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).bind(merchant).bind(tag).execute(&pool).await?;
    }
    sqlx::raw_sql("vacuum analyze persons, purchases, purchase_lines, person_purchases, connections, person_tags")
        .execute(&pool)
        .await?;
    pool.close().await;
    Ok(())
}

fn condition(field: &str, operator: Operator, value: &str) -> Condition {
    Condition {
        field: field.into(),
        operator: operator.into(),
        values: vec![value.into()],
        ..Default::default()
    }
}

/// Milliseconds of the median round, ours and by hand; both must come to the same number.
async fn count(bench: &Bench, merchant: Id<Merchant>, tag: &str) -> Result<(f64, f64)> {
    let last = "2000-01-01T00:00:00Z";
    let filter = Filter {
        conditions: vec![
            condition("orders.count", Operator::AtLeast, "2"),
            condition("orders.last_time", Operator::AtLeast, last),
            Condition { within_days: 365, ..condition("bought.category", Operator::In, "tea") },
            condition("connection.channel", Operator::In, "wecom"),
            condition("tag.id", Operator::In, tag),
        ],
        ..Default::default()
    };
    let tag = tag.parse::<Id<siyu_kernel::kind::Tag>>()?;
    let request = CountAudienceRequest { filter: Some(filter), ..Default::default() };
    let (mut own, mut hand) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let reply = bench.client.audiences().count_audience(request.clone()).await?.into_inner();
        own.push(start.elapsed().as_secs_f64() * 1_000.0);
        let start = Instant::now();
        let counted = by_hand(bench, merchant, tag).await?;
        hand.push(start.elapsed().as_secs_f64() * 1_000.0);
        if counted == 0 || counted != reply.count {
            return Err(format!("{counted} persons by hand, {} by audience", reply.count).into());
        }
    }
    Ok((median_f64(own), median_f64(hand)))
}

/// What somebody who knows the tables would write.
async fn by_hand(
    bench: &Bench,
    merchant: Id<Merchant>,
    tag: Id<siyu_kernel::kind::Tag>,
) -> Result<i64> {
    let mut tx = bench.suite.db(Service::Member).tenant_read(merchant).await?;
    let counted = sqlx::query_scalar(
        "select count(*)
        from person_purchases t
        where t.merchant_id = $1 and t.orders >= 2 and t.last_paid_at >= '2000-01-01'
            and exists (
                select from purchase_lines l
                where l.merchant_id = $1 and l.person_id = t.person_id and l.category = 'tea'
                    and l.paid_at >= now() - interval '365 days' and l.paid_at < now()
            )
            and exists (
                select from connections c
                where c.merchant_id = $1 and c.person_id = t.person_id and c.state = 'connected' and c.channel = 'wecom'
            )
            and exists (
                select from person_tags g
                where g.merchant_id = $1 and g.person_id = t.person_id and g.tag_id = $2
                    and (g.expires_at is null or g.expires_at > now())
            )",
    )
    .bind(merchant)
    .bind(tag)
    .fetch_one(&mut *tx)
    .await?;
    Ok(counted)
}

/// Everyone, streamed: how fast against reading the ids from the database, and how much the process grew meanwhile.
async fn stream(bench: &Bench, merchant: Id<Merchant>) -> Result<Vec<Row>> {
    let audience =
        Audience { name: "all".into(), filter: Some(Filter::default()), ..Default::default() };
    let request = CreateAudienceRequest { audience: Some(audience), ..Default::default() };
    let audience = bench.client.audiences().create_audience(request).await?.into_inner().audience;
    let audience_id = audience.ok_or("no audience")?.id;
    let request = StreamAudienceMembersRequest { audience_id, ..Default::default() };
    let before = resident()?;
    let (start, mut peak, mut members) = (Instant::now(), before, 0);
    let mut stream = bench.client.audiences().stream_audience_members(request).await?.into_inner();
    while let Some(some) = stream.message().await? {
        members += some.person_ids.len();
        peak = peak.max(resident()?);
    }
    let seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut tx = bench.suite.db(Service::Member).tenant_read(merchant).await?;
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from persons where merchant_id = $1 and merged_into is null and erased_at is null order by id")
            .bind(merchant)
            .fetch_all(&mut *tx)
            .await?;
    let direct = start.elapsed().as_secs_f64();
    // Those whom other parts of the program have made are members, too.
    if members != ids.len() || members < usize::try_from(PERSONS)? {
        return Err(format!("{members} members were streamed, there are {}", ids.len()).into());
    }
    let persons = u32::try_from(members)?;
    let (grown, all) = (as_f64(peak - before) / MIB, f64::from(persons * ID_BYTES) / MIB);
    let speed = |seconds: f64| Speed { per_second: f64::from(persons) / seconds, cpu_ms: 0.0 };
    drop(ids);
    Ok(vec![
        Row {
            cpu_ms: None,
            limit_cpu_ms: None,
            ..Row::speed(
                "1 M members streamed : ids read by SQL",
                "members",
                speed(seconds),
                speed(direct),
                "",
            )
        },
        Row {
            name: "the same, memory grown : all ids at once".to_owned(),
            value: format!("{grown:.1} MiB"),
            limit: format!("{all:.1} MiB"),
            ratio: Some(grown / all),
            aim: "≤ 0.5",
            cpu_ms: None,
            limit_cpu_ms: None,
        },
    ])
}

/// The resident memory of this process in bytes.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1_024)
}
