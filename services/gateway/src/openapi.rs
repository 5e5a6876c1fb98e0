use crate::contract::Contract;
pub(crate) fn document(_: &Contract) -> serde_json::Value {
    serde_json::Value::Null
}
