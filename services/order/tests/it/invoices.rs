//! What an invoice of an order needs.

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::{
    buyers::Members,
    checkouts::{Buyer, by_card, card},
    coupons::{claim, off, save},
    market::reason,
    refunds::{pieces, whole},
    world::at,
};

const TAX_NO: &str = "91110108551385082Q";

fn rate(category: &str, rate_bp: i32, from: i64) -> TaxRate {
    TaxRate { category: category.into(), rate_bp, valid_time_from: Some(at(from)) }
}

impl Buyer {
    async fn tax(&self, rates: &[TaxRate]) -> Result<Vec<TaxRate>, Fault> {
        let request = SetTaxRatesRequest { rates: rates.to_vec() };
        let reply = self.world.invoices(1).set_tax_rates(request).await.map_err(fault)?;
        Ok(reply.into_inner().rates)
    }

    async fn title(&self, order_id: &str, title: InvoiceTitle) -> Result<InvoiceTitle, Fault> {
        let request = SetInvoiceTitleRequest { order_id: order_id.into(), title: Some(title) };
        let reply = self.world.invoices(1).set_invoice_title(request).await.map_err(fault)?;
        Ok(reply.into_inner().title.unwrap())
    }

    async fn invoice(&self, order_id: &str) -> Result<InvoiceData, Fault> {
        let request = GetInvoiceDataRequest { order_id: order_id.into() };
        let reply = self.world.invoices(1).get_invoice_data(request).await.map_err(fault)?;
        Ok(reply.into_inner().data.unwrap())
    }
}

/// Everything sums, in gross, net and tax, rate by rate.
fn check(data: &InvoiceData) {
    let lines = || data.lines.iter().chain(data.red_letters.iter().flat_map(|red| &red.lines));
    for line in lines() {
        assert_eq!(line.gross_minor, line.net_minor + line.tax_minor);
    }
    for total in &data.totals {
        let of = || lines().filter(|line| line.rate_bp == total.rate_bp);
        assert_eq!(of().map(|line| line.gross_minor).sum::<i64>(), total.gross_minor);
        assert_eq!(of().map(|line| line.net_minor).sum::<i64>(), total.net_minor);
        assert_eq!(of().map(|line| line.tax_minor).sum::<i64>(), total.tax_minor);
    }
    let remains: i64 = data.totals.iter().map(|total| total.gross_minor).sum();
    assert_eq!(remains, data.payable_minor - data.refunded_minor);
}

fn company() -> InvoiceTitle {
    InvoiceTitle {
        kind: InvoiceTitleKind::Company.into(),
        name: "a company".into(),
        tax_no: TAX_NO.into(),
    }
}

#[tokio::test]
async fn an_invoice_sums_to_what_was_payable_less_what_went_back() {
    let buyer = Buyer::with_sandbox().await;
    buyer.tax(&[rate("", 1_300, -60), rate("of scarf", 600, -60)]).await.unwrap();
    save(&buyer.world, &[off("ten", 1_001)]).await.unwrap();
    claim(&buyer.world, "c", "ten", &buyer.person).await.unwrap();
    buyer.world.member.give(&card(1), 50_000);
    let cart = PlaceOrderRequest { shipping_minor: 801, ..buyer.cart("a") };
    let id = buyer.buy(by_card(cart, 1, 7_777)).await;
    buyer.title(&id, company()).await.unwrap();
    let data = buyer.invoice(&id).await.unwrap();
    assert_eq!((data.payable_minor, data.refunded_minor), (30_000 - 1_001 + 801, 0));
    assert_eq!((data.lines.len(), data.title.clone()), (3, Some(company())));
    check(&data);
    let rates: Vec<i32> = data.lines.iter().map(|line| line.rate_bp).collect();
    assert_eq!((rates, data.totals.len()), (vec![1_300, 600, 1_300], 2));
    let net = |data: &InvoiceData| data.totals.iter().map(|total| total.net_minor).sum::<i64>();
    let mut before = net(&data);
    for (key, ask) in [("1", pieces(2, 1)), ("2", whole())] {
        buyer.refund(key, &id, ask).await.unwrap();
        let open = buyer.invoice(&id).await.unwrap();
        check(&open);
        buyer.work().await;
        let data = buyer.invoice(&id).await.unwrap();
        check(&data);
        let red = data.red_letters.last().unwrap();
        assert!(red.lines.iter().all(|line| line.gross_minor < 0 && line.tax_minor <= 0));
        assert!(net(&data) < before);
        before = net(&data);
    }
    let ended = buyer.invoice(&id).await.unwrap();
    assert_eq!((ended.payable_minor, before), (ended.refunded_minor, 0));
    assert_eq!(ended.red_letters.len(), 2);
}

#[tokio::test]
async fn an_order_has_the_rates_of_the_instant_in_which_it_was_placed() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.buy(buyer.cart("a")).await;
    let refused = buyer.invoice(&id).await.unwrap_err();
    assert_eq!(
        (refused.reason(), refused.metadata()["line_no"].as_str()),
        ("TAX_RATE_MISSING", "1")
    );
    let rates = [rate("", 1_300, -3_600), rate("", 600, 3_600)];
    assert_eq!(buyer.tax(&rates).await.unwrap(), rates);
    assert_eq!(buyer.tax(&rates).await.unwrap(), rates, "a repeat");
    for wrong in [rate("", 900, -3_600), rate("", 900, -60)] {
        let refused = buyer.tax(&[wrong]).await.unwrap_err();
        assert_eq!(refused.violations()[0].field, "rates[0].valid_time_from");
    }
    buyer.world.clock.advance(chrono::TimeDelta::hours(1));
    let later = buyer.buy(buyer.cart("b")).await;
    let of = async |id: &str| buyer.invoice(id).await.unwrap().totals[0].rate_bp;
    assert_eq!((of(&id).await, of(&later).await), (1_300, 600));
    let request = ListTaxRatesRequest { page_size: 1, ..Default::default() };
    let page = buyer.world.invoices(1).list_tax_rates(request).await.unwrap().into_inner();
    assert_eq!((page.rates, page.next_page_token.is_empty()), (vec![rates[0].clone()], false));
}

#[tokio::test]
async fn a_title_is_sealed_and_is_the_merchants_own() {
    let buyer = Buyer::with_sandbox().await;
    buyer.tax(&[rate("", 0, -60)]).await.unwrap();
    let unpaid = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap().id;
    assert_eq!(reason(buyer.invoice(&unpaid).await), "ORDER_NOT_PAID");
    for (field, title) in [
        ("title.tax_no", InvoiceTitle { tax_no: "1".into(), ..company() }),
        ("title.tax_no", InvoiceTitle { kind: InvoiceTitleKind::Personal.into(), ..company() }),
        ("title.name", InvoiceTitle { name: String::new(), ..company() }),
    ] {
        let refused = buyer.title(&unpaid, title).await.unwrap_err();
        assert_eq!(refused.violations()[0].field, field);
    }
    for _ in 0..2 {
        buyer.title(&unpaid, company()).await.unwrap();
    }
    let plain = "select count(*) from invoice_titles where position('company' in encode(sealed, 'escape')) > 0";
    assert_eq!(buyer.world.count(plain).await, 0);
    let request = GetInvoiceDataRequest { order_id: unpaid.clone() };
    let theirs = fault(buyer.world.invoices(2).get_invoice_data(request).await.unwrap_err());
    assert_eq!(theirs.code(), Code::NotFound);
    let request = SetInvoiceTitleRequest { order_id: unpaid, title: Some(company()) };
    let theirs = fault(buyer.world.invoices(2).set_invoice_title(request).await.unwrap_err());
    assert_eq!(theirs.code(), Code::NotFound);
}

#[tokio::test]
async fn what_was_said_of_a_person_is_forgotten_with_the_person() {
    let buyer = Buyer::with_sandbox().await;
    let members = Members::new(&buyer.world).await;
    buyer.tax(&[rate("", 0, -60)]).await.unwrap();
    let (own, works) = (buyer.buy(buyer.cart("a")).await, buyer.buy(buyer.cart("b")).await);
    let kind = InvoiceTitleKind::Personal.into();
    let personal = InvoiceTitle { kind, name: "anna".into(), tax_no: String::new() };
    buyer.title(&own, personal).await.unwrap();
    buyer.title(&works, company()).await.unwrap();
    members.erased(&buyer.world, &buyer.person, &[]).await;
    assert_eq!(buyer.invoice(&own).await.unwrap().title, None);
    assert_eq!(buyer.invoice(&works).await.unwrap().title, Some(company()));
}
