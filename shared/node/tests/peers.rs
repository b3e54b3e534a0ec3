//! Processes that reach each other: each role at the one that runs it, each shard at its owner, each name at its bearer.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_bus::LocalBus;
use centro_cluster::{Epoch, LocalCluster, Shard};
use centro_contract::Keys;
use centro_kernel::SystemClock;
use centro_node::{Lifecycle, Mount, Node, NodeBuilder, Peers, Role, To};
use centro_proto::chat::{
    PingRequest, PingResponse,
    chat_health_client::ChatHealthClient,
    chat_health_server::{ChatHealth, ChatHealthServer},
};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};
use tokio::net::TcpListener;
use tonic::{
    Code, Request, Response, Status,
    transport::server::{Server, TcpIncoming},
};

/// Which process answered, in the header of its answer.
#[derive(Clone)]
struct Door(&'static str);

#[tonic::async_trait]
impl ChatHealth for Door {
    async fn ping(&self, _: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        let mut response = Response::new(PingResponse {});
        response
            .metadata_mut()
            .insert("who", self.0.parse().unwrap());
        Ok(response)
    }
}

/// Everybody's address and roles, as the test knows them.
#[derive(Default)]
struct Town(Mutex<BTreeMap<&'static str, House>>);

type House = (Arc<str>, Vec<Role>);

struct Seen {
    from: &'static str,
    town: Arc<Town>,
}

impl Peers for Seen {
    fn here(&self, role: Role) -> bool {
        let town = self.town.0.lock();
        town.get(self.from)
            .is_some_and(|(_, roles)| roles.contains(&role))
    }

    fn address(&self, node: &str) -> Option<Arc<str>> {
        self.town
            .0
            .lock()
            .get(node)
            .map(|(address, _)| address.clone())
    }

    fn with(&self, role: Role) -> Vec<Arc<str>> {
        let town = self.town.0.lock();
        let others = town.iter().filter(|(name, _)| **name != self.from);
        let fit = others.filter(|(_, (_, roles))| roles.contains(&role));
        fit.map(|(_, (address, _))| address.clone()).collect()
    }
}

/// A process with a gRPC door on a free port.
async fn process(
    name: &'static str,
    roles: &[Role],
    cluster: &LocalCluster,
    town: &Arc<Town>,
) -> Node {
    let node = NodeBuilder {
        name: name.into(),
        bus: Arc::new(LocalBus::default()),
        clock: Arc::new(SystemClock),
        ownership: Arc::new(cluster.join(name)),
        keys: Keys::new(&[7; 32]),
        data: std::env::temp_dir(),
        records: centro_node::Records::folder(std::env::temp_dir()),
        arbiters: vec![],
        lifecycle: Lifecycle::default(),
    }
    .build_among(Arc::new(Seen {
        from: name,
        town: town.clone(),
    }));
    let mut mount = Mount::default();
    if roles.contains(&Role::Chat) {
        mount.grpc(ChatHealthServer::new(Door(name)));
    }
    let routes = node.open(mount);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().into();
    town.0.lock().insert(name, (address, roles.to_vec()));
    let stopping = node.lifecycle().stopping();
    tokio::spawn(async move {
        let server = Server::builder().add_routes(routes);
        let incoming = TcpIncoming::from(listener);
        server
            .serve_with_incoming_shutdown(incoming, stopping.cancelled())
            .await
    });
    node
}

async fn who(node: &Node, to: To) -> Result<String, Status> {
    let mut client = ChatHealthClient::new(node.conn_to(Role::Chat, to));
    let answer = client.ping(PingRequest {}).await?;
    Ok(answer
        .metadata()
        .get("who")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_to_the_process_that_has_what_it_names() {
    let (cluster, town) = (LocalCluster::new(Epoch(1)), Arc::new(Town::default()));
    let door = process("door", &[Role::Gateway], &cluster, &town).await;
    assert_eq!(
        who(&door, To::Any).await.unwrap_err().code(),
        Code::Unavailable
    );
    let one = process("one", &[Role::Chat], &cluster, &town).await;
    let two = process("two", &[Role::Chat], &cluster, &town).await;

    // A role: here if it runs here, else the others in turn.
    assert_eq!(who(&one, To::Any).await.unwrap(), "one");
    let mut turns = vec![
        who(&door, To::Any).await.unwrap(),
        who(&door, To::Any).await.unwrap(),
    ];
    turns.sort();
    assert_eq!(turns, ["one", "two"]);

    // A shard follows its owner, call by call.
    let shard = Shard::of(7);
    for owner in ["one", "two", "one"] {
        cluster.hand_over(shard, Some(owner));
        for from in [&door, &one, &two] {
            assert_eq!(who(from, To::Shard(shard)).await.unwrap(), owner);
        }
    }
    cluster.hand_over(shard, None);
    let nobody = who(&door, To::Shard(shard)).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unavailable);

    // A name.
    assert_eq!(who(&one, To::Node("two".into())).await.unwrap(), "two");
    let unknown = who(&one, To::Node("three".into())).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unavailable);
    assert!(
        one.ownership().epoch(Shard::of(8)).is_none()
            || two.ownership().epoch(Shard::of(8)).is_none()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_gone_is_unavailable_and_the_next_call_finds_another() {
    let (cluster, town) = (LocalCluster::new(Epoch(1)), Arc::new(Town::default()));
    let door = process("door", &[Role::Gateway], &cluster, &town).await;
    let one = process("one", &[Role::Chat], &cluster, &town).await;
    let _two = process("two", &[Role::Chat], &cluster, &town).await;
    for _ in 0..2 {
        who(&door, To::Any).await.unwrap();
    }
    one.lifecycle().stop();
    // Until it is known that it is gone at most one call meets it.
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(who(&door, To::Any).await);
    }
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    assert!(failed <= 1, "{failed} calls met a process that is gone");
    let last = answers.pop().unwrap();
    assert_eq!(last.unwrap(), "two");
    let gone = who(&door, To::Node("one".into())).await.unwrap_err();
    assert_eq!(gone.code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_an_owner_that_is_frozen_ends_when_its_shard_has_another() {
    let (cluster, town) = (LocalCluster::new(Epoch(1)), Arc::new(Town::default()));
    let door = process("door", &[Role::Gateway], &cluster, &town).await;
    let _one = process("one", &[Role::Chat], &cluster, &town).await;
    // Its connections are made, and nobody there says anything.
    let _frozen = cluster.join("frozen");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().into();
    let house = (address, vec![Role::Chat]);
    town.0.lock().insert("frozen", house);
    let shard = Shard::of(7);
    cluster.hand_over(shard, Some("frozen"));
    let asks = who(&door, To::Shard(shard));
    let moves = async {
        let (_connection, _) = listener.accept().await.unwrap();
        cluster.hand_over(shard, None);
        tokio::task::yield_now().await;
        cluster.hand_over(shard, Some("one"));
        listener
    };
    let asked = std::time::Instant::now();
    let (answer, _listener) = tokio::join!(asks, moves);
    assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    // The deadline of a call is 5 s.
    assert!(asked.elapsed() < std::time::Duration::from_secs(2));
    assert_eq!(who(&door, To::Shard(shard)).await.unwrap(), "one");
}

#[tokio::test]
async fn who_waits_for_an_owner_hears_of_the_next_at_once() {
    let (cluster, town) = (LocalCluster::new(Epoch(1)), Arc::new(Town::default()));
    let door = process("door", &[Role::Gateway], &cluster, &town).await;
    let _others = (cluster.join("one"), cluster.join("two"));
    let shard = Shard::of(7);
    cluster.hand_over(shard, Some("one"));
    let conn = door.conn_to(Role::Chat, To::Shard(shard));
    for next in ["two", "one"] {
        let moves = conn.moves();
        let mut moves = std::pin::pin!(moves);
        assert!(futures::poll!(moves.as_mut()).is_pending());
        cluster.hand_over(shard, None);
        tokio::task::yield_now().await;
        // Its owner may come back.
        assert!(futures::poll!(moves.as_mut()).is_pending());
        let from_nobody = conn.moves();
        cluster.hand_over(shard, Some(next));
        moves.await;
        from_nobody.await;
    }
}
