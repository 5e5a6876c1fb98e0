//! Random lives of orders against a ledger that a test plays: sums, limits and shares hold whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use siyu_kernel::{Currency, Id};
use siyu_ledger::{AccountId, Action, Flags, Transfer, TransferId};
use uuid::Uuid;

use super::{
    super::{books::Returned, taking::*},
    *,
};

/// A ledger in memory: balances, what is reserved, and the transfers that it knows.
#[derive(Debug, Default)]
struct Journal {
    accounts: BTreeMap<AccountId, (i64, i64, Flags)>,
    posted: BTreeMap<TransferId, (AccountId, AccountId, i64)>,
    ended: BTreeSet<TransferId>,
}

impl Journal {
    fn open(&mut self, books: &Books) {
        let mut all = vec![Account::BuyerClearing, Account::RefundClearing];
        all.extend(books.sources());
        let shards = 0..limits::SHARDS;
        all.extend(shards.flat_map(|n| [Account::CommissionPayable(n), Account::PlatformFee(n)]));
        for account in all.into_iter().map(|account| books.account(account)) {
            self.accounts.entry(account.id).or_insert((0, 0, account.flags));
        }
    }

    fn shift(&mut self, id: AccountId, balance: i64, reserved: i64) {
        let account = self.accounts.get_mut(&id).unwrap();
        account.0 += balance;
        account.1 += reserved;
    }

    fn post(&mut self, transfers: &[Transfer]) {
        for transfer in transfers {
            match transfer.action {
                Action::Post(m) if !self.posted.contains_key(&transfer.id) => {
                    assert!(m.amount > 0);
                    self.shift(m.debit, -m.amount, 0);
                    self.shift(m.credit, m.amount, 0);
                    self.posted.insert(transfer.id, (m.debit, m.credit, m.amount));
                }
                Action::Pending { movement: m, .. } => {
                    self.shift(m.debit, 0, m.amount);
                    let known = self.posted.insert(transfer.id, (m.debit, m.credit, m.amount));
                    assert_eq!(known, None, "a hold has an id of its own");
                }
                Action::VoidPending { pending } => {
                    let (debit, _, amount) = self.posted[&pending];
                    assert!(self.ended.insert(pending), "a hold ends once");
                    self.shift(debit, 0, -amount);
                }
                Action::Reverse { of, amount, .. } => {
                    let (debit, credit, amount) =
                        (self.posted[&of].0, self.posted[&of].1, amount.unwrap());
                    self.shift(credit, -amount, 0);
                    self.shift(debit, amount, 0);
                }
                Action::Post(_) => {}
                Action::PostPending { .. } | Action::ExpirePending { .. } => unreachable!(),
            }
            self.check();
        }
    }

    /// Every transfer leaves it sound, so does a slice.
    fn check(&self) {
        assert_eq!(self.accounts.values().map(|account| account.0).sum::<i64>(), 0);
        for (balance, reserved, flags) in self.accounts.values() {
            if flags.has(Flags::DEBITS_MUST_NOT_EXCEED_CREDITS) {
                assert!(*balance >= *reserved && *reserved >= 0, "{balance} {reserved}");
            }
            if flags.has(Flags::CREDITS_MUST_NOT_EXCEED_DEBITS) {
                assert!(*balance <= 0, "{balance}");
            }
        }
    }

    fn balance(&self, books: &Books, account: Account) -> i64 {
        self.accounts[&books.id(account)].0
    }

    fn standing(&self, books: &Books) -> Standing {
        let sources = books.sources().into_iter().filter(|account| *account != Account::Advance);
        Standing(
            sources
                .map(|account| {
                    let (balance, reserved, _) = self.accounts[&books.id(account)];
                    (account, balance - reserved)
                })
                .collect(),
        )
    }
}

/// What happens to one order.
#[derive(Debug, Clone)]
enum Happening {
    Refund(i64, Ends),
    Dispute(i64),
    Close,
    Complete,
}

/// What becomes of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Paid,
    Failed,
}

struct Order {
    guarantee: Guarantee,
    dispute: Option<Dispute>,
    holds: Holds,
    /// What is with the buyer.
    back: i64,
}

fn order(n: u128, paid: i64, terms: Terms) -> Order {
    let guarantee = Guarantee {
        order_id: Id::from_uuid(Uuid::from_u128(n)),
        currency: CurrencyColumn(Currency::parse("CNY").unwrap()),
        paid_minor: paid,
        held_minor: paid,
        released_minor: 0,
        refunded_minor: 0,
        advanced_minor: 0,
        commission_bp: terms.commission_bp,
        fee_bp: terms.fee_bp,
        releases: 0,
        disputed: false,
        releasable_at: None,
        released_at: None,
        created_at: DateTime::UNIX_EPOCH,
    };
    Order { guarantee, dispute: None, holds: Holds::default(), back: 0 }
}

impl Order {
    /// What the transfers of a dispute hold, as the journal tells it.
    fn keep_holds(&mut self, journal: &Journal, transfers: &[Transfer]) {
        let books = self.guarantee.books();
        for transfer in transfers {
            if let Action::Pending { movement, .. } = transfer.action {
                let sources = books.sources();
                let account = sources.into_iter().find(|s| books.id(*s) == movement.debit).unwrap();
                self.holds.open.push(Hold { id: transfer.id, account, amount: movement.amount });
                self.holds.made += 1;
            }
        }
        self.holds.open.retain(|hold| !journal.ended.contains(&hold.id));
    }

    fn refund(&mut self, journal: &mut Journal, refund: Uuid, amount: i64, ends: Ends) {
        let amount = amount.min(self.guarantee.left_minor());
        if amount == 0 {
            return;
        }
        let books = self.guarantee.books();
        let dispute = self.dispute.as_ref().map(|dispute| (dispute, &self.holds));
        let taking = take_refund(&books, journal.standing(&books), dispute, refund, amount);
        journal.post(&taking.transfers);
        self.guarantee.refund(&taking.parts);
        self.keep_holds(journal, &taking.transfers);
        if let Some(dispute) = &mut self.dispute {
            dispute.amount_minor = (dispute.amount_minor - amount).max(0);
            dispute.frozen_minor = taking.frozen_minor;
            let held: i64 = self.holds.open.iter().map(|hold| hold.amount).sum();
            assert_eq!(held, taking.frozen_minor);
        }
        match ends {
            Ends::Paid => {
                let paid = books.on_refund_paid(refund, "cash", amount);
                journal.post(&[paid, paid]);
                self.back += amount;
            }
            Ends::Failed => {
                let transfer = |part: &Part| books.on_refund(refund, &[*part])[0].id;
                let back = |part: &Part| Returned { of: transfer(part), amount: part.1 };
                let parts: Vec<Returned> = taking.parts.iter().map(back).collect();
                journal.post(&books.on_refund_failed(refund, "cash", &parts, 0));
                for (account, amount) in taking.parts {
                    self.guarantee.shift(account, amount);
                }
            }
        }
    }

    fn happen(&mut self, journal: &mut Journal, n: u128, happening: &Happening) {
        let books = self.guarantee.books();
        let id = Uuid::from_u128(1_000 + n);
        match *happening {
            Happening::Refund(amount, ends) => self.refund(journal, id, amount, ends),
            Happening::Dispute(asked) if self.dispute.is_none() => {
                let Ok(amount_minor) = disputed_amount(&self.guarantee, asked) else { return };
                let (transfers, frozen_minor) =
                    take_dispute(&books, journal.standing(&books), id, amount_minor);
                journal.post(&transfers);
                self.holds = Holds::default();
                self.keep_holds(journal, &transfers);
                self.guarantee.disputed = true;
                self.dispute = Some(Dispute {
                    id: Id::from_uuid(id),
                    order_id: self.guarantee.order_id,
                    amount_minor,
                    frozen_minor,
                    reason: String::new(),
                    outcome: None,
                    note: String::new(),
                    opened_at: DateTime::UNIX_EPOCH,
                    closed_at: None,
                });
            }
            Happening::Close => {
                let Some(dispute) = self.dispute.take() else { return };
                let ids: Vec<TransferId> = self.holds.open.iter().map(|hold| hold.id).collect();
                journal.post(&books.unfreeze(dispute.id.uuid(), &ids));
                self.holds = Holds::default();
                self.guarantee.disputed = false;
            }
            Happening::Complete => self.guarantee.releasable_at = Some(DateTime::UNIX_EPOCH),
            Happening::Dispute(_) => {}
        }
        if self.guarantee.is_due(DateTime::UNIX_EPOCH) {
            let owed = -journal.balance(&books, Account::Advance);
            let guarantee = &self.guarantee;
            let release = Release::of(guarantee.held_minor, owed, guarantee.terms());
            journal.post(&books.on_release(guarantee.releases + 1, &release));
            self.guarantee.release(DateTime::UNIX_EPOCH);
        }
    }
}

fn happenings() -> impl Strategy<Value = Vec<(usize, Happening)>> {
    let ends = prop_oneof![Just(Ends::Paid), Just(Ends::Paid), Just(Ends::Failed)];
    let happening = prop_oneof![
        4 => (1..1_500_i64, ends).prop_map(|(amount, ends)| Happening::Refund(amount, ends)),
        2 => (0..1_500_i64).prop_map(Happening::Dispute),
        2 => Just(Happening::Close),
        2 => Just(Happening::Complete),
    ];
    prop::collection::vec((0..4_usize, happening), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_is_lost_and_what_is_held_is_never_negative(
        paid in prop::collection::vec((0..1_000_i64, 0..1_000_i64), 4),
        (commission_bp, fee_bp) in (0..6_000_i32, 0..4_000_i32),
        happenings in happenings(),
    ) {
        let mut journal = Journal::default();
        let terms = Terms { commission_bp, fee_bp }.check().unwrap();
        let mut orders: Vec<Order> = Vec::new();
        for (n, (cash, card)) in (1..).zip(paid) {
            let order = order(n * 17, cash + card, terms);
            let books = order.guarantee.books();
            journal.open(&books);
            let tenders = [("cash".to_owned(), cash), ("card".to_owned(), card)];
            journal.post(&books.on_paid(&tenders));
            journal.post(&books.on_paid(&tenders));
            orders.push(order);
        }
        for (n, (which, happening)) in (0..).zip(&happenings) {
            orders[*which].happen(&mut journal, n, happening);
            for order in &orders {
                let (books, guarantee) = (order.guarantee.books(), &order.guarantee);
                prop_assert_eq!(journal.balance(&books, Account::Held), guarantee.held_minor);
                prop_assert_eq!(
                    -journal.balance(&books, Account::BuyerClearing),
                    guarantee.paid_minor - order.back
                );
                prop_assert_eq!(guarantee.refunded_minor, order.back);
                prop_assert_eq!(journal.balance(&books, Account::RefundClearing), 0);
                prop_assert!(guarantee.advanced_minor >= 0);
                let is_owed = order.dispute.as_ref().map_or(0, |dispute| dispute.amount_minor);
                prop_assert!(order.holds.open.iter().map(|h| h.amount).sum::<i64>() <= is_owed);
            }
        }
    }

    #[test]
    fn a_release_gives_all_that_is_held_to_somebody(
        held in 1..10_000_000_000_000_i64, owed in 0..10_000_000_000_000_i64, commission_bp in 0..=10_000_i32,
    ) {
        let terms = Terms { commission_bp, fee_bp: 10_000 - commission_bp };
        let all = Release::of(held, owed, Terms { fee_bp: terms.fee_bp / 2, ..terms });
        prop_assert_eq!(all.commission + all.fee + all.recovered + all.available, held);
        prop_assert!(all.recovered <= owed && (all.available == 0 || all.recovered == owed));
        prop_assert!([all.commission, all.fee, all.recovered, all.available].iter().all(|n| *n >= 0));
        prop_assert!(Release::of(held, owed, terms).available <= 1);
    }
}

#[test]
fn rates_take_no_more_than_everything() {
    let of = |commission_bp, fee_bp| Terms { commission_bp, fee_bp }.check().is_ok();
    assert_eq!([of(10_000, 0), of(10_000, 1), of(-1, 5), of(0, 0)], [true, false, false, true]);
}

#[test]
fn a_pick_up_waits_a_day_and_a_word_of_the_buyer_does_not() {
    let at = DateTime::UNIX_EPOCH;
    assert_eq!(Completion::PickedUp.releasable_at(at), at + TimeDelta::hours(24));
    assert_eq!(Completion::Confirmed.releasable_at(at), at);
    assert_eq!(Completion::AutoConfirmed.releasable_at(at), at);
}
