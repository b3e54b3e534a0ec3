//! A telephony service on free ports, and a SIP peer that is nothing but a UDP socket.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod routing;

use centro_bus::{Event, EventBus, LocalBus, Seen};
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::Keys;
use centro_kernel::{DeviceId, DialPlanId, QueueId, SystemClock, TenantId, TrunkId, UserId};
use centro_node::{Lifecycle, Mount, Node, NodeBuilder};
use centro_proto::configuration::{
    CallQueue, Change, Credentials, Device, DeviceWithCredentials, DialPlan, DialPlanNode, Number,
    QueueNode, Trunk, TrunkWithCredentials, change::Object, dial_plan_node::Kind,
};
use centro_telephony::{
    Doors, Settings,
    core::digest::{Algorithm, Response},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::UdpSocket;

pub const TENANT: TenantId = TenantId::from_u128(1);
pub const STRANGER: TenantId = TenantId::from_u128(9);
pub const QUEUE: QueueId = QueueId::from_u128(2);
pub const DEVICE: DeviceId = DeviceId::from_u128(3);
pub const AGENT: UserId = UserId::from_u128(4);
pub const USERNAME: &str = "demo-201";
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const DID: &str = "+390612345678";

pub struct Rig {
    pub doors: Doors,
    pub bus: Arc<LocalBus>,
    pub lifecycle: Lifecycle,
    pub folder: tempfile::TempDir,
    pub node: Node,
}

/// Starts telephony with a device, a queue, a number and a trunk at 127.0.0.1; `more` mounts what it talks to.
pub async fn start(change: impl FnOnce(&mut Settings), more: impl FnOnce(&mut Mount)) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let bus = Arc::new(LocalBus::default());
    let lifecycle = Lifecycle::default();
    let node = NodeBuilder {
        name: "test".into(),
        bus: bus.clone(),
        clock: Arc::new(SystemClock),
        ownership: Arc::new(LocalOwnership::new(Epoch(1))),
        keys: Keys::new(&[7; 32]),
        data: folder.path().to_owned(),
        records: centro_node::Records::folder(folder.path()),
        arbiters: vec![],
        lifecycle: lifecycle.clone(),
    }
    .build();
    let mut settings = Settings {
        bind: "127.0.0.1:0".parse().unwrap(),
        media_threads: 1,
        digest: vec![Algorithm::Sha256, Algorithm::Md5],
        ..Settings::default()
    };
    change(&mut settings);
    let mut mount = Mount::default();
    let doors = centro_telephony::serve(settings, node.clone(), &mut mount)
        .await
        .unwrap();
    more(&mut mount);
    node.open(mount);
    configure(&doors);
    Rig {
        doors,
        bus,
        lifecycle,
        folder,
        node,
    }
}

fn configure(doors: &Doors) {
    let plan = DialPlanId::from_u128(5).to_string();
    let queue_node = QueueNode {
        queue_id: QUEUE.to_string(),
        ..QueueNode::default()
    };
    let credentials = Credentials {
        ha1_md5: Algorithm::Md5.hash(&[USERNAME, "centro", SECRET]),
        ha1_sha256: Algorithm::Sha256.hash(&[USERNAME, "centro", SECRET]),
    };
    let objects = [
        Object::CallQueue(CallQueue {
            id: QUEUE.to_string(),
            extension: "300".into(),
            ..CallQueue::default()
        }),
        Object::DialPlan(DialPlan {
            id: plan.clone(),
            entry: "wait".into(),
            nodes: vec![DialPlanNode {
                id: "wait".into(),
                kind: Some(Kind::Queue(queue_node)),
            }],
            ..DialPlan::default()
        }),
        Object::Number(Number {
            id: "num_1".into(),
            e164: DID.into(),
            dial_plan_id: plan,
            ..Number::default()
        }),
        Object::Device(DeviceWithCredentials {
            device: Some(Device {
                id: DEVICE.to_string(),
                username: USERNAME.into(),
                extension: "201".into(),
                user_id: AGENT.to_string(),
                ..Device::default()
            }),
            credentials: Some(credentials),
        }),
        Object::Trunk(TrunkWithCredentials {
            trunk: Some(Trunk {
                id: TrunkId::from_u128(6).to_string(),
                addresses: vec!["127.0.0.1".into()],
                ..Trunk::default()
            }),
            credentials: None,
        }),
    ];
    for (version, object) in (1..).zip(objects) {
        let tenant_id = TENANT.to_string();
        doors.directory.write().apply(Change {
            tenant_id,
            version,
            deleted: false,
            object: Some(object),
        });
    }
}

impl Rig {
    /// Gives a tenant one more trunk.
    pub fn trunk(&self, tenant: TenantId, id: u128, addresses: &[&str], digest: bool) {
        let trunk = Trunk {
            id: TrunkId::from_u128(id).to_string(),
            addresses: addresses.iter().map(|&text| text.to_owned()).collect(),
            digest,
            username: format!("trunk-{id}"),
            ..Trunk::default()
        };
        let credentials = digest.then(Credentials::default);
        self.doors.directory.write().apply(Change {
            tenant_id: tenant.to_string(),
            version: 100,
            deleted: false,
            object: Some(Object::Trunk(TrunkWithCredentials {
                trunk: Some(trunk),
                credentials,
            })),
        });
    }

    /// Gives a tenant a number that leads nowhere.
    pub fn number(&self, tenant: TenantId, e164: &str) {
        let number = Number {
            id: format!("num_of_{tenant}"),
            e164: e164.into(),
            ..Number::default()
        };
        self.doors.directory.write().apply(Change {
            tenant_id: tenant.to_string(),
            version: 100,
            deleted: false,
            object: Some(Object::Number(number)),
        });
    }

    /// Collects events of a kind from now on.
    pub async fn events(&self, pattern: &str) -> Box<dyn centro_bus::Watch> {
        self.bus.watch(&[pattern]).await.unwrap()
    }
}

pub async fn next_event(watch: &mut Box<dyn centro_bus::Watch>) -> Event {
    match tokio::time::timeout(Duration::from_secs(5), watch.next())
        .await
        .expect("an event in time")
    {
        Some(Seen::Event(event)) => event,
        other => panic!("no event: {other:?}"),
    }
}

/// A SIP peer: text in, text out.
pub struct Peer {
    pub socket: UdpSocket,
    pub server: SocketAddr,
    pub local: SocketAddr,
    cseq: u32,
}

impl Peer {
    /// At the carrier's address.
    pub async fn new(server: SocketAddr) -> Self {
        Self::at("127.0.0.1", server).await
    }

    /// At another address of this machine, where nobody is known.
    pub async fn at(ip: &str, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((ip, 0)).await.unwrap();
        let local = socket.local_addr().unwrap();
        Self {
            socket,
            server,
            local,
            cseq: 0,
        }
    }

    pub async fn send(&self, text: &str) {
        self.socket
            .send_to(text.as_bytes(), self.server)
            .await
            .unwrap();
    }

    /// The next message.
    pub async fn receive(&self) -> String {
        let mut buffer = vec![0; 65_536];
        let received =
            tokio::time::timeout(Duration::from_secs(5), self.socket.recv_from(&mut buffer)).await;
        let (length, _) = received.expect("a message in time").unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The next message, however long it takes.
    pub async fn receive_raw(&self) -> String {
        let mut buffer = vec![0; 65_536];
        let (length, _) = self.socket.recv_from(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The next message that starts so; others are passed over.
    pub async fn expect(&self, start: &str) -> String {
        loop {
            let message = self.receive().await;
            if message.starts_with(start) {
                return message;
            }
        }
    }

    /// A request outside dialogs.
    pub fn request(
        &mut self,
        method: &str,
        uri: &str,
        call_id: &str,
        headers: &str,
        body: &str,
    ) -> String {
        self.cseq += 1;
        let (local, port, cseq) = (self.local, self.local.port(), self.cseq);
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{call_id}{cseq}p{port};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{USERNAME}@centro>;tag=f{call_id}\r\nTo: <{uri}>\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:{USERNAME}@{local}>\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    pub async fn register(&mut self, headers: &str) -> String {
        let text = self.request(
            "REGISTER",
            "sip:centro",
            "reg",
            &format!("Expires: 300\r\n{headers}"),
            "",
        );
        self.send(&text).await;
        self.expect("SIP/2.0").await
    }

    /// Registers with the right secret.
    pub async fn sign_in(&mut self) {
        let challenge = self.register("").await;
        let header = authorization(
            &challenge,
            "REGISTER",
            "sip:centro",
            SECRET,
            Algorithm::Sha256,
            1,
        );
        let answer = self.register(&header).await;
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    }

    /// A response to a request, with a tag, our contact and a body.
    pub fn respond(&self, request: &str, status: &str, body: &str) -> String {
        let mut out = format!("SIP/2.0 {status}\r\n");
        for line in request.lines().take_while(|l| !l.is_empty()) {
            let name = line.split(':').next().unwrap().to_ascii_lowercase();
            match name.as_str() {
                "via" | "from" | "call-id" | "cseq" | "record-route" => {
                    out += &format!("{line}\r\n")
                }
                "to" if line.contains("tag=") => out += &format!("{line}\r\n"),
                "to" => out += &format!("{line};tag=agent\r\n"),
                _ => {}
            }
        }
        let kind = if body.is_empty() {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        out + &format!(
            "Contact: <sip:{USERNAME}@{}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            self.local,
            body.len()
        )
    }
}

/// How often a figure of `/metrics` was counted in this process, all labels that contain `label` together.
pub fn counted(name: &str, label: &str) -> u64 {
    let families = prometheus::gather();
    let family = families.iter().filter(|family| family.name() == name);
    family
        .flat_map(|family| family.get_metric())
        .filter(|metric| metric.get_label().iter().any(|l| l.value() == label))
        .map(|metric| metric.get_counter().get_value() as u64)
        .sum()
}

/// Waits until it is so.
pub async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let waits = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(10), waits);
    within.await.unwrap_or_else(|_| panic!("{what}"));
}

/// The value of a header.
pub fn header(message: &str, name: &str) -> Option<String> {
    let head = message.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// The nonce of the first challenge.
pub fn nonce(challenge: &str) -> String {
    let value = header(challenge, "WWW-Authenticate").expect("a challenge");
    value
        .split("nonce=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

pub fn authorization(
    challenge: &str,
    method: &str,
    uri: &str,
    secret: &str,
    algorithm: Algorithm,
    count: u32,
) -> String {
    let (nonce, nc) = (nonce(challenge), format!("{count:08x}"));
    let ha1 = algorithm.hash(&[USERNAME, "centro", secret]);
    let ha2 = algorithm.hash(&[method, uri]);
    let response = algorithm.hash(&[&ha1, &nonce, &nc, "c", "auth", &ha2]);
    let header = format!(
        "Digest username=\"{USERNAME}\", realm=\"centro\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm={}, qop=auth, \
         nc={nc}, cnonce=\"c\", response=\"{response}\"",
        algorithm.token()
    );
    assert!(Response::parse(&header).is_some());
    format!("Authorization: {header}\r\n")
}

/// An SDP offer or answer with A-law or µ-law at a port of ours.
pub fn sdp(port: u16, payload: u8) -> String {
    let name = if payload == 8 { "PCMA" } else { "PCMU" };
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {payload} 101\r\n\
         a=rtpmap:{payload} {name}/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}
