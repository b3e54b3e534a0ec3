//! The service starts on a node and answers.

use centro_bus::LocalBus;
use centro_chat::Chat;
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::Keys;
use centro_kernel::SystemClock;
use centro_node::{Lifecycle, Mount, NodeBuilder, Role, Service};
use centro_proto::chat::{PingRequest, chat_health_client::ChatHealthClient};
use std::sync::Arc;

#[tokio::test]
async fn the_service_answers() {
    let data = tempfile::tempdir().unwrap();
    let node = NodeBuilder {
        name: "test".into(),
        bus: Arc::new(LocalBus::default()),
        clock: Arc::new(SystemClock),
        ownership: Arc::new(LocalOwnership::new(Epoch(1))),
        keys: Keys::new(&[7; 32]),
        data: data.path().to_owned(),
        records: centro_node::Records::folder(data.path()),
        arbiters: vec![],
        lifecycle: Lifecycle::default(),
    }
    .build();
    let mut mount = Mount::default();
    Chat::start((), node.clone(), &mut mount).await.unwrap();
    node.open(mount);
    ChatHealthClient::new(node.conn(Role::Chat))
        .ping(PingRequest {})
        .await
        .unwrap();
}
