//! Every field of every request has a bound, and a request beyond it is refused by the path of the field.

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use siyu_grpc::Audience;
use siyu_kernel::Code;
use siyu_tests::support::{Merchant, story, suite};

use crate::{methods, raw};

/// Longer than any text of the contracts.
const LONG: usize = 20_000;
/// Lists whose elements are judged one by one, in the reply.
const APART: &[&str] = &[
    "siyu.order.v1.ImportOrdersRequest.orders",
    "siyu.order.v1.StreamImportOrdersRequest.orders",
    "siyu.order.v1.ImportRefundsRequest.refunds",
    "siyu.order.v1.ImportStockRequest.rows",
];

/// A way to break a message: the path of the field, and the message that is broken there.
type Broken = (String, DynamicMessage);

/// Every way to break one field of a message, down to two levels below it.
fn breaks(message: &MessageDescriptor, depth: u8) -> Vec<Broken> {
    let mut all = Vec::new();
    for field in message.fields().filter(|field| field.containing_oneof().is_none()) {
        let at = |value: Value| {
            let mut broken = DynamicMessage::new(message.clone());
            broken.set_field(&field, value);
            broken
        };
        let name = field.name();
        let kind = field.kind();
        if kind == Kind::String && field.is_list() {
            let value = Value::List(vec![Value::String("x".repeat(LONG))]);
            all.push((format!("{name}[0]"), at(value)));
        } else if kind == Kind::String {
            all.push((name.to_owned(), at(Value::String("x".repeat(LONG)))));
            all.push((name.to_owned(), at(Value::String("a\0b".to_owned()))));
        } else if kind == Kind::Int32 && name == "page_size" {
            all.push((name.to_owned(), at(Value::I32(-1))));
        } else if let Kind::Message(inner) = kind
            && is_walked(&field, &inner, depth)
        {
            all.extend(breaks(&inner, depth - 1).into_iter().map(|(path, value)| {
                let value = Value::Message(value);
                if field.is_list() {
                    (format!("{name}[0].{path}"), at(Value::List(vec![value])))
                } else {
                    (format!("{name}.{path}"), at(value))
                }
            }));
        }
    }
    all
}

fn is_walked(field: &FieldDescriptor, inner: &MessageDescriptor, depth: u8) -> bool {
    let is_apart = APART.contains(&field.full_name());
    depth > 0 && !is_apart && inner.package_name().starts_with("siyu.") && !field.is_map()
}

#[test]
fn a_field_beyond_its_bound_is_refused_by_its_path() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let mut tried = 0;
        for method in methods::all().iter().filter(|m| m.is_public() && !m.rule.is_stream) {
            let is_platform = method.rule.audience() == Some(Audience::Platform);
            let token =
                if is_platform { &merchant.place.operator } else { merchant.caller.token() };
            for (path, broken) in breaks(&method.descriptor.input(), 3) {
                let bytes = Bytes::from(broken.encode_to_vec());
                let answer = raw::call(&merchant.place, &method.path(), token, bytes).await;
                let at = format!("{} {path}", method.path());
                let refused = answer.err().unwrap_or_else(|| panic!("{at} was taken"));
                assert_eq!(
                    (refused.code(), refused.reason()),
                    (Code::InvalidArgument, "INVALID_FIELD"),
                    "{at}"
                );
                let named = refused.violations().iter().any(|violation| violation.field == path);
                assert!(named, "{at}: {:?}", refused.violations());
                tried += 1;
            }
        }
        assert!(tried > 150, "{tried}");
    });
}

#[test]
fn bytes_that_are_no_message_are_refused_and_not_a_fault_of_ours() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        for method in methods::all().iter().filter(|m| m.is_public() && !m.rule.is_stream) {
            let is_platform = method.rule.audience() == Some(Audience::Platform);
            let token =
                if is_platform { &merchant.place.operator } else { merchant.caller.token() };
            let bytes = Bytes::from_static(&[0x0a, 0xff, 0xff, 0x01]);
            let answer = raw::call(&merchant.place, &method.path(), token, bytes).await;
            let code = answer.err().map(|fault| fault.code());
            assert_eq!(code, Some(Code::InvalidArgument), "{}", method.path());
        }
    });
}
