//! `RoutingPeers`: what other routing processes say and ask.

use crate::{grpc::Doors, router::away, wire};
use async_trait::async_trait;
use centro_cluster::{Owner, Shard};
use centro_contract::status::from_fault;
use centro_kernel::{Fault, QueueId, TenantId, UserId};
use centro_node::{Role, To as NodeTo};
use centro_proto::routing::{
    ExplainIdleRequest, ExplainIdleResponse, FollowRequest, LiveChanges, PeerMessage, PeerMessages,
    PeersTold, peer_message::To, routing_peers_client::RoutingPeersClient,
    routing_peers_server::RoutingPeers,
};
use centro_routing_core::{Queue, reason::WhyIdle};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

impl Doors {
    /// Hands a message over to its actor, if that is here.
    fn hear(&self, message: &PeerMessage) -> Result<(), Fault> {
        let tenant: TenantId = wire::id(&message.tenant_id, "/tenantId")?;
        match &message.to {
            Some(To::QueueId(id)) => {
                let queue: QueueId = wire::id(id, "/queueId")?;
                let told = serde_json::from_slice(&message.message).map_err(Fault::internal)?;
                self.0.tell_queue_here(tenant, queue, told)
            }
            Some(To::AgentId(id)) => {
                let agent: UserId = wire::id(id, "/agentId")?;
                let told = serde_json::from_slice(&message.message).map_err(Fault::internal)?;
                self.0.tell_agent_here(tenant, agent, told)
            }
            None => Err(Fault::internal("a message names a queue or an agent")),
        }
    }

    /// Whether anything in a queue, wherever it is, waits for this agent. Nothing when the queue does not know the agent.
    pub(crate) async fn why_idle_in(
        &self,
        tenant: TenantId,
        queue: QueueId,
        agent: UserId,
    ) -> Result<Option<WhyIdle>, Fault> {
        let shard = Shard::of(queue.as_u128());
        let node = &self.0.node;
        if !matches!(node.ownership().owner(shard), Some(Owner::There { .. })) {
            let look = move |queue: &Queue| queue.why_idle(agent);
            return self.0.look_at_queue(tenant, queue, look).await;
        }
        let request = ExplainIdleRequest {
            tenant_id: tenant.to_string(),
            queue_id: queue.to_string(),
            agent_id: agent.to_string(),
        };
        let conn = node.conn_to(Role::Routing, NodeTo::Shard(shard));
        let asked = RoutingPeersClient::new(conn).explain_idle(request).await;
        let why = asked.map_err(|_| away())?.into_inner().why;
        let why = (!why.is_empty()).then(|| serde_json::from_slice(&why));
        why.transpose().map_err(Fault::internal)
    }

    async fn why_idle_here(&self, r: ExplainIdleRequest) -> Result<ExplainIdleResponse, Fault> {
        let tenant: TenantId = wire::id(&r.tenant_id, "/tenantId")?;
        let queue: QueueId = wire::id(&r.queue_id, "/queueId")?;
        let agent: UserId = wire::id(&r.agent_id, "/agentId")?;
        let look = move |queue: &Queue| queue.why_idle(agent);
        let why = self.0.look_at_queue(tenant, queue, look).await?;
        let why = why.map(|why| serde_json::to_vec(&why)).transpose();
        let why = why.map_err(Fault::internal)?.unwrap_or_default();
        Ok(ExplainIdleResponse { why })
    }
}

#[async_trait]
impl RoutingPeers for Doors {
    type TellStream = ReceiverStream<Result<PeersTold, Status>>;
    type FollowStream = ReceiverStream<Result<LiveChanges, Status>>;

    async fn tell(
        &self,
        request: Request<Streaming<PeerMessages>>,
    ) -> Result<Response<Self::TellStream>, Status> {
        let (open, answers) = mpsc::channel(1);
        let (doors, mut parcels) = (self.clone(), request.into_inner());
        self.0.node.attend(async move {
            // The answers end with this task.
            let _open = open;
            while let Ok(Some(parcel)) = parcels.message().await {
                for message in &parcel.messages {
                    if let Err(fault) = doors.hear(message) {
                        tracing::debug!(%fault, "what another routing process said is not heard");
                    }
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn follow(
        &self,
        _: Request<FollowRequest>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        let ownership = self.0.node.ownership();
        let here = |key: u128| ownership.epoch(Shard::of(key)).is_some();
        Ok(Response::new(ReceiverStream::new(self.0.live.follow(here))))
    }

    async fn explain_idle(
        &self,
        request: Request<ExplainIdleRequest>,
    ) -> Result<Response<ExplainIdleResponse>, Status> {
        let why = self.why_idle_here(request.into_inner()).await;
        why.map(Response::new).map_err(from_fault)
    }
}
