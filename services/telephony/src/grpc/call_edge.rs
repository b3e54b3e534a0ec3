//! What routing tells the process that holds a call.

use crate::{call::Calls, grpc::id};
use centro_kernel::contact::Reservation;
use centro_proto::telephony::{
    CancelOfferRequest, CancelOfferResponse, HasOfferRequest, HasOfferResponse,
    call_edge_server::CallEdge,
};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The door.
pub struct CallEdgeDoor(pub Arc<Calls>);

#[tonic::async_trait]
impl CallEdge for CallEdgeDoor {
    async fn cancel_offer(
        &self,
        request: Request<CancelOfferRequest>,
    ) -> Result<Response<CancelOfferResponse>, Status> {
        let request = request.into_inner();
        let tenant = id(&request.tenant_id, "tenant_id")?;
        let contact = id(&request.contact_id, "contact_id")?;
        let reservation = Reservation {
            agent: id(&request.agent_id, "agent_id")?,
            number: request.number,
        };
        // A call that is gone rings nothing: that is what was asked for.
        self.0.cancel_offer(tenant, contact, reservation).await;
        Ok(Response::new(CancelOfferResponse {}))
    }

    async fn has_offer(
        &self,
        request: Request<HasOfferRequest>,
    ) -> Result<Response<HasOfferResponse>, Status> {
        let request = request.into_inner();
        let tenant = id(&request.tenant_id, "tenant_id")?;
        let contact = id(&request.contact_id, "contact_id")?;
        let reservation = Reservation {
            agent: id(&request.agent_id, "agent_id")?,
            number: request.number,
        };
        let has = self.0.has_offer(tenant, contact, reservation);
        Ok(Response::new(HasOfferResponse { has }))
    }
}
