//! From a bearer secret to an assertion that the services believe.
//!
//! Invariants: an answer never says whether a token exists; a revoked token is dead at once in the process that revoked it, and
//! within [`limits::TOKEN_REMEMBERED`] in others; what callers state about themselves in other headers is never read.

mod cache;

use std::{collections::HashMap, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use siyu_grpc::{Assertions, Caller, Scopes};
use siyu_kernel::{Clock, Code, Fault};
use siyu_pg::{
    Db,
    coalesce::{Coalescer, Refused},
};

use crate::{
    limits,
    token::{Digest, Token, store},
};
use cache::{Cache, Known};

/// Looks at every credential that comes in.
pub(crate) struct Doorman {
    operator: Option<Digest>,
    cache: Cache,
    lookups: Coalescer<Digest, Option<Token>, Failed>,
    assertions: Arc<Assertions>,
    clock: Arc<dyn Clock>,
}

/// The error of a look-up that several callers share.
#[derive(Debug, Clone)]
pub(crate) struct Failed(Arc<Fault>);

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self(Arc::new(refused.into()))
    }
}

impl From<Failed> for Fault {
    fn from(Failed(fault): Failed) -> Self {
        Self::new(fault.code(), fault.reason(), fault.message().to_owned()).caused_by(fault)
    }
}

impl Doorman {
    /// A doorman and the worker that looks tokens up, to be run as a named task.
    pub(crate) fn new(
        db: Db,
        operator: Option<Digest>,
        assertions: Arc<Assertions>,
        clock: Arc<dyn Clock>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (lookups, worker) = Coalescer::new(limits::LOOKUPS, move |digests| {
            let db = db.clone();
            async move { look_up(&db, digests).await }
        });
        let cache = Cache::new(limits::TOKENS_REMEMBERED);
        (Self { operator, cache, lookups, assertions, clock }, worker)
    }

    /// Reads the credential of a request and gives the `authorization` for the service behind.
    pub(crate) async fn admit(&self, headers: &HeaderMap) -> Result<HeaderValue, Fault> {
        let digest = Digest::of(bearer(headers)?).ok_or_else(invalid)?;
        let now = self.clock.now();
        if let Some(assertion) = self.cache.get(&digest, now) {
            return Ok(assertion);
        }
        let epoch = self.cache.epoch();
        let known = self.know(digest, now).await?;
        let assertion = known.assertion.clone();
        self.cache.put(epoch, digest, known);
        Ok(assertion)
    }

    /// Forgets a token at once.
    pub(crate) fn forget(&self, digest: &Digest) {
        self.cache.forget(digest);
    }

    async fn know(&self, digest: Digest, now: DateTime<Utc>) -> Result<Known, Fault> {
        if self.operator == Some(digest) {
            let assertion = self.assertion(Caller::Platform, "operator", &Scopes::all(), now);
            return Ok(Known { since: now, until: None, assertion });
        }
        let token = self.lookups.call(digest).await?;
        let token = token.filter(|token| token.is_live(now)).ok_or_else(invalid)?;
        let (caller, id) = (Caller::Merchant(token.merchant_id), token.id.to_string());
        let assertion = self.assertion(caller, &id, &token.scopes.iter().collect(), now);
        Ok(Known { since: now, until: token.expires_at, assertion })
    }

    fn assertion(
        &self,
        caller: Caller,
        subject: &str,
        scopes: &Scopes,
        now: DateTime<Utc>,
    ) -> HeaderValue {
        let token = self.assertions.mint(caller, &subject.into(), scopes, now);
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .expect("an assertion is visible ASCII");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Doorman {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doorman").finish_non_exhaustive()
    }
}

async fn look_up(db: &Db, digests: Vec<Digest>) -> Vec<Result<Option<Token>, Failed>> {
    match find(db, &digests).await {
        Ok(found) => digests.iter().map(|digest| Ok(found.get(digest).cloned())).collect(),
        Err(error) => {
            let failed = Failed(Arc::new(error.into()));
            digests.iter().map(|_| Err(failed.clone())).collect()
        }
    }
}

async fn find(db: &Db, digests: &[Digest]) -> Result<HashMap<Digest, Token>, siyu_pg::Error> {
    // Whose token it is, is what is asked: so this one question is asked of all merchants' rows.
    let mut tx = db.system("gateway.authenticate").await?;
    let found = store::find(&mut tx, digests).await?;
    tx.commit().await?;
    Ok(found.into_iter().map(|(token, digest)| (digest, token)).collect())
}

fn bearer(headers: &HeaderMap) -> Result<&str, Fault> {
    let missing = || {
        let message = "send the token as \"Authorization: Bearer …\"";
        Fault::new(Code::Unauthenticated, "CREDENTIAL_MISSING", message)
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        // Which of two would count is a question that must not come up.
        return Err(invalid());
    }
    let (scheme, secret) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(secret.trim()) } else { Err(missing()) }
}

/// The one answer for a token that is unknown, malformed, expired or revoked.
fn invalid() -> Fault {
    Fault::new(Code::Unauthenticated, "CREDENTIAL_INVALID", "the credential is not valid")
}
