//! A real door on a free port in front of real gRPC services in this process: the node, the guard and the bus are the
//! product's own; the services behind are small ones that keep users and recordings in memory.

use centro_bus::{EventBus, LocalBus};
use centro_cluster::LocalOwnership;
use centro_contract::{
    Basis, Keys, Principal, Role as Grant, mask, principal, rules, status::from_fault,
};
use centro_gateway::{Gateway, Settings};
use centro_kernel::{ApiKeyId, Code, Fault, SystemClock, TenantId, UserId};
use centro_node::{Lifecycle, Mount, Node, NodeBuilder, Service};
use centro_proto::{events::AccessRevoked, identity::Revocation};
use centro_proto::{
    google::api::HttpBody,
    identity::{sessions_server::*, users_server::*, *},
    telephony::{recordings_server::*, *},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tonic::{Request, Response, Status, metadata::MetadataMap};
use tonic_types::{ErrorDetails, StatusExt};

pub const TENANT: TenantId = TenantId::from_u128(1);
pub const ANNA: UserId = UserId::from_u128(2);
/// The session of [`Bench::session`], and the id of the one API key.
pub const SESSION: &str = "session-1";
pub const KEY: &str = "key_1";

pub struct Bench {
    pub node: Node,
    pub address: SocketAddr,
    pub people: People,
    pub web: reqwest::Client,
    pub data: Arc<TempDir>,
}

#[derive(Clone, Default)]
pub struct People {
    rows: Arc<Mutex<BTreeMap<String, User>>>,
    /// API keys exchanged so far.
    pub exchanges: Arc<Mutex<u32>>,
    /// Told when a call has begun that takes until it is released.
    pub slow: Arc<Notify>,
    /// Lets that call go on.
    pub released: Arc<Notify>,
    /// What the last list of users was asked with.
    pub asked_with: Arc<Mutex<MetadataMap>>,
    keys: Option<Keys>,
}

/// Starts everything; `adjust` changes the settings first.
pub async fn start(adjust: impl FnOnce(&mut Settings)) -> Bench {
    start_with(Arc::new(LocalBus::default()), adjust).await
}

/// [`start`] with another bus.
pub async fn start_with(bus: Arc<dyn EventBus>, adjust: impl FnOnce(&mut Settings)) -> Bench {
    let data = Arc::new(tempfile::tempdir().unwrap());
    start_on(data, People::default(), bus, adjust).await
}

/// A new process on the data and with the people of another one.
pub async fn restart(old: &Bench) -> Bench {
    let bus = Arc::new(LocalBus::default());
    start_on(old.data.clone(), old.people.clone(), bus, |_| {}).await
}

async fn start_on(
    data: Arc<TempDir>,
    people: People,
    bus: Arc<dyn EventBus>,
    adjust: impl FnOnce(&mut Settings),
) -> Bench {
    let keys = Keys::new(&[7; 32]);
    let node = NodeBuilder {
        name: "test".into(),
        bus,
        clock: Arc::new(SystemClock),
        ownership: Arc::new(LocalOwnership::new(centro_cluster::Epoch(1))),
        keys: keys.clone(),
        data: data.path().to_owned(),
        records: centro_node::Records::folder(data.path()),
        arbiters: vec![],
        lifecycle: Lifecycle::default(),
    }
    .build();
    let people = People {
        keys: Some(keys),
        ..people
    };
    let mut mount = Mount::default();
    mount.grpc(SessionsServer::new(people.clone()));
    mount.grpc(UsersServer::new(people.clone()));
    mount.grpc(RecordingsServer::new(people.clone()));
    let (bound, mut told) = watch::channel(None);
    let mut settings = Settings {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        workers: 1,
        bound: Some(bound),
        ..Settings::default()
    };
    adjust(&mut settings);
    Gateway::start(settings, node.clone(), &mut mount)
        .await
        .unwrap();
    node.open(mount);
    let address = told.wait_for(Option::is_some).await.unwrap().unwrap();
    Bench {
        node,
        address,
        people,
        web: reqwest::Client::new(),
        data,
    }
}

impl Bench {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn token(&self, role: Grant, ttl: Duration) -> String {
        let who = Principal::User {
            tenant: TENANT,
            user: ANNA,
            roles: vec![role],
        };
        self.node
            .keys()
            .mint(&who, self.node.clock().now(), ttl)
            .unwrap()
    }

    pub fn admin(&self) -> String {
        self.token(Grant::Admin, Duration::from_secs(60))
    }

    /// An administrator's token that rests on [`SESSION`].
    pub fn session(&self) -> String {
        let who = Principal::User {
            tenant: TENANT,
            user: ANNA,
            roles: vec![Grant::Admin],
        };
        let basis = Basis {
            source: SESSION.into(),
            version: 1,
        };
        let (now, ttl) = (self.node.clock().now(), Duration::from_secs(60));
        self.node.keys().mint_on(&basis, &who, now, ttl).unwrap()
    }

    /// Tells everybody, as identity does, that tokens that rest on this are void.
    pub async fn revoke(&self, subject: &str) {
        let now = self.node.clock().now();
        let expire_time = prost_types::Timestamp {
            seconds: now.as_millis() / 1000 + 900,
            nanos: 0,
        };
        let data = AccessRevoked {
            revocations: vec![Revocation {
                subject: subject.into(),
                before_version: 0,
                expire_time: Some(expire_time),
            }],
        };
        let kind = "identity.access.revoked";
        let event = centro_bus::Event::new(Some(TENANT), kind, subject, now, &data);
        self.bus().publish(event).await.unwrap();
    }

    /// A request as an administrator.
    pub fn request(&self, verb: &str, path: &str) -> reqwest::RequestBuilder {
        self.web
            .request(verb.parse().unwrap(), self.url(path))
            .bearer_auth(self.admin())
    }

    pub fn bus(&self) -> Arc<dyn EventBus> {
        self.node.bus()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.node.lifecycle().stop();
    }
}

#[tonic::async_trait]
impl Sessions for People {
    async fn sign_in(&self, request: Request<SignInRequest>) -> Result<Response<Session>, Status> {
        match request.into_inner().password.as_str() {
            "right" => Ok(Response::new(Session {
                access_token: "token".into(),
                ..Default::default()
            })),
            // As a service does that counts wrong guesses.
            "again" => {
                let mut details = ErrorDetails::with_retry_info(Some(Duration::from_secs(7)));
                details.set_error_info(
                    "too_many_attempts",
                    "centro",
                    std::collections::HashMap::new(),
                );
                Err(Status::with_error_details(
                    tonic::Code::ResourceExhausted,
                    "wait a little",
                    details,
                ))
            }
            "panic" => panic!("a handler fails"),
            _ => Err(from_fault(Fault::new(
                Code::Unauthenticated,
                "credentials_wrong",
                "no such login",
            ))),
        }
    }
    async fn refresh_session(
        &self,
        _: Request<RefreshSessionRequest>,
    ) -> Result<Response<Session>, Status> {
        Err(Status::internal("secret detail"))
    }
    async fn sign_out(&self, _: Request<SignOutRequest>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }
    async fn get_me(&self, request: Request<GetMeRequest>) -> Result<Response<Me>, Status> {
        let (_, who) = principal(&request)?;
        let user = who.user().map(|id| User {
            id: id.to_string(),
            ..Default::default()
        });
        Ok(Response::new(Me {
            user,
            ..Default::default()
        }))
    }
    async fn change_password(
        &self,
        _: Request<ChangePasswordRequest>,
    ) -> Result<Response<()>, Status> {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(Response::new(()))
    }
    async fn exchange_api_key(
        &self,
        request: Request<ExchangeApiKeyRequest>,
    ) -> Result<Response<Session>, Status> {
        *self.exchanges.lock().unwrap() += 1;
        let key = request.into_inner().api_key;
        match key.as_str() {
            "cc_live_away" => return Err(Status::unavailable("away")),
            "cc_live_busy" => return Err(Status::resource_exhausted("busy")),
            _ => {}
        }
        if key != "cc_live_good" {
            return Err(from_fault(Fault::new(
                Code::Unauthenticated,
                "api_key_wrong",
                "no such key",
            )));
        }
        let key = Principal::Key {
            tenant: TENANT,
            role: Grant::Admin,
        };
        let basis = Basis {
            source: KEY.into(),
            version: 0,
        };
        let now = centro_kernel::Clock::now(&SystemClock);
        let token = self
            .keys
            .as_ref()
            .unwrap()
            .mint_on(&basis, &key, now, Duration::from_secs(300))
            .unwrap();
        Ok(Response::new(Session {
            access_token: token,
            ..Default::default()
        }))
    }
}

#[tonic::async_trait]
impl Users for People {
    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        *self.asked_with.lock().unwrap() = request.metadata().clone();
        let request = request.into_inner();
        if request.page_token == "stale" {
            return Err(from_fault(
                Fault::new(
                    Code::Invalid,
                    "page_token_unknown",
                    "start again from the first page",
                )
                .at("/pageToken"),
            ));
        }
        let users = self
            .rows
            .lock()
            .unwrap()
            .values()
            .filter(|u| request.role == 0 || u.roles.contains(&request.role))
            .cloned()
            .collect();
        Ok(Response::new(ListUsersResponse {
            users,
            next_page_token: String::new(),
        }))
    }
    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<User>, Status> {
        let id = request.into_inner().id;
        self.row(&id).map(Response::new)
    }
    async fn create_user(
        &self,
        request: Request<CreateUserRequest>,
    ) -> Result<Response<User>, Status> {
        let mut user = request.into_inner().user.unwrap();
        if user.login == "slow" {
            self.slow.notify_one();
            self.released.notified().await;
        }
        match user.login.as_str() {
            "broken" => return Err(Status::unavailable("the connection broke")),
            "early" => {
                let early = Fault::new(Code::Unavailable, "configuration_loading", "in a moment");
                return Err(from_fault(early));
            }
            _ => {}
        }
        let key = centro_kernel::name::key(&user.login);
        let mut rows = self.rows.lock().unwrap();
        if let Some(other) = rows
            .values()
            .find(|row| centro_kernel::name::key(&row.login) == key)
        {
            let taken = Fault::new(Code::Conflict, "login_taken", "somebody has this login")
                .at("/login")
                .with("existing_id", &other.id);
            return Err(from_fault(taken));
        }
        user.id = UserId::generate().to_string();
        user.etag = "1".into();
        rows.insert(user.id.clone(), user.clone());
        Ok(Response::new(user))
    }
    async fn update_user(
        &self,
        request: Request<UpdateUserRequest>,
    ) -> Result<Response<User>, Status> {
        let UpdateUserRequest { user, update_mask } = request.into_inner();
        let patch = user.unwrap();
        let old = self.row(&patch.id)?;
        if !patch.etag.is_empty() && patch.etag != old.etag {
            return Err(from_fault(Fault::new(
                Code::Conflict,
                "etag_mismatch",
                "somebody changed it meanwhile",
            )));
        }
        let mut new =
            mask::merge(&old, &patch, &update_mask.unwrap_or_default()).map_err(from_fault)?;
        rules::check_resource(&new).map_err(from_fault)?;
        new.etag = (old.etag.parse::<u32>().unwrap() + 1).to_string();
        self.rows
            .lock()
            .unwrap()
            .insert(new.id.clone(), new.clone());
        Ok(Response::new(new))
    }
    async fn delete_user(
        &self,
        request: Request<DeleteUserRequest>,
    ) -> Result<Response<()>, Status> {
        let id = request.into_inner().id;
        self.row(&id)?;
        self.rows.lock().unwrap().remove(&id);
        Ok(Response::new(()))
    }
}

impl People {
    fn row(&self, id: &str) -> Result<User, Status> {
        self.rows
            .lock()
            .unwrap()
            .get(id)
            .cloned()
            .ok_or_else(|| from_fault(Fault::not_found("user", id)))
    }
}

#[tonic::async_trait]
impl Recordings for People {
    type DownloadRecordingStream =
        Pin<Box<dyn futures::Stream<Item = Result<HttpBody, Status>> + Send>>;

    async fn list_recordings(
        &self,
        _: Request<ListRecordingsRequest>,
    ) -> Result<Response<ListRecordingsResponse>, Status> {
        Err(Status::unavailable("the store is away"))
    }
    async fn get_recording(
        &self,
        request: Request<GetRecordingRequest>,
    ) -> Result<Response<Recording>, Status> {
        Ok(Response::new(Recording {
            id: request.into_inner().id,
            size_bytes: 1 << 60,
            ..Default::default()
        }))
    }
    async fn download_recording(
        &self,
        request: Request<DownloadRecordingRequest>,
    ) -> Result<Response<Self::DownloadRecordingStream>, Status> {
        let id = request.into_inner().id;
        if id.ends_with('0') {
            return Err(from_fault(Fault::not_found("recording", id)));
        }
        let part = |kind: &str, data: &[u8]| {
            Ok::<_, Status>(HttpBody {
                content_type: kind.into(),
                data: data.to_vec().into(),
            })
        };
        let mut parts = vec![part("audio/wav", b"RIFF"), part("", b"more")];
        if id.ends_with('2') {
            parts.push(Err(Status::internal("the disk broke")));
        }
        Ok(Response::new(Box::pin(futures::stream::iter(parts))))
    }
}

/// An id no user has.
pub fn nobody() -> String {
    format!("usr_{:032x}", ApiKeyId::from_u128(77).as_u128())
}
