//! Looks at personal data in clear. One is kept before anything is shown.

use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id, kind};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    self as proto, ListRevealsRequest, ListRevealsResponse, PersonalField, Profile,
    RevealPersonalDataRequest, RevealPersonalDataResponse,
};
use uuid::Uuid;

use super::{
    refuse_erased,
    store::{self, Reveal},
};
use crate::{
    App, limits,
    person::{self, PersonId, address, domain::Identity},
    profile,
    profile::domain::Field,
    vault::{self, Keys, Place},
};

const REVEAL: &str = "siyu.member.v1.PrivacyService/RevealPersonalData";

/// A look: at whom, at what, and why.
pub(crate) struct Look<'a> {
    /// At whom.
    pub(crate) person_id: PersonId,
    /// At what.
    pub(crate) fields: Vec<String>,
    /// Why.
    pub(crate) reason: &'a str,
}

/// Keeps a look.
pub(crate) async fn keep(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    keys: &Keys,
    look: Look<'_>,
) -> Result<Id<kind::Reveal>, Fault> {
    let id: Id<kind::Reveal> = Id::from_uuid(app.ids.uuid());
    let row = id.to_string();
    let reveal = Reveal {
        id,
        person_id: look.person_id,
        revealed_by: ctx.subject.to_string(),
        fields: look.fields,
        reason: keys.seal(place(&row), look.reason),
        revealed_at: ctx.now,
    };
    store::insert(tx, &reveal).await?;
    Ok(id)
}

pub(crate) async fn reveal(
    app: &App,
    ctx: Ctx,
    request: RevealPersonalDataRequest,
) -> Result<RevealPersonalDataResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let read = |(i, value): (usize, &i32)| {
        let known = PersonalField::try_from(*value).ok();
        known
            .filter(|field| *field != PersonalField::Unspecified)
            .ok_or_else(|| Fault::field(format!("fields[{i}]"), "is not a known value"))
    };
    let fields: Vec<PersonalField> =
        request.fields.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let first: Option<RevealPersonalDataResponse> =
        replay::find(&mut tx, REVEAL, &request.request_id, &keys.fingerprint(&request)).await?;
    let person_id = person::hold(&mut tx, asked).await?;
    refuse_erased(&mut tx, person_id).await?;
    let reply = if let Some(reply) = first {
        reply
    } else {
        let fields = fields.iter().map(|field| word(*field).to_owned()).collect();
        let look = Look { person_id, fields, reason: &request.reason };
        let id = keep(app, &mut tx, &ctx, &keys, look).await?;
        let reply = RevealPersonalDataResponse { reveal_id: id.to_string(), ..Default::default() };
        // Without the data: what is kept for repeats stands in clear.
        replay::keep(&mut tx, REVEAL, &request.request_id, &reply).await?;
        reply
    };
    let profile = profile::load(&mut tx, &keys, person_id).await?.unwrap_or_default();
    let wants = |one: PersonalField| fields.contains(&one) || fields.contains(&PersonalField::All);
    let mut identities = Vec::new();
    if wants(PersonalField::Keys) {
        identities = clear_keys(&mut tx, &keys, person_id).await?;
        identities.retain(|key| {
            let kind = key.kind();
            kind == proto::IdentityKind::Phone || kind == proto::IdentityKind::Email
        });
    }
    tx.commit().await?;
    Ok(RevealPersonalDataResponse { profile: Some(chosen(profile, wants)), identities, ..reply })
}

fn chosen(mut profile: Profile, wants: impl Fn(PersonalField) -> bool) -> Profile {
    let mut shown = Profile::default();
    for (wanted, field) in [
        (PersonalField::Name, Field::Name),
        (PersonalField::Birthday, Field::Birthday),
        (PersonalField::Phone, Field::Phone),
        (PersonalField::Email, Field::Email),
        (PersonalField::Address, Field::Address),
    ] {
        if wants(wanted) {
            field.copy(&mut profile, &mut shown);
        }
    }
    shown
}

/// The keys of a person in clear.
pub(crate) async fn clear_keys(
    tx: &mut Tx,
    keys: &Keys,
    id: PersonId,
) -> Result<Vec<proto::Identity>, Fault> {
    let held = address::of(tx, keys, &[id]).await?.remove(&id).unwrap_or_default();
    let show = |(key, address): (Identity, Option<String>)| {
        let kind = proto::IdentityKind::from(key.kind).into();
        let value = address.unwrap_or(key.value);
        proto::Identity { kind, scope: key.scope, value, ..Default::default() }
    };
    Ok(held.into_iter().map(show).collect())
}

pub(crate) async fn list(
    app: &App,
    ctx: Ctx,
    request: ListRevealsRequest,
) -> Result<ListRevealsResponse, Fault> {
    let asked = parse::optional_id("person_id", &request.person_id)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.person_id.as_bytes(),
    )?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = match asked {
        None => store::list(&mut tx, page.after, page.fetch()).await?,
        Some(id) => {
            let id = person::canonical(&mut tx, id).await?;
            let mut all = store::aliases(&mut tx, id).await?;
            all.push(id);
            store::list_of(&mut tx, &all, page.after, page.fetch()).await?
        }
    };
    let page = page.page(rows, |reveal| reveal.id.uuid());
    Ok(ListRevealsResponse {
        reveals: page.items.iter().map(|reveal| show(&keys, reveal)).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

fn show(keys: &Keys, reveal: &Reveal) -> Result<proto::Reveal, Fault> {
    let row = reveal.id.to_string();
    Ok(proto::Reveal {
        id: row.clone(),
        person_id: reveal.person_id.to_string(),
        revealed_by: reveal.revealed_by.clone(),
        fields: reveal.fields.clone(),
        reason: keys.open(place(&row), &reveal.reason)?,
        reveal_time: Some(parse::timestamp(reveal.revealed_at)),
    })
}

fn place(row: &str) -> Place<'_> {
    Place { kind: "reveal.reason", row }
}

/// The word for a field, in columns and replies.
pub(crate) const fn word(field: PersonalField) -> &'static str {
    match field {
        PersonalField::Unspecified => "",
        PersonalField::Name => "name",
        PersonalField::Birthday => "birthday",
        PersonalField::Phone => "phone",
        PersonalField::Email => "email",
        PersonalField::Address => "address",
        PersonalField::Keys => "keys",
        PersonalField::All => "all",
    }
}
