//! `Agents`: the agent's working life, asked by people.

use super::Doors;
use crate::{actor::Ask, log_in::LogIn, reasons, router::Router, wire};
use async_trait::async_trait;
use centro_contract::{Principal, principal, status::from_fault};
use centro_kernel::{Code, ContactId, Fault, QueueId, TenantId, UserId};
use centro_proto::routing::{
    AgentReasons, AgentStatus, EndWrapUpRequest, ExplainAgentRequest, ExtendWrapUpRequest,
    GetAgentStatusRequest, ListAgentStatusesRequest, ListAgentStatusesResponse, LogInRequest,
    LogOutRequest, PauseInQueueRequest, PauseRequest, ResumeInQueueRequest, SeeDesktopRequest,
    SetReadyRequest, agents_client::AgentsClient, agents_server::Agents,
};
use centro_routing_core::{Agent, AgentMessage, AgentRecord, Answer, Chosen, View};
use centro_store::page;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tonic::{Request, Response, Status};

/// The permission to act for others.
const MANAGE: &str = "agents.manage";

/// Longest reason for a pause, in characters.
const LONGEST_REASON: usize = 255;

/// By how much a wrap-up is prolonged when nothing is said.
const EXTENSION: Duration = Duration::from_secs(30);

/// Who asks, and about whom.
struct Asker {
    tenant: TenantId,
    agent: UserId,
    supervisor: bool,
}

impl Doors {
    /// People act for themselves; for others with `permission`.
    fn asker<T>(
        &self,
        request: &Request<T>,
        agent: &str,
        permission: &str,
    ) -> Result<Asker, Status> {
        let (tenant, who) = principal(request)?;
        self.may(tenant, &who, agent, permission)
            .map_err(from_fault)
    }

    fn may(
        &self,
        tenant: TenantId,
        who: &Principal,
        agent: &str,
        permission: &str,
    ) -> Result<Asker, Fault> {
        let agent = match (agent, who.user()) {
            ("me", Some(user)) => user,
            ("me", None) => {
                let text = "a key is nobody: name the agent by id";
                return Err(Fault::new(Code::Invalid, "agent_needed", text).at("/agentId"));
            }
            (id, _) => wire::id(id, "/agentId")?,
        };
        let supervisor = who.grants(MANAGE);
        if who.user() == Some(agent) {
            return Ok(Asker {
                tenant,
                agent,
                supervisor,
            });
        }
        if !who.grants(permission) {
            let text = "acting for another agent needs the permission agents.manage";
            return Err(Fault::new(Code::Forbidden, "forbidden", text));
        }
        if !self.0.directory.knows(tenant, agent) && self.0.live.agent(tenant, agent).is_none() {
            return Err(Fault::not_found("agent", agent));
        }
        Ok(Asker {
            tenant,
            agent,
            supervisor,
        })
    }

    async fn act_for(
        &self,
        asker: Asker,
        message: impl Into<Ask>,
    ) -> Result<Response<AgentStatus>, Status> {
        act(&self.0, asker.tenant, asker.agent, message)
            .await
            .map(Response::new)
            .map_err(from_fault)
    }

    fn status(&self, tenant: TenantId, agent: UserId) -> View {
        let never = || AgentRecord::new(agent, self.0.now()).shown;
        self.0.live.agent(tenant, agent).unwrap_or_else(never)
    }
}

/// What the agent does, with the agent's day.
fn status_out(router: &Router, tenant: TenantId, view: &View) -> AgentStatus {
    let zone = router.directory.zone(tenant);
    let today = router.live.figures.agent(&zone, router.now(), view.agent);
    wire::status_out(view, today)
}

impl Doors {
    /// Asks the agent's record what is in the way, and each of the agent's queues what there is.
    async fn why_idle(&self, asker: &Asker) -> Result<AgentReasons, Fault> {
        let (tenant, agent) = (asker.tenant, asker.agent);
        let look = |agent: &Agent| {
            (
                agent.record().hindrances(),
                agent.record().memberships.clone(),
            )
        };
        let (hindrances, memberships) = self.0.look_at_agent(tenant, agent, look).await?;
        let mut queues = Vec::new();
        for membership in memberships.iter() {
            let queue = membership.queue;
            if let Some(why) = self.why_idle_in(tenant, queue, agent).await? {
                queues.push((queue, why));
            }
        }
        Ok(reasons::agent_out(&hindrances, &queues, self.0.now()))
    }
}

/// Asks the agent's record, and says what became of it.
pub(super) async fn act(
    router: &Arc<Router>,
    tenant: TenantId,
    agent: UserId,
    message: impl Into<Ask>,
) -> Result<AgentStatus, Fault> {
    let (answer, view) = router.ask_agent(tenant, agent, message).await?;
    match answer {
        Answer::NotLoggedIn => Err(Fault::new(Code::Conflict, "not_logged_in", "log in first")),
        Answer::NotInWrapUp => Err(Fault::new(
            Code::Conflict,
            "not_in_wrap_up",
            "there is no wrap-up to end",
        )),
        Answer::WrapUpFixed => {
            let text = "this queue does not let agents end or prolong their wrap-up";
            Err(Fault::new(Code::Forbidden, "wrap_up_not_endable", text))
        }
        Answer::NotInQueue => {
            let text = "the agent is not logged in to this queue";
            Err(Fault::new(Code::Conflict, "not_in_queue", text))
        }
        _ => Ok(status_out(router, tenant, &view)),
    }
}

#[async_trait]
impl Agents for Doors {
    async fn list_agent_statuses(
        &self,
        request: Request<ListAgentStatusesRequest>,
    ) -> Result<Response<ListAgentStatusesResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let request = request.into_inner();
        let limit = page::limit(request.page_size);
        let most = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let pages = self.pages("agent statuses", tenant, &request.queue_id);
        let after: Option<UserId> = pages.after(&request.page_token).map_err(from_fault)?;
        let queue: Option<QueueId> = match request.queue_id.as_str() {
            "" => None,
            id => {
                let queue = self.queue_of(tenant, id, "/queueId");
                Some(queue.map_err(from_fault)?)
            }
        };
        // Those who never acted are known by their assignment only. Both come in order, so a page of each is enough.
        let mut found: BTreeMap<UserId, Option<View>> = BTreeMap::new();
        if queue.is_none() {
            let assigned = self.0.directory.agents(tenant, after, most);
            found.extend(assigned.into_iter().map(|agent| (agent, None)));
        }
        let acted = self.0.live.agents(tenant, queue, after, most);
        found.extend(acted.into_iter().map(|view| (view.agent, Some(view))));
        let mut page: Vec<_> = found.into_iter().collect();
        let next_page_token = pages.next(&mut page, limit, |(agent, _)| *agent);
        let now = self.0.now();
        let agents = page.into_iter().map(|(agent, view)| {
            let view = view.unwrap_or_else(|| AgentRecord::new(agent, now).shown);
            status_out(&self.0, tenant, &view)
        });
        Ok(Response::new(ListAgentStatusesResponse {
            agents: agents.collect(),
            next_page_token,
            as_of: Some(wire::time(now)),
        }))
    }

    async fn get_agent_status(
        &self,
        request: Request<GetAgentStatusRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, "live.view")?;
        at_its_owner!(self, asker.agent, AgentsClient.get_agent_status(request));
        let view = self.status(asker.tenant, asker.agent);
        Ok(Response::new(status_out(&self.0, asker.tenant, &view)))
    }

    async fn log_in(
        &self,
        request: Request<LogInRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.log_in(request));
        let r = request.into_inner();
        let wanted = LogIn {
            device: r.device_id,
            queues: r.queue_ids,
            ready: r.ready,
            desktop: r.desktop,
            unassigned: self.0.directory.may_log_in_unassigned(asker.tenant),
        };
        self.act_for(asker, wanted).await
    }

    async fn log_out(
        &self,
        request: Request<LogOutRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.log_out(request));
        self.act_for(asker, AgentMessage::SetStatus(Chosen::LoggedOut))
            .await
    }

    async fn set_ready(
        &self,
        request: Request<SetReadyRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.set_ready(request));
        self.act_for(asker, AgentMessage::SetStatus(Chosen::Ready))
            .await
    }

    async fn pause(&self, request: Request<PauseRequest>) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.pause(request));
        let reason = reason(&request.get_ref().reason).map_err(from_fault)?;
        let reason = reason.to_owned();
        self.act_for(asker, AgentMessage::SetStatus(Chosen::Paused(reason)))
            .await
    }

    async fn end_wrap_up(
        &self,
        request: Request<EndWrapUpRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.end_wrap_up(request));
        let supervisor = asker.supervisor;
        let contact = contact_of(&request.get_ref().contact_id).map_err(from_fault)?;
        let message = AgentMessage::EndWrapUp {
            contact,
            supervisor,
        };
        self.act_for(asker, message).await
    }

    async fn extend_wrap_up(
        &self,
        request: Request<ExtendWrapUpRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.extend_wrap_up(request));
        let supervisor = asker.supervisor;
        let r = request.get_ref();
        let contact = contact_of(&r.contact_id).map_err(from_fault)?;
        let by = r.by.as_ref().map_or(EXTENSION, wire::duration);
        let message = AgentMessage::ExtendWrapUp {
            contact,
            by,
            supervisor,
        };
        self.act_for(asker, message).await
    }

    async fn pause_in_queue(
        &self,
        request: Request<PauseInQueueRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.pause_in_queue(request));
        let r = request.into_inner();
        let queue = wire::id(&r.queue_id, "/queueId").map_err(from_fault)?;
        let reason = reason(&r.reason).map_err(from_fault)?;
        let pause = Some(Arc::from(reason));
        let message = AgentMessage::SetQueueStatus { queue, pause };
        self.act_for(asker, message).await
    }

    async fn resume_in_queue(
        &self,
        request: Request<ResumeInQueueRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.resume_in_queue(request));
        let queue = wire::id(&request.get_ref().queue_id, "/queueId").map_err(from_fault)?;
        let message = AgentMessage::SetQueueStatus { queue, pause: None };
        self.act_for(asker, message).await
    }

    async fn explain_agent(
        &self,
        request: Request<ExplainAgentRequest>,
    ) -> Result<Response<AgentReasons>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, "live.view")?;
        at_its_owner!(self, asker.agent, AgentsClient.explain_agent(request));
        let why = self.why_idle(&asker).await;
        why.map(Response::new).map_err(from_fault)
    }

    async fn see_desktop(
        &self,
        request: Request<SeeDesktopRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        let asker = self.asker(&request, &request.get_ref().agent_id, MANAGE)?;
        at_its_owner!(self, asker.agent, AgentsClient.see_desktop(request));
        let message = if request.get_ref().closed {
            AgentMessage::DesktopClosed
        } else {
            AgentMessage::DesktopSeen
        };
        self.act_for(asker, message).await
    }
}

/// The contact that a request names, if it does.
fn contact_of(id: &str) -> Result<Option<ContactId>, Fault> {
    let named = Some(id).filter(|id| !id.is_empty());
    named.map(|id| wire::id(id, "/contactId")).transpose()
}

/// A reason for a pause, without what surrounds it.
fn reason(given: &str) -> Result<&str, Fault> {
    let reason = given.trim();
    if reason.chars().count() > LONGEST_REASON {
        let text = "a reason has at most 255 characters";
        return Err(Fault::new(Code::Invalid, "reason_too_long", text).at("/reason"));
    }
    if reason.chars().any(char::is_control) {
        let text = "a reason is one line of text, without control characters";
        return Err(Fault::new(Code::Invalid, "reason_bad_character", text).at("/reason"));
    }
    Ok(reason)
}
