//! Random slices of transfers: mostly sensible, sometimes not.

use chrono::TimeDelta;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use siyu_ledger::{
    AccountId, Action, Asset, Draw, Expired, Flags, LotId, LotTerms, Movement, Transfer,
    TransferCode, TransferId,
};
use uuid::Uuid;

use super::model::{Instant, Model};

const CODE: TransferCode = TransferCode::new(1);
pub(crate) const ASSETS: [Asset; 2] = [Asset::new("points"), Asset::new("CNY")];
/// For each asset: without limits twice, limited either way, lots, lots that never owe.
pub(crate) const KINDS: [Flags; 6] = [
    Flags::NONE,
    Flags::NONE,
    Flags::DEBITS_MUST_NOT_EXCEED_CREDITS,
    Flags::CREDITS_MUST_NOT_EXCEED_DEBITS,
    Flags::LOTS,
    LOTS_WITHOUT_DEBT,
];

const LOTS_WITHOUT_DEBT: Flags = Flags::LOTS.and(Flags::DEBITS_MUST_NOT_EXCEED_CREDITS);

pub(crate) struct Generator {
    pub(crate) rng: StdRng,
    pub(crate) now: Instant,
    pub(crate) accounts: Vec<(AccountId, Asset, Flags)>,
    /// The transfers asked for lately: to be repeated, ended, reversed.
    recent: Vec<Transfer>,
}

impl Generator {
    pub(crate) fn new(seed: u64, now: Instant) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let kinds = ASSETS.into_iter().flat_map(|asset| KINDS.map(|flags| (asset, flags)));
        let accounts = kinds
            .map(|(asset, flags)| {
                (AccountId::from_uuid(Uuid::from_u128(rng.random())), asset, flags)
            })
            .collect();
        Self { rng, now, accounts, recent: Vec::new() }
    }

    /// The next slice; time passes before it.
    pub(crate) fn slice(&mut self, len: usize, model: &Model) -> Vec<Transfer> {
        self.now += TimeDelta::seconds(self.rng.random_range(0..20));
        let mut slice = self.lapsed(model);
        while slice.len() < len {
            let links = if self.rng.random_bool(0.08) { self.rng.random_range(1..4) } else { 0 };
            for link in 0..=links {
                let transfer = self.transfer();
                self.recent.push(transfer);
                let open = link == links && links > 0 && self.rng.random_bool(0.02);
                slice.push(if link < links || open { transfer.linked() } else { transfer });
            }
        }
        if let Some(last) = slice.last_mut() {
            last.linked = self.rng.random_bool(0.03);
        }
        let forget = self.recent.len().saturating_sub(400);
        self.recent.drain(..forget);
        slice
    }

    /// What an expiry job would post: the units of the first lapsed lots of each account.
    fn lapsed(&mut self, model: &Model) -> Vec<Transfer> {
        let now = self.now;
        let mut transfers = Vec::new();
        for (account, asset, _) in self.accounts.clone() {
            let over = |ends: Option<Instant>| ends.is_some_and(|end| end <= now);
            let coins: Vec<_> = model.purses[&account].coins.iter().collect();
            let lots = coins.chunk_by(|left, right| left.lot == right.lot);
            let sink = self.accounts.iter().find(|(_, other, _)| *other == asset).unwrap().0;
            for lot in lots.take_while(|lot| over(lot[0].ends)).take(4) {
                let movement = Movement::new(account, sink, i64::try_from(lot.len()).unwrap());
                let (id, draw) = (self.id(), Draw::Lot(lot[0].lot));
                transfers.push(Transfer::post(id, CODE, movement.draw(draw)));
            }
        }
        transfers
    }

    fn id(&mut self) -> TransferId {
        TransferId::from_uuid(Uuid::from_u128(self.rng.random()))
    }

    fn transfer(&mut self) -> Transfer {
        let id = self.id();
        let known = self.recent.choose(&mut self.rng).map_or(id, |transfer| transfer.id);
        let roll = self.rng.random_range(0..100);
        let transfer = match roll {
            0..44 => Transfer::post(id, CODE, self.movement()),
            44..58 => {
                let end = self.now + TimeDelta::seconds(self.rng.random_range(-2..200));
                let expires_at = self.rng.random_bool(0.8).then_some(end);
                Transfer::pending(id, CODE, self.movement(), expires_at)
            }
            58..70 => Transfer::post_pending(id, CODE, self.hold().unwrap_or(known)),
            70..75 => Transfer::void_pending(id, CODE, self.hold().unwrap_or(known)),
            75..80 => Transfer::expire_pending(id, CODE, self.hold().unwrap_or(known)),
            80..93 => self.reverse(id, known),
            _ => match self.recent.choose(&mut self.rng).copied() {
                Some(again) if self.rng.random_bool(0.7) => again,
                Some(again) => self.other(again),
                None => Transfer::post(id, CODE, self.movement()),
            },
        };
        let whole = matches!(transfer.action, Action::PostPending { amount: None, .. });
        if whole && self.rng.random_bool(0.4) {
            return transfer.part(self.rng.random_range(-1..25));
        }
        transfer
    }

    /// A transfer with the id of a known one and other content.
    fn other(&mut self, again: Transfer) -> Transfer {
        match self.rng.random_range(0..3) {
            0 => again.user_data(again.user_data + 1),
            1 => again.reference(Uuid::from_u128(7)),
            _ => Transfer::post(again.id, CODE, self.movement()),
        }
    }

    fn reverse(&mut self, id: TransferId, of: TransferId) -> Transfer {
        let draw = *[Draw::ByLimits, Draw::Overdraft].choose(&mut self.rng).unwrap();
        let until = self.now + TimeDelta::seconds(self.rng.random_range(1..500));
        let expired =
            *[Expired::Forfeit, Expired::Restore { until }].choose(&mut self.rng).unwrap();
        let amount = self.rng.random_bool(0.6).then(|| self.rng.random_range(-1..12));
        Transfer {
            action: Action::Reverse { of, amount, draw, expired },
            ..Transfer::reverse(id, CODE, of)
        }
    }

    fn hold(&mut self) -> Option<TransferId> {
        let holds = self.recent.iter().filter(|t| matches!(t.action, Action::Pending { .. }));
        let holds: Vec<_> = holds.map(|t| t.id).collect();
        holds.choose(&mut self.rng).copied()
    }

    fn movement(&mut self) -> Movement {
        let (mut debit, asset, _) = *self.accounts.choose(&mut self.rng).unwrap();
        let stray = self.rng.random_bool(0.02);
        let fits = |(_, other, _): &&(AccountId, Asset, Flags)| *other == asset || stray;
        let others: Vec<_> = self.accounts.iter().filter(fits).copied().collect();
        let (mut credit, _, flags) = *others.choose(&mut self.rng).unwrap();
        let nobody = AccountId::from_uuid(Uuid::from_u128(self.rng.random()));
        match self.rng.random_range(0..200) {
            0 => debit = nobody,
            1 => credit = nobody,
            _ => {}
        }
        let amount = self.rng.random_range(-1..30);
        let mut movement = Movement::new(debit, credit, amount).draw(self.draw());
        if flags.has(Flags::LOTS) && self.rng.random_bool(0.8) || self.rng.random_bool(0.02) {
            movement = movement.lot(self.terms());
        }
        movement
    }

    fn draw(&mut self) -> Draw {
        match self.rng.random_range(0..20) {
            0..12 => Draw::ByLimits,
            12..14 => Draw::Covered,
            14..19 => Draw::Overdraft,
            _ => {
                let id = self.id();
                let lot = self.recent.choose(&mut self.rng).map_or(id, |transfer| transfer.id);
                Draw::Lot(LotId::from_uuid(lot.uuid()))
            }
        }
    }

    fn terms(&mut self) -> LotTerms {
        let mut offset = |range| TimeDelta::seconds(self.rng.random_range(range));
        let terms = LotTerms::from(self.now + offset(-50..5));
        let terms = terms.available_at(self.now + offset(-40..60));
        let end = self.now + offset(-5..400);
        if self.rng.random_bool(0.9) { terms.expires_at(end) } else { terms }
    }
}
