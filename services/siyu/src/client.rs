//! The way to a running suite: one connection to the gateway, with the token on every call, and errors in plain words.

mod error;

use std::{path::Path, time::Duration};

use siyu_proto::{
    distribution::v1::commission_service_client::CommissionServiceClient,
    gateway::v1::token_service_client::TokenServiceClient,
    member::v1::{
        GetMerchantRequest, Merchant, account_service_client::AccountServiceClient,
        audience_service_client::AudienceServiceClient,
        merchant_service_client::MerchantServiceClient, person_service_client::PersonServiceClient,
        points_service_client::PointsServiceClient, store_service_client::StoreServiceClient,
        tag_service_client::TagServiceClient,
    },
    metrics::v1::{
        maintenance_service_client::MaintenanceServiceClient,
        retention_service_client::RetentionServiceClient, sales_service_client::SalesServiceClient,
        triangle_service_client::TriangleServiceClient, value_service_client::ValueServiceClient,
    },
    order::v1::{
        guarantee_service_client::GuaranteeServiceClient,
        import_service_client::ImportServiceClient, stock_service_client::StockServiceClient,
    },
};
use siyu_runtime::Secret;
use tonic::{
    Request, Status,
    metadata::AsciiMetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use crate::cli::Connection;
pub(crate) use error::is_local;
pub use error::{Error, words};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
// A connection that died without a word is noticed within their sum; an import may wait longer for its disk.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A channel that says who is calling.
pub type Authorized = InterceptedService<Channel, Bearer>;

/// Adds the token to every call.
#[derive(Clone)]
pub struct Bearer(AsciiMetadataValue);

/// A running suite, as the holder of one token sees it.
#[derive(Clone)]
pub struct Client {
    channel: Authorized,
    server: String,
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

impl Client {
    /// Connects, so that a suite that is not there is noticed before any work is done.
    ///
    /// # Errors
    /// [`Error::NoToken`], [`Error::Token`], [`Error::Url`], [`Error::CaFile`] or [`Error::Unreachable`].
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let given = connection.token.as_ref().filter(|token| !token.is_empty());
        let token = given.ok_or(Error::NoToken)?;
        let channel = channel(&connection.server, connection.ca_file.as_deref()).await?;
        Self::over(channel, token, &connection.server)
    }

    /// Uses a channel that is there already.
    ///
    /// # Errors
    /// [`Error::Token`] when the token cannot stand in a header.
    pub fn over(channel: Channel, token: &Secret, server: &str) -> Result<Self, Error> {
        let mut value: AsciiMetadataValue =
            format!("Bearer {}", token.expose().trim()).parse().map_err(|_| Error::Token)?;
        value.set_sensitive(true);
        let channel = InterceptedService::new(channel, Bearer(value));
        Ok(Self { channel, server: server.to_owned() })
    }

    /// The merchant of the token.
    ///
    /// # Errors
    /// [`Error`] from the call.
    pub async fn merchant(&self) -> Result<Merchant, Error> {
        let reply = self.merchants().get_merchant(GetMerchantRequest {}).await;
        reply.map_err(|status| self.failed(&status))?.into_inner().merchant.ok_or(Error::Empty)
    }

    /// Where the suite is.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The error that a status is.
    pub fn failed(&self, status: &Status) -> Error {
        Error::of(&self.server, status)
    }

    /// The channel, for clients of services that have no function here.
    pub fn channel(&self) -> Authorized {
        self.channel.clone()
    }

    /// Merchants.
    pub fn merchants(&self) -> MerchantServiceClient<Authorized> {
        MerchantServiceClient::new(self.channel.clone())
    }

    /// Stores.
    pub fn stores(&self) -> StoreServiceClient<Authorized> {
        StoreServiceClient::new(self.channel.clone())
    }

    /// Points and growth.
    pub fn accounts(&self) -> AccountServiceClient<Authorized> {
        AccountServiceClient::new(self.channel.clone())
    }

    /// Persons.
    pub fn persons(&self) -> PersonServiceClient<Authorized> {
        PersonServiceClient::new(self.channel.clone())
    }

    /// Points.
    pub fn points(&self) -> PointsServiceClient<Authorized> {
        PointsServiceClient::new(self.channel.clone())
    }

    /// Audiences.
    pub fn audiences(&self) -> AudienceServiceClient<Authorized> {
        AudienceServiceClient::new(self.channel.clone())
    }

    /// Tags.
    pub fn tags(&self) -> TagServiceClient<Authorized> {
        TagServiceClient::new(self.channel.clone())
    }

    /// Commission.
    pub fn commissions(&self) -> CommissionServiceClient<Authorized> {
        CommissionServiceClient::new(self.channel.clone())
    }

    /// Tokens.
    pub fn tokens(&self) -> TokenServiceClient<Authorized> {
        TokenServiceClient::new(self.channel.clone())
    }

    /// Orders of other platforms.
    pub fn imports(&self) -> ImportServiceClient<Authorized> {
        ImportServiceClient::new(self.channel.clone())
    }

    /// What is held of paid orders.
    pub fn guarantees(&self) -> GuaranteeServiceClient<Authorized> {
        GuaranteeServiceClient::new(self.channel.clone())
    }

    /// How many pieces there are.
    pub fn stocks(&self) -> StockServiceClient<Authorized> {
        StockServiceClient::new(self.channel.clone())
    }

    /// What was sold.
    pub fn sales(&self) -> SalesServiceClient<Authorized> {
        SalesServiceClient::new(self.channel.clone())
    }

    /// Who comes back.
    pub fn retention(&self) -> RetentionServiceClient<Authorized> {
        RetentionServiceClient::new(self.channel.clone())
    }

    /// What customers are worth.
    pub fn value(&self) -> ValueServiceClient<Authorized> {
        ValueServiceClient::new(self.channel.clone())
    }

    /// The triangle.
    pub fn triangle(&self) -> TriangleServiceClient<Authorized> {
        TriangleServiceClient::new(self.channel.clone())
    }

    /// How current the figures are.
    pub fn maintenance(&self) -> MaintenanceServiceClient<Authorized> {
        MaintenanceServiceClient::new(self.channel.clone())
    }
}

/// Connects to a server.
///
/// # Errors
/// [`Error::Url`], [`Error::CaFile`] or [`Error::Unreachable`].
pub async fn channel(server: &str, ca_file: Option<&Path>) -> Result<Channel, Error> {
    let url = |reason: &str| Error::Url { server: server.to_owned(), reason: reason.to_owned() };
    let secure = match server.split_once("://") {
        Some(("http", _)) => false,
        Some(("https", _)) => true,
        _ => return Err(url("must start with http:// or https://")),
    };
    let endpoint = Endpoint::from_shared(server.to_owned())
        .map_err(|_| url("must be like http://127.0.0.1:7080"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    let endpoint = match (secure, ca_file) {
        (false, _) => endpoint,
        (true, None) => return Err(url("over https needs --ca-file")),
        (true, Some(path)) => {
            let refused = |reason: String| Error::CaFile { path: path.to_owned(), reason };
            let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
            let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
            endpoint.tls_config(tls).map_err(|error| refused(error.to_string()))?
        }
    };
    endpoint.connect().await.map_err(|error| Error::unreachable(server, &error))
}

#[cfg(test)]
mod tests;
