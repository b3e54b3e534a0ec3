//! The RPCs of operators.

use super::Steering;
use async_trait::async_trait;
use centro_contract::status::from_fault;
use centro_kernel::{Code, Fault};
use centro_proto::routing::{
    ClusterStatus, DrainNodeRequest, GetClusterRequest, HandOver, MoveShardRequest,
    ResumeNodeRequest, UnpinShardRequest, cluster_server::Cluster,
};
use tonic::{Request, Response, Status};

/// Answers operators; without a cluster it says so.
#[derive(Clone)]
pub struct ClusterDoor(pub Option<Steering>);

impl ClusterDoor {
    fn steering(&self) -> Result<&Steering, Status> {
        let text =
            "this installation is one process, which owns everything: there is nothing to steer";
        let alone = || from_fault(Fault::new(Code::Conflict, "cluster_alone", text));
        self.0.as_ref().ok_or_else(alone)
    }
}

fn answer<T>(done: Result<T, Fault>) -> Result<Response<T>, Status> {
    done.map(Response::new).map_err(from_fault)
}

#[async_trait]
impl Cluster for ClusterDoor {
    async fn get_cluster(
        &self,
        _: Request<GetClusterRequest>,
    ) -> Result<Response<ClusterStatus>, Status> {
        answer(self.steering()?.status().await)
    }

    async fn move_shard(
        &self,
        request: Request<MoveShardRequest>,
    ) -> Result<Response<HandOver>, Status> {
        let asked = request.into_inner();
        answer(self.steering()?.move_shard(asked.shard, &asked.node).await)
    }

    async fn unpin_shard(
        &self,
        request: Request<UnpinShardRequest>,
    ) -> Result<Response<HandOver>, Status> {
        let asked = request.into_inner();
        answer(self.steering()?.unpin(asked.shard).await)
    }

    async fn drain_node(
        &self,
        request: Request<DrainNodeRequest>,
    ) -> Result<Response<HandOver>, Status> {
        answer(self.steering()?.drain(&request.into_inner().node).await)
    }

    async fn resume_node(
        &self,
        request: Request<ResumeNodeRequest>,
    ) -> Result<Response<HandOver>, Status> {
        answer(self.steering()?.resume(&request.into_inner().node).await)
    }
}
