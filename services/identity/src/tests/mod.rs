//! The service as callers see it: its gRPC traits over a real database and bus.

mod api_keys;
mod revocations;
mod sessions;
mod shared;
mod tenants;
mod users;

use crate::{Desk, Settings, open};
use centro_bus::{Event, EventBus, LocalBus, Seen, Watch};
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::{
    Keys, Principal, Revocations, Role, caller::SOURCE, revocation::Revocation, status,
};
use centro_kernel::{TenantId, TestClock, Timestamp, UserId};
use centro_node::{Lifecycle, Mount, Node, NodeBuilder};
use centro_proto::identity::{
    self as pb,
    revocations_server::RevocationsServer,
    sessions_server::{Sessions, SessionsServer},
    tenants_server::Tenants,
    users_server::Users,
};
use centro_store::{Limits, Records};
use centro_testkit::engines;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tonic::{Request, Status};

pub const PASSWORD: &str = "correct horse battery";

/// A running identity service.
pub struct World {
    pub desk: Desk,
    pub clock: TestClock,
    pub keys: Keys,
    bus: LocalBus,
    records: Records,
    data: TempDir,
}

/// A tenant and its first owner.
pub struct Home {
    pub tenant: TenantId,
    pub slug: String,
    pub owner: Principal,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let data = tempfile::tempdir().unwrap();
        let url = engines::records().await;
        let records = Records::at(&url, data.path(), Limits::default()).unwrap();
        let clock = TestClock::at(Timestamp::from_millis(1_790_000_000_000));
        Self {
            data,
            ..Self::on(settings, clock, records).await
        }
    }

    async fn on(settings: Settings, clock: TestClock, records: Records) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (bus, keys) = (LocalBus::default(), Keys::new(&[7; 32]));
        let node = NodeBuilder {
            name: "test".to_owned(),
            bus: Arc::new(bus.clone()),
            clock: Arc::new(clock.clone()),
            ownership: Arc::new(LocalOwnership::new(Epoch(1))),
            keys: keys.clone(),
            data: data.path().to_owned(),
            records: records.clone(),
            arbiters: Vec::new(),
            lifecycle: Lifecycle::default(),
        }
        .build();
        node.open(Mount::default());
        let desk = open(settings, &node).await.unwrap();
        Self {
            desk,
            clock,
            keys,
            bus,
            records,
            data,
        }
    }

    /// A tenant whose owner signs in as `owner` with [`PASSWORD`].
    pub async fn home(&self, slug: &str) -> Home {
        let request = pb::CreateTenantRequest {
            slug: slug.to_owned(),
            display_name: slug.to_uppercase(),
            owner: Some(person("owner", &[])),
        };
        let tenant = self
            .desk
            .create_tenant(Request::new(request))
            .await
            .unwrap()
            .into_inner();
        let session = self.sign_in(slug, "owner", PASSWORD).await.unwrap();
        let owner = self.keys.verify(&session.access_token, self.now()).unwrap();
        Home {
            tenant: tenant.id.parse().unwrap(),
            slug: tenant.slug,
            owner,
        }
    }

    pub async fn add(&self, by: &Principal, user: pb::User) -> Result<pb::User, Status> {
        let request = pb::CreateUserRequest { user: Some(user) };
        Ok(self.desk.create_user(with(by, request)).await?.into_inner())
    }

    pub async fn sign_in(
        &self,
        tenant: &str,
        login: &str,
        password: &str,
    ) -> Result<pb::Session, Status> {
        self.sign_in_from(tenant, login, password, "192.0.2.1")
            .await
    }

    pub async fn sign_in_from(
        &self,
        tenant: &str,
        login: &str,
        password: &str,
        source: &str,
    ) -> Result<pb::Session, Status> {
        let mut request = Request::new(pb::SignInRequest {
            tenant: tenant.to_owned(),
            login: login.to_owned(),
            password: password.to_owned(),
        });
        request
            .metadata_mut()
            .insert(SOURCE, source.parse().unwrap());
        request.extensions_mut().insert(gateway());
        Ok(self.desk.sign_in(request).await?.into_inner())
    }

    pub async fn refresh(&self, token: &str) -> Result<pb::Session, Status> {
        let request = pb::RefreshSessionRequest {
            refresh_token: token.to_owned(),
        };
        Ok(self
            .desk
            .refresh_session(Request::new(request))
            .await?
            .into_inner())
    }

    /// Whether identity has called the session's access token back.
    pub async fn void(&self, session: &pb::Session) -> bool {
        let now = self.now();
        let verified = self.keys.read(&session.access_token, now).unwrap();
        let table = Revocations::default();
        let rows = self.desk.store.revocations(now).await.unwrap();
        let rows = rows.into_iter().map(|row| Revocation {
            subject: row.subject,
            before_version: row.before_version,
            until: now + Duration::from_secs(1),
        });
        table.add(rows, now);
        table.void(&verified)
    }

    /// Another process of the installation that serves identity's doors behind a guard.
    pub fn serve(&self) -> Node {
        let node = NodeBuilder {
            name: "another".to_owned(),
            bus: Arc::new(self.bus.clone()),
            clock: Arc::new(self.clock.clone()),
            ownership: Arc::new(LocalOwnership::new(Epoch(1))),
            keys: self.keys.clone(),
            data: self.data.path().to_owned(),
            records: self.records.clone(),
            arbiters: Vec::new(),
            lifecycle: Lifecycle::default(),
        }
        .build();
        let mut mount = Mount::default();
        mount.grpc(SessionsServer::new(self.desk.clone()));
        mount.grpc(RevocationsServer::new(self.desk.clone()));
        node.open(mount);
        node
    }

    /// The same installation as another process of this service sees it.
    pub async fn another(&self) -> Self {
        Self::on(
            Settings::default(),
            self.clock.clone(),
            self.records.clone(),
        )
        .await
    }

    pub async fn watch(&self, pattern: &str) -> Box<dyn Watch> {
        self.bus.watch(&[pattern]).await.unwrap()
    }

    pub fn now(&self) -> Timestamp {
        centro_kernel::Clock::now(&self.clock)
    }
}

/// Who tells identity where a request came from.
pub fn gateway() -> Principal {
    Principal::Service {
        name: "gateway".to_owned(),
    }
}

/// A request as the guard would hand it over.
pub fn with<T>(who: &Principal, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(who.clone());
    request
}

pub fn person(login: &str, roles: &[pb::Role]) -> pb::User {
    pb::User {
        login: login.to_owned(),
        display_name: login.to_owned(),
        roles: roles.iter().map(|role| *role as i32).collect(),
        password: PASSWORD.to_owned(),
        ..Default::default()
    }
}

pub fn as_user(home: &Home, user: &pb::User, role: Role) -> Principal {
    let user: UserId = user.id.parse().unwrap();
    Principal::User {
        tenant: home.tenant,
        user,
        roles: vec![role],
    }
}

pub fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    status::reason(&result.expect_err("it should have been refused"))
}

pub async fn next(watch: &mut Box<dyn Watch>) -> Event {
    let seen = tokio::time::timeout(Duration::from_secs(10), watch.next()).await;
    match seen.expect("an event within ten seconds") {
        Some(Seen::Event(event)) => event,
        other => panic!("no event but {other:?}"),
    }
}
