//! Messages, clients and servers generated from `proto/`, and the descriptor set they came from.
//!
//! Nothing is written by hand here: an interface is changed in its `.proto` file.

#![allow(clippy::all, clippy::unwrap_used, clippy::expect_used)] // generated code is not ours to polish

use std::sync::LazyLock;

/// `google.api.HttpBody`, for answers that are not JSON.
pub mod google {
    pub mod api {
        tonic::include_proto!("google.api");
    }
}

/// Centro's own packages, nested as in `proto/` because generated code refers to its siblings by this path.
pub mod centro {
    pub mod analytics {
        pub mod v1 {
            tonic::include_proto!("centro.analytics.v1");
        }
    }
    pub mod chat {
        pub mod v1 {
            tonic::include_proto!("centro.chat.v1");
        }
    }
    pub mod configuration {
        pub mod v1 {
            tonic::include_proto!("centro.configuration.v1");
        }
    }
    pub mod dialer {
        pub mod v1 {
            tonic::include_proto!("centro.dialer.v1");
        }
    }
    pub mod events {
        pub mod v1 {
            tonic::include_proto!("centro.events.v1");
        }
    }
    pub mod identity {
        pub mod v1 {
            tonic::include_proto!("centro.identity.v1");
        }
    }
    pub mod routing {
        pub mod v1 {
            tonic::include_proto!("centro.routing.v1");
        }
    }
    pub mod telephony {
        pub mod v1 {
            tonic::include_proto!("centro.telephony.v1");
        }
    }
    pub mod types {
        pub mod v1 {
            tonic::include_proto!("centro.types.v1");
        }
    }
}

pub use centro::{
    analytics::v1 as analytics, chat::v1 as chat, configuration::v1 as configuration,
    dialer::v1 as dialer, events::v1 as events, identity::v1 as identity, routing::v1 as routing,
    telephony::v1 as telephony, types::v1 as types,
};

/// The encoded descriptor set: options and comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Every message, service and option of `proto/`, for reflection.
pub static POOL: LazyLock<prost_reflect::DescriptorPool> = LazyLock::new(|| {
    prost_reflect::DescriptorPool::decode(DESCRIPTORS).expect("build.rs wrote a valid set")
});
