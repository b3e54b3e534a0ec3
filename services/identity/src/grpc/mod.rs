//! gRPC in: check, translate, ask the store, answer.

mod api_keys;
mod message;
mod revocations;
mod sessions;
mod tenants;
mod users;

use crate::{Settings, key_use::KeyUse, password::Passwords, store::Store};
use centro_contract::{Keys, Principal, Role, caller::SOURCE, status::from_fault};
use centro_kernel::{Clock, Code, Fault, Timestamp};
use std::{str::FromStr, sync::Arc};
use tonic::{Request, Status};

use crate::guess::Guesses;

/// What every handler works with. Cheap to clone; serves all of identity's doors.
#[derive(Clone)]
pub struct Desk {
    pub(crate) store: Store,
    pub(crate) passwords: Passwords,
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) guesses: Arc<Guesses>,
    pub(crate) key_use: Arc<KeyUse>,
}

impl Desk {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Where the call came from: what another service says, or the socket's peer. A person's own word about it is not taken.
fn source<T>(request: &Request<T>) -> String {
    let by_service = matches!(
        request.extensions().get::<Principal>(),
        Some(Principal::Service { .. })
    );
    let told = request
        .metadata()
        .get(SOURCE)
        .filter(|_| by_service)
        .and_then(|value| value.to_str().ok());
    match (told, request.remote_addr()) {
        (Some(told), _) => told.chars().take(64).collect(),
        (None, Some(peer)) => peer.ip().to_string(),
        (None, None) => String::new(),
    }
}

/// Whether the caller has an owner's rights.
fn is_owner(principal: &Principal) -> bool {
    match principal {
        Principal::User { roles, .. } => roles.contains(&Role::Owner),
        Principal::Key { role, .. } => *role == Role::Owner,
        Principal::Service { .. } | Principal::Operator { .. } => false,
    }
}

/// An id from a request. One of the wrong form names nothing.
fn id<T: FromStr>(what: &str, text: &str) -> Result<T, Status> {
    text.parse()
        .map_err(|_| from_fault(Fault::not_found(what, text)))
}

fn required<T>(field: Option<T>, name: &str) -> Result<T, Status> {
    field.ok_or_else(|| {
        let fault = Fault::new(
            Code::Invalid,
            "field_missing",
            format_args!("{name} is needed"),
        );
        from_fault(fault.at(&format!("/{name}")))
    })
}
