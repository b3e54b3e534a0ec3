//! What people ask routing for, through the doors and with the rights that they have.

use super::{
    check::{Line, Lines},
    plan::Request,
    stage::{Stage, TENANT},
};
use centro_contract::{Principal, Role, status::reason};
use centro_kernel::{ContactId, QueueId, UserId};
use centro_node::Conn;
use centro_proto::routing::{
    self as pb, agents_client::AgentsClient, queue_statuses_client::QueueStatusesClient,
    waiting_contacts_client::WaitingContactsClient,
};
use std::{sync::Arc, time::Duration};
use tonic::Status;

/// Who supervises; nobody's agent.
const SUPERVISOR: UserId = UserId::from_u128(u128::MAX);
/// How long a person's token is good for: one request.
const TOKEN: Duration = Duration::from_secs(60);

/// Asks for something. `by` is an agent who asks for oneself; without one a supervisor asks.
///
/// # Errors
/// The stable code of the refusal.
pub async fn ask(stage: &Stage, by: Option<UserId>, request: Request) -> Result<(), String> {
    let steers = matches!(
        request,
        Request::SetPriority(..) | Request::Move(..) | Request::TakeOut(_) | Request::PickUp(_)
    );
    let person = Person {
        stage,
        user: by.unwrap_or(SUPERVISOR),
        role: match steers || by.is_none() {
            true => Role::Supervisor,
            false => Role::Agent,
        },
    };
    let done = match steers {
        true => person.steer(request).await,
        false => person.work(request).await,
    };
    done.map_err(|status| match reason(&status) {
        reason if reason.is_empty() => status.to_string(),
        reason => reason,
    })
}

/// An agent's desktop shows a sign of life every so often, unless it is lost.
pub fn sit_at_desktop(stage: &Arc<Stage>, agent: UserId, every: Duration) {
    let stage = stage.clone();
    tokio::spawn(async move {
        let person = Person {
            stage: &stage,
            user: agent,
            role: Role::Agent,
        };
        loop {
            tokio::time::sleep(every).await;
            if !stage.has_lost_desktop(agent) {
                let _ = person.see_desktop(agent, false).await;
            }
        }
    });
}

/// Who waits, as supervisors see it.
pub async fn lines(stage: &Stage) -> Lines {
    let supervisor = Person {
        stage,
        user: SUPERVISOR,
        role: Role::Supervisor,
    };
    supervisor.lines().await.unwrap_or_default()
}

/// Who asks, with which rights.
struct Person<'a> {
    stage: &'a Stage,
    user: UserId,
    role: Role,
}

impl Person<'_> {
    /// The agent's working life.
    async fn work(&self, request: Request) -> Result<(), Status> {
        let mut door: AgentsClient<Conn> = AgentsClient::new(self.stage.routing());
        let answer = match request {
            Request::LogIn {
                agent,
                queues,
                ready,
                desktop,
            } => {
                let message = pb::LogInRequest {
                    agent_id: agent.to_string(),
                    device_id: String::new(),
                    queue_ids: queues.iter().map(QueueId::to_string).collect(),
                    ready,
                    desktop,
                };
                door.log_in(self.sign(message)?).await
            }
            Request::LogOut(agent) => {
                let agent_id = agent.to_string();
                door.log_out(self.sign(pb::LogOutRequest { agent_id })?)
                    .await
            }
            Request::Ready(agent) => {
                let agent_id = agent.to_string();
                door.set_ready(self.sign(pb::SetReadyRequest { agent_id })?)
                    .await
            }
            Request::Pause(agent, reason) => {
                let agent_id = agent.to_string();
                door.pause(self.sign(pb::PauseRequest { agent_id, reason })?)
                    .await
            }
            Request::PauseIn(agent, queue, reason) => {
                let message = pb::PauseInQueueRequest {
                    agent_id: agent.to_string(),
                    queue_id: queue.to_string(),
                    reason,
                };
                door.pause_in_queue(self.sign(message)?).await
            }
            Request::ResumeIn(agent, queue) => {
                let message = pb::ResumeInQueueRequest {
                    agent_id: agent.to_string(),
                    queue_id: queue.to_string(),
                };
                door.resume_in_queue(self.sign(message)?).await
            }
            Request::EndWrapUp(agent) => {
                let message = pb::EndWrapUpRequest {
                    agent_id: agent.to_string(),
                    contact_id: String::new(),
                };
                door.end_wrap_up(self.sign(message)?).await
            }
            Request::Extend(agent, by) => {
                let message = pb::ExtendWrapUpRequest {
                    agent_id: agent.to_string(),
                    contact_id: String::new(),
                    by: Some(crate::wire::span(by)),
                };
                door.extend_wrap_up(self.sign(message)?).await
            }
            Request::CloseDesktop(agent) => return self.see_desktop(agent, true).await,
            Request::SetPriority(..)
            | Request::Move(..)
            | Request::TakeOut(_)
            | Request::PickUp(_) => {
                return Err(Status::internal("this is asked at another door"));
            }
        };
        answer.map(drop)
    }

    async fn see_desktop(&self, agent: UserId, closed: bool) -> Result<(), Status> {
        let agent_id = agent.to_string();
        let request = self.sign(pb::SeeDesktopRequest { agent_id, closed })?;
        let mut door = AgentsClient::new(self.stage.routing());
        door.see_desktop(request).await.map(drop)
    }

    /// What people do to those who wait.
    async fn steer(&self, request: Request) -> Result<(), Status> {
        let mut door = WaitingContactsClient::new(self.stage.routing());
        let answer = match request {
            Request::SetPriority(caller, priority) => {
                let message = pb::SetContactPriorityRequest {
                    queue_id: self.queue_of(caller),
                    contact_id: caller.to_string(),
                    priority: Some(priority),
                };
                door.set_contact_priority(self.sign(message)?).await
            }
            Request::Move(caller, to) => {
                let message = pb::MoveContactRequest {
                    queue_id: self.queue_of(caller),
                    contact_id: caller.to_string(),
                    to_queue_id: to.to_string(),
                };
                door.move_contact(self.sign(message)?).await
            }
            Request::TakeOut(caller) => {
                let message = pb::TakeContactOutRequest {
                    queue_id: self.queue_of(caller),
                    contact_id: caller.to_string(),
                };
                door.take_contact_out(self.sign(message)?).await
            }
            Request::PickUp(caller) => {
                let message = pb::PickUpContactRequest {
                    queue_id: self.queue_of(caller),
                    contact_id: caller.to_string(),
                    device_id: String::new(),
                };
                door.pick_up_contact(self.sign(message)?).await
            }
            _ => return Err(Status::internal("this is asked at another door")),
        };
        answer.map(drop)
    }

    /// Where a caller waits. Who waits nowhere is looked for in the first queue, which does not have the caller either.
    fn queue_of(&self, caller: ContactId) -> String {
        let queue = self.stage.queue_of(&self.stage.cast.caller(caller));
        let first = || self.stage.cast.queues().next().map(|(_, id)| id);
        queue
            .or_else(first)
            .map(|id| id.to_string())
            .unwrap_or_default()
    }

    async fn lines(&self) -> Result<Lines, Status> {
        let mut door = QueueStatusesClient::new(self.stage.routing());
        let mut lines = Lines::new();
        let mut page_token = String::new();
        loop {
            let message = pb::ListQueueStatusesRequest {
                page_size: 200,
                page_token: std::mem::take(&mut page_token),
            };
            let page = door.list_queue_statuses(self.sign(message)?).await?;
            let page = page.into_inner();
            for queue in page.queues {
                let Ok(id) = queue.queue_id.parse() else {
                    continue;
                };
                let ids = queue.contacts.iter().map(|c| c.contact_id.parse());
                let line = Line {
                    first: ids.flatten().map(|id| self.stage.cast.caller(id)).collect(),
                    waiting: queue.waiting as usize,
                };
                lines.insert(self.stage.cast.queue(id), line);
            }
            if page.next_page_token.is_empty() {
                return Ok(lines);
            }
            page_token = page.next_page_token;
        }
    }

    /// What this person sends.
    fn sign<T>(&self, message: T) -> Result<tonic::Request<T>, Status> {
        let principal = Principal::User {
            tenant: TENANT,
            user: self.user,
            roles: vec![self.role],
        };
        let no_token = || Status::internal("no token could be made");
        let keys = self.stage.node.keys();
        let token = keys.mint(&principal, self.stage.now(), TOKEN);
        let header = format!("Bearer {}", token.map_err(|_| no_token())?);
        let mut request = tonic::Request::new(message);
        let header = header.parse().map_err(|_| no_token())?;
        request.metadata_mut().insert("authorization", header);
        Ok(request)
    }
}
