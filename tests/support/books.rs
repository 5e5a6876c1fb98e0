//! What the ledgers and the stock of a merchant say.

use std::collections::BTreeMap;

use siyu::upkeep::check_stock;
use siyu_proto::{
    distribution::v1::CheckCommissionLedgerRequest,
    member::v1::{CheckLedgerRequest, ListPersonsRequest, Person, person_service_client},
    order::v1::CheckOrderLedgerRequest,
};

use super::caller::{Merchant, ask};

/// Everything that buyers own, by the buyer's id in the shop, and the size of the journal. The ids of the suite are left
/// out, so that two merchants can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// Growth, tier, all points.
    pub buyers: BTreeMap<String, (i64, i32, i64)>,
    /// Accounts of the journal.
    pub accounts: i64,
    /// Transfers of the journal.
    pub transfers: i64,
    /// Transfers of the commission journal.
    pub commission_transfers: i64,
    /// Transfers of the journal of orders.
    pub order_transfers: i64,
    /// Stocks that add up.
    pub stocks: i64,
}

/// Reads the books, which must be sound.
pub async fn books(merchant: &Merchant) -> Books {
    let client = merchant.caller.client();
    let member =
        ask(CheckLedgerRequest {}, async |q| client.accounts().check_ledger(q).await).await;
    assert!(member.findings.is_empty(), "{:#?}", member.findings);
    let request = CheckCommissionLedgerRequest {};
    let commission =
        ask(request, async |q| client.commissions().check_commission_ledger(q).await).await;
    assert!(commission.findings.is_empty(), "{:#?}", commission.findings);
    let request = CheckOrderLedgerRequest {};
    let order = ask(request, async |q| client.guarantees().check_order_ledger(q).await).await;
    assert!(order.findings.is_empty(), "{:#?}", order.findings);
    let stock = check_stock(client).await;
    let stock = stock.unwrap_or_else(|error| panic!("no check of the stock: {error}"));
    assert!(stock.findings.is_empty(), "{:#?}", stock.findings);
    Books {
        buyers: persons(merchant).await.iter().map(of_buyer).collect(),
        accounts: member.accounts,
        transfers: member.transfers,
        commission_transfers: commission.transfers,
        order_transfers: order.transfers,
        stocks: stock.checked,
    }
}

fn of_buyer(person: &Person) -> (String, (i64, i32, i64)) {
    assert_eq!(person.identities.len(), 1, "orders know a buyer by one key: {person:?}");
    (person.identities[0].value.clone(), (person.growth, person.tier, person.points_total))
}

async fn persons(merchant: &Merchant) -> Vec<Person> {
    let mut client = person_service_client::PersonServiceClient::new(merchant.caller.grpc());
    let mut request = ListPersonsRequest { page_size: 1000, ..Default::default() };
    let mut persons = Vec::new();
    loop {
        let page = ask(request.clone(), async |q| client.list_persons(q).await).await;
        persons.extend(page.persons);
        if page.next_page_token.is_empty() {
            return persons;
        }
        request.page_token = page.next_page_token;
    }
}
