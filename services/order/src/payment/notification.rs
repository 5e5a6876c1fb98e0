//! What payment companies tell (rules 17, 130): checked, stored as it came, acknowledged at once, worked on later, and once more
//! where somebody wants it. One whose signature or time does not fit is stored, too, but takes nobody's place: so many an hour
//! of an account, for some days, for anybody may post them.

pub mod domain;
pub mod store;

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use siyu_pg::{OnConstraint, Tx};
use siyu_proto::order::v1::{self as proto, ReceiveNotificationRequest};

use super::{
    account,
    provider::{About, Distrust, Incoming, Notice, Provider},
    refund, settle,
};
use crate::{App, limits};
use domain::{Notification, NotificationId, State};

/// Takes in what came for an account.
pub(crate) async fn receive(
    app: &App,
    merchant: Id<Merchant>,
    request: &ReceiveNotificationRequest,
    now: DateTime<Utc>,
) -> Result<(Option<NotificationId>, State), Fault> {
    let (_, provider) = account::provider(app, merchant, &request.account_code).await?;
    let incoming = Incoming { headers: &request.headers, body: &request.body, received_at: now };
    let (event_id, state, problem) = match provider.parse_notification(&incoming) {
        Ok(notice) => (Some(notice.event_id), State::Received, String::new()),
        Err(Distrust(why)) => (None, State::Refused, why),
    };
    let headers = ReceiveNotificationRequest {
        headers: request.headers.clone(),
        ..ReceiveNotificationRequest::default()
    };
    let notification = Notification {
        id: Id::from_uuid(app.ids.uuid()),
        account_code: request.account_code.clone(),
        event_id,
        state,
        problem,
        headers: headers.encode_to_vec(),
        body: request.body.clone(),
        times: 1,
        tries: 0,
        received_at: now,
        processed_at: None,
        due_at: (state == State::Received).then_some(now),
    };
    let mut tx = app.db.tenant(merchant).await?;
    if state == State::Refused {
        let since = now - limits::REFUSED_WINDOW;
        if !store::admit_refused(&mut tx, &request.account_code, since, now).await? {
            return Ok((None, state));
        }
    }
    let stored = store::insert(&mut tx, &notification).await?;
    tx.commit().await?;
    Ok((Some(stored.id), stored.state))
}

/// Works on one notification that this process has leased.
pub(crate) async fn process(
    app: &App,
    merchant: Id<Merchant>,
    notification: &Notification,
    now: DateTime<Utc>,
) -> Result<Notification, Fault> {
    let (_, provider) = account::provider(app, merchant, &notification.account_code).await?;
    let notice = read(notification, &*provider)?;
    let mut tx = app.db.tenant(merchant).await?;
    let mut done = notification.clone();
    done.processed_at = Some(now);
    match notice {
        Err(Distrust(why)) => {
            (done.state, done.problem, done.event_id) = (State::Refused, why, None);
        }
        Ok(notice) => {
            done.state =
                take(app, &mut tx, &done.account_code, &notice, provider.payee(), now).await?;
            done.problem = String::new();
            done.event_id = Some(notice.event_id);
        }
    }
    done.due_at = None;
    let saved = store::save(&mut tx, &done).await;
    saved.on_constraint("payment_notifications_account_code_event_id_key", known())?;
    tx.commit().await?;
    Ok(done)
}

async fn take(
    app: &App,
    tx: &mut Tx,
    account_code: &str,
    notice: &Notice,
    payee: &str,
    now: DateTime<Utc>,
) -> Result<State, Fault> {
    match &notice.about {
        About::Trade(number, trade) => {
            let found = super::store::find_by_number(tx, account_code, number).await?;
            let Some(payment) = found else { return Ok(State::Unmatched) };
            settle::take_trade(app, tx, &payment, trade, payee, now).await?;
        }
        About::Refund(number, stand) => {
            let found = refund::store::find_by_number(tx, account_code, number).await?;
            let Some(known) = found else { return Ok(State::Unmatched) };
            refund::take_stand(app, tx, &known, stand, now).await?;
        }
        About::Other => {}
    }
    Ok(State::Processed)
}

/// Works on a notification once more.
pub(crate) async fn replay(
    app: &App,
    merchant: Id<Merchant>,
    id: NotificationId,
    now: DateTime<Utc>,
) -> Result<Notification, Fault> {
    let mut tx = app.db.tenant_lookup(merchant).await?;
    let notification = store::find(&mut tx, id).await?;
    drop(tx);
    let notification = notification.ok_or_else(|| Fault::not_found("notification"))?;
    let done = process(app, merchant, &notification, now).await?;
    if done.state == State::Refused {
        let message = format!("the notification still does not fit: {}", done.problem);
        return Err(Fault::new(Code::FailedPrecondition, "NOTIFICATION_REFUSED", message));
    }
    Ok(done)
}

fn read(
    notification: &Notification,
    provider: &dyn Provider,
) -> Result<Result<Notice, Distrust>, Fault> {
    let kept = ReceiveNotificationRequest::decode(notification.headers.as_slice());
    let kept = kept.map_err(Fault::internal)?;
    Ok(provider.parse_notification(&Incoming {
        headers: &kept.headers,
        body: &notification.body,
        received_at: notification.received_at,
    }))
}

/// Works on it later: something else went wrong.
pub(crate) async fn postpone(
    app: &App,
    merchant: Id<Merchant>,
    notification: &Notification,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut later = notification.clone();
    later.due_at = Some(now + limits::backoff(later.tries));
    later.tries = later.tries.saturating_add(1);
    let mut tx = app.db.tenant(merchant).await?;
    store::save(&mut tx, &later).await?;
    tx.commit().await?;
    Ok(())
}

/// What the payment company is answered: the status of HTTP and the body.
pub(crate) const fn answer(state: State) -> (i32, &'static str) {
    match state {
        State::Received | State::Processed | State::Unmatched => {
            (200, r#"{"code":"SUCCESS","message":"成功"}"#)
        }
        State::Refused => (401, r#"{"code":"FAIL","message":"验签失败"}"#),
    }
}

fn known() -> Fault {
    let message = "the same event came another time and was taken in then";
    Fault::new(Code::FailedPrecondition, "NOTIFICATION_REFUSED", message)
}

/// The state that a contract's value names; `None` for "not given".
pub(crate) const fn asked_state(asked: proto::NotificationState) -> Option<State> {
    Some(match asked {
        proto::NotificationState::Unspecified => return None,
        proto::NotificationState::Received => State::Received,
        proto::NotificationState::Processed => State::Processed,
        proto::NotificationState::Refused => State::Refused,
        proto::NotificationState::Unmatched => State::Unmatched,
    })
}
