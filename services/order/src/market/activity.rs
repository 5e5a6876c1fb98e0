//! Activities as data: read from the contract, kept whole, in force for a time.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use prost::Message;
use prost_types::Timestamp;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Violation};
use siyu_pg::{Tx, page};

use super::store::{self, Row};
use crate::{App, limits};

/// A kind of activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// A group-buy (拼团).
    GroupBuy,
    /// A bargain (砍价).
    Bargain,
    /// A flash sale (秒杀).
    FlashSale,
    /// A blind box (盲盒), whose versions are kept apart.
    BlindBox,
}

/// What every activity says.
pub trait Activity: Message + Default + Clone {
    /// Its kind.
    const KIND: Kind;
    /// What it is called where it is not found.
    const NAME: &'static str;
    /// The merchant's own key.
    fn code(&self) -> &str;
    /// When it runs, and whether it is switched off.
    fn run(&self) -> Run;
    /// Says what is wrong beyond the shape of its fields: names within the activity, and descriptions.
    fn check(&self) -> Vec<(&'static str, &'static str)>;
}

/// When an activity runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// From when on.
    pub from: Option<Timestamp>,
    /// Until when, exclusive.
    pub to: Option<Timestamp>,
    /// It is switched off.
    pub paused: bool,
}

impl Run {
    /// Says what is wrong with the times.
    pub fn check(self) -> Vec<(&'static str, &'static str)> {
        match (instant(self.from), instant(self.to)) {
            (Some(from), Some(to)) if from < to => Vec::new(),
            (Some(_), Some(_)) => vec![("valid_time_to", "must come after valid_time_from")],
            (None, _) => vec![("valid_time_from", "is no instant")],
            (_, None) => vec![("valid_time_to", "is no instant")],
        }
    }

    /// Refuses what begins when the activity does not run: before, after, or while it is switched off.
    pub fn admit(self, now: DateTime<Utc>) -> Result<(), Fault> {
        let runs = instant(self.from).is_some_and(|from| from <= now)
            && instant(self.to).is_some_and(|to| now < to);
        if runs && !self.paused {
            return Ok(());
        }
        let message = "the activity does not run at present";
        Err(Fault::new(Code::FailedPrecondition, "ACTIVITY_CLOSED", message))
    }
}

fn instant(time: Option<Timestamp>) -> Option<DateTime<Utc>> {
    parse::instant("", time?).ok()
}

/// Creates activities or changes those that exist: all or none. `field` is the list in the request.
pub(crate) async fn upsert<A: Activity>(
    app: &App,
    ctx: &Ctx,
    field: &str,
    activities: &[A],
) -> Result<(), Fault> {
    let (mut rows, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, activity) in activities.iter().enumerate() {
        let mut say = |name: &str, description: String| {
            wrong.push(Violation { field: format!("{field}[{i}].{name}"), description });
        };
        if !seen.insert(activity.code()) {
            say("code", format!("\"{}\" stands twice", activity.code()));
        }
        for (name, description) in activity.run().check().into_iter().chain(activity.check()) {
            say(name, description.to_owned());
        }
        rows.push(Row { code: activity.code().to_owned(), definition: activity.encode_to_vec() });
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::upsert(&mut tx, A::KIND, &rows, ctx.now).await?;
    Ok(tx.commit().await?)
}

/// A page of activities by code, and the token of the next one.
pub(crate) async fn list<A: Activity>(
    app: &App,
    ctx: &Ctx,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<A>, String), Fault> {
    let page = page::Request::<String>::parse(page_size, page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, A::KIND, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |row| row.code.clone());
    let activities = page.items.iter().map(|row| decode(&row.definition));
    Ok((activities.collect::<Result<_, _>>()?, page.next_token))
}

/// One activity. Fails with `NOT_FOUND`.
pub(crate) async fn get<A: Activity>(tx: &mut Tx, code: &str) -> Result<A, Fault> {
    let row = store::find(tx, A::KIND, code).await?.ok_or_else(|| Fault::not_found(A::NAME))?;
    decode(&row.definition)
}

/// An activity from its column.
pub(crate) fn decode<A: Message + Default>(definition: &[u8]) -> Result<A, Fault> {
    A::decode(definition).map_err(Fault::internal)
}
