//! What people do at the doors, and what they are shown.

use super::*;

impl Floor {
    #[allow(clippy::unused_self)]
    pub fn device(&self, agent: u128) -> DeviceId {
        DeviceId::from_u128(500 + agent)
    }

    #[allow(clippy::unused_self)]
    pub fn supervisor(&self) -> UserId {
        UserId::from_u128(1)
    }

    /// What a person sends.
    pub(super) fn by<T>(&self, user: UserId, message: T) -> Request<T> {
        let role = if user == self.supervisor() {
            Person::Supervisor
        } else {
            Person::Agent
        };
        self.by_a(role, user, message)
    }

    pub(super) fn by_a<T>(&self, role: Person, user: UserId, message: T) -> Request<T> {
        let principal = Principal::User {
            tenant: TENANT,
            user,
            roles: vec![role],
        };
        let token = self
            .node
            .keys()
            .mint(&principal, SystemClock.now(), PATIENCE * 6)
            .unwrap();
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }

    pub(super) fn agents_door(&self) -> AgentsClient<centro_node::Conn> {
        AgentsClient::new(self.node.conn(Role::Routing))
    }

    /// As edges ask: at the owner of the agent.
    pub(super) fn contacts_door(&self, agent: &str) -> AgentContactsClient<centro_node::Conn> {
        let agent: UserId = agent.parse().unwrap();
        let owner = To::Shard(Shard::of(agent.as_u128()));
        AgentContactsClient::new(self.node.conn_to(Role::Routing, owner))
    }

    pub async fn log_in(&self, agent: u128) -> AgentStatus {
        self.log_in_as(user(agent), user(agent), "", &[])
            .await
            .unwrap()
    }

    pub async fn log_in_as(
        &self,
        asker: UserId,
        agent: UserId,
        device: &str,
        queues: &[String],
    ) -> Result<AgentStatus, Status> {
        let agent_id = if asker == agent {
            "me".to_owned()
        } else {
            agent.to_string()
        };
        let (device_id, queue_ids) = (device.to_owned(), queues.to_vec());
        let request = pb::LogInRequest {
            agent_id,
            device_id,
            queue_ids,
            ready: true,
            desktop: false,
        };
        Ok(self
            .agents_door()
            .log_in(self.by(asker, request))
            .await?
            .into_inner())
    }

    pub async fn pause(&self, agent: u128, reason: &str) {
        self.try_pause(agent, reason).await.unwrap();
    }

    pub async fn try_pause(&self, agent: u128, reason: &str) -> Result<pb::AgentStatus, Status> {
        let request = pb::PauseRequest {
            agent_id: "me".into(),
            reason: reason.into(),
        };
        let mut door = self.agents_door();
        let paused = door.pause(self.by(user(agent), request)).await?;
        Ok(paused.into_inner())
    }

    pub async fn ready(&self, agent: u128) {
        let request = pb::SetReadyRequest {
            agent_id: "me".into(),
        };
        self.agents_door()
            .set_ready(self.by(user(agent), request))
            .await
            .unwrap();
    }

    /// Asks without waiting for the answer; says when it was refused at once.
    pub async fn set_ready_briefly(&self, agent: u128) -> Option<Status> {
        let agent_id = "me".into();
        let request = self.by(user(agent), pb::SetReadyRequest { agent_id });
        let mut door = self.agents_door();
        let asked = tokio::time::timeout(Duration::from_millis(5), door.set_ready(request));
        asked.await.ok()?.err()
    }

    pub async fn end_wrap_up(&self, asker: UserId, agent: u128) -> Result<AgentStatus, Status> {
        let request = pb::EndWrapUpRequest {
            agent_id: user(agent).to_string(),
            contact_id: String::new(),
        };
        Ok(self
            .agents_door()
            .end_wrap_up(self.by(asker, request))
            .await?
            .into_inner())
    }

    pub async fn status(&self, agent: u128) -> AgentStatus {
        let request = pb::GetAgentStatusRequest {
            agent_id: user(agent).to_string(),
        };
        self.agents_door()
            .get_agent_status(self.by(user(agent), request))
            .await
            .unwrap()
            .into_inner()
    }

    /// The agent, who is a supervisor too, picks a contact of the first queue up.
    pub async fn pick_up(&self, agent: u128, contact: ContactId) -> Result<(), Status> {
        self.pick_up_from(queue(0), agent, contact).await
    }

    pub async fn pick_up_from(
        &self,
        queue: QueueId,
        agent: u128,
        contact: ContactId,
    ) -> Result<(), Status> {
        let message = pb::PickUpContactRequest {
            queue_id: queue.to_string(),
            contact_id: contact.to_string(),
            device_id: String::new(),
        };
        let request = self.by_a(Person::Supervisor, user(agent), message);
        let mut door = WaitingContactsClient::new(self.node.conn(Role::Routing));
        soon(door.pick_up_contact(request)).await.map(drop)
    }

    /// Waits until the agent is seen in this state.
    pub async fn shows(&self, agent: u128, state: AgentState) {
        soon(async {
            while self.status(agent).await.state() != state {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// The agents of one queue.
    pub async fn agents_of(&self, queue: QueueId) -> Result<pb::ListAgentStatusesResponse, Status> {
        let message = pb::ListAgentStatusesRequest {
            queue_id: queue.to_string(),
            ..Default::default()
        };
        let request = self.by(self.supervisor(), message);
        let page = self.agents_door().list_agent_statuses(request).await?;
        Ok(page.into_inner())
    }

    /// A supervisor's word on a contact that waits in the first queue.
    pub async fn set_priority(
        &self,
        contact: ContactId,
        priority: Option<u32>,
    ) -> Result<(), Status> {
        let message = pb::SetContactPriorityRequest {
            queue_id: queue(0).to_string(),
            contact_id: contact.to_string(),
            priority,
        };
        let request = self.by(self.supervisor(), message);
        let mut door = WaitingContactsClient::new(self.node.conn(Role::Routing));
        door.set_contact_priority(request).await.map(drop)
    }

    pub async fn page_of_agents(
        &self,
        page_size: i32,
        page_token: &str,
    ) -> Result<pb::ListAgentStatusesResponse, Status> {
        let message = pb::ListAgentStatusesRequest {
            page_size,
            page_token: page_token.to_owned(),
            ..Default::default()
        };
        let request = self.by(self.supervisor(), message);
        let page = self.agents_door().list_agent_statuses(request).await?;
        Ok(page.into_inner())
    }

    pub async fn page_of_queues(
        &self,
        page_size: i32,
        page_token: &str,
    ) -> Result<pb::ListQueueStatusesResponse, Status> {
        let message = pb::ListQueueStatusesRequest {
            page_size,
            page_token: page_token.to_owned(),
        };
        let mut door = QueueStatusesClient::new(self.node.conn(Role::Routing));
        let request = self.by(self.supervisor(), message);
        Ok(door.list_queue_statuses(request).await?.into_inner())
    }

    pub async fn agents(&self) -> Vec<AgentStatus> {
        let request = self.by(self.supervisor(), pb::ListAgentStatusesRequest::default());
        self.agents_door()
            .list_agent_statuses(request)
            .await
            .unwrap()
            .into_inner()
            .agents
    }

    pub async fn queues(&self) -> Vec<pb::QueueStatus> {
        let mut door = QueueStatusesClient::new(self.node.conn(Role::Routing));
        let request = self.by(self.supervisor(), pb::ListQueueStatusesRequest::default());
        door.list_queue_statuses(request)
            .await
            .unwrap()
            .into_inner()
            .queues
    }

    pub async fn dial(&self, agent: u128, action: Action) -> Result<AgentStatus, Status> {
        let request = pb::SetStatusFromDeviceRequest {
            tenant_id: TENANT.to_string(),
            user_id: user(agent).to_string(),
            device_id: self.device(agent).to_string(),
            action: action.into(),
        };
        Ok(self
            .contacts_door(&request.user_id)
            .set_status_from_device(request.clone())
            .await?
            .into_inner())
    }
}
