//! The RPCs of attributes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    self as proto, CreateAttributeRequest, CreateAttributeResponse, ListAttributesRequest,
    ListAttributesResponse, ListPersonAttributesRequest, ListPersonAttributesResponse,
    SetPersonAttributesRequest, SetPersonAttributesResponse, UpdateAttributeRequest,
    UpdateAttributeResponse, attribute_service_server::AttributeService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    Attribute, AttributeId, AttributeType, Error,
    domain::{self, Kept},
    store,
};
use crate::{
    App, limits,
    person::{self, PersonId},
    rights, tag,
};

const CREATE: &str = "siyu.member.v1.AttributeService/CreateAttribute";

#[async_trait]
impl AttributeService for App {
    async fn create_attribute(
        &self,
        request: Request<CreateAttributeRequest>,
    ) -> Result<Response<CreateAttributeResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn update_attribute(
        &self,
        request: Request<UpdateAttributeRequest>,
    ) -> Result<Response<UpdateAttributeResponse>, Status> {
        serve(request, |ctx, message| update(self, ctx, message)).await
    }

    async fn list_attributes(
        &self,
        request: Request<ListAttributesRequest>,
    ) -> Result<Response<ListAttributesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn set_person_attributes(
        &self,
        request: Request<SetPersonAttributesRequest>,
    ) -> Result<Response<SetPersonAttributesResponse>, Status> {
        serve(request, |ctx, message| set(self, ctx, message)).await
    }

    async fn list_person_attributes(
        &self,
        request: Request<ListPersonAttributesRequest>,
    ) -> Result<Response<ListPersonAttributesResponse>, Status> {
        serve(request, |ctx, message| list_of_person(self, ctx, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateAttributeRequest,
) -> Result<CreateAttributeResponse, Fault> {
    let attribute = read(app, &ctx, request.attribute.clone().unwrap_or_default())?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    if store::lock_count(&mut tx).await? >= limits::ATTRIBUTES_MAX {
        return Err(Error::TooMany.into());
    }
    store::insert(&mut tx, &attribute).await?;
    let reply = CreateAttributeResponse { attribute: Some(attribute.into()) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn read(app: &App, ctx: &Ctx, wanted: proto::Attribute) -> Result<Attribute, Fault> {
    if !domain::is_code(&wanted.code) {
        return Err(Fault::field("attribute.code", "must hold a-z, 0-9 and _ only"));
    }
    let kind = AttributeType::read(wanted.r#type)
        .ok_or_else(|| Fault::field("attribute.type", "is not a known value"))?;
    match (kind == AttributeType::Choice, wanted.choices.is_empty()) {
        (true, true) => return Err(Fault::field("attribute.choices", "is required for this type")),
        (false, false) => {
            return Err(Fault::field("attribute.choices", "must be empty for this type"));
        }
        (true, false) | (false, true) => {}
    }
    let mut choices = Vec::new();
    add_choices(&mut choices, wanted.choices);
    Ok(Attribute {
        id: Id::from_uuid(app.ids.uuid()),
        code: wanted.code,
        name: wanted.name,
        kind,
        choices,
        created_at: ctx.now,
    })
}

/// Each choice once, in the order in which they came.
fn add_choices(choices: &mut Vec<String>, more: Vec<String>) {
    for choice in more {
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    }
}

async fn update(
    app: &App,
    ctx: Ctx,
    request: UpdateAttributeRequest,
) -> Result<UpdateAttributeResponse, Fault> {
    let id = parse::id("attribute_id", &request.attribute_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let found = store::lock(&mut tx, id).await?;
    let mut attribute = found.ok_or_else(|| Fault::not_found("attribute"))?;
    if attribute.kind != AttributeType::Choice && !request.more_choices.is_empty() {
        return Err(Fault::field("more_choices", "must be empty for this type"));
    }
    attribute.name = request.name;
    add_choices(&mut attribute.choices, request.more_choices);
    if attribute.choices.len() > limits::CHOICES_MAX {
        return Err(Fault::field("more_choices", "an attribute has at most 200 choices"));
    }
    store::save(&mut tx, &attribute).await?;
    tx.commit().await?;
    Ok(UpdateAttributeResponse { attribute: Some(attribute.into()) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListAttributesRequest,
) -> Result<ListAttributesResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |attribute| attribute.id.uuid());
    Ok(ListAttributesResponse {
        attributes: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

async fn set(
    app: &App,
    ctx: Ctx,
    request: SetPersonAttributesRequest,
) -> Result<SetPersonAttributesResponse, Fault> {
    let mut named: Vec<PersonId> = Vec::with_capacity(request.values.len());
    for (i, value) in request.values.iter().enumerate() {
        named.push(parse::id(&format!("values[{i}].person_id"), &value.person_id)?);
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let persons = person::hold_all(&mut tx, &named).await?;
    let held: Vec<PersonId> = persons.values().copied().collect();
    rights::refuse_any_erased(&mut tx, &held).await?;
    let attributes = store::by_code(&mut tx).await?;
    // In the order of the keys, so that two calls never wait for each other; none: forget it.
    let mut wanted: BTreeMap<(PersonId, AttributeId), Option<Kept>> = BTreeMap::new();
    for (i, (value, named)) in request.values.iter().zip(&named).enumerate() {
        let at = |name: &str| format!("values[{i}].{name}");
        let person = *persons.get(named).ok_or_else(|| Fault::not_found("person"))?;
        let attribute = attributes.get(&value.code).ok_or_else(|| Fault::not_found("attribute"))?;
        let kept = match value.value.as_str() {
            "" => None,
            text => Some(attribute.read(&at("value"), text)?),
        };
        if wanted.insert((person, attribute.id), kept).is_some() {
            return Err(Fault::field(at("code"), "stands twice for this person"));
        }
    }
    let touched: BTreeSet<PersonId> = wanted.keys().map(|&(person, _)| person).collect();
    let forgotten: Vec<(PersonId, AttributeId)> =
        wanted.iter().filter(|(_, kept)| kept.is_none()).map(|(key, _)| *key).collect();
    let values: Vec<(PersonId, AttributeId, Kept)> = wanted
        .into_iter()
        .filter_map(|((person, attribute), kept)| Some((person, attribute, kept?)))
        .collect();
    let changed =
        store::set(&mut tx, &values, ctx.now).await? + store::forget(&mut tx, &forgotten).await?;
    tag::mark(&mut tx, &touched.into_iter().collect::<Vec<_>>()).await?;
    tx.commit().await?;
    Ok(SetPersonAttributesResponse { changed: i32::try_from(changed).expect("at most 1000") })
}

async fn list_of_person(
    app: &App,
    ctx: Ctx,
    request: ListPersonAttributesRequest,
) -> Result<ListPersonAttributesResponse, Fault> {
    let named = parse::id("person_id", &request.person_id)?;
    let filter = request.person_id.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, named).await?;
    let rows = store::values(&mut tx, person, page.after, page.fetch()).await?;
    let page = page.page(rows, |value| value.attribute_id.uuid());
    let by_id: HashMap<AttributeId, Attribute> =
        store::by_code(&mut tx).await?.into_values().map(|a| (a.id, a)).collect();
    let show = |value: super::Value| {
        let attribute = by_id.get(&value.attribute_id)?;
        let number = value.number_value.map(|number| attribute.show(number));
        Some(proto::AttributeValue {
            person_id: value.person_id.to_string(),
            code: attribute.code.clone(),
            value: value.text_value.or(number).unwrap_or_default(),
        })
    };
    Ok(ListPersonAttributesResponse {
        values: page.items.into_iter().filter_map(show).collect(),
        next_page_token: page.next_token,
    })
}
