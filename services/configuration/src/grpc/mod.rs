//! gRPC in: check, translate, ask the store, answer.

mod devices;
mod feed;
mod numbers;
mod organization;
mod plans;
mod profiles;
mod queues;
mod skills;
mod trunks;

use crate::{Settings, people::People, store::Store};
use centro_contract::{mask, rules, status::from_fault};
use centro_kernel::{Clock, Code, Fault, Timestamp};
use centro_proto::configuration as pb;
use prost::{Message, Name};
use prost_types::FieldMask;
use std::{str::FromStr, sync::Arc};
use tonic::{Request, Response, Status, metadata::AsciiMetadataValue};

/// What every handler works with. Cheap to clone; serves all of configuration's doors.
#[derive(Clone)]
pub struct Desk {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) people: Arc<People>,
}

impl Desk {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What a handler answers.
fn answer<T>(result: Result<T, Fault>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(from_fault)
}

/// An id from a request. One of the wrong form names nothing.
fn id<T: FromStr + ToString>(what: &str, text: &str) -> Result<String, Fault> {
    text.parse::<T>()
        .map(|id| id.to_string())
        .map_err(|_| Fault::not_found(what, text))
}

fn required<T>(field: Option<T>, name: &str) -> Result<T, Fault> {
    field.ok_or_else(|| {
        let fault = Fault::new(
            Code::Invalid,
            "field_missing",
            format_args!("{name} is needed"),
        );
        fault.at(&format!("/{name}"))
    })
}

/// The caller's token, to ask other services in the caller's name.
fn token<T>(request: &Request<T>) -> Option<AsciiMetadataValue> {
    request.metadata().get("authorization").cloned()
}

/// What `before` becomes by a masked update. `etag` is the one the caller saw; empty means any.
fn merged<T: Message + Name + Default>(
    before: &T,
    patch: &T,
    mask: Option<FieldMask>,
    etags: (&str, &str),
) -> Result<T, Fault> {
    let (present, seen) = etags;
    if !seen.is_empty() && seen.trim_matches('"') != present {
        let message = "somebody else has changed this in the meantime; load it again";
        return Err(Fault::new(Code::Conflict, "etag_mismatch", message).with("etag", present));
    }
    mask::merge(before, patch, &mask.unwrap_or_default())
}

/// Checks the rules of the proto that our own checks have not named more precisely.
fn rules<T: Message + Name>(object: &T) -> Result<(), Fault> {
    rules::check_resource(object)
}

fn time(now: Timestamp) -> Option<prost_types::Timestamp> {
    let millis = now.as_millis();
    Some(prost_types::Timestamp {
        seconds: millis.div_euclid(1000),
        nanos: i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or(0),
    })
}

/// The devices' door has two subjects; both need secrets.
fn new_secret(username: &str, realm: &str) -> (String, pb::Credentials) {
    let secret = crate::core::device::secret(rand::random());
    let credentials = crate::core::device::credentials(username, realm, &secret);
    (secret, credentials)
}
