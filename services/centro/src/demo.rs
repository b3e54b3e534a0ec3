//! The demo tenant: two queues, four agents with a phone each, two numbers that lead to the queues, and a line that takes
//! calls from this computer. Made through the same interfaces an administrator uses. What a broken first start left behind is
//! found again and gets new passwords, because nobody has seen the old ones.

use crate::{
    acting::{self, Acting, Login, user},
    settings::Settings,
};
use anyhow::{Context, Result};
use centro_node::{Node, Role};
use centro_proto::{
    configuration::{
        AssignQueueAgentRequest, CallQueue, CreateCallQueueRequest, CreateDeviceRequest,
        CreateDialPlanRequest, CreateNumberRequest, CreateTrunkRequest, Device, DialPlan,
        DialPlanNode, HangUpNode, ListCallQueuesRequest, ListDevicesRequest, ListDialPlansRequest,
        ListNumbersRequest, ListTrunksRequest, Number, PlayClipNode, QueueNode,
        RotateDeviceSecretRequest, Trunk, call_queues_client::CallQueuesClient,
        devices_client::DevicesClient, dial_plan_node::Kind, dial_plans_client::DialPlansClient,
        numbers_client::NumbersClient,
    },
    identity::{CreateUserRequest, Role as UserRole, Tenant, User, users_client::UsersClient},
};
use serde::Serialize;

/// Short name of the demo tenant.
const SLUG: &str = "demo";
/// The line of calls from this computer.
const TRUNK: &str = "This computer";
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

/// The demo tenant, made now or by a start that did not finish.
pub struct Begun {
    tenant: Tenant,
    /// How the owner signs in, where that is new.
    owner: Option<Login>,
}

impl Begun {
    /// A start before this one made it.
    pub fn found(tenant: Tenant) -> Self {
        Self {
            tenant,
            owner: None,
        }
    }

    /// The tenant's id.
    pub fn id(&self) -> &str {
        &self.tenant.id
    }
}

/// Makes the tenant, with nothing in it but its owner.
pub async fn begin(node: &Node) -> Result<Begun> {
    let owner = login("owner");
    let tenant = acting::create_tenant(node, SLUG, "Demo", &owner).await?;
    Ok(Begun {
        tenant,
        owner: Some(owner),
    })
}

/// Fills the demo tenant with what is missing of it.
pub async fn create(node: &Node, settings: &Settings, begun: Begun) -> Result<Demo> {
    let maker = Maker(Acting::new(node, begun.tenant.id.parse()?)?);
    let owner = match begun.owner {
        Some(owner) => owner,
        None => {
            let owner = login("owner");
            maker.user("Owner", &owner, UserRole::Owner).await?;
            owner
        }
    };
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
        tenant: begun.tenant.slug,
        realm: settings.telephony.realm.clone(),
        owner,
        supervisor,
        agents,
        numbers: NUMBERS.map(str::to_owned).to_vec(),
        queues,
    })
}

fn login(name: &str) -> Login {
    Login::generate(&format!("{name}@demo.test"))
}

/// Acts as the tenant's owner. What is there already is taken as it is.
struct Maker(Acting);

impl Maker {
    fn request<T>(&self, message: T) -> tonic::Request<T> {
        self.0.request(message)
    }

    fn conn(&self, role: Role) -> centro_node::Conn {
        self.0.node.conn(role)
    }

    async fn user(&self, name: &str, login: &Login, role: UserRole) -> Result<User> {
        if let Some(known) = self.0.find_user(&login.login).await? {
            self.0.set_password(&known, &login.password).await?;
            return Ok(known);
        }
        let request = CreateUserRequest {
            user: Some(user(name, login, role)),
        };
        let mut users = UsersClient::new(self.conn(Role::Identity));
        Ok(users
            .create_user(self.request(request))
            .await
            .with_context(|| format!("user {name}"))?
            .into_inner())
    }

    /// A queue, and a dial plan that leads a number to it.
    async fn queue(&self, name: &str, extension: &str, number: &str) -> Result<QueueLine> {
        let queue = self.call_queue(name, extension).await?;
        let plan = self.dial_plan(name, &queue).await?;
        self.number(name, number, &plan).await?;
        Ok(QueueLine {
            id: queue.id,
            display_name: name.into(),
            extension: queue.extension,
            number: number.into(),
        })
    }

    async fn call_queue(&self, name: &str, extension: &str) -> Result<CallQueue> {
        let mut queues = CallQueuesClient::new(self.conn(Role::Configuration));
        let listed = queues
            .list_call_queues(self.request(ListCallQueuesRequest::default()))
            .await?;
        let mut known = listed.into_inner().call_queues.into_iter();
        if let Some(queue) = known.find(|queue| queue.display_name == name) {
            return Ok(queue);
        }
        let call_queue = CallQueue {
            display_name: name.into(),
            extension: extension.into(),
            announce_position_every: seconds(30),
            ..CallQueue::default()
        };
        let request = self.request(CreateCallQueueRequest {
            call_queue: Some(call_queue),
        });
        Ok(queues
            .create_call_queue(request)
            .await
            .with_context(|| format!("queue {name}"))?
            .into_inner())
    }

    async fn dial_plan(&self, name: &str, queue: &CallQueue) -> Result<DialPlan> {
        let mut plans = DialPlansClient::new(self.conn(Role::Configuration));
        let plan_name = format!("{name} line");
        let listed = plans
            .list_dial_plans(self.request(ListDialPlansRequest::default()))
            .await?;
        let mut known = listed.into_inner().dial_plans.into_iter();
        if let Some(plan) = known.find(|plan| plan.display_name == plan_name) {
            return Ok(plan);
        }
        let plan = DialPlan {
            display_name: plan_name,
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
                        on_empty: "empty".into(),
                        on_no_match: "empty".into(),
                    }),
                ),
                node(
                    "empty",
                    Kind::PlayClip(PlayClipNode {
                        clip: "no_agents".into(),
                        on_done: "end".into(),
                        ..Default::default()
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
        Ok(plans
            .create_dial_plan(request)
            .await
            .with_context(|| format!("dial plan of {name}"))?
            .into_inner())
    }

    async fn number(&self, name: &str, number: &str, plan: &DialPlan) -> Result<()> {
        let mut numbers = NumbersClient::new(self.conn(Role::Configuration));
        let listed = numbers
            .list_numbers(self.request(ListNumbersRequest::default()))
            .await?;
        if listed.into_inner().numbers.iter().any(|n| n.e164 == number) {
            return Ok(());
        }
        let line = Number {
            e164: number.into(),
            display_name: name.into(),
            dial_plan_id: plan.id.clone(),
            ..Number::default()
        };
        let request = self.request(CreateNumberRequest { number: Some(line) });
        numbers
            .create_number(request)
            .await
            .with_context(|| format!("number {number}"))?;
        Ok(())
    }

    async fn agent(&self, name: &str, extension: &str) -> Result<Agent> {
        let login = login(&name.to_lowercase());
        let user = self.user(name, &login, UserRole::Agent).await?;
        let device = self
            .device(name, &user, extension)
            .await
            .with_context(|| format!("phone of {name}"))?;
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

    /// The person's phone, with a secret that is shown now.
    async fn device(&self, name: &str, user: &User, extension: &str) -> Result<Device> {
        let mut devices = DevicesClient::new(self.conn(Role::Configuration));
        let of_this_person = ListDevicesRequest {
            user_id: user.id.clone(),
            ..ListDevicesRequest::default()
        };
        let listed = devices
            .list_devices(self.request(of_this_person))
            .await?
            .into_inner();
        if let Some(known) = listed.devices.into_iter().next() {
            let rotate = RotateDeviceSecretRequest { id: known.id };
            return Ok(devices
                .rotate_device_secret(self.request(rotate))
                .await?
                .into_inner());
        }
        let device = Device {
            display_name: format!("{name}'s phone"),
            user_id: user.id.clone(),
            extension: extension.into(),
            ..Device::default()
        };
        let request = self.request(CreateDeviceRequest {
            device: Some(device),
        });
        Ok(devices.create_device(request).await?.into_inner())
    }

    async fn assign(&self, queue: &QueueLine, agent: &Agent) -> Result<()> {
        let request = AssignQueueAgentRequest {
            queue_id: queue.id.clone(),
            user_id: agent.user_id.clone(),
            order: None,
        };
        let mut queues = CallQueuesClient::new(self.conn(Role::Configuration));
        queues
            .assign_queue_agent(self.request(request))
            .await
            .context("assignment")?;
        Ok(())
    }

    /// Calls from this computer need no password, so that any soft phone can dial the demo numbers.
    async fn trunk(&self) -> Result<()> {
        let mut devices = DevicesClient::new(self.conn(Role::Configuration));
        let listed = devices
            .list_trunks(self.request(ListTrunksRequest::default()))
            .await?;
        let mut known = listed.into_inner().trunks.into_iter();
        if known.any(|trunk| trunk.display_name == TRUNK) {
            return Ok(());
        }
        let trunk = Trunk {
            display_name: TRUNK.into(),
            addresses: vec!["127.0.0.0/16".into(), "::1".into()],
            ..Trunk::default()
        };
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
