//! What the order service needs to know from the member service: the merchant, its stores with their points and hours, who is
//! behind a buyer's id, and whether a person exists. Merchant and stores are remembered for some seconds; persons are asked for
//! with every call.

mod read;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::{Ctx, Peer, fault, parse};
use siyu_kernel::{
    Currency, Fault, Id, OpeningHours, Point, Zone,
    kind::{Merchant, Person, Region, Store},
};
use siyu_proto::member::v1::{
    GetPersonRequest, Identity, IdentityKind, IdentitySet, ResolvePersonsRequest,
    person_service_client::PersonServiceClient,
};

use crate::{condition::Sale, import::domain::Key, limits};

/// A merchant as the service knows it.
#[derive(Debug)]
pub struct Known {
    /// The currency of its figures.
    pub currency: Currency,
    /// The zone in which its days are cut.
    pub zone: Zone,
    /// Its stores by code.
    pub stores: HashMap<String, Id<Store>>,
    /// The region of each store that has one, and all that it is part of, by the code of the store.
    pub regions: HashMap<String, Vec<Id<Region>>>,
    /// Where its stores stand and when they are open.
    pub shops: HashMap<Id<Store>, Shop>,
    read_at: DateTime<Utc>,
}

/// A store as routing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// Where it stands; none: not known.
    pub point: Option<Point>,
    /// When it is open; of its exceptions those that are near ([`limits::EXCEPTIONS_NEAR`]).
    pub hours: OpeningHours,
}

/// A buyer of one shop on one platform.
pub type Buyer<'a> = (&'a str, &'a str, &'a str);

/// A sale, with what is known of its merchant and its buyer.
#[derive(Debug)]
pub struct Around {
    /// The merchant.
    pub known: Arc<Known>,
    /// The buyer, after identity merge; none: nobody.
    pub person: Option<Id<Person>>,
    /// The sale.
    pub sale: Sale,
}

/// The directory. Clones share what is remembered.
#[derive(Debug, Clone)]
pub struct Directory {
    member: Peer,
    known: Arc<Mutex<HashMap<Id<Merchant>, Arc<Known>>>>,
}

impl Directory {
    /// A directory that asks `member`.
    pub fn new(member: Peer) -> Self {
        Self { member, known: Arc::default() }
    }

    /// The merchant of the call; asked for again when what is remembered is old or lacks one of the store codes.
    pub async fn known(&self, ctx: &Ctx, codes: &BTreeSet<&str>) -> Result<Arc<Known>, Fault> {
        self.knowing(ctx, |known| codes.iter().all(|code| known.stores.contains_key(*code))).await
    }

    /// The merchant of the call; asked for again when what is remembered is old or lacks one of the stores.
    pub async fn shops(&self, ctx: &Ctx, stores: &[Id<Store>]) -> Result<Arc<Known>, Fault> {
        self.knowing(ctx, |known| stores.iter().all(|store| known.shops.contains_key(store))).await
    }

    async fn knowing(&self, ctx: &Ctx, has: impl Fn(&Known) -> bool) -> Result<Arc<Known>, Fault> {
        let merchant = ctx.merchant()?;
        let ttl = TimeDelta::from_std(limits::DIRECTORY_TTL).expect("seconds fit");
        let remembered = self.lock().get(&merchant).cloned();
        let usable = |known: &Arc<Known>| known.read_at + ttl > ctx.now && has(known);
        if let Some(known) = remembered.filter(usable) {
            return Ok(known);
        }
        let read = Arc::new(read::known(&self.member, ctx).await?);
        let mut known = self.lock();
        if known.len() >= limits::DIRECTORY_MERCHANTS_MAX {
            known.clear();
        }
        known.insert(merchant, read.clone());
        Ok(read)
    }

    /// The persons behind buyers; those who are not known yet come to be.
    pub async fn persons<'a>(
        &self,
        ctx: &Ctx,
        buyers: BTreeSet<Buyer<'a>>,
    ) -> Result<HashMap<Buyer<'a>, Id<Person>>, Fault> {
        if buyers.is_empty() {
            return Ok(HashMap::new());
        }
        let set = |(platform, shop_id, buyer_id): &Buyer<'_>| IdentitySet {
            identities: vec![Identity {
                kind: IdentityKind::PlatformBuyer.into(),
                scope: format!("{platform}/{shop_id}"),
                value: (*buyer_id).to_owned(),
                ..Default::default()
            }],
        };
        let request = ResolvePersonsRequest { sets: buyers.iter().map(set).collect() };
        let mut client = PersonServiceClient::new(self.member.as_service_within(ctx));
        let reply = client.resolve_persons(request).await.map_err(fault)?.into_inner();
        let pair = |(buyer, resolved): (Buyer<'a>, _)| {
            let resolved: siyu_proto::member::v1::ResolvedPerson = resolved;
            Ok((buyer, parse::id("person_id", &resolved.person_id).map_err(Fault::internal)?))
        };
        buyers.into_iter().zip(reply.persons).map(pair).collect()
    }

    /// The person behind an id that a request names; fails with `NOT_FOUND`.
    pub async fn person(&self, ctx: &Ctx, id: Id<Person>) -> Result<Id<Person>, Fault> {
        Ok(self.buyer(ctx, id).await?.0)
    }

    /// The person behind an id that a request names, and its tier; fails with `NOT_FOUND`.
    async fn buyer(&self, ctx: &Ctx, id: Id<Person>) -> Result<(Id<Person>, i32), Fault> {
        let request = GetPersonRequest { person_id: id.to_string(), brief: true };
        let mut client = PersonServiceClient::new(self.member.as_service_within(ctx));
        let reply = client.get_person(request).await.map_err(fault)?.into_inner();
        let person = reply.person.unwrap_or_default();
        let id = parse::id("person.id", &person.id).map_err(Fault::internal)?;
        Ok((id, person.tier))
    }

    /// What is known of a sale: at a store, by a channel, to a buyer, each of which may be none.
    ///
    /// # Errors
    /// `NOT_FOUND` for a person; a violation of `store_code` for a store that nobody knows.
    pub async fn around(
        &self,
        ctx: &Ctx,
        store_code: &str,
        channel: &str,
        person: Option<Id<Person>>,
    ) -> Result<Around, Fault> {
        let codes = Some(store_code).filter(|code| !code.is_empty());
        let known = self.known(ctx, &codes.into_iter().collect()).await?;
        if let Some(code) = codes.filter(|code| !known.stores.contains_key(*code)) {
            return Err(Fault::field("store_code", format!("no store has the code \"{code}\"")));
        }
        let buyer = match person {
            Some(asked) => Some(self.buyer(ctx, asked).await?),
            None => None,
        };
        let sale = Sale {
            store_code: codes.map(str::to_owned),
            regions: known.regions.get(store_code).cloned().unwrap_or_default(),
            tier: buyer.map(|(_, tier)| tier),
            channel: (!channel.is_empty()).then(|| channel.to_owned()),
        };
        Ok(Around { known, person: buyer.map(|(person, _)| person), sale })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Id<Merchant>, Arc<Known>>> {
        // Nothing panics while the map is locked; were it so, what is remembered would still be whole.
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Key {
    /// The buyer of an order with this key.
    pub fn buyer<'a>(&'a self, buyer_id: &'a str) -> Buyer<'a> {
        (&self.platform, &self.shop_id, buyer_id)
    }
}
