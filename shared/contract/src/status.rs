//! [`Fault`] to gRPC status and back. The stable reason rides in `google.rpc.ErrorInfo`, the field in `BadRequest`.

use centro_kernel::{Code, Fault};
use std::collections::HashMap;
use tonic::{Code as Grpc, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The `domain` of our `ErrorInfo`.
pub const DOMAIN: &str = "centro";

/// The status that callers get. What is for the log only is logged here and not sent.
pub fn from_fault(fault: Fault) -> Status {
    if !fault.context.is_empty() {
        tracing::error!(
            reason = fault.reason,
            context = fault.context,
            "request failed"
        );
    }
    let code = match fault.code {
        Code::Invalid => Grpc::InvalidArgument,
        Code::Unauthenticated => Grpc::Unauthenticated,
        Code::Forbidden => Grpc::PermissionDenied,
        Code::NotFound => Grpc::NotFound,
        Code::Conflict => Grpc::FailedPrecondition,
        Code::Busy => Grpc::ResourceExhausted,
        Code::Unavailable => Grpc::Unavailable,
        Code::Internal => Grpc::Internal,
    };
    let mut details = ErrorDetails::with_error_info(
        fault.reason,
        DOMAIN,
        fault.meta.into_iter().collect::<HashMap<_, _>>(),
    );
    if !fault.field.is_empty() {
        details.add_bad_request_violation(fault.field, fault.message.clone());
    }
    Status::with_error_details(code, fault.message, details)
}

/// The stable reason of a status, empty when it has none.
pub fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}
