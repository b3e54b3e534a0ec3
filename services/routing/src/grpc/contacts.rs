//! `AgentContacts`: the agent's half of an offer, asked by edges.

use super::{Doors, agents};
use crate::{actor::Ask, log_in::LogIn, wire};
use async_trait::async_trait;
use centro_contract::status::from_fault;
use centro_kernel::{Code, ContactId, Fault, QueueId, TenantId, UserId, contact::Reservation};
use centro_proto::routing::{
    AgentStatus, AlertRequest, AlertResponse, ConnectRequest, ConnectResponse, EndRequest,
    EndResponse, ReportEdgeDeadRequest, ReportEdgeDeadResponse, SetStatusFromDeviceRequest,
    agent_contacts_server::AgentContacts, set_status_from_device_request::Action,
};
use centro_routing_core::{AgentMessage, Answer, Chosen, QueueMessage};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Reservations and queues that one contact may concern.
const MOST: usize = 256;

impl Doors {
    async fn ask(
        &self,
        tenant: &str,
        of: Reservation,
        message: AgentMessage,
    ) -> Result<Answer, Fault> {
        let tenant: TenantId = wire::id(tenant, "/tenantId")?;
        Ok(self.0.ask_agent(tenant, of.agent, message).await?.0)
    }

    async fn alert_device(&self, r: AlertRequest) -> Result<AlertResponse, Fault> {
        let reservation = wire::reservation(r.reservation.as_ref())?;
        let contact: ContactId = wire::id(&r.contact_id, "/contactId")?;
        let message = AgentMessage::Alert {
            number: reservation.number,
            contact,
            edge: Arc::from(r.edge),
            edge_epoch: r.edge_epoch,
            caller: Arc::new(wire::caller(r.caller.as_ref(), "")),
            ring: r
                .ring_timeout
                .as_ref()
                .map(wire::duration)
                .unwrap_or_default(),
        };
        match self.ask(&r.tenant_id, reservation, message).await? {
            Answer::AlertOk { device } => Ok(AlertResponse {
                ok: true,
                device_id: device.map(|d| d.to_string()).unwrap_or_default(),
            }),
            Answer::Late => {
                let text = "the offer was answered before; this is a late repeat";
                Err(Fault::new(Code::Conflict, "alert_late", text))
            }
            _ => Ok(AlertResponse {
                ok: false,
                device_id: String::new(),
            }),
        }
    }

    async fn connect_contact(&self, r: ConnectRequest) -> Result<ConnectResponse, Fault> {
        let reservation = wire::reservation(r.reservation.as_ref())?;
        let contact: ContactId = wire::id(&r.contact_id, "/contactId")?;
        let message = AgentMessage::Connect {
            number: reservation.number,
            contact,
            edge_epoch: r.edge_epoch,
        };
        let answer = self.ask(&r.tenant_id, reservation, message).await?;
        Ok(ConnectResponse {
            ok: answer == Answer::ConnectOk,
        })
    }

    async fn end_reservation(&self, r: EndRequest) -> Result<EndResponse, Fault> {
        let reservation = wire::reservation(r.reservation.as_ref())?;
        let contact: ContactId = wire::id(&r.contact_id, "/contactId")?;
        let why = wire::offer_end(r.why());
        let message = AgentMessage::End {
            number: reservation.number,
            contact,
            why,
            edge_epoch: r.edge_epoch,
        };
        let answer = self.ask(&r.tenant_id, reservation, message).await?;
        Ok(EndResponse {
            was_connected: answer
                == Answer::Ended {
                    was_connected: true,
                },
        })
    }

    async fn edge_dead(&self, r: ReportEdgeDeadRequest) -> Result<ReportEdgeDeadResponse, Fault> {
        if r.reservations.len() > MOST || r.queue_ids.len() > MOST {
            let text = "one contact concerns at most 256 reservations and queues";
            return Err(Fault::new(Code::Invalid, "too_many", text));
        }
        let tenant: TenantId = wire::id(&r.tenant_id, "/tenantId")?;
        let contact: ContactId = wire::id(&r.contact_id, "/contactId")?;
        for queue in &r.queue_ids {
            let queue: QueueId = wire::id(queue, "/queueIds")?;
            let known = self.0.directory.queue(queue);
            if known.is_some_and(|known| known.tenant == tenant) {
                let dead = QueueMessage::EdgeDead { contact };
                self.0.try_tell_queue(tenant, queue, dead)?;
            }
        }
        for reservation in &r.reservations {
            let of = wire::reservation(Some(reservation))?;
            self.ask(&r.tenant_id, of, AgentMessage::EdgeDead { contact })
                .await?;
        }
        Ok(ReportEdgeDeadResponse {})
    }

    async fn set_status(&self, r: SetStatusFromDeviceRequest) -> Result<AgentStatus, Fault> {
        let tenant: TenantId = wire::id(&r.tenant_id, "/tenantId")?;
        let user: UserId = wire::id(&r.user_id, "/userId")?;
        let ask: Ask = match r.action() {
            Action::LogIn => LogIn {
                device: r.device_id,
                queues: Vec::new(),
                ready: true,
                ..LogIn::default()
            }
            .into(),
            Action::LogOut => AgentMessage::SetStatus(Chosen::LoggedOut).into(),
            Action::Ready => AgentMessage::SetStatus(Chosen::Ready).into(),
            Action::Pause => AgentMessage::SetStatus(Chosen::Paused(String::new())).into(),
            Action::EndWrapUp => AgentMessage::EndWrapUp {
                contact: None,
                supervisor: false,
            }
            .into(),
            Action::Unspecified => {
                return Err(
                    Fault::new(Code::Invalid, "action_unknown", "say what to do").at("/action"),
                );
            }
        };
        agents::act(&self.0, tenant, user, ask).await
    }
}

#[async_trait]
impl AgentContacts for Doors {
    async fn alert(
        &self,
        request: Request<AlertRequest>,
    ) -> Result<Response<AlertResponse>, Status> {
        self.alert_device(request.into_inner())
            .await
            .map(Response::new)
            .map_err(from_fault)
    }

    async fn connect(
        &self,
        request: Request<ConnectRequest>,
    ) -> Result<Response<ConnectResponse>, Status> {
        self.connect_contact(request.into_inner())
            .await
            .map(Response::new)
            .map_err(from_fault)
    }

    async fn end(&self, request: Request<EndRequest>) -> Result<Response<EndResponse>, Status> {
        self.end_reservation(request.into_inner())
            .await
            .map(Response::new)
            .map_err(from_fault)
    }

    async fn report_edge_dead(
        &self,
        request: Request<ReportEdgeDeadRequest>,
    ) -> Result<Response<ReportEdgeDeadResponse>, Status> {
        self.edge_dead(request.into_inner())
            .await
            .map(Response::new)
            .map_err(from_fault)
    }

    async fn set_status_from_device(
        &self,
        request: Request<SetStatusFromDeviceRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        self.set_status(request.into_inner())
            .await
            .map(Response::new)
            .map_err(from_fault)
    }
}
