//! The export (PIPL art. 45): everything that this service keeps about a person, in parts. It is put together from what the
//! methods of the service show, so it forgets nothing that they have.

mod pages;

use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_pg::replay;
use siyu_proto::member::v1::{
    ExportPersonalDataRequest, ExportPersonalDataResponse, PersonalData, PersonalField,
    PointsBalance,
};

use self::pages::Section;
use super::{refuse_erased, reveal, store};
use crate::{App, blacklist, consent, person, person::PersonId, profile, stage, vault, view};

const EXPORT: &str = "siyu.member.v1.PrivacyService/ExportPersonalData";

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
        replay::find(&mut tx, EXPORT, &request.request_id, &keys.fingerprint(&whole)).await?;
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
            let (data, token) = pages::page(app, &ctx, person_id, section, token).await?;
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
    /// A page of a section.
    Page { section: Section, token: String },
}

impl Part {
    fn read(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Ok(Self::Head);
        }
        let read = text.split_once(':').and_then(|(name, token)| {
            let section = Section::ALL.into_iter().find(|known| known.name() == name)?;
            Some(Self::Page { section, token: token.to_owned() })
        });
        read.ok_or_else(|| Fault::field("part", "is not a next_part that this method returned"))
    }

    fn text(&self) -> String {
        match self {
            Self::Head => String::new(),
            Self::Page { section, token } => format!("{}:{token}", section.name()),
        }
    }

    const fn first() -> Self {
        Self::Page { section: Section::ALL[0], token: String::new() }
    }

    fn after(section: Section, token: String) -> Option<Self> {
        if !token.is_empty() {
            return Some(Self::Page { section, token });
        }
        let next = Section::ALL.into_iter().skip_while(|known| *known != section).nth(1)?;
        Some(Self::Page { section: next, token })
    }
}

async fn head(app: &App, ctx: &Ctx, id: PersonId) -> Result<PersonalData, Fault> {
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let mut person = person::rpc::load(&mut tx, ctx, &keys, id).await?;
    person.identities = reveal::clear_keys(&mut tx, &keys, id).await?;
    let decisions = consent::store::in_force(&mut tx, id).await?;
    let entries = blacklist::rpc::of_person(&mut tx, id, ctx.now).await?;
    let shown = entries.iter().map(|entry| blacklist::rpc::show(&keys, entry));
    Ok(PersonalData {
        points: Some(PointsBalance {
            available: person.points_available,
            total: person.points_total,
            growth: person.growth,
        }),
        stage: Some(stage::rpc::show(&mut tx, ctx, id).await?),
        purchases: Some(view::rpc::purchases(&mut tx, id).await?),
        person: Some(person),
        alias_ids: store::aliases(&mut tx, id).await?.iter().map(ToString::to_string).collect(),
        profile: profile::load(&mut tx, &keys, id).await?,
        consents: consent::show::effective(&decisions),
        blacklist_entries: shown.collect::<Result<_, _>>()?,
        ..PersonalData::default()
    })
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
        let pages = Section::ALL.into_iter().map(Section::name);
        let pages = pages.flat_map(|name| [format!("{name}:"), format!("{name}:x:y")]);
        assert_eq!(seen, std::iter::once(String::new()).chain(pages).collect::<Vec<_>>());
        assert!(Part::read("secrets:").is_err() && Part::read("points").is_err());
    }
}
