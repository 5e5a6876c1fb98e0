//! Our books against statements: whatever differs is in the list, and nothing is evened out silently.

use chrono::TimeDelta;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::till::Till;

pub(crate) const DAY: &str = "2024-06-01";

pub(crate) fn row(kind: StatementKind, out_no: &str, amount_minor: i64) -> StatementRow {
    StatementRow {
        kind: kind.into(),
        out_no: out_no.into(),
        provider_no: format!("42{out_no}"),
        amount_minor,
        currency_code: "CNY".into(),
    }
}

pub(crate) async fn import(
    till: &Till,
    request: ImportStatementRequest,
) -> Result<StatementDay, Fault> {
    let reply = till.world.reconciliation(1).import_statement(request).await;
    Ok(reply.map_err(siyu_grpc::fault)?.into_inner().day.unwrap())
}

fn given(rows: &[StatementRow]) -> ImportStatementRequest {
    ImportStatementRequest {
        account_code: "box".into(),
        day: DAY.into(),
        rows: rows.to_vec(),
        fetch: false,
        more_follow: false,
    }
}

pub(crate) fn fetched(account: &str) -> ImportStatementRequest {
    ImportStatementRequest { account_code: account.into(), fetch: true, ..given(&[]) }
}

pub(crate) async fn differences(till: &Till) -> Vec<Difference> {
    let mut request = ListDifferencesRequest { page_size: 2, ..ListDifferencesRequest::default() };
    let mut found = Vec::new();
    loop {
        let page = till.world.reconciliation(1).list_differences(request.clone()).await;
        let page = page.unwrap().into_inner();
        found.extend(page.differences);
        if page.next_page_token.is_empty() {
            found.sort_by(|a, b| (a.kind, &a.out_no).cmp(&(b.kind, &b.out_no)));
            return found;
        }
        request.page_token = page.next_page_token;
    }
}

fn brief(found: &[Difference]) -> Vec<(DifferenceKind, DifferenceState, i64)> {
    let minor = |d: &Difference| d.amount.as_ref().unwrap().minor_units;
    found.iter().map(|d| (d.difference(), d.state(), minor(d))).collect()
}

async fn suspense(till: &Till) -> Vec<(i64, i64)> {
    let reply = till.world.reconciliation(1).get_suspense(GetSuspenseRequest {}).await;
    let totals = reply.unwrap().into_inner().totals;
    totals.iter().map(|t| (t.amount.as_ref().unwrap().minor_units, t.differences)).collect()
}

/// Three payments of 100, one of them given back by 30; then the day is over.
async fn sold() -> (Till, Vec<String>) {
    let till = Till::open().await;
    let mut numbers = Vec::new();
    for n in 1..=3 {
        let order = till.claim(n, 100).await;
        let payment = till.start(&n.to_string(), order).await.unwrap();
        till.pay(&payment).await;
        till.work().await;
        if n == 3 {
            till.refund(&payment, "a", 30).await.unwrap();
            till.work().await;
        }
        numbers.push(payment.out_trade_no);
    }
    till.world.clock.advance(TimeDelta::days(1));
    (till, numbers)
}

fn counts(day: &StatementDay) -> [i64; 6] {
    [day.rows, day.matched, day.missing_here, day.missing_there, day.amount_differs, day.open]
}

#[tokio::test]
async fn books_that_agree_leave_nothing_in_suspense() {
    let (till, _) = sold().await;
    let day = import(&till, fetched("box")).await.unwrap();
    assert_eq!(counts(&day), [4, 4, 0, 0, 0, 0]);
    assert_eq!((day.paid_minor, day.refunded_minor, day.complete), (300, 30, true));
    assert_eq!(import(&till, fetched("box")).await.unwrap(), day, "a repeat changes nothing");
    assert!(differences(&till).await.is_empty() && suspense(&till).await.is_empty());
    let list = ListStatementDaysRequest { account_code: "box".into(), ..Default::default() };
    let days = till.world.reconciliation(1).list_statement_days(list).await.unwrap().into_inner();
    assert_eq!(days.days, [day]);
}

#[tokio::test]
async fn whatever_differs_stands_in_the_list_with_its_sign_until_somebody_looked() {
    use DifferenceKind::{AmountDiffers, MissingHere, MissingThere};
    let (till, numbers) = sold().await;
    // One is missing there, one has another amount, one is strange, and the refund is larger.
    let rows = [
        row(StatementKind::Payment, &numbers[1], 90),
        row(StatementKind::Payment, &numbers[2], 100),
        row(StatementKind::Payment, "strange", 7),
        row(StatementKind::Refund, &format!("{}-r1", numbers[2]), 35),
    ];
    let day = import(&till, given(&rows)).await.unwrap();
    assert_eq!(counts(&day), [4, 1, 1, 1, 2, 4]);
    let open = DifferenceState::Open;
    let found = differences(&till).await;
    let expected = [
        (MissingThere, open, -100),
        (AmountDiffers, open, -10),
        (MissingHere, open, 7),
        (AmountDiffers, open, -5),
    ];
    assert_eq!(brief(&found), expected);
    assert_eq!(suspense(&till).await, [(-108, 4)]);
    // The company's books less ours come to the same.
    let theirs = 90 + 100 + 7 - 35;
    let ours = 300 - 30;
    assert_eq!(theirs - ours, -108);
    let resolve = ResolveDifferenceRequest {
        difference_id: found[2].id.clone(),
        note: "a test of the bank".into(),
    };
    let client = || till.world.reconciliation(1);
    let resolved = client().resolve_difference(resolve.clone()).await.unwrap().into_inner();
    let resolved = resolved.difference.unwrap();
    assert_eq!(
        (resolved.state(), resolved.resolved_by.as_str()),
        (DifferenceState::Resolved, "test")
    );
    let again = client().resolve_difference(resolve.clone()).await.unwrap().into_inner();
    assert_eq!(again.difference.unwrap(), resolved);
    let other = ResolveDifferenceRequest { note: "no".into(), ..resolve.clone() };
    let refused = siyu_grpc::fault(client().resolve_difference(other).await.unwrap_err());
    assert_eq!(refused.reason(), "DIFFERENCE_RESOLVED");
    let foreign = till.world.reconciliation(2).resolve_difference(resolve).await.unwrap_err();
    assert_eq!(siyu_grpc::fault(foreign).code(), Code::NotFound);
    assert_eq!(suspense(&till).await, [(-115, 3)]);
    // The same statement again opens nothing that was resolved.
    let day = import(&till, given(&rows)).await.unwrap();
    assert_eq!(counts(&day), [4, 1, 1, 1, 2, 3]);
}

#[tokio::test]
async fn a_statement_that_is_put_right_resolves_and_one_that_is_wrong_again_opens() {
    let (till, numbers) = sold().await;
    let refund = row(StatementKind::Refund, &format!("{}-r1", numbers[2]), 30);
    let right: Vec<StatementRow> = numbers
        .iter()
        .map(|number| row(StatementKind::Payment, number, 100))
        .chain([refund])
        .collect();
    let mut wrong = right.clone();
    wrong[0].amount_minor = 99;
    import(&till, given(&wrong)).await.unwrap();
    assert_eq!(suspense(&till).await, [(-1, 1)]);
    let day = import(&till, given(&right)).await.unwrap();
    assert_eq!(counts(&day), [4, 4, 0, 0, 0, 0]);
    let found = differences(&till).await;
    assert_eq!(
        (found[0].state(), found[0].resolved_by.as_str()),
        (DifferenceState::Resolved, "statement")
    );
    wrong[0].amount_minor = 98;
    import(&till, given(&wrong)).await.unwrap();
    let found = differences(&till).await;
    assert_eq!(brief(&found), [(DifferenceKind::AmountDiffers, DifferenceState::Open, -2)]);
}

#[tokio::test]
async fn what_is_missing_there_is_looked_for_when_the_statement_is_whole() {
    let (till, numbers) = sold().await;
    let part = ImportStatementRequest {
        more_follow: true,
        ..given(&[row(StatementKind::Payment, &numbers[0], 100)])
    };
    let day = import(&till, part).await.unwrap();
    assert_eq!((counts(&day), day.complete), ([1, 1, 0, 0, 0, 0], false));
    let rest = [
        row(StatementKind::Payment, &numbers[1], 100),
        row(StatementKind::Payment, &numbers[2], 100),
    ];
    let day = import(&till, given(&rest)).await.unwrap();
    assert_eq!((counts(&day), day.complete), ([3, 3, 0, 1, 0, 1], true));
    assert_eq!(suspense(&till).await, [(30, 1)], "they hold what we gave back");
    // The refund stands in the statement of the day after.
    till.world.clock.advance(TimeDelta::days(1));
    let next = ImportStatementRequest {
        day: "2024-06-02".into(),
        ..given(&[row(StatementKind::Refund, &format!("{}-r1", numbers[2]), 30)])
    };
    let day = import(&till, next).await.unwrap();
    assert_eq!(counts(&day), [1, 1, 0, 0, 0, 0]);
    assert!(suspense(&till).await.is_empty());
    let day = import(&till, given(&rest)).await.unwrap();
    assert_eq!(counts(&day), [3, 3, 0, 0, 0, 0], "it is not missed on its own day any more");
}

#[tokio::test]
async fn payments_that_our_books_took_no_notice_of_are_found() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    till.simulate(&payment, SandboxAct::PaySilently, 0).await.unwrap();
    // Nothing is told and nobody asks, until the statement comes.
    till.world.clock.advance(TimeDelta::days(1));
    let day = import(&till, fetched("box")).await.unwrap();
    assert_eq!(counts(&day), [1, 0, 1, 0, 0, 1]);
    assert_eq!(suspense(&till).await, [(100, 1)]);
    till.work().await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Succeeded);
    let day = import(&till, fetched("box")).await.unwrap();
    assert_eq!(counts(&day), [1, 1, 0, 0, 0, 0]);
    assert!(suspense(&till).await.is_empty());
}

#[tokio::test]
async fn a_refund_that_ends_after_its_statement_leaves_suspense_with_that_of_its_end() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    till.pay(&payment).await;
    till.work().await;
    // The refund is under way, and stands in the statement of the day that the company took it.
    till.refund(&payment, "a", 30).await.unwrap();
    till.world.clock.advance(TimeDelta::days(1));
    let refund = format!("{}-r1", payment.out_trade_no);
    let first = [
        row(StatementKind::Payment, &payment.out_trade_no, 100),
        row(StatementKind::Refund, &refund, 30),
    ];
    let day = import(&till, given(&first)).await.unwrap();
    assert_eq!(counts(&day), [2, 1, 1, 0, 0, 1]);
    assert_eq!(suspense(&till).await, [(-30, 1)]);
    // Days later it ends; the statement of that day has nothing of it.
    till.world.clock.advance(TimeDelta::days(2));
    till.work().await;
    assert_eq!(till.get(&payment).await.refunds[0].state(), PaymentRefundState::Succeeded);
    till.world.clock.advance(TimeDelta::days(1));
    let later = ImportStatementRequest { day: "2024-06-04".into(), ..given(&[]) };
    let day = import(&till, later.clone()).await.unwrap();
    assert_eq!(counts(&day), [0, 0, 0, 0, 0, 0]);
    assert!(suspense(&till).await.is_empty(), "both sides have it");
    let found = differences(&till).await;
    assert_eq!((found[0].state(), found[0].day.as_str()), (DifferenceState::Resolved, DAY));
    // The same once more, and the first one again: nothing opens.
    import(&till, later).await.unwrap();
    let day = import(&till, given(&first)).await.unwrap();
    assert_eq!(counts(&day), [2, 2, 0, 0, 0, 0]);
    assert!(suspense(&till).await.is_empty());
}

#[tokio::test]
async fn rows_that_contradict_themselves_and_days_that_are_not_over_are_refused() {
    let till = Till::open().await;
    let early = import(&till, fetched("box")).await.unwrap_err();
    assert_eq!(early.violations()[0].field, "day");
    till.world.clock.advance(TimeDelta::days(1));
    let unknown = import(&till, fetched("none")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let mut yen = row(StatementKind::Payment, "b", 1);
    yen.currency_code = "XAU".into();
    let twice = row(StatementKind::Payment, "a", 1);
    let refused = import(&till, given(&[twice.clone(), twice.clone(), yen])).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["rows[1].out_no", "rows[2].currency_code"]);
    let both = ImportStatementRequest { fetch: true, ..given(&[twice]) };
    assert_eq!(import(&till, both).await.unwrap_err().violations()[0].field, "fetch");
}
