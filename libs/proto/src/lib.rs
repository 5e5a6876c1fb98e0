//! The contracts as Rust: what `proto/` says, generated, and nothing by hand but the shape checks that its options ask for.

pub mod shape;

pub use shape::{Path, Shape};

/// The encoded `FileDescriptorSet` of all contracts with their options and comments: reflection, transcoding, access rules
/// and the OpenAPI document read it.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor_set.bin"));

macro_rules! package {
    ($module:ident, $name:literal) => {
        #[doc = concat!("Package `", $name, "`.")]
        #[allow(
            missing_docs,
            unreachable_pub,
            clippy::all,
            reason = "generated code; its comments come from the contract"
        )]
        pub mod $module {
            /// Version 1.
            pub mod v1 {
                tonic::include_proto!($name);
            }
        }
    };
}

package!(r#type, "siyu.r#type.v1");
package!(event, "siyu.event.v1");
package!(member, "siyu.member.v1");
package!(order, "siyu.order.v1");
package!(distribution, "siyu.distribution.v1");
package!(messaging, "siyu.messaging.v1");
package!(metrics, "siyu.metrics.v1");
package!(gateway, "siyu.gateway.v1");

#[allow(clippy::all, reason = "generated code")]
mod generated_shape {
    include!(concat!(env!("OUT_DIR"), "/shape.rs"));
}
