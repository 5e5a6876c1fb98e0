//! Somebody with a token, outside: the public API by gRPC and by REST, and the files that the client imports.

use std::{collections::HashMap, fmt::Debug, io::Cursor, net::SocketAddr};

use bytes::Bytes;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;
use siyu::{
    client::{self, Client},
    import::{self, Job, Summary},
    orders_file::{Options, Renames, RepeatedRows, Source},
    output::Progress,
};
use siyu_kernel::{Currency, Zone};
use siyu_proto::{gateway::v1::CreateTokenRequest, member::v1 as member};
use siyu_runtime::Secret;
use siyu_testkit::Scratch;
use tonic::{
    Request, Response, Status,
    metadata::AsciiMetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use super::{
    figures::assert_same,
    place::Place,
    rest::{self, Reply},
    sheet::Sheet,
    store, story,
};

/// Adds the token to every call.
#[derive(Clone)]
pub struct Bearer(pub(super) AsciiMetadataValue);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// The holder of a token.
#[derive(Clone)]
pub struct Caller {
    http: SocketAddr,
    token: String,
    channel: Channel,
    client: Client,
}

/// A merchant, and the holder of a token that may do everything for it.
#[derive(Clone)]
pub struct Merchant {
    /// As the suite knows it.
    pub record: member::Merchant,
    /// Who acts for it.
    pub caller: Caller,
    /// Where it is.
    pub place: Place,
}

/// Makes a call that must succeed.
pub async fn ask<Q: Debug + Clone, R: Debug>(
    request: Q,
    call: impl AsyncFnOnce(Q) -> Result<Response<R>, Status>,
) -> R {
    let reply = call(request.clone()).await.map(Response::into_inner);
    story::keep_call(&request, &reply);
    reply.unwrap_or_else(|status| panic!("{request:?} was refused: {status:?}"))
}

/// Makes a call that must be refused.
pub async fn refused<Q: Debug + Clone, R: Debug>(
    request: Q,
    call: impl AsyncFnOnce(Q) -> Result<Response<R>, Status>,
) -> Status {
    let reply = call(request.clone()).await.map(Response::into_inner);
    story::keep_call(&request, &reply);
    match reply {
        Ok(reply) => panic!("{request:?} was answered: {reply:?}"),
        Err(status) => status,
    }
}

impl Caller {
    /// Somebody with a token.
    pub async fn new(http: SocketAddr, token: &str) -> Self {
        let server = format!("http://{http}");
        let channel = client::channel(&server, None).await.expect("the gateway listens");
        let client = Client::over(channel.clone(), &Secret::new(token), &server);
        let client = client.expect("the token can stand in a header");
        Self { http, token: token.to_owned(), channel, client }
    }

    /// The way for generated clients.
    pub fn grpc(&self) -> InterceptedService<Channel, Bearer> {
        let bearer = format!("Bearer {}", self.token).parse().expect("a token is visible ASCII");
        InterceptedService::new(self.channel.clone(), Bearer(bearer))
    }

    /// A way of its own for generated clients, along another address.
    pub fn grpc_along(&self, addr: SocketAddr) -> InterceptedService<Channel, Bearer> {
        let endpoint = Endpoint::from_shared(format!("http://{addr}")).expect("it is an address");
        let bearer = format!("Bearer {}", self.token).parse().expect("a token is visible ASCII");
        InterceptedService::new(endpoint.connect_lazy(), Bearer(bearer))
    }

    /// The client of the program.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Calls by REST.
    pub async fn rest(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let bytes = body.map(|body| Bytes::from(body.to_string()));
        let reply = rest::request(self.http, method, path, &self.token, bytes).await;
        let reply = reply.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        story::keep_call(&format_args!("{method} {path} {body:?}"), &reply);
        reply
    }

    /// Asserts that REST answers what gRPC answered.
    pub async fn assert_rest_says<R: Message + Name>(&self, path: &str, reply: &R) {
        let found = self.rest("GET", path, None).await;
        assert!(found.status.is_success(), "GET {path}: {found:?}");
        assert_same(&format!("GET {path}"), &found.json(), &json_of(reply));
    }
}

/// A message as JSON, as the gateway writes it. By way of a text, so that both sides went through the same reader.
fn json_of<R: Message + Name>(message: &R) -> Value {
    let pool = DescriptorPool::decode(siyu_proto::DESCRIPTOR_SET).expect("it is our own");
    let descriptor = pool.get_message_by_name(&R::full_name()).expect("it is in the contract");
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message).expect("both are of the same contract");
    let options = SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false);
    let mut text = Vec::new();
    let mut writer = serde_json::Serializer::new(&mut text);
    dynamic.serialize_with_options(&mut writer, &options).expect("it can be written");
    serde_json::from_slice(&text).expect("it was just written")
}

impl Merchant {
    /// Opens a merchant as the operator does.
    pub async fn open(place: &Place, zone: &str, currency: &str) -> Self {
        let operator = Caller::new(place.http, &place.operator).await;
        let request = member::CreateMerchantRequest {
            name: "A merchant of a story".to_owned(),
            zone: zone.to_owned(),
            currency_code: currency.to_owned(),
            ..Default::default()
        };
        let merchants = operator.client.merchants();
        let reply = ask(request, async |q| merchants.clone().create_merchant(q).await).await;
        let record = reply.merchant.expect("it was opened");
        let request = CreateTokenRequest {
            merchant_id: record.id.clone(),
            name: "story".to_owned(),
            ..Default::default()
        };
        let tokens = operator.client.tokens();
        let reply = ask(request, async |q| tokens.clone().create_token(q).await).await;
        Self::known(place, record, &reply.secret).await
    }

    /// A merchant whose token is known.
    pub async fn known(place: &Place, record: member::Merchant, token: &str) -> Self {
        story::keep_merchant(place, &record.id);
        let caller = Caller::new(place.http, token).await;
        Self { record, caller, place: place.clone() }
    }

    /// The zone in which the merchant's days are cut.
    pub fn zone(&self) -> Zone {
        Zone::parse(&self.record.zone).expect("the suite knows it")
    }

    /// Imports an order file as `siyu import orders` does. It must be sound.
    pub async fn import(&self, sheet: &Sheet) -> Summary {
        let summary = self.try_import("cdnow", sheet).await.expect("the file can be imported");
        assert_eq!(summary.rejected_rows, 0, "{:#?}", summary.rejects_shown);
        summary
    }

    /// Imports the order file of a platform, whatever it is.
    pub async fn try_import(
        &self,
        platform: &str,
        sheet: &Sheet,
    ) -> Result<Summary, import::Error> {
        let scratch = Scratch::new();
        let zone = self.zone();
        let options = Options {
            platform: platform.to_owned(),
            shop: "main".to_owned(),
            currency: Currency::parse(&self.record.currency_code).expect("the suite knows it"),
            zone,
            stores: import::stores(&self.caller.client, zone).await?,
            renames: Renames::default(),
            repeated_rows: RepeatedRows::default(),
        };
        let job = Job {
            name: "the story's orders".to_owned(),
            source: Source::new(Cursor::new(sheet.csv()), None),
            options,
            batch: 200,
            in_flight: 4,
            rejects: scratch.path().join("rejects.csv"),
        };
        import::import(&self.caller.client, &self.record, job, &mut Progress::Silent).await
    }

    /// The persons behind the buyers of a shop on a platform, by the buyer's id.
    pub async fn persons(&self, platform: &str, buyers: &[&str]) -> HashMap<String, String> {
        let mut found = HashMap::new();
        for buyer in buyers {
            let identity = member::Identity {
                kind: member::IdentityKind::PlatformBuyer.into(),
                scope: format!("{platform}/main"),
                value: (*buyer).to_owned(),
                ..Default::default()
            };
            let request = member::FindPersonRequest { identity: Some(identity) };
            let mut client =
                member::person_service_client::PersonServiceClient::new(self.caller.grpc());
            let reply = ask(request, async |q| client.find_person(q).await).await;
            found.insert((*buyer).to_owned(), reply.person.expect("a person is found").id);
        }
        found
    }

    /// Damages every stored figure of the merchant; returns how many there were.
    pub async fn damage_figures(&self) -> u64 {
        let id = self.record.id.parse().expect("the suite made it");
        let damaged = store::damage(&self.place.databases, id).await;
        damaged.expect("the database answers its owner")
    }

    /// How many things a list by REST shows on its first page.
    pub async fn count(&self, path: &str, list: &str) -> usize {
        let reply = self.caller.rest("GET", path, None).await;
        assert!(reply.status.is_success(), "GET {path}: {reply:?}");
        reply.json()[list].as_array().map_or(0, Vec::len)
    }
}
