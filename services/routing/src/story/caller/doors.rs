//! What a caller's edge says to routing, and routing to it. Repeats are the edge's business.

use super::{Mailbox, OfferEnd, Signal};
use crate::{
    story::stage::{Stage, TENANT},
    wire,
};
use async_trait::async_trait;
use centro_edge::Command;
use centro_kernel::{
    ContactId, QueueId, UserId,
    contact::{LeftReason, Reservation},
};
use centro_proto::{
    routing::{
        self as pb, AlertRequest, Attach, ConnectRequest, EndRequest, WaitRequest,
        agent_contacts_client::AgentContactsClient, wait_request, wait_response,
        waiting_client::WaitingClient,
    },
    telephony::{
        CancelOfferRequest, CancelOfferResponse, HasOfferRequest, HasOfferResponse,
        call_edge_server::CallEdge,
    },
    types::{self, SkillNeed, SkillNeeds, SkillOp, SkillStep},
};
use centro_routing_core::{Comparison, Needs};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// How long a question to an agent's record may take; the edge asks again anyway.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a stream that could not be opened is left alone.
const PAUSE: Duration = Duration::from_millis(50);

/// Who asks about which contact.
#[derive(Clone)]
pub struct Asker {
    /// Where.
    pub stage: Arc<Stage>,
    /// Which contact.
    pub contact: ContactId,
    /// Where answers go.
    pub mailbox: Mailbox,
}

impl Asker {
    /// Opens the stream of an attachment.
    pub fn open(&self, queue: QueueId, attach: Attach) -> mpsc::Sender<WaitRequest> {
        let (out, messages) = mpsc::channel(32);
        let attach_no = attach.attach_no;
        let first = wait_request::Message::Attach(attach);
        let _ = out.try_send(request(first));
        let asker = self.clone();
        tokio::spawn(async move {
            let mut client = WaitingClient::new(asker.stage.routing());
            let lost = Signal::StreamLost { queue, attach_no };
            let Ok(answers) = client.wait(ReceiverStream::new(messages)).await else {
                tokio::time::sleep(PAUSE).await;
                return asker.mailbox.say(lost);
            };
            let mut answers = answers.into_inner();
            while let Ok(Some(answer)) = answers.message().await {
                let heard = answer.message.and_then(|m| command(queue, attach_no, m));
                if let Some(command) = heard {
                    asker.mailbox.tell(command);
                }
            }
            // A queue whose actor died is not asked again in the same moment.
            tokio::time::sleep(PAUSE).await;
            asker.mailbox.say(lost);
        });
        out
    }

    /// May the device ring?
    pub fn alert(&self, reservation: Reservation, request: AlertRequest, chat: bool) {
        let asker = self.clone();
        tokio::spawn(async move {
            let mut client = AgentContactsClient::new(asker.stage.routing());
            let Ok(answer) = client.alert(timed(request)).await else {
                return;
            };
            let answer = answer.into_inner();
            let rings = chat || !answer.device_id.is_empty();
            asker.mailbox.tell(match (answer.ok, rings) {
                (true, true) => Command::AlertOk(reservation),
                (true, false) => Command::DeviceFailed(reservation),
                (false, _) => Command::Refused(reservation),
            });
        });
    }

    /// May the two be bridged?
    pub fn connect(&self, reservation: Reservation) {
        let asker = self.clone();
        tokio::spawn(async move {
            let request = ConnectRequest {
                tenant_id: TENANT.to_string(),
                reservation: Some(wire::reservation_out(reservation)),
                contact_id: asker.contact.to_string(),
                edge_epoch: 0,
            };
            let mut client = AgentContactsClient::new(asker.stage.routing());
            let Ok(answer) = client.connect(timed(request)).await else {
                return;
            };
            asker.mailbox.tell(match answer.into_inner().ok {
                true => Command::ConnectOk(reservation),
                false => Command::Refused(reservation),
            });
        });
    }

    /// The reservation is over.
    pub fn end(&self, reservation: Reservation, why: OfferEnd) {
        let asker = self.clone();
        tokio::spawn(async move {
            let request = EndRequest {
                tenant_id: TENANT.to_string(),
                reservation: Some(wire::reservation_out(reservation)),
                contact_id: asker.contact.to_string(),
                why: wire::offer_end_out(why).into(),
                edge_epoch: 0,
            };
            let mut client = AgentContactsClient::new(asker.stage.routing());
            let Ok(answer) = client.end(timed(request)).await else {
                return;
            };
            let was_connected = answer.into_inner().was_connected;
            asker.mailbox.tell(Command::Ended {
                reservation,
                was_connected,
            });
        });
    }
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(ANSWER);
    request
}

fn request(message: wait_request::Message) -> WaitRequest {
    WaitRequest {
        message: Some(message),
    }
}

/// The offer is over.
pub fn offer_ended(
    attach_no: u32,
    reservation: Reservation,
    exclude_for: Option<Duration>,
    why: OfferEnd,
) -> WaitRequest {
    request(wait_request::Message::OfferEnded(pb::OfferEnded {
        attach_no,
        reservation: Some(wire::reservation_out(reservation)),
        exclude_for: exclude_for.map(wire::span),
        why: wire::offer_end_out(why).into(),
    }))
}

/// The contact left.
pub fn left(attach_no: u32, reason: LeftReason, agent: Option<UserId>) -> WaitRequest {
    request(wait_request::Message::Left(pb::Left {
        attach_no,
        reason: wire::left_reason_out(reason).into(),
        agent_id: agent.map(|a| a.to_string()).unwrap_or_default(),
    }))
}

/// What a contact needs, for the wire.
pub fn needs(needs: &Needs) -> SkillNeeds {
    let steps = needs.steps.iter().map(|step| SkillStep {
        needs: step
            .needs
            .iter()
            .map(|need| SkillNeed {
                skill_id: need.skill.to_string(),
                op: match need.comparison {
                    Comparison::AtLeast => SkillOp::AtLeast,
                    Comparison::AtMost => SkillOp::AtMost,
                    Comparison::Equal => SkillOp::Equal,
                    Comparison::MoreThan => SkillOp::MoreThan,
                    Comparison::LessThan => SkillOp::LessThan,
                }
                .into(),
                level: need.level.into(),
            })
            .collect(),
        lasts: step.lasts.map(wire::span),
    });
    SkillNeeds {
        steps: steps.collect(),
    }
}

/// What the queue said, for the edge.
fn command(queue: QueueId, stream: u32, message: wait_response::Message) -> Option<Command> {
    use wait_response::Message;
    Some(match message {
        Message::Attached(attached) => Command::Attached {
            queue,
            attach_no: attached.attach_no,
            epoch: attached.epoch,
        },
        Message::Offer(offer) => Command::Offer {
            queue,
            attach_no: offer.attach_no,
            reservation: wire::reservation(offer.reservation.as_ref()).ok()?,
            ring_for: wire::duration(&offer.ring_timeout?),
            brief_for: offer
                .briefing_limit
                .map_or(Duration::ZERO, |limit| wire::duration(&limit)),
        },
        Message::LeftOk(ok) => Command::LeftOk {
            queue,
            attach_no: ok.attach_no,
        },
        Message::NotTaken(not) => Command::NotTaken {
            queue,
            attach_no: stream,
            reason: match not.reason() {
                types::LeftReason::QueueFull => LeftReason::QueueFull,
                types::LeftReason::JoinedEmpty => LeftReason::JoinedEmpty,
                types::LeftReason::LeftEmpty => LeftReason::LeftEmpty,
                types::LeftReason::NoSkillMatch => LeftReason::NoSkillMatch,
                _ => LeftReason::QueueClosed,
            },
        },
        Message::MoveTo(wish) => Command::MoveTo {
            queue,
            attach_no: wish.attach_no,
            to: wish.queue_id.parse().ok()?,
        },
        Message::TakenOut(wish) => Command::TakenOut {
            queue,
            attach_no: wish.attach_no,
        },
        Message::Position(_) => return None,
    })
}

/// Telephony's door for routing: takes an offer back, and says whether somebody has it.
pub struct Door(pub Arc<Stage>);

#[async_trait]
impl CallEdge for Door {
    async fn cancel_offer(
        &self,
        request: Request<CancelOfferRequest>,
    ) -> Result<Response<CancelOfferResponse>, Status> {
        let r = request.into_inner();
        let (contact, reservation) = concerns(&r.contact_id, &r.agent_id, r.number)?;
        if let Some(mailbox) = self.0.callers.mailbox(contact) {
            mailbox.tell(Command::Cancel(reservation));
        }
        Ok(Response::new(CancelOfferResponse {}))
    }

    async fn has_offer(
        &self,
        request: Request<HasOfferRequest>,
    ) -> Result<Response<HasOfferResponse>, Status> {
        let r = request.into_inner();
        let (contact, reservation) = concerns(&r.contact_id, &r.agent_id, r.number)?;
        let has = self.0.callers.has(contact, reservation);
        Ok(Response::new(HasOfferResponse { has }))
    }
}

fn concerns(contact: &str, agent: &str, number: u64) -> Result<(ContactId, Reservation), Status> {
    let malformed = |_| Status::invalid_argument("this is not an id of that kind");
    let reservation = Reservation {
        agent: agent.parse().map_err(malformed)?,
        number,
    };
    Ok((contact.parse().map_err(malformed)?, reservation))
}
