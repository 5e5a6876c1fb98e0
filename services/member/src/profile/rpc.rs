//! The RPCs of profiles.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_proto::member::v1::{
    self as proto, Gender, GetProfileRequest, GetProfileResponse, Profile, ProfileChanged,
    UpdateProfileRequest, UpdateProfileResponse, profile_service_server::ProfileService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    birth_digest, domain, load, merged, seal,
    store::{self, Row, Searched},
};
use crate::{
    App, person, publish, rights, tag,
    vault::{self, Keys},
};

#[async_trait]
impl ProfileService for App {
    async fn get_profile(
        &self,
        request: Request<GetProfileRequest>,
    ) -> Result<Response<GetProfileResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn update_profile(
        &self,
        request: Request<UpdateProfileRequest>,
    ) -> Result<Response<UpdateProfileResponse>, Status> {
        serve(request, |ctx, message| update(self, ctx, message)).await
    }
}

async fn get(app: &App, ctx: Ctx, request: GetProfileRequest) -> Result<GetProfileResponse, Fault> {
    let id = parse::id("person_id", &request.person_id)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let id = person::canonical(&mut tx, id).await?;
    let profile = load(&mut tx, &keys, id).await?.unwrap_or_default();
    Ok(GetProfileResponse { profile: Some(domain::masked(profile)) })
}

async fn update(
    app: &App,
    ctx: Ctx,
    request: UpdateProfileRequest,
) -> Result<UpdateProfileResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let mask = request.update_mask.unwrap_or_default().paths;
    let (new, fields) = domain::read(&request.profile.unwrap_or_default(), &mask)?;
    let keys = vault::keys(app, ctx.merchant()?).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let id = person::hold(&mut tx, asked).await?;
    store::lock(&mut tx, id).await?;
    rights::refuse_erased(&mut tx, id).await?;
    let rows = store::list(&mut tx, id).await?;
    let before = merged(&keys, id, &rows)?;
    let mut profile = before.clone().unwrap_or_default();
    domain::apply(&mut profile, new, &fields);
    if before.as_ref() == Some(&profile) || fields.is_empty() {
        return Ok(UpdateProfileResponse { profile: Some(domain::masked(profile)) });
    }
    let sealed = seal(&keys, id, &profile);
    let folded = rows.iter().map(|row| row.person_id).filter(|alias| *alias != id).collect();
    let row = Row { person_id: id, sealed, folded, updated_at: ctx.now };
    store::save(&mut tx, &row, &searched(&keys, &profile)).await?;
    store::traits::refresh(&mut tx, &[id]).await?;
    tag::mark(&mut tx, &[id]).await?;
    let fields = fields.iter().map(|field| field.name().to_owned()).collect();
    let fact = ProfileChanged { person_id: id.to_string(), fields };
    publish(app, &mut tx, &ctx, id.to_string(), &fact).await?;
    tx.commit().await?;
    profile.update_time = Some(parse::timestamp(ctx.now));
    Ok(UpdateProfileResponse { profile: Some(domain::masked(profile)) })
}

fn searched<'a>(keys: &Keys, profile: &'a Profile) -> Searched<'a> {
    fn known(text: &str) -> Option<&str> {
        Some(text).filter(|text| !text.is_empty())
    }
    let birthday = domain::birthday(&profile.birthday);
    Searched {
        gender: match proto::Gender::try_from(profile.gender) {
            Ok(Gender::Female) => Some("female"),
            Ok(Gender::Male) => Some("male"),
            Ok(Gender::Other) => Some("other"),
            Ok(Gender::Unspecified) | Err(_) => None,
        },
        birth_month: birthday.map(|(month, _)| i16::try_from(month).expect("at most 12")),
        birth_digest: birthday.map(|day| birth_digest(keys, day)).unwrap_or_default(),
        province: known(&profile.province),
        city: known(&profile.city),
        language: known(&profile.language),
    }
}
