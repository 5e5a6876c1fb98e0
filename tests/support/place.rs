//! Where a suite is.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use siyu::host::services::Service;

/// A running suite, as somebody who may do everything sees it.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where the gateway listens: REST and gRPC.
    pub http: SocketAddr,
    /// The operator's token.
    pub operator: String,
    /// Its databases, for looks behind the scenes.
    pub databases: Databases,
}

/// The databases of a suite: urls of their owner.
#[derive(Debug, Clone)]
pub struct Databases(BTreeMap<Service, String>);

impl Databases {
    /// The databases whose urls are told.
    pub fn new(url: impl Fn(Service) -> String) -> Self {
        Self(Service::ALL.map(|service| (service, url(service))).into())
    }

    /// Those of a private server under the data directory of `siyu up`.
    pub fn under(data_dir: &Path) -> Self {
        let run = data_dir.canonicalize().expect("the directory exists").join("postgres/run");
        let owner = siyu_pg::embedded::OWNER;
        Self::new(|service| {
            format!("postgres:///{}?host={}&user={owner}", service.name(), run.display())
        })
    }

    /// The url of one.
    pub fn url(&self, service: Service) -> &str {
        &self.0[&service]
    }
}
