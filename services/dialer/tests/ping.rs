//! The service starts on a node and answers.

use centro_bus::LocalBus;
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::Keys;
use centro_dialer::Dialer;
use centro_kernel::SystemClock;
use centro_node::{Lifecycle, Mount, NodeBuilder, Role, Service};
use centro_proto::dialer::{PingRequest, dialer_health_client::DialerHealthClient};
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
    Dialer::start((), node.clone(), &mut mount).await.unwrap();
    node.open(mount);
    DialerHealthClient::new(node.conn(Role::Dialer))
        .ping(PingRequest {})
        .await
        .unwrap();
}
