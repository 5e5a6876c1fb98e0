//! What the order service needs to know from the member service: the merchant, its stores, who is behind a buyer's id, and
//! whether a person exists. Merchant and stores are remembered for some seconds; persons are asked for with every call.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::{Ctx, Peer, fault, parse};
use siyu_kernel::{
    Currency, Fault, Id, Zone,
    kind::{Merchant, Person, Region, Store},
};
use siyu_proto::member::v1::{
    GetMerchantRequest, GetPersonRequest, Identity, IdentityKind, IdentitySet, ListRegionsRequest,
    ListStoresRequest, ResolvePersonsRequest, merchant_service_client::MerchantServiceClient,
    person_service_client::PersonServiceClient, region_service_client::RegionServiceClient,
    store_service_client::StoreServiceClient,
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
    read_at: DateTime<Utc>,
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
        let merchant = ctx.merchant()?;
        let ttl = TimeDelta::from_std(limits::DIRECTORY_TTL).expect("seconds fit");
        let remembered = self.lock().get(&merchant).cloned();
        let usable = |known: &Arc<Known>| {
            known.read_at + ttl > ctx.now
                && codes.iter().all(|code| known.stores.contains_key(*code))
        };
        if let Some(known) = remembered.filter(usable) {
            return Ok(known);
        }
        let read = Arc::new(self.read(ctx).await?);
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
        let request = GetPersonRequest { person_id: id.to_string() };
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

    async fn read(&self, ctx: &Ctx) -> Result<Known, Fault> {
        let call = self.member.as_service_within(ctx);
        let mut merchants = MerchantServiceClient::new(call.clone());
        let reply =
            merchants.get_merchant(GetMerchantRequest {}).await.map_err(fault)?.into_inner();
        let merchant = reply.merchant.unwrap_or_default();
        let mut known = Known {
            currency: Currency::parse(&merchant.currency_code).map_err(Fault::internal)?,
            zone: Zone::parse(&merchant.zone).map_err(Fault::internal)?,
            stores: HashMap::new(),
            regions: HashMap::new(),
            read_at: ctx.now,
        };
        let mut stores = StoreServiceClient::new(call.clone());
        let mut request = ListStoresRequest { page_size: 1000, ..Default::default() };
        let mut of_store = Vec::new();
        loop {
            let page = stores.list_stores(request.clone()).await.map_err(fault)?.into_inner();
            for store in page.stores {
                let id = parse::id("store.id", &store.id).map_err(Fault::internal)?;
                let region = store.region_id.unwrap_or_default();
                let region = parse::optional_id("store.region_id", &region);
                if let Some(region) = region.map_err(Fault::internal)? {
                    of_store.push((store.code.clone(), region));
                }
                known.stores.insert(store.code, id);
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        if !of_store.is_empty() {
            let parents = parents(RegionServiceClient::new(call)).await?;
            let path = |(code, region)| (code, path(&parents, region));
            known.regions = of_store.into_iter().map(path).collect();
        }
        Ok(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Id<Merchant>, Arc<Known>>> {
        // Nothing panics while the map is locked; were it so, what is remembered would still be whole.
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The region that each region is part of; none for those at the top.
async fn parents(
    mut client: RegionServiceClient<siyu_grpc::Call>,
) -> Result<HashMap<Id<Region>, Option<Id<Region>>>, Fault> {
    let (mut ids, mut codes) = (HashMap::new(), Vec::new());
    let mut request = ListRegionsRequest { page_size: 1000, ..Default::default() };
    loop {
        let page = client.list_regions(request.clone()).await.map_err(fault)?.into_inner();
        for region in page.regions {
            let id = parse::id("region.id", &region.id).map_err(Fault::internal)?;
            ids.insert(region.code, id);
            codes.push((id, region.parent_code));
        }
        if page.next_page_token.is_empty() {
            let parent = |(id, code): (_, String)| (id, ids.get(&code).copied());
            return Ok(codes.into_iter().map(parent).collect());
        }
        request.page_token = page.next_page_token;
    }
}

/// A region and all that it is part of; ends where a tree that is being changed would lead back.
fn path(parents: &HashMap<Id<Region>, Option<Id<Region>>>, of: Id<Region>) -> Vec<Id<Region>> {
    let mut path = Vec::new();
    let mut next = Some(of);
    while let Some(region) = next.filter(|region| !path.contains(region)) {
        path.push(region);
        next = parents.get(&region).copied().flatten();
    }
    path
}

impl Key {
    /// The buyer of an order with this key.
    pub fn buyer<'a>(&'a self, buyer_id: &'a str) -> Buyer<'a> {
        (&self.platform, &self.shop_id, buyer_id)
    }
}
