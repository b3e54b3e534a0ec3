//! Requests of people that another process answers.

use crate::grpc::Doors;
use centro_cluster::{Owner, Shard};
use centro_node::{Conn, Role, To};
use tonic::Request;

/// Says that a request was sent on once. Where the owner changes in this moment the second process says that nobody owns
/// it now, instead of sending it on and on.
const SENT_ON: &str = "x-centro-sent-on";

impl Doors {
    /// The way to the process that has the key's actor, when that is another one.
    pub(crate) fn elsewhere<T>(&self, key: u128, request: &Request<T>) -> Option<Conn> {
        let shard = Shard::of(key);
        let node = &self.0.node;
        match node.ownership().owner(shard) {
            Some(Owner::There { .. }) if !request.metadata().contains_key(SENT_ON) => {
                Some(node.conn_to(Role::Routing, To::Shard(shard)))
            }
            _ => None,
        }
    }
}

/// The request as it is sent on: in the name of who made it.
pub(crate) fn sent_on<T>(request: Request<T>) -> Request<T> {
    let (metadata, _, message) = request.into_parts();
    let mut on = Request::new(message);
    *on.metadata_mut() = metadata;
    on.metadata_mut()
        .insert(SENT_ON, tonic::metadata::MetadataValue::from_static("1"));
    on
}
