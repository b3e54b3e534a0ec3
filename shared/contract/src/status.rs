//! [`Fault`] to gRPC status and back. The stable reason rides in `google.rpc.ErrorInfo`, the field in `BadRequest`.

use centro_kernel::{Code, Fault};
use std::{collections::HashMap, time::Duration};
use tonic::{Code as Grpc, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The `domain` of our `ErrorInfo`.
pub const DOMAIN: &str = "centro";

/// Fact of a fault that says when trying again may work, in whole seconds; becomes `RetryInfo` and `Retry-After`.
pub const RETRY_AFTER: &str = "retry_after_seconds";

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
    let retry_after = fault
        .meta
        .get(RETRY_AFTER)
        .and_then(|seconds| seconds.parse().ok());
    let mut details = ErrorDetails::with_error_info(
        fault.reason,
        DOMAIN,
        fault.meta.into_iter().collect::<HashMap<_, _>>(),
    );
    if let Some(seconds) = retry_after {
        details.set_retry_info(Some(Duration::from_secs(seconds)));
    }
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
