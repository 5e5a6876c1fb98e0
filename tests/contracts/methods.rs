//! Every method of the contracts, and what each must declare.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
};
use siyu_grpc::{Audience, Idempotency, Rule, Rules};

/// A method with what the contract says of it.
pub(crate) struct Method {
    pub(crate) descriptor: MethodDescriptor,
    pub(crate) rule: &'static Rule,
    /// Verb, path and body of REST; none for what is not served there.
    pub(crate) http: Option<(String, String, String)>,
}

/// Reads that are asked for with a body, because what identifies somebody does not belong in the log of a proxy, or because a
/// tree does not fit a query.
const READ_BY_POST: &[&str] =
    &["CheckBlacklist", "CountAudience", "FindPerson", "FindValueCard", "PlanRefund", "QuoteCart"];

/// Changes without a request id: a repeat is recognised by what is in the request.
const NATURAL: &[(&str, &str)] = &[
    ("UpsertStores", "a store is known by its code"),
    ("UpsertRegions", "a region is known by its code"),
    ("UpsertItems", "an item is known by its code"),
    ("StreamUpsertItems", "as UpsertItems"),
    ("UpsertLocations", "a location is known by its code"),
    ("ImportStock", "a row is known by the number of its document and its own"),
    ("UpsertPriceLists", "a list is known by its code"),
    ("SetListedPrices", "it says what the prices should be"),
    ("SetSafety", "it says what the safety stock should be"),
    ("CancelOrder", "an order ends once"),
    ("SetCheckoutPolicy", "it says what the rules should be"),
    ("DecideRefund", "a refund is decided once"),
    ("SetTaxRates", "it says what the rates should be"),
    ("SetInvoiceTitle", "it says to whom"),
    ("UpsertFulfilmentSites", "a site is known by its location"),
    ("SetFulfilmentPolicy", "it says what the rules should be"),
    ("SignParcel", "a parcel arrives once"),
    ("IssuePickupCode", "an order has one code that is good in a store"),
    ("ConfirmReceipt", "an order is completed once"),
    ("UpsertPromotions", "a promotion is known by its code"),
    ("UpsertCouponTemplates", "a template is known by its code"),
    ("VoidCoupon", "a coupon is taken back once"),
    ("UpsertGroupActivities", "an activity is known by its code"),
    ("UpsertBargainActivities", "an activity is known by its code"),
    ("UpsertFlashSales", "a sale is known by its code"),
    ("RecordProductClicks", "a click is known by person, room, session, slot, SKU and instant"),
    ("UpsertSettlementTerms", "the terms of a store are known by its code"),
    ("UpsertFxRates", "a rate is known by its currency"),
    ("SetRedPacketPolicy", "it says what the limits should be"),
    ("UpsertRedPacketBudgets", "a budget is known by its code"),
    ("DecideMergeReview", "a review is decided once"),
    ("RecordTouches", "a sign is known by person, kind and instant"),
    ("RelatePersons", "two persons are related in one way once"),
    ("UnrelatePersons", "a relation ends once"),
    ("RecordInteractions", "an interaction is known by its ends, its kind and its instant"),
    ("AcceptHandovers", "a hand-over is taken once"),
    ("RefuseHandover", "a hand-over ends once"),
    ("ResolvePersons", "a person is known by the keys"),
    ("UpdateProfile", "the same values again change nothing"),
    ("RecordConsents", "a decision is known by person, purpose, channel, status and instant"),
    ("ErasePerson", "what is personal is erased once"),
    ("DeleteBlacklistEntry", "an entry is deleted once"),
    ("RecordConnections", "an edge is known by its ends, a fact by its instant"),
    ("ImportOrders", "an order is known by platform, shop and number, a version by its instant"),
    ("StreamImportOrders", "as ImportOrders"),
    ("ImportRefunds", "a refund is known by order, number and line, a version by its instant"),
    ("AttachParcelCard", "a card is known by its code and lies in one parcel"),
    ("ClaimParcelCard", "a card is known by its code and claimed once"),
    ("VoidParcelCard", "a card is known by its code"),
    ("StreamResolvePersons", "as ResolvePersons"),
    ("SetStatusMapping", "a word has one meaning"),
    ("BindCustomer", "a click is known by customer, promoter and instant"),
    ("UpdateAudience", "it says how the audience should be"),
    ("DeleteAudience", "an audience is deleted once"),
    ("UpdateTag", "it says how the tag should be"),
    ("DeleteTag", "a tag is deleted once"),
    ("ComputeTag", "it computes what stands"),
    ("TagPersons", "a person carries a tag or does not"),
    ("UntagPersons", "a person carries a tag or does not"),
    ("UpdateAttribute", "it says how the attribute should be"),
    ("SetPersonAttributes", "it says what the values should be"),
    ("SetCommissionRule", "the same rule again is no new one"),
    ("StartCampaign", "a campaign is started once"),
    ("CancelCampaign", "a campaign is cancelled once"),
    ("RecordReceipts", "a receipt has an id of its channel"),
    ("RebuildMetrics", "it computes what stands"),
    ("SetTriangleBaseline", "the same baseline again is no other one"),
    ("RevokeToken", "a token is revoked once"),
    ("SignIn", "a day is signed once"),
    ("UpsertProviderAccounts", "an account is known by its code"),
    ("QueryPayment", "it asks and takes in what stands"),
    ("ReceiveNotification", "a notification has an id of its payment company"),
    ("ReplayNotification", "it takes in what stands"),
    ("SimulatePayment", "a payment of the sandbox is paid once; the rest says how it should be"),
    ("ImportStatement", "a movement is known by its kind and number"),
    ("ResolveDifference", "a difference is resolved once"),
];

pub(crate) static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(siyu_proto::DESCRIPTOR_SET).unwrap());

impl Method {
    /// `/siyu.order.v1.OrderService/GetOrder`.
    pub(crate) fn path(&self) -> String {
        format!("/{}/{}", self.rule.service, self.rule.method)
    }

    /// Whether somebody outside may call it.
    pub(crate) fn is_public(&self) -> bool {
        self.rule.audience() != Some(Audience::Internal)
    }

    pub(crate) fn scope(&self) -> &str {
        &self.rule.access.as_ref().unwrap_or_else(|| panic!("{} has no access", self.path())).scope
    }

    fn is_read(&self) -> bool {
        self.rule.idempotency == Idempotency::NoSideEffects
    }
}

/// All of them, by service and name.
pub(crate) fn all() -> Vec<Method> {
    let http = POOL.get_extension_by_name("google.api.http").unwrap();
    let methods = POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let of = |descriptor: MethodDescriptor| {
        let path = format!("/{}/{}", descriptor.parent_service().full_name(), descriptor.name());
        let options = descriptor.options();
        let rest = options.has_extension(&http).then(|| {
            let value = options.get_extension(&http);
            route(value.as_message().unwrap())
        });
        let rule = Rules::suite().get(&path).unwrap();
        Method { descriptor, rule, http: rest }
    };
    let mut all: Vec<Method> = methods.map(of).collect();
    all.sort_by_key(Method::path);
    assert!(all.len() > 40, "{} methods", all.len());
    all
}

fn route(rule: &DynamicMessage) -> (String, String, String) {
    let text = |name: &str| rule.get_field_by_name(name).unwrap().as_str().unwrap_or("").to_owned();
    let verbs = ["get", "put", "post", "delete", "patch"];
    let verb = verbs.into_iter().find(|verb| rule.has_field_by_name(verb)).unwrap();
    (verb.to_uppercase(), text(verb), text("body"))
}

#[test]
fn every_method_says_who_may_call_it_and_what_a_repeat_does() {
    for method in all() {
        let (path, scope) = (method.path(), method.scope().to_owned());
        let end = if method.is_read() { ".read" } else { ".write" };
        // To see personal data in clear, to make one person of two, to redeem at a till, to record money and to send it
        // are rights of their own.
        let own = [
            "persons.reveal",
            "persons.merge",
            "coupons.redeem",
            "red_packets.send",
            "payments.record",
        ];
        let fits = scope.ends_with(end) || own.contains(&&*scope);
        assert!(fits, "{path}: {scope}");
        let is_known = method.rule.idempotency != Idempotency::Unknown;
        // A repeat of CreateToken makes another token: the first reply, with its secret, is not kept.
        assert!(is_known || &*method.rule.method == "CreateToken", "{path}: idempotency_level");
    }
}

#[test]
fn every_public_method_has_a_rest_path_of_its_own() {
    let mut routes = BTreeMap::new();
    for method in all() {
        let path = method.path();
        let Some((verb, route, body)) = method.http.clone() else {
            assert!(method.rule.is_stream || !method.is_public(), "{path} has no REST path");
            continue;
        };
        assert!(method.is_public() && !method.rule.is_stream, "{path} has a REST path");
        let by_post = READ_BY_POST.contains(&&*method.rule.method);
        assert_eq!(verb == "GET", method.is_read() && !by_post, "{path}: {verb}");
        assert_eq!(body, if verb == "GET" { "" } else { "*" }, "{path}");
        assert!(route.starts_with("/v1/"), "{path}: {route}");
        // Words of a collection are joined by hyphens, those of a verb are not.
        let words = nameless(&route);
        let (collection, act) = words.split_once(':').unwrap_or((words.as_str(), ""));
        let is_plain = |c: char| c.is_ascii_lowercase() || "/-{}".contains(c) || c == '1';
        assert!(collection.chars().all(is_plain), "{path}: {route}");
        assert!(act.chars().all(|c| c.is_ascii_alphabetic()), "{path}: {route}");
        // Two routes that differ in the name of a variable only are one.
        let before = routes.insert((verb, nameless(&route)), path.clone());
        assert_eq!(before, None, "{path}: {route}");
    }
}

/// A route without the names of its variables.
fn nameless(route: &str) -> String {
    let mut parts = route.split(['{', '}']);
    let first = parts.next().unwrap_or_default().to_owned();
    // Names stand between a brace and the next.
    parts.skip(1).step_by(2).fold(first, |bare, fixed| bare + "{}" + fixed)
}

#[test]
fn every_list_comes_in_pages() {
    for method in all() {
        let (input, output) = (method.descriptor.input(), method.descriptor.output());
        let is_export = &*method.rule.method == "ExportRedPackets";
        let is_list = method.rule.method.starts_with("List") || is_export;
        let names = |message: &MessageDescriptor| -> BTreeSet<String> {
            message.fields().map(|field| field.name().to_owned()).collect()
        };
        let (asked, given) = (names(&input), names(&output));
        let path = method.path();
        assert_eq!(asked.contains("page_size"), is_list, "{path}");
        assert_eq!(asked.contains("page_token"), is_list, "{path}");
        assert_eq!(given.contains("next_page_token"), is_list, "{path}");
        // A page of an export is a text.
        if is_list && !is_export {
            let lists = output.fields().filter(FieldDescriptor::is_list).count();
            assert_eq!((lists, output.fields().count()), (1, 2), "{path}");
        }
    }
}

#[test]
fn every_change_can_be_repeated() {
    let mut natural: BTreeSet<&str> = NATURAL.iter().map(|(name, _)| *name).collect();
    for method in all().iter().filter(|m| m.rule.idempotency == Idempotency::Idempotent) {
        let has_key = method.descriptor.input().get_field_by_name("request_id").is_some();
        let is_natural = natural.remove(&*method.rule.method);
        assert!(has_key != is_natural, "{}: a request_id, or a reason in NATURAL", method.path());
    }
    assert_eq!(natural, BTreeSet::new(), "these are no methods any more");
}

#[test]
fn every_method_has_a_request_and_a_reply_of_its_own() {
    let mut seen = BTreeSet::new();
    for method in all() {
        for (message, end) in
            [(method.descriptor.input(), "Request"), (method.descriptor.output(), "Response")]
        {
            assert_eq!(message.name(), format!("{}{end}", method.rule.method));
            assert!(seen.insert(message.full_name().to_owned()), "{}", message.full_name());
        }
    }
}

#[test]
fn fields_are_named_after_what_they_hold() {
    let suffixes = ["_time", "_time_from", "_time_to"];
    for message in POOL.all_messages().filter(|m| m.package_name().starts_with("siyu.")) {
        for field in message.fields() {
            let (name, at) = (field.name().to_owned(), field.full_name().to_owned());
            let Kind::Message(inner) = field.kind() else {
                assert!(!suffixes.iter().any(|s| name.ends_with(s)), "{at} is no Timestamp");
                assert!(!matches!(field.kind(), Kind::Float), "{at} is a float");
                continue;
            };
            let is_instant = inner.full_name() == "google.protobuf.Timestamp";
            assert_eq!(is_instant, suffixes.iter().any(|s| name.ends_with(s)), "{at}");
        }
    }
}

/// The audience of a method, in a word.
pub(crate) fn audience(method: &Method) -> &'static str {
    method.rule.audience().map_or("nobody", Audience::name)
}

/// What a repeat of a method does, in a word.
pub(crate) fn repeat(method: &Method) -> &'static str {
    match method.rule.idempotency {
        Idempotency::NoSideEffects => "read",
        Idempotency::Idempotent => "idempotent",
        Idempotency::Unknown => "once",
    }
}

/// Every scope that a method wants.
pub(crate) fn scopes() -> BTreeSet<Arc<str>> {
    all().iter().filter(|method| method.is_public()).map(|method| method.scope().into()).collect()
}
