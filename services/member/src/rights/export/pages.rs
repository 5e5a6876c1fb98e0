//! What there is many of in an export, page by page.

use siyu_grpc::{Ctx, fault};
use siyu_kernel::Fault;
use siyu_pg::page::Sizes;
use siyu_proto::member::v1::{
    Asset, ListCardsRequest, ListConnectionsRequest, ListEntriesRequest, ListOwnerSpansRequest,
    ListPersonAttributesRequest, ListPersonTagsRequest, ListRelationsRequest, ListRevealsRequest,
    ListValueCardEntriesRequest, ListValueCardsRequest, PersonalData,
    account_service_server::AccountService, attribute_service_server::AttributeService,
    card_service_server::CardService, connection_service_server::ConnectionService,
    household_service_server::HouseholdService, owner_service_server::OwnerService,
    tag_service_server::TagService, value_card_service_server::ValueCardService,
};
use tonic::{Request, Response, Status};

use crate::{App, consent, limits, merchant, person::PersonId, purchase, rights::reveal, view};

/// What comes after the head, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Consents,
    Connections,
    Reveals,
    Points,
    Growth,
    Orders,
    Owners,
    Relations,
    Tags,
    Attributes,
    ValueCards,
    ValueCardEntries,
    Cards,
}

impl Section {
    /// All of them.
    pub(super) const ALL: [Self; 13] = [
        Self::Consents,
        Self::Connections,
        Self::Reveals,
        Self::Points,
        Self::Growth,
        Self::Orders,
        Self::Owners,
        Self::Relations,
        Self::Tags,
        Self::Attributes,
        Self::ValueCards,
        Self::ValueCardEntries,
        Self::Cards,
    ];

    /// Its name in `next_part`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Consents => "consents",
            Self::Connections => "connections",
            Self::Reveals => "reveals",
            Self::Points => "points",
            Self::Growth => "growth",
            Self::Orders => "orders",
            Self::Owners => "owners",
            Self::Relations => "relations",
            Self::Tags => "tags",
            Self::Attributes => "attributes",
            Self::ValueCards => "value_cards",
            Self::ValueCardEntries => "value_card_entries",
            Self::Cards => "cards",
        }
    }
}

const PAGE_SIZE: i32 = limits::EXPORT_PAGE as i32;

/// What stands between the two tokens of a page of entries: tokens are base64.
const BETWEEN: char = '~';

/// Asks a method of the service, as the server hands it a request.
async fn listed<Q, R>(
    ctx: &Ctx,
    asked: Q,
    method: impl AsyncFnOnce(Request<Q>) -> Result<Response<R>, Status>,
) -> Result<R, Fault> {
    let mut request = Request::new(asked);
    request.extensions_mut().insert(ctx.clone());
    Ok(method(request).await.map_err(fault)?.into_inner())
}

/// A page of a section, with where the next one begins; empty after the last.
pub(super) async fn page(
    app: &App,
    ctx: &Ctx,
    id: PersonId,
    section: Section,
    page_token: String,
) -> Result<(PersonalData, String), Fault> {
    let person_id = id.to_string();
    let page_size = PAGE_SIZE;
    let mut data = PersonalData::default();
    let next = match section {
        Section::Consents => {
            let page = consent::rpc::open_page(app, ctx, id, page_size, &page_token).await?;
            data.consent_records = page.items;
            page.next_token
        }
        Section::Connections => {
            let asked = ListConnectionsRequest { person_id, page_size, page_token };
            let reply = listed(ctx, asked, async |q| app.list_connections(q).await).await?;
            data.connections = reply.connections;
            reply.next_page_token
        }
        Section::Reveals => {
            let asked = ListRevealsRequest { person_id, page_size, page_token };
            let reply = reveal::list(app, ctx.clone(), asked).await?;
            data.reveals = reply.reveals;
            reply.next_page_token
        }
        Section::Points | Section::Growth => {
            let asset = if section == Section::Points { Asset::Points } else { Asset::Growth };
            entries(app, ctx, (person_id, asset), page_token, &mut data).await?
        }
        Section::Orders => orders(app, ctx, id, &page_token, &mut data).await?,
        Section::Owners => {
            let asked = ListOwnerSpansRequest { person_id, page_size, page_token };
            let reply = listed(ctx, asked, async |q| app.list_owner_spans(q).await).await?;
            data.owner_spans = reply.spans;
            reply.next_page_token
        }
        Section::Relations => {
            let asked =
                ListRelationsRequest { person_id, page_size, page_token, ..Default::default() };
            let reply = listed(ctx, asked, async |q| app.list_relations(q).await).await?;
            data.relations = reply.relations;
            reply.next_page_token
        }
        Section::Tags => {
            let asked = ListPersonTagsRequest { person_id, page_size, page_token };
            let reply = listed(ctx, asked, async |q| app.list_person_tags(q).await).await?;
            data.tags = reply.tags;
            reply.next_page_token
        }
        Section::Attributes => {
            let asked = ListPersonAttributesRequest { person_id, page_size, page_token };
            let reply = listed(ctx, asked, async |q| app.list_person_attributes(q).await).await?;
            data.attributes = reply.values;
            reply.next_page_token
        }
        Section::ValueCards => {
            let asked = ListValueCardsRequest { person_id, page_size, page_token };
            let reply = listed(ctx, asked, async |q| app.list_value_cards(q).await).await?;
            data.value_cards = reply.cards;
            reply.next_page_token
        }
        Section::ValueCardEntries => {
            value_card_entries(app, ctx, person_id, &page_token, &mut data).await?
        }
        Section::Cards => {
            let asked = ListCardsRequest { person_id, page_size, page_token };
            let reply = listed(ctx, asked, async |q| app.list_cards(q).await).await?;
            data.cards = reply.cards;
            reply.next_page_token
        }
    };
    Ok((data, next))
}

async fn entries(
    app: &App,
    ctx: &Ctx,
    (person_id, asset): (String, Asset),
    page_token: String,
    data: &mut PersonalData,
) -> Result<String, Fault> {
    let page_size = PAGE_SIZE;
    let mut asked = ListEntriesRequest { person_id, page_size, page_token, ..Default::default() };
    asked.set_asset(asset);
    let reply = listed(ctx, asked, async |q| app.list_entries(q).await).await?;
    if asset == Asset::Points {
        data.points_entries = reply.entries;
    } else {
        data.growth_entries = reply.entries;
    }
    Ok(reply.next_page_token)
}

async fn orders(
    app: &App,
    ctx: &Ctx,
    id: PersonId,
    page_token: &str,
    data: &mut PersonalData,
) -> Result<String, Fault> {
    let sizes = Sizes { default: limits::EXPORT_PAGE, max: limits::EXPORT_PAGE };
    let page = siyu_pg::page::Request::parse(0, page_token, sizes, id.to_string().as_bytes())?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = purchase::store::list(&mut tx, id, page.after.as_ref(), page.fetch()).await?;
    let currency = merchant::currency(&mut tx).await?;
    let page = page.page(rows, |order| (order.paid_at, order.order_id.uuid()));
    data.orders = page.items.into_iter().map(|order| view::rpc::brief(order, &currency)).collect();
    Ok(page.next_token)
}

/// Of one card at a time: the token says which page of cards of one the card is, and which page of its entries comes.
async fn value_card_entries(
    app: &App,
    ctx: &Ctx,
    person_id: String,
    token: &str,
    data: &mut PersonalData,
) -> Result<String, Fault> {
    let (at, page_token) = token.split_once(BETWEEN).unwrap_or_default();
    let asked = ListValueCardsRequest { person_id, page_size: 1, page_token: at.to_owned() };
    let cards = listed(ctx, asked, async |q| app.list_value_cards(q).await).await?;
    let Some(card) = cards.cards.into_iter().next() else { return Ok(String::new()) };
    let asked = ListValueCardEntriesRequest {
        card_id: card.id,
        page_size: PAGE_SIZE,
        page_token: page_token.to_owned(),
    };
    let reply = listed(ctx, asked, async |q| app.list_value_card_entries(q).await).await?;
    data.value_card_entries = reply.entries;
    Ok(match (reply.next_page_token.as_str(), cards.next_page_token.as_str()) {
        ("", "") => String::new(),
        ("", next) => format!("{next}{BETWEEN}"),
        (next, _) => format!("{at}{BETWEEN}{next}"),
    })
}
