//! The doors: handlers translate and ask, nothing else.

mod call_edge;
mod recordings;
mod registrations;

pub use call_edge::CallEdgeDoor;
pub use recordings::RecordingsDoor;
pub use registrations::RegistrationsDoor;

use centro_kernel::{Code, Fault, Timestamp};

/// An id of a request.
fn id<T: std::str::FromStr>(text: &str, field: &str) -> Result<T, tonic::Status> {
    text.parse().map_err(|_| {
        let fault = Fault::new(
            Code::Invalid,
            "id_malformed",
            format_args!("{field} is not an id of that kind"),
        );
        centro_contract::status::from_fault(fault)
    })
}

/// An instant on the wire.
pub(crate) fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    let millis = at.as_millis();
    prost_types::Timestamp {
        seconds: millis.div_euclid(1000),
        nanos: i32::try_from(millis.rem_euclid(1000)).unwrap_or(0) * 1_000_000,
    }
}
