//! A stream of identity events is resolved in bulk, in flat memory, to the persons that one event at a time finds; and
//! everybody is listed to the end, in pages that cost the same at any depth.

use std::{
    collections::HashMap,
    fs,
    time::{Duration, Instant},
};

use futures::{future::join_all, stream};
use siyu::host::services::Service;
use siyu_grpc::{Call, Caller, Peer, Scopes};
use siyu_kernel::{Id, kind};
use siyu_proto::member::v1::{
    audience_service_client::AudienceServiceClient, merchant_service_client::MerchantServiceClient,
    person_service_client::PersonServiceClient, *,
};
use siyu_tests::support::{Alone, HEAVY, story};

use crate::{
    events::{BLOCK, enough_for, event},
    pages::assert_even,
    rows, say,
};

const BATCH: usize = 2_000;
const PAGE: usize = 1_000;
/// One of so many events is told one at a time too, and no more than there is time for.
const SAMPLE: usize = 20;
const SAMPLE_MOST: usize = 5_000;
const CALLERS: usize = 8;
/// What the service may grow by between a tenth of the stream and its end.
const GROWTH_KIB: u64 = 32 * 1_024;
const PATIENCE: Duration = Duration::from_mins(1);

type MerchantId = Id<kind::Merchant>;

#[test]
fn a_stream_of_identity_events_is_resolved_in_bulk_and_everybody_is_listed_to_the_end() {
    story(async {
        let _alone = HEAVY.lock().await;
        let member = Member::start().await;
        let (own, other) = (member.merchant("own").await, member.merchant("other").await);
        let all = enough_for(rows());
        member.resolve_in_bulk(own, all).await;
        let sample = (all / SAMPLE).min(SAMPLE_MOST).next_multiple_of(BLOCK);
        member.resolve_one_by_one(other, sample).await;
        assert_eq!(member.groups(own, sample).await, member.groups(other, sample).await);

        let everybody = member.list_all(own).await;
        assert!(everybody >= rows(), "{everybody} persons");
        member.list_audience(own, everybody).await;
        member.alone.stop().await;
    });
}

struct Member {
    alone: Alone,
    peer: Peer,
}

impl Member {
    async fn start() -> Self {
        let alone = Alone::start(Service::Member, &[]).await;
        let peer = alone.peer(alone.addr());
        Self { alone, peer }
    }

    fn call(&self, caller: Caller) -> Call {
        self.peer.call(caller, "test".into(), Scopes::all()).timeout(PATIENCE)
    }

    fn persons(&self, who: MerchantId) -> PersonServiceClient<Call> {
        PersonServiceClient::new(self.call(Caller::Merchant(who)))
    }

    fn audiences(&self, who: MerchantId) -> AudienceServiceClient<Call> {
        AudienceServiceClient::new(self.call(Caller::Merchant(who)))
    }

    async fn merchant(&self, name: &str) -> MerchantId {
        let mut merchants = MerchantServiceClient::new(self.call(Caller::Platform));
        let request = CreateMerchantRequest { name: name.into(), ..Default::default() };
        let reply = merchants.create_merchant(request).await.unwrap().into_inner();
        reply.merchant.unwrap().id.parse().unwrap()
    }

    /// What the service holds in memory now, in KiB.
    fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.alone.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    async fn resolve_in_bulk(&self, who: MerchantId, all: usize) {
        let batches = (0..all).step_by(BATCH).map(move |from| StreamResolvePersonsRequest {
            sets: (from..all.min(from + BATCH)).map(set).collect(),
        });
        let start = Instant::now();
        let call = self.persons(who).stream_resolve_persons(stream::iter(batches)).await;
        let mut replies = call.unwrap().into_inner();
        let (mut told, mut early, mut peak) = (0, 0, 0);
        while let Some(reply) = replies.message().await.unwrap() {
            told += reply.persons.len();
            let kib = self.resident_kib();
            // The first answer counts where it is more than a tenth.
            if early == 0 || told <= all / 10 {
                early = early.max(kib);
            }
            peak = peak.max(kib);
        }
        assert_eq!(told, all, "each event is answered");
        say(&format!(
            "{all} events in {:?}; {early} KiB at a tenth, {peak} KiB at most",
            start.elapsed()
        ));
        assert!(peak <= early + GROWTH_KIB, "{early} KiB at a tenth, {peak} KiB at most");
    }

    /// Events of one block come in their order; blocks have nothing to do with each other.
    async fn resolve_one_by_one(&self, who: MerchantId, all: usize) {
        let start = Instant::now();
        let caller = |caller: usize| async move {
            for block in (0..all / BLOCK).skip(caller).step_by(CALLERS) {
                for n in block * BLOCK..(block + 1) * BLOCK {
                    let request = ResolvePersonsRequest { sets: vec![set(n)] };
                    self.persons(who).resolve_persons(request).await.unwrap();
                }
            }
        };
        join_all((0..CALLERS).map(caller)).await;
        say(&format!("{all} events one at a time in {:?}", start.elapsed()));
    }

    /// Who is who: for each event the number of the first event that leads to the same person.
    async fn groups(&self, who: MerchantId, all: usize) -> Vec<usize> {
        let mut firsts: HashMap<String, usize> = HashMap::new();
        let mut groups = Vec::with_capacity(all);
        for from in (0..all).step_by(BATCH) {
            // The first key alone leads to its holder and merges nobody.
            let single = |n| IdentitySet { identities: event(n)[..1].to_vec() };
            let sets = (from..all.min(from + BATCH)).map(single).collect();
            let request = ResolvePersonsRequest { sets };
            let reply = self.persons(who).resolve_persons(request).await.unwrap().into_inner();
            for answer in reply.persons {
                assert!(!answer.created, "everybody is known");
                let n = groups.len();
                groups.push(*firsts.entry(answer.person_id).or_insert(n));
            }
        }
        let people = groups.iter().enumerate().filter(|(n, first)| n == *first).count();
        assert!(people > all / 2 && people < all, "some came again: {people} of {all}");
        groups
    }

    /// How many there are, in one sequence as in the other.
    async fn list_all(&self, who: MerchantId) -> usize {
        let rising = self.list_by(who, PersonSort::Unspecified).await;
        let mut falling = self.list_by(who, PersonSort::Newest).await;
        falling.reverse();
        assert!(rising.is_sorted_by(|a, b| a < b), "everybody once, in order");
        assert!(rising == falling, "both ways show the same persons");
        rising.len()
    }

    async fn list_by(&self, who: MerchantId, sort: PersonSort) -> Vec<String> {
        let page = async |token: &str| {
            let request = ListPersonsRequest {
                page_size: i32::try_from(PAGE).unwrap(),
                page_token: token.to_owned(),
                sort: sort.into(),
                ..Default::default()
            };
            self.persons(who).list_persons(request).await.unwrap().into_inner()
        };
        let (mut tokens, mut all) = (vec![String::new()], Vec::new());
        loop {
            let shown = page(tokens.last().unwrap()).await;
            all.extend(shown.persons.into_iter().map(|person| person.id));
            if shown.next_page_token.is_empty() {
                break;
            }
            tokens.push(shown.next_page_token);
        }
        let what = format!("persons, {}", sort.as_str_name());
        assert_even(&what, &tokens, async |token| drop(page(token).await)).await;
        all
    }

    /// Those of whom a telephone is known.
    async fn list_audience(&self, who: MerchantId, everybody: usize) {
        let condition = Condition {
            field: "identity.kind".into(),
            operator: Operator::In.into(),
            values: vec!["phone".into()],
            ..Default::default()
        };
        let filter = Filter { conditions: vec![condition], ..Default::default() };
        let count = CountAudienceRequest { filter: Some(filter.clone()), ..Default::default() };
        let counted = self.audiences(who).count_audience(count).await.unwrap().into_inner().count;
        let audience =
            Audience { name: "reachable".into(), filter: Some(filter), ..Default::default() };
        let request = CreateAudienceRequest { audience: Some(audience), ..Default::default() };
        let made = self.audiences(who).create_audience(request).await.unwrap().into_inner();
        let audience_id = made.audience.unwrap().id;
        let page = async |token: &str| {
            let request = ListAudienceMembersRequest {
                audience_id: audience_id.clone(),
                page_size: i32::try_from(PAGE).unwrap(),
                page_token: token.to_owned(),
                ..Default::default()
            };
            let shown = self.audiences(who).list_audience_members(request).await;
            shown.unwrap().into_inner()
        };
        let (mut tokens, mut all, mut last) = (vec![String::new()], 0, String::new());
        loop {
            let shown = page(tokens.last().unwrap()).await;
            for person in shown.person_ids {
                assert!(last < person, "each once, in order");
                last = person;
                all += 1;
            }
            if shown.next_page_token.is_empty() {
                break;
            }
            tokens.push(shown.next_page_token);
        }
        let what = "members of an audience";
        assert_even(what, &tokens, async |token| drop(page(token).await)).await;
        assert_eq!(i64::try_from(all).unwrap(), counted);
        assert!(all > everybody / 5 && all < everybody, "{all} of {everybody}");
    }
}

fn set(n: usize) -> IdentitySet {
    IdentitySet { identities: event(n) }
}
