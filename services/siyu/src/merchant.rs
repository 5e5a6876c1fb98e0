//! `siyu merchant create`: a merchant, and a token that may do everything for it.

use std::fmt::Write;

use serde::Serialize;
use siyu_kernel::Ids;
use siyu_proto::{
    gateway::v1::CreateTokenRequest,
    member::v1::{CreateMerchantRequest, Merchant},
};
use siyu_runtime::SystemIds;

use crate::{
    cli::MerchantCreateArgs,
    client::{Client, Error},
    exit::{Exit, Failure},
    output::Output,
};

/// What `siyu merchant create --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    /// The id, prefix "mch".
    pub merchant_id: String,
    /// The name.
    pub name: String,
    /// The zone in which days are cut.
    pub zone: String,
    /// The currency of its figures.
    pub currency: String,
    /// The id of the token, prefix "tok".
    pub token_id: String,
    /// What goes into `SIYU_TOKEN`. It is shown this once.
    pub token: String,
}

/// Runs the command.
///
/// # Errors
/// [`Failure`]
pub async fn create(args: &MerchantCreateArgs) -> Result<Exit, Failure> {
    let output = Output::new(&args.output);
    let client = Client::connect(&args.connection).await?;
    let request = CreateMerchantRequest {
        request_id: SystemIds.uuid().to_string(),
        name: args.name.clone(),
        zone: args.zone.name().to_owned(),
        currency_code: args.currency.code().to_owned(),
    };
    let reply = client.merchants().create_merchant(request).await;
    let reply = reply.map_err(|status| client.failed(&status))?;
    let merchant = reply.into_inner().merchant.ok_or(Error::Empty)?;
    let created = token(&client, merchant).await?;
    output.result(&created, |_| created.text())?;
    Ok(Exit::Done)
}

/// Makes a token that may do everything for a merchant.
async fn token(client: &Client, merchant: Merchant) -> Result<Created, Failure> {
    let Merchant { id, name, zone, currency_code, .. } = merchant;
    let request = CreateTokenRequest {
        merchant_id: id.clone(),
        name: "siyu merchant create".to_owned(),
        ..CreateTokenRequest::default()
    };
    let reply = client.tokens().create_token(request).await.map_err(|status| {
        let error = client.failed(&status);
        Failure::from(error).hint(format!("the merchant {id} exists, but has no token yet"))
    })?;
    let reply = reply.into_inner();
    Ok(Created {
        merchant_id: id,
        name,
        zone,
        currency: currency_code,
        token_id: reply.token.ok_or(Error::Empty)?.id,
        token: reply.secret,
    })
}

impl Created {
    fn text(&self) -> String {
        let mut text = String::new();
        let rows = [
            ("merchant", &self.merchant_id),
            ("name", &self.name),
            ("zone", &self.zone),
            ("currency", &self.currency),
            ("token", &self.token),
        ];
        for (name, value) in rows {
            let _ = writeln!(text, "{name:<9} {value}");
        }
        text.push_str("\nThe token is shown this once. To work for this merchant:\n\n");
        let _ = writeln!(text, "  export SIYU_TOKEN={}", self.token);
        text
    }
}
