use crate::{contract::Contract, door::Docs};
pub(crate) fn page(_: &Contract) -> Docs {
    Docs { html: String::new(), policy: "default-src 'none'".into() }
}
