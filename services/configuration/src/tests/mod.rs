//! The service as callers see it: its gRPC traits over a real database and bus. Identity, which is another process's
//! business, answers from a list.

mod devices;
mod feed;
mod isolation;
mod numbers;
mod organization;
mod plans;
mod profiles;
mod queues;
mod shared;
mod skills;

use crate::{Desk, Settings, open};
use centro_bus::{Event, EventBus, LocalBus, Seen, Watch};
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::{Keys, Principal, Role, status};
use centro_kernel::{Clock, Fault, TenantId, TestClock, Timestamp, UserId};
use centro_node::{Lifecycle, Mount, Node, NodeBuilder};
use centro_proto::{
    configuration::{
        self as pb, CallQueue, Change, Device, DialPlan, DialPlanNode, HangUpNode, Number,
        QueueNode, call_queues_server::CallQueues, devices_server::Devices, dial_plan_node::Kind,
        dial_plans_server::DialPlans, numbers_server::Numbers, skills_server::Skills,
    },
    events::ConfigurationChanged,
    identity::{self, tenants_server, users_server},
};
use centro_store::{Limits, Records};
use centro_testkit::engines;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tonic::{Request, Response, Status};

/// A running configuration service.
pub struct World {
    pub desk: Desk,
    pub bus: LocalBus,
    keys: Keys,
    clock: TestClock,
    records: Records,
    _node: Node,
    _data: TempDir,
}

pub const ACME: TenantId = TenantId::from_u128(1);
pub const OTHER: TenantId = TenantId::from_u128(2);
pub const ANNA: UserId = UserId::from_u128(11);
pub const BRUNO: UserId = UserId::from_u128(12);
pub const STRANGER: UserId = UserId::from_u128(21);

impl World {
    pub async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let url = engines::records().await;
        let records = Records::at(&url, data.path(), Limits::default()).unwrap();
        Self::on(data, records).await
    }

    /// The same installation as another process of this service sees it.
    pub async fn another(&self) -> Self {
        Self::on(tempfile::tempdir().unwrap(), self.records.clone()).await
    }

    async fn on(data: TempDir, records: Records) -> Self {
        let clock = TestClock::at(Timestamp::from_millis(1_790_000_000_000));
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
        let mut mount = Mount::default();
        let people = Roster {
            keys: keys.clone(),
            clock: clock.clone(),
        };
        mount.grpc(tenants_server::TenantsServer::new(people.clone()));
        mount.grpc(users_server::UsersServer::new(people));
        node.open(mount);
        let desk = open(
            Settings {
                realm: "centro.test".to_owned(),
            },
            &node,
        )
        .await
        .unwrap();
        Self {
            desk,
            bus,
            keys,
            clock,
            records,
            _node: node,
            _data: data,
        }
    }

    /// A request of an administrator of the tenant.
    pub fn ask<T>(&self, tenant: TenantId, message: T) -> Request<T> {
        let user = if tenant == ACME { ANNA } else { STRANGER };
        self.ask_as(
            &Principal::User {
                tenant,
                user,
                roles: vec![Role::Admin],
            },
            message,
        )
    }

    /// A request as the guard would hand it over.
    pub fn ask_as<T>(&self, who: &Principal, message: T) -> Request<T> {
        let token = self
            .keys
            .mint(who, self.clock.now(), Duration::from_secs(600))
            .unwrap();
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
        request.extensions_mut().insert(who.clone());
        request
    }

    pub async fn queue(&self, name: &str, extension: &str) -> Result<CallQueue, Status> {
        let call_queue = CallQueue {
            display_name: name.to_owned(),
            extension: extension.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateCallQueueRequest {
            call_queue: Some(call_queue),
        };
        Ok(self
            .desk
            .create_call_queue(self.ask(ACME, request))
            .await?
            .into_inner())
    }

    /// A plan that leads into the queue.
    pub async fn plan(&self, name: &str, queue: &str) -> Result<DialPlan, Status> {
        let request = pb::CreateDialPlanRequest {
            dial_plan: Some(plan(name, queue)),
        };
        Ok(self
            .desk
            .create_dial_plan(self.ask(ACME, request))
            .await?
            .into_inner())
    }

    pub async fn number(&self, tenant: TenantId, e164: &str, plan: &str) -> Result<Number, Status> {
        let number = Number {
            e164: e164.to_owned(),
            dial_plan_id: plan.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateNumberRequest {
            number: Some(number),
        };
        Ok(self
            .desk
            .create_number(self.ask(tenant, request))
            .await?
            .into_inner())
    }

    pub async fn device(
        &self,
        tenant: TenantId,
        extension: &str,
        user: &str,
    ) -> Result<Device, Status> {
        let device = Device {
            display_name: "Desk phone".to_owned(),
            extension: extension.to_owned(),
            user_id: user.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateDeviceRequest {
            device: Some(device),
        };
        Ok(self
            .desk
            .create_device(self.ask(tenant, request))
            .await?
            .into_inner())
    }

    pub async fn assign(&self, queue: &str, user: UserId) -> Result<pb::QueueAgent, Status> {
        self.assign_at(queue, user, None).await
    }

    pub async fn assign_at(
        &self,
        queue: &str,
        user: UserId,
        order: Option<u32>,
    ) -> Result<pb::QueueAgent, Status> {
        let request = pb::AssignQueueAgentRequest {
            queue_id: queue.to_owned(),
            user_id: user.to_string(),
            order,
        };
        Ok(self
            .desk
            .assign_queue_agent(self.ask(ACME, request))
            .await?
            .into_inner())
    }

    pub async fn delete_queue(&self, id: &str) -> Result<(), Status> {
        let request = pb::DeleteCallQueueRequest { id: id.to_owned() };
        self.desk
            .delete_call_queue(self.ask(ACME, request))
            .await
            .map(|_| ())
    }

    pub async fn skill(&self, name: &str) -> Result<pb::Skill, Status> {
        let skill = pb::Skill {
            display_name: name.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateSkillRequest { skill: Some(skill) };
        let made = self.desk.create_skill(self.ask(ACME, request)).await?;
        Ok(made.into_inner())
    }

    pub async fn give(
        &self,
        skill: &str,
        user: UserId,
        level: Option<u32>,
    ) -> Result<pb::UserSkill, Status> {
        let request = pb::AssignSkillRequest {
            skill_id: skill.to_owned(),
            user_id: user.to_string(),
            level,
        };
        let given = self.desk.assign_skill(self.ask(ACME, request)).await?;
        Ok(given.into_inner())
    }

    pub async fn watch(&self) -> Box<dyn Watch> {
        self.bus.watch(&["*.configuration.#"]).await.unwrap()
    }
}

pub fn plan(name: &str, queue: &str) -> DialPlan {
    let queue = QueueNode {
        queue_id: queue.to_owned(),
        on_timeout: "bye".to_owned(),
        ..Default::default()
    };
    DialPlan {
        display_name: name.to_owned(),
        entry: "wait".to_owned(),
        nodes: vec![
            DialPlanNode {
                id: "wait".to_owned(),
                kind: Some(Kind::Queue(queue)),
            },
            DialPlanNode {
                id: "bye".to_owned(),
                kind: Some(Kind::HangUp(HangUpNode {})),
            },
        ],
        ..Default::default()
    }
}

pub fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    status::reason(&result.expect_err("it should have been refused"))
}

pub async fn next(watch: &mut Box<dyn Watch>) -> (Event, Change) {
    let seen = tokio::time::timeout(Duration::from_secs(10), watch.next()).await;
    match seen.expect("an event within ten seconds") {
        Some(Seen::Event(event)) => {
            let change = event
                .decode::<ConfigurationChanged>()
                .unwrap()
                .change
                .unwrap();
            (event, change)
        }
        other => panic!("no event but {other:?}"),
    }
}

/// Identity's answers: two tenants, two people in the first, one in the second.
#[derive(Clone)]
struct Roster {
    keys: Keys,
    clock: TestClock,
}

#[tonic::async_trait]
impl tenants_server::Tenants for Roster {
    async fn create_tenant(
        &self,
        _: Request<identity::CreateTenantRequest>,
    ) -> Result<Response<identity::Tenant>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn list_tenants(
        &self,
        _: Request<identity::ListTenantsRequest>,
    ) -> Result<Response<identity::ListTenantsResponse>, Status> {
        let tenants = [(ACME, "acme"), (OTHER, "other")].map(|(id, slug)| identity::Tenant {
            id: id.to_string(),
            slug: slug.to_owned(),
            ..Default::default()
        });
        Ok(Response::new(identity::ListTenantsResponse {
            tenants: tenants.into(),
        }))
    }
}

#[tonic::async_trait]
impl users_server::Users for Roster {
    async fn get_user(
        &self,
        request: Request<identity::GetUserRequest>,
    ) -> Result<Response<identity::User>, Status> {
        let token = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let token = token
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let caller = self.keys.verify(token, self.clock.now());
        let caller = caller.map_err(|error| Status::unauthenticated(error.to_string()))?;
        let id = request.into_inner().id;
        let known: &[UserId] = if caller.tenant() == Some(ACME) {
            &[ANNA, BRUNO]
        } else {
            &[STRANGER]
        };
        if !known.iter().any(|user| user.to_string() == id) {
            return Err(status::from_fault(Fault::not_found("user", id)));
        }
        Ok(Response::new(identity::User {
            id,
            ..Default::default()
        }))
    }

    async fn list_users(
        &self,
        _: Request<identity::ListUsersRequest>,
    ) -> Result<Response<identity::ListUsersResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn create_user(
        &self,
        _: Request<identity::CreateUserRequest>,
    ) -> Result<Response<identity::User>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn update_user(
        &self,
        _: Request<identity::UpdateUserRequest>,
    ) -> Result<Response<identity::User>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn delete_user(
        &self,
        _: Request<identity::DeleteUserRequest>,
    ) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("not asked here"))
    }
}
