//! The export (PIPL art. 45): everything that this service keeps about a person, in parts. It is put together from what the
//! methods of the service show, so it forgets nothing that they have.

use siyu_grpc::{Ctx, fault, parse};
use siyu_kernel::Fault;
use siyu_pg::replay;
use siyu_proto::member::v1::{
    Asset, ExportPersonalDataRequest, ExportPersonalDataResponse, GetPersonRequest,
    ListConnectionsRequest, ListEntriesRequest, ListRevealsRequest, PersonalData, PersonalField,
    account_service_server::AccountService, connection_service_server::ConnectionService,
    person_service_server::PersonService,
};
use tonic::Request;

use super::{refuse_erased, reveal, store};
use crate::{App, blacklist, consent, limits, person, person::PersonId, profile, vault};

const EXPORT: &str = "siyu.member.v1.PrivacyService/ExportPersonalData";

/// What comes after the head, in this order, page by page.
const SECTIONS: [&str; 5] = ["consents", "connections", "reveals", "points", "growth"];

pub(crate) async fn export(
    app: &App,
    ctx: Ctx,
    request: ExportPersonalDataRequest,
) -> Result<ExportPersonalDataResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let part = Part::read(&request.part)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    // All parts under one request_id are one look.
    let whole = ExportPersonalDataRequest { part: String::new(), ..request.clone() };
    let first: Option<ExportPersonalDataResponse> =
        replay::find(&mut tx, EXPORT, &request.request_id, &whole).await?;
    let person_id = person::hold(&mut tx, asked).await?;
    refuse_erased(&mut tx, person_id).await?;
    if first.is_none() {
        let fields = vec![reveal::word(PersonalField::All).to_owned()];
        let look = reveal::Look { person_id, fields, reason: &request.reason };
        reveal::keep(app, &mut tx, &ctx, &keys, look).await?;
        let kept = ExportPersonalDataResponse::default();
        replay::keep(&mut tx, EXPORT, &request.request_id, &kept).await?;
    }
    tx.commit().await?;
    let (data, next) = match part {
        Part::Head => (head(app, &ctx, person_id).await?, Some(Part::first())),
        Part::Page { section, token } => {
            let (data, token) = page(app, &ctx, person_id, section, token).await?;
            (data, Part::after(section, token))
        }
    };
    let next_part = next.map(|part| part.text()).unwrap_or_default();
    Ok(ExportPersonalDataResponse { data: Some(data), next_part })
}

/// A part of an export.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// What there is one of, or few.
    Head,
    /// A page of one of [`SECTIONS`].
    Page { section: usize, token: String },
}

impl Part {
    fn read(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Ok(Self::Head);
        }
        let read = text.split_once(':').and_then(|(name, token)| {
            let section = SECTIONS.iter().position(|known| *known == name)?;
            Some(Self::Page { section, token: token.to_owned() })
        });
        read.ok_or_else(|| Fault::field("part", "is not a next_part that this method returned"))
    }

    fn text(&self) -> String {
        match self {
            Self::Head => String::new(),
            Self::Page { section, token } => format!("{}:{token}", SECTIONS[*section]),
        }
    }

    const fn first() -> Self {
        Self::Page { section: 0, token: String::new() }
    }

    fn after(section: usize, token: String) -> Option<Self> {
        if !token.is_empty() {
            return Some(Self::Page { section, token });
        }
        let next = section + 1;
        (next < SECTIONS.len()).then_some(Self::Page { section: next, token })
    }
}

/// A request as the server hands it to a method.
fn as_asked<M>(ctx: &Ctx, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(ctx.clone());
    request
}

async fn head(app: &App, ctx: &Ctx, id: PersonId) -> Result<PersonalData, Fault> {
    let asked = as_asked(ctx, GetPersonRequest { person_id: id.to_string() });
    let person = app.get_person(asked).await.map_err(fault)?.into_inner().person;
    let mut person = person.unwrap_or_default();
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    person.identities = reveal::clear_keys(&mut tx, &keys, id).await?;
    let decisions = consent::store::in_force(&mut tx, id).await?;
    let entries = blacklist::rpc::of_person(&mut tx, id, ctx.now).await?;
    let shown = entries.iter().map(|entry| blacklist::rpc::show(&keys, entry));
    Ok(PersonalData {
        person: Some(person),
        alias_ids: store::aliases(&mut tx, id).await?.iter().map(ToString::to_string).collect(),
        profile: profile::load(&mut tx, &keys, id).await?,
        consents: consent::show::effective(&decisions),
        blacklist_entries: shown.collect::<Result<_, _>>()?,
        ..PersonalData::default()
    })
}

async fn page(
    app: &App,
    ctx: &Ctx,
    id: PersonId,
    section: usize,
    page_token: String,
) -> Result<(PersonalData, String), Fault> {
    let person_id = id.to_string();
    let page_size = i32::from(limits::EXPORT_PAGE);
    let mut data = PersonalData::default();
    let next = match SECTIONS[section] {
        "consents" => {
            let page = consent::rpc::open_page(app, ctx, id, page_size, &page_token).await?;
            data.consent_records = page.items;
            page.next_token
        }
        "connections" => {
            let asked = ListConnectionsRequest { person_id, page_size, page_token };
            let reply = app.list_connections(as_asked(ctx, asked)).await.map_err(fault)?;
            let reply = reply.into_inner();
            data.connections = reply.connections;
            reply.next_page_token
        }
        "reveals" => {
            let asked = ListRevealsRequest { person_id, page_size, page_token };
            let reply = reveal::list(app, ctx.clone(), asked).await?;
            data.reveals = reply.reveals;
            reply.next_page_token
        }
        asset => {
            let is_points = asset == "points";
            let of = if is_points { Asset::Points } else { Asset::Growth };
            let mut asked =
                ListEntriesRequest { person_id, page_size, page_token, ..Default::default() };
            asked.set_asset(of);
            let reply = app.list_entries(as_asked(ctx, asked)).await.map_err(fault)?.into_inner();
            if is_points {
                data.points_entries = reply.entries;
            } else {
                data.growth_entries = reply.entries;
            }
            reply.next_page_token
        }
    };
    Ok((data, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_through_every_section() {
        let mut seen = vec![Part::Head.text()];
        let mut next = Some(Part::first());
        while let Some(part) = next {
            seen.push(part.text());
            assert_eq!(Part::read(&part.text()).unwrap(), part);
            let Part::Page { section, token } = part else { unreachable!("the head comes once") };
            // Two pages of each.
            let token = if token.is_empty() { "x:y".to_owned() } else { String::new() };
            next = Part::after(section, token);
        }
        let pages = SECTIONS.iter().flat_map(|name| [format!("{name}:"), format!("{name}:x:y")]);
        assert_eq!(seen, std::iter::once(String::new()).chain(pages).collect::<Vec<_>>());
        assert!(Part::read("secrets:").is_err() && Part::read("points").is_err());
    }
}
