//! `siyu.gateway.v1.TokenService`.

use std::{collections::BTreeSet, sync::Arc};

use siyu_grpc::{Caller, Ctx, Peer, fault, parse, serve};
use siyu_kernel::{Fault, Id, Ids, kind::Merchant};
use siyu_pg::{Db, page};
use siyu_proto::{
    gateway::v1 as pb,
    member::v1::{LookupMerchantRequest, merchant_service_client::MerchantServiceClient},
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    Error,
    domain::{self, Secret, Token},
    store,
};
use crate::{auth::Doorman, limits};

/// The room.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The tokens.
    pub db: Db,
    /// Who knows the merchants.
    pub member: Peer,
    /// Who must forget a token that is revoked.
    pub doorman: Arc<Doorman>,
    /// The scopes that methods ask for.
    pub scopes: BTreeSet<String>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// 256 bits that nobody can guess.
    pub random: fn() -> [u8; 32],
}

#[tonic::async_trait]
impl pb::token_service_server::TokenService for Tokens {
    async fn create_token(
        &self,
        request: Request<pb::CreateTokenRequest>,
    ) -> Result<Response<pb::CreateTokenResponse>, Status> {
        serve(request, async |ctx, request| self.create(ctx, request).await).await
    }

    async fn list_tokens(
        &self,
        request: Request<pb::ListTokensRequest>,
    ) -> Result<Response<pb::ListTokensResponse>, Status> {
        serve(request, async |ctx, request| self.list(ctx, request).await).await
    }

    async fn revoke_token(
        &self,
        request: Request<pb::RevokeTokenRequest>,
    ) -> Result<Response<pb::RevokeTokenResponse>, Status> {
        serve(request, async |ctx, request| self.revoke(ctx, request).await).await
    }
}

impl Tokens {
    async fn create(
        &self,
        ctx: Ctx,
        request: pb::CreateTokenRequest,
    ) -> Result<pb::CreateTokenResponse, Error> {
        let scopes = domain::scopes(&request.scopes, &self.scopes)?;
        if let Some(scope) = scopes.iter().find(|scope| !ctx.scopes.hold(scope)) {
            return Err(Error::ScopeExceeded(scope.clone()));
        }
        let expires_at = parse::optional_instant("expire_time", request.expire_time)?;
        if expires_at.is_some_and(|end| end <= ctx.now) {
            return Err(Fault::field("expire_time", "must be in the future").into());
        }
        let merchant = self.merchant_of(&ctx, &request.merchant_id).await?;

        let secret = Secret::new((self.random)());
        let token = Token {
            id: Id::from_uuid(self.ids.uuid()),
            merchant_id: merchant,
            name: request.name,
            scopes,
            created_at: ctx.now,
            expires_at,
            revoked_at: None,
        };
        let mut tx = self.db.tenant(merchant).await?;
        store::insert(&mut tx, &token, &secret.digest()).await.map_err(siyu_pg::Error::from)?;
        tx.commit().await?;
        let secret = secret.expose().to_owned();
        Ok(pb::CreateTokenResponse { token: Some(token.into()), secret })
    }

    /// For whom a token is made: a merchant for itself, the operator for a merchant that exists.
    async fn merchant_of(&self, ctx: &Ctx, named: &str) -> Result<Id<Merchant>, Fault> {
        const FIELD: &str = "merchant_id";
        match ctx.caller {
            Caller::Platform => {
                let merchant = parse::id(FIELD, named)?;
                let request = LookupMerchantRequest { merchant_id: named.to_owned() };
                let mut member = MerchantServiceClient::new(self.member.as_caller(ctx));
                member.lookup_merchant(request).await.map_err(fault)?;
                Ok(merchant)
            }
            Caller::Merchant(_) | Caller::Internal(_) if !named.is_empty() => {
                Err(Fault::field(FIELD, "is for the operator; a merchant makes its own tokens"))
            }
            Caller::Merchant(_) | Caller::Internal(_) => ctx.merchant(),
        }
    }

    async fn list(
        &self,
        ctx: Ctx,
        request: pb::ListTokensRequest,
    ) -> Result<pb::ListTokensResponse, Error> {
        let (size, token) = (request.page_size, &request.page_token);
        let page = page::Request::<Uuid>::parse(size, token, limits::PAGE, b"")?;
        let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
        let rows = store::list(&mut tx, page.after, page.fetch()).await;
        let page = page.page(rows.map_err(siyu_pg::Error::from)?, |token| token.id.uuid());
        let page = page.map(pb::Token::from);
        Ok(pb::ListTokensResponse { tokens: page.items, next_page_token: page.next_token })
    }

    async fn revoke(
        &self,
        ctx: Ctx,
        request: pb::RevokeTokenRequest,
    ) -> Result<pb::RevokeTokenResponse, Error> {
        let id = parse::id("token_id", &request.token_id)?;
        let mut tx = self.db.tenant(ctx.merchant()?).await?;
        let revoked = store::revoke(&mut tx, id, ctx.now).await.map_err(siyu_pg::Error::from)?;
        let (token, digest) = revoked.ok_or(Error::NotFound)?;
        let committed = tx.commit().await;
        // After the commit, for a look-up that begins now sees it; and whatever came of it, for that may not be known.
        self.doorman.forget(&digest);
        committed?;
        Ok(pb::RevokeTokenResponse { token: Some(token.into()) })
    }
}

impl From<Token> for pb::Token {
    fn from(token: Token) -> Self {
        Self {
            id: token.id.to_string(),
            merchant_id: token.merchant_id.to_string(),
            name: token.name,
            scopes: token.scopes,
            create_time: Some(parse::timestamp(token.created_at)),
            expire_time: token.expires_at.map(parse::timestamp),
            revoke_time: token.revoked_at.map(parse::timestamp),
        }
    }
}
