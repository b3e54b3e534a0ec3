//! The demo tenant: two queues, four agents with a phone each, two numbers that lead to the queues, and a line that takes
//! calls from this computer. Made through the same interfaces an administrator uses.

use crate::settings::Settings;
use anyhow::{Context, Result};
use centro_contract::{Principal, Role as Grant};
use centro_kernel::{TenantId, UserId};
use centro_node::{Node, Role};
use centro_proto::{
    configuration::{
        AssignQueueAgentRequest, CallQueue, CreateCallQueueRequest, CreateDeviceRequest,
        CreateDialPlanRequest, CreateNumberRequest, CreateTrunkRequest, Device, DialPlan,
        DialPlanNode, HangUpNode, Number, PlayClipNode, QueueNode, Trunk,
        call_queues_client::CallQueuesClient, devices_client::DevicesClient, dial_plan_node::Kind,
        dial_plans_client::DialPlansClient, numbers_client::NumbersClient,
    },
    identity::{
        CreateTenantRequest, CreateUserRequest, Role as UserRole, User,
        tenants_client::TenantsClient, users_client::UsersClient,
    },
};
use rand::{Rng, distr::Alphanumeric};
use serde::Serialize;
use std::time::Duration;
use tonic::{Request, metadata::MetadataValue};

/// Numbers reserved for fiction (North American Numbering Plan, 555-0100 to 555-0199).
const NUMBERS: [&str; 2] = ["+12025550100", "+12025550101"];
const QUEUES: [(&str, &str); 2] = [("Sales", "100"), ("Support", "101")];
/// Name, extension, and whether the agent serves Sales and Support.
const AGENTS: [(&str, &str, [bool; 2]); 4] = [
    ("Anna", "201", [true, true]),
    ("Bruno", "202", [true, true]),
    ("Chiara", "203", [true, false]),
    ("Davide", "204", [false, true]),
];

/// What was made, with the passwords that are shown once.
#[derive(Debug, Clone, Serialize)]
pub struct Demo {
    pub tenant: String,
    pub realm: String,
    pub owner: Login,
    pub supervisor: Login,
    pub agents: Vec<Agent>,
    pub numbers: Vec<String>,
    pub queues: Vec<QueueLine>,
}

/// How a person signs in.
#[derive(Debug, Clone, Serialize)]
pub struct Login {
    pub login: String,
    pub password: String,
}

/// An agent and the agent's phone.
#[derive(Debug, Clone, Serialize)]
pub struct Agent {
    pub display_name: String,
    pub login: String,
    pub password: String,
    pub user_id: String,
    pub device_id: String,
    pub extension: String,
    pub username: String,
    pub secret: String,
}

/// A queue and the number that leads to it.
#[derive(Debug, Clone, Serialize)]
pub struct QueueLine {
    pub id: String,
    pub display_name: String,
    pub extension: String,
    pub number: String,
}

/// Makes the demo tenant.
pub async fn create(node: &Node, settings: &Settings) -> Result<Demo> {
    let owner = login("owner");
    let tenant = TenantsClient::new(node.conn(Role::Identity))
        .create_tenant(CreateTenantRequest {
            slug: "demo".into(),
            display_name: "Demo".into(),
            owner: Some(user("Owner", &owner, UserRole::Owner)),
        })
        .await?
        .into_inner();
    let tenant_id: TenantId = tenant.id.parse()?;
    let maker = Maker::new(node, tenant_id)?;

    let supervisor = login("supervisor");
    maker
        .user("Supervisor", &supervisor, UserRole::Supervisor)
        .await?;
    maker.trunk().await?;
    let mut queues = Vec::new();
    for ((name, extension), number) in QUEUES.into_iter().zip(NUMBERS) {
        queues.push(maker.queue(name, extension, number).await?);
    }
    let mut agents = Vec::new();
    for (name, extension, serves) in AGENTS {
        let agent = maker.agent(name, extension).await?;
        for (queue, _) in queues.iter().zip(serves).filter(|(_, serves)| *serves) {
            maker.assign(queue, &agent).await?;
        }
        agents.push(agent);
    }
    Ok(Demo {
        tenant: tenant.slug,
        realm: settings.telephony.realm.clone(),
        owner,
        supervisor,
        agents,
        numbers: NUMBERS.map(str::to_owned).to_vec(),
        queues,
    })
}

fn login(name: &str) -> Login {
    Login {
        login: format!("{name}@demo.test"),
        password: password(),
    }
}

/// 16 letters and digits: 95 bits.
fn password() -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(16)
        .map(char::from)
        .collect()
}

fn user(name: &str, login: &Login, role: UserRole) -> User {
    User {
        login: login.login.clone(),
        display_name: name.to_owned(),
        roles: vec![role.into()],
        password: login.password.clone(),
        ..User::default()
    }
}

/// Acts as the tenant's owner.
struct Maker {
    node: Node,
    authorization: MetadataValue<tonic::metadata::Ascii>,
}

impl Maker {
    fn new(node: &Node, tenant: TenantId) -> Result<Self> {
        // The owner's rights, but nobody in particular: what is made here is made by the installation.
        let principal = Principal::User {
            tenant,
            user: UserId::generate(),
            roles: vec![Grant::Owner],
        };
        let token = node
            .keys()
            .mint(&principal, node.clock().now(), Duration::from_secs(120))?;
        Ok(Self {
            node: node.clone(),
            authorization: format!("Bearer {token}").parse()?,
        })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.authorization.clone());
        request
    }

    async fn user(&self, name: &str, login: &Login, role: UserRole) -> Result<User> {
        let request = CreateUserRequest {
            user: Some(user(name, login, role)),
        };
        let mut users = UsersClient::new(self.node.conn(Role::Identity));
        Ok(users
            .create_user(self.request(request))
            .await
            .with_context(|| format!("user {name}"))?
            .into_inner())
    }

    /// A queue, and a dial plan that leads a number to it.
    async fn queue(&self, name: &str, extension: &str, number: &str) -> Result<QueueLine> {
        let conn = self.node.conn(Role::Configuration);
        let call_queue = CallQueue {
            display_name: name.into(),
            extension: extension.into(),
            announce_position_every: seconds(30),
            ..CallQueue::default()
        };
        let request = self.request(CreateCallQueueRequest {
            call_queue: Some(call_queue),
        });
        let queue = CallQueuesClient::new(conn.clone())
            .create_call_queue(request)
            .await
            .with_context(|| format!("queue {name}"))?
            .into_inner();

        let plan = DialPlan {
            display_name: format!("{name} line"),
            entry: "welcome".into(),
            nodes: vec![
                node(
                    "welcome",
                    Kind::PlayClip(PlayClipNode {
                        clip: "welcome".into(),
                        on_done: "queue".into(),
                        ..Default::default()
                    }),
                ),
                node(
                    "queue",
                    Kind::Queue(QueueNode {
                        queue_id: queue.id.clone(),
                        timeout: seconds(1800),
                        on_timeout: "goodbye".into(),
                        on_exit: "goodbye".into(),
                        on_full: "full".into(),
                    }),
                ),
                node(
                    "full",
                    Kind::PlayClip(PlayClipNode {
                        clip: "queue_full".into(),
                        on_done: "end".into(),
                        ..Default::default()
                    }),
                ),
                node(
                    "goodbye",
                    Kind::PlayClip(PlayClipNode {
                        clip: "goodbye".into(),
                        on_done: "end".into(),
                        ..Default::default()
                    }),
                ),
                node("end", Kind::HangUp(HangUpNode {})),
            ],
            ..DialPlan::default()
        };
        let request = self.request(CreateDialPlanRequest {
            dial_plan: Some(plan),
        });
        let plan = DialPlansClient::new(conn.clone())
            .create_dial_plan(request)
            .await
            .with_context(|| format!("dial plan of {name}"))?
            .into_inner();

        let line = Number {
            e164: number.into(),
            display_name: name.into(),
            dial_plan_id: plan.id,
            ..Number::default()
        };
        let request = self.request(CreateNumberRequest { number: Some(line) });
        NumbersClient::new(conn)
            .create_number(request)
            .await
            .with_context(|| format!("number {number}"))?;
        Ok(QueueLine {
            id: queue.id,
            display_name: name.into(),
            extension: extension.into(),
            number: number.into(),
        })
    }

    async fn agent(&self, name: &str, extension: &str) -> Result<Agent> {
        let login = login(&name.to_lowercase());
        let user = self.user(name, &login, UserRole::Agent).await?;
        let device = Device {
            display_name: format!("{name}'s phone"),
            user_id: user.id.clone(),
            extension: extension.into(),
            ..Device::default()
        };
        let request = self.request(CreateDeviceRequest {
            device: Some(device),
        });
        let device = DevicesClient::new(self.node.conn(Role::Configuration))
            .create_device(request)
            .await
            .with_context(|| format!("phone of {name}"))?
            .into_inner();
        Ok(Agent {
            display_name: name.into(),
            login: login.login,
            password: login.password,
            user_id: user.id,
            device_id: device.id,
            extension: device.extension,
            username: device.username,
            secret: device.secret,
        })
    }

    async fn assign(&self, queue: &QueueLine, agent: &Agent) -> Result<()> {
        let request = AssignQueueAgentRequest {
            queue_id: queue.id.clone(),
            user_id: agent.user_id.clone(),
        };
        let mut queues = CallQueuesClient::new(self.node.conn(Role::Configuration));
        queues
            .assign_queue_agent(self.request(request))
            .await
            .context("assignment")?;
        Ok(())
    }

    /// Calls from this computer need no password, so that any soft phone can dial the demo numbers.
    async fn trunk(&self) -> Result<()> {
        let trunk = Trunk {
            display_name: "This computer".into(),
            addresses: vec!["127.0.0.0/16".into(), "::1".into()],
            ..Trunk::default()
        };
        let mut devices = DevicesClient::new(self.node.conn(Role::Configuration));
        devices
            .create_trunk(self.request(CreateTrunkRequest { trunk: Some(trunk) }))
            .await
            .context("trunk")?;
        Ok(())
    }
}

fn node(id: &str, kind: Kind) -> DialPlanNode {
    DialPlanNode {
        id: id.to_owned(),
        kind: Some(kind),
    }
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}
