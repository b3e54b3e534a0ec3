//! A floor of agents for a measurement: a queue, a number that leads straight to it, people, phones, all logged in and ready.

use crate::{
    api::{self, Api},
    centre::Centre,
    phone::{Account, Phones, Script},
};
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Requests under way at once while a floor is set up.
const AT_ONCE: usize = 8;
/// Progress is told after so many.
const TOLD: usize = 100;

/// What a floor has.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Agents, each with a phone.
    pub agents: usize,
    /// Whether calls are recorded.
    pub record: bool,
    /// How the phones answer.
    pub script: Script,
    /// Whether they are ready, or logged in and not yet ready.
    pub ready: bool,
}

/// A floor that is ready.
pub struct Floor {
    /// The number to dial.
    pub number: String,
    /// Id of the queue.
    pub queue_id: String,
    /// The agents' phones.
    pub phones: Phones,
    /// The agents.
    pub agents: Vec<Agent>,
}

impl Floor {
    /// Sets it up as the tenant's owner.
    ///
    /// # Errors
    /// When the centre refuses any of it.
    pub async fn open(centre: &Centre, api: &Api, plan: &Plan) -> Result<Self> {
        Self::at(centre.credentials.sip, api, plan).await
    }

    /// The same of a centre whose SIP is spoken there.
    ///
    /// # Errors
    /// When the centre refuses any of it.
    pub async fn at(sip: SocketAddr, api: &Api, plan: &Plan) -> Result<Self> {
        let told = Told::default();
        let queue = api
            .post(
                "/v1/call-queues",
                json!({
                    "displayName": format!("Load {:08x}", rand::random::<u32>()),
                    "wrapUp": "0s",
                    "record": plan.record,
                    "agentRingTimeout": "30s",
                }),
            )
            .await?;
        let queue_id = api::text(&queue, "id")?;
        let number = line_to(api, &queue_id).await?;
        let bind = "127.0.0.1:0".parse()?;
        let phones = Phones::open(bind, sip, plan.script.clone()).await?;
        let tag: u32 = rand::random();
        let agents: Vec<Agent> = stream::iter(0..plan.agents)
            .map(|n| agent(api, &queue_id, tag, n))
            .buffered(AT_ONCE)
            .inspect(|_| told.step("agents made"))
            .try_collect()
            .await?;
        let accounts: Vec<Account> = agents.iter().map(|agent| agent.account.clone()).collect();
        register_all(&phones, &accounts).await?;
        let told = Told::default();
        stream::iter(&agents)
            .map(|agent| log_in(api, agent, &queue_id, plan.ready))
            .buffer_unordered(AT_ONCE)
            .inspect(|_| told.step("agents logged in"))
            .try_for_each(|()| async { Ok(()) })
            .await?;
        Ok(Self {
            number,
            queue_id,
            phones,
            agents,
        })
    }

    /// Makes all agents ready.
    ///
    /// # Errors
    /// When the centre refuses.
    pub async fn ready(&self, api: &Api) -> Result<()> {
        for agent in &self.agents {
            let path = format!("/v1/agents/{}:setReady", agent.user_id);
            api.post(&path, json!({})).await?;
        }
        Ok(())
    }
}

/// A new number and a dial plan of one node: it leads straight into the queue.
///
/// # Errors
/// When the centre refuses.
pub async fn line_to(api: &Api, queue_id: &str) -> Result<String> {
    let name = format!("Line {:08x}", rand::random::<u32>());
    let plan = json!({
        "displayName": name,
        "entry": "queue",
        "nodes": [{"id": "queue", "queue": {"queueId": queue_id}}],
    });
    let plan = api.post("/v1/dial-plans", plan).await?;
    // +1 with an area code nobody has.
    let number = format!("+1999{:07}", rand::random::<u32>() % 10_000_000);
    let line = json!({"e164": number, "displayName": name, "dialPlanId": api::text(&plan, "id")?});
    api.post("/v1/numbers", line).await?;
    Ok(number)
}

/// An agent and the agent's phone.
pub struct Agent {
    /// The person.
    pub user_id: String,
    /// The phone.
    pub device_id: String,
    /// How the phone registers.
    pub account: Account,
}

/// A new agent of a queue, with a phone.
///
/// # Errors
/// When the centre refuses.
pub async fn agent(api: &Api, queue_id: &str, tag: u32, n: usize) -> Result<Agent> {
    let user = json!({
        "login": format!("load-{tag:08x}-{n}@load.test"),
        "displayName": format!("Load {n}"),
        "roles": ["ROLE_AGENT"],
        "password": format!("{:032x}", rand::random::<u128>()),
    });
    let user_id = api::text(&api.post("/v1/users", user).await?, "id")?;
    let (device_id, account) = device(api, &format!("Phone {tag:08x} {n}"), Some(&user_id)).await?;
    let membership = format!("/v1/call-queues/{queue_id}/agents/{user_id}");
    api.put(&membership, json!({})).await?;
    Ok(Agent {
        user_id,
        device_id,
        account,
    })
}

/// A new device: its id and account.
///
/// # Errors
/// When the centre refuses.
pub async fn device(api: &Api, name: &str, user_id: Option<&str>) -> Result<(String, Account)> {
    let device = json!({"displayName": name, "userId": user_id.unwrap_or_default()});
    let device: Value = api.post("/v1/devices", device).await?;
    let account = Account {
        username: api::text(&device, "username")?,
        secret: api::text(&device, "secret")?,
    };
    Ok((api::text(&device, "id")?, account))
}

/// Registers accounts in the order they were made. Telephony learns of new devices by events, and takes one it does not know
/// for a guess whose address it soon bans; so the newest is tried first, patiently, and the others when it is known.
///
/// # Errors
/// When the centre refuses.
pub async fn register_all(phones: &Phones, accounts: &[Account]) -> Result<()> {
    let told = Told::default();
    if let Some(newest) = accounts.last() {
        register(phones, newest).await?;
    }
    stream::iter(accounts)
        .map(|account| register(phones, account))
        .buffer_unordered(AT_ONCE)
        .inspect(|_| told.step("phones registered"))
        .try_for_each(|()| async { Ok(()) })
        .await
}

/// Registers an account, trying again while the centre does not know it yet.
///
/// # Errors
/// When it still does not after some seconds.
pub async fn register(phones: &Phones, account: &Account) -> Result<()> {
    until_taken(Duration::from_millis(200), || phones.register(account)).await
}

/// Logs an agent in, trying again while routing does not know the assignment yet.
///
/// # Errors
/// When it still does not after two seconds.
pub async fn log_in(api: &Api, agent: &Agent, queue_id: &str, ready: bool) -> Result<()> {
    let path = format!("/v1/agents/{}:logIn", agent.user_id);
    let body = json!({"deviceId": agent.device_id, "queueIds": [queue_id], "ready": ready});
    until_taken(Duration::from_millis(10), || async {
        api.post(&path, body.clone()).await.map(drop)
    })
    .await
    .with_context(|| format!("log-in of {}", agent.user_id))
}

async fn until_taken<F: Future<Output = Result<()>>>(
    mut wait: Duration,
    mut attempt: impl FnMut() -> F,
) -> Result<()> {
    loop {
        match attempt().await {
            Ok(()) => return Ok(()),
            Err(fault) if wait.as_secs() >= 2 => return Err(fault),
            Err(_) => tokio::time::sleep(wait).await,
        }
        wait *= 2;
    }
}

/// Tells progress on anything long.
pub struct Told {
    begun: Instant,
    steps: AtomicUsize,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            steps: AtomicUsize::new(0),
        }
    }
}

impl Told {
    /// One more; every hundredth is told.
    pub fn step(&self, what: &str) {
        let steps = self.steps.fetch_add(1, Relaxed) + 1;
        if steps.is_multiple_of(TOLD) {
            eprintln!("{steps} {what} after {:.0?}", self.begun.elapsed());
        }
    }
}
