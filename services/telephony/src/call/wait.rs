//! What a waiting call says to routing: the stream to its queue, and the questions to the agent's record.
//!
//! Everything here runs in tasks of its own and answers into the call's mailbox; repeats are the edge's business.

use crate::call::{Context, Signal, briefing::Briefing};
use centro_edge::Command;
use centro_kernel::{
    ContactId, DeviceId, QueueId, TenantId, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use centro_proto::{
    routing::{
        AlertRequest, AskPosition, Attach, ConnectRequest, EndRequest, Left, OfferEnded,
        Reservation as PbReservation, SetStatusFromDeviceRequest, WaitRequest,
        set_status_from_device_request::Action, wait_request, wait_response,
    },
    types,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// How long a question to an agent's record may take; the edge asks again anyway.
const ANSWER: Duration = Duration::from_secs(2);

/// Place in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 1 is next.
    pub position: u32,
}

/// The open stream of one attachment.
pub struct WaitStream {
    /// Which attachment.
    pub attach_no: u32,
    out: mpsc::Sender<WaitRequest>,
}

impl WaitStream {
    /// Says something to the queue. A stream that is gone or stuck is repeated by the edge.
    fn say(&self, message: wait_request::Message) {
        let _ = self.out.try_send(WaitRequest {
            message: Some(message),
        });
    }

    /// The offer is over.
    pub fn offer_ended(
        &self,
        reservation: Reservation,
        exclude_for: Option<Duration>,
        why: OfferEnd,
    ) {
        self.say(wait_request::Message::OfferEnded(OfferEnded {
            attach_no: self.attach_no,
            reservation: Some(to_proto(reservation)),
            exclude_for: exclude_for.map(proto_duration),
            why: end_to_proto(why).into(),
        }));
    }

    /// What is the place now?
    pub fn ask_position(&self) {
        let attach_no = self.attach_no;
        self.say(wait_request::Message::AskPosition(AskPosition {
            attach_no,
        }));
    }

    /// The contact left, and who answered it.
    pub fn left(&self, reason: LeftReason, agent: Option<UserId>) {
        self.say(wait_request::Message::Left(Left {
            attach_no: self.attach_no,
            reason: left_to_proto(reason).into(),
            agent_id: agent.map(|a| a.to_string()).unwrap_or_default(),
        }));
    }
}

/// Opens the stream of an attachment after `pause`, or when the queue has another owner.
pub fn open(
    context: &Arc<Context>,
    queue: QueueId,
    attach: Attach,
    pause: Duration,
    mailbox: mpsc::Sender<Signal>,
) -> WaitStream {
    let (out, messages) = mpsc::channel(32);
    let attach_no = attach.attach_no;
    let first = WaitRequest {
        message: Some(wait_request::Message::Attach(attach)),
    };
    let _ = out.try_send(first);
    let context = context.clone();
    tokio::spawn(async move {
        if !pause.is_zero() {
            // Not longer than until the queue has another owner: it is there now.
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = context.queue_moves(queue) => {}
            }
        }
        let mut client = context.queue(queue);
        let answers = client.wait(ReceiverStream::new(messages)).await;
        let mut answers = match answers {
            Ok(answers) => answers.into_inner(),
            Err(status) => {
                tracing::debug!(%status, %queue, "the queue cannot be reached");
                let _ = mailbox
                    .send(Signal::StreamLost {
                        queue,
                        attach_no,
                        opened: false,
                    })
                    .await;
                return;
            }
        };
        while let Ok(Some(answer)) = answers.message().await {
            let Some(message) = answer.message else {
                continue;
            };
            for signal in signals(queue, attach_no, message) {
                if mailbox.send(signal).await.is_err() {
                    return;
                }
            }
        }
        let _ = mailbox
            .send(Signal::StreamLost {
                queue,
                attach_no,
                opened: true,
            })
            .await;
    });
    WaitStream { attach_no, out }
}

fn signals(queue: QueueId, stream: u32, message: wait_response::Message) -> Vec<Signal> {
    use wait_response::Message;
    match message {
        Message::Attached(attached) => {
            let command = Command::Attached {
                queue,
                attach_no: attached.attach_no,
                epoch: attached.epoch,
            };
            vec![Signal::Edge(command)]
        }
        Message::Offer(offer) => {
            let ring_for = offer
                .ring_timeout
                .as_ref()
                .and_then(crate::core::dialplan::duration);
            let Some(reservation) = offer.reservation.as_ref().and_then(from_proto) else {
                return Vec::new();
            };
            let briefing = Briefing::of(&offer);
            let command = Command::Offer {
                queue,
                attach_no: offer.attach_no,
                reservation,
                ring_for: ring_for.unwrap_or(Duration::from_secs(15)),
                brief_for: briefing.limit,
            };
            vec![Signal::Offer(command, reservation, briefing)]
        }
        Message::MoveTo(wish) => match wish.queue_id.parse() {
            Ok(to) => vec![Signal::Edge(Command::MoveTo {
                queue,
                attach_no: wish.attach_no,
                to,
            })],
            Err(_) => Vec::new(),
        },
        Message::TakenOut(wish) => vec![Signal::Edge(Command::TakenOut {
            queue,
            attach_no: wish.attach_no,
        })],
        Message::LeftOk(ok) => vec![Signal::Edge(Command::LeftOk {
            queue,
            attach_no: ok.attach_no,
        })],
        Message::Position(p) => vec![Signal::Place(Place {
            position: p.position,
        })],
        Message::NotTaken(not) => {
            let reason = match not.reason() {
                types::LeftReason::QueueFull => LeftReason::QueueFull,
                types::LeftReason::JoinedEmpty => LeftReason::JoinedEmpty,
                types::LeftReason::LeftEmpty => LeftReason::LeftEmpty,
                types::LeftReason::NoSkillMatch => LeftReason::NoSkillMatch,
                _ => LeftReason::QueueClosed,
            };
            vec![Signal::Edge(Command::NotTaken {
                queue,
                attach_no: stream,
                reason,
            })]
        }
    }
}

/// Who asks about which contact.
#[derive(Clone)]
pub struct Asker {
    /// The services.
    pub context: Arc<Context>,
    /// Whose contact.
    pub tenant: TenantId,
    /// Which contact.
    pub contact: ContactId,
    /// Where answers go.
    pub mailbox: mpsc::Sender<Signal>,
}

impl Asker {
    /// May the device ring?
    pub fn alert(&self, reservation: Reservation, request: AlertRequest) {
        let asker = self.clone();
        tokio::spawn(async move {
            let mut client = asker.context.agent(reservation.agent);
            let Some(answer) = answered(client.alert(timed(request)).await, "alert") else {
                return;
            };
            let signal = match (answer.ok, answer.device_id.parse()) {
                (true, Ok(device)) => Signal::AlertOk(reservation, device),
                (true, Err(_)) => Signal::Edge(Command::DeviceFailed(reservation)),
                (false, _) => Signal::Edge(Command::Refused(reservation)),
            };
            let _ = asker.mailbox.send(signal).await;
        });
    }

    /// May the two be bridged?
    pub fn connect(&self, reservation: Reservation) {
        let asker = self.clone();
        tokio::spawn(async move {
            let request = ConnectRequest {
                tenant_id: asker.tenant.to_string(),
                reservation: Some(to_proto(reservation)),
                contact_id: asker.contact.to_string(),
                edge_epoch: 0, // a call has one owner for life
            };
            let mut client = asker.context.agent(reservation.agent);
            let Some(answer) = answered(client.connect(timed(request)).await, "connect") else {
                return;
            };
            let command = if answer.ok {
                Command::ConnectOk
            } else {
                Command::Refused
            };
            let _ = asker.mailbox.send(Signal::Edge(command(reservation))).await;
        });
    }

    /// The reservation is over.
    pub fn end(&self, reservation: Reservation, why: OfferEnd) {
        let asker = self.clone();
        tokio::spawn(async move {
            let request = EndRequest {
                tenant_id: asker.tenant.to_string(),
                reservation: Some(to_proto(reservation)),
                contact_id: asker.contact.to_string(),
                why: end_to_proto(why).into(),
                edge_epoch: 0, // a call has one owner for life
            };
            let mut client = asker.context.agent(reservation.agent);
            let Some(answer) = answered(client.end(timed(request)).await, "end") else {
                return;
            };
            let was_connected = answer.was_connected;
            let _ = asker
                .mailbox
                .send(Signal::Edge(Command::Ended {
                    reservation,
                    was_connected,
                }))
                .await;
        });
    }

    /// Sets the agent's status from the phone; the mailbox hears whether it was done.
    pub fn set_status(&self, user: UserId, device: DeviceId, action: Action) {
        let asker = self.clone();
        tokio::spawn(async move {
            let request = SetStatusFromDeviceRequest {
                tenant_id: asker.tenant.to_string(),
                user_id: user.to_string(),
                device_id: device.to_string(),
                action: action.into(),
            };
            let mut client = asker.context.agent(user);
            let answer = client.set_status_from_device(timed(request)).await;
            if let Err(status) = &answer {
                tracing::info!(%status, %user, "a feature code was refused");
            }
            let _ = asker
                .mailbox
                .send(Signal::FeatureDone(answer.is_ok()))
                .await;
        });
    }
}

fn timed<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(ANSWER);
    request
}

fn answered<T>(answer: Result<tonic::Response<T>, tonic::Status>, what: &str) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer.into_inner()),
        Err(status) => {
            tracing::debug!(%status, what, "the agent's record did not answer; asked again");
            None
        }
    }
}

/// To the wire.
pub fn to_proto(reservation: Reservation) -> PbReservation {
    PbReservation {
        agent_id: reservation.agent.to_string(),
        number: reservation.number,
    }
}

fn from_proto(reservation: &PbReservation) -> Option<Reservation> {
    Some(Reservation {
        agent: reservation.agent_id.parse().ok()?,
        number: reservation.number,
    })
}

/// To the wire.
pub fn proto_duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

fn end_to_proto(why: OfferEnd) -> types::OfferEnd {
    match why {
        OfferEnd::Answered => types::OfferEnd::Answered,
        OfferEnd::NeverRang => types::OfferEnd::NeverRang,
        OfferEnd::NoAnswer => types::OfferEnd::NoAnswer,
        OfferEnd::Rejected => types::OfferEnd::Rejected,
        OfferEnd::CallerGone => types::OfferEnd::CallerGone,
        OfferEnd::Cut => types::OfferEnd::Cut,
        OfferEnd::Elsewhere => types::OfferEnd::Elsewhere,
        OfferEnd::Revoked => types::OfferEnd::Revoked,
        OfferEnd::CommitFailed => types::OfferEnd::CommitFailed,
        OfferEnd::DeviceFailed => types::OfferEnd::DeviceFailed,
        OfferEnd::Busy => types::OfferEnd::Busy,
    }
}

fn left_to_proto(reason: LeftReason) -> types::LeftReason {
    match reason {
        LeftReason::Answered => types::LeftReason::Answered,
        LeftReason::Abandoned => types::LeftReason::Abandoned,
        LeftReason::DtmfExit => types::LeftReason::DtmfExit,
        LeftReason::Timeout => types::LeftReason::Timeout,
        LeftReason::LeftEmpty => types::LeftReason::LeftEmpty,
        LeftReason::JoinedEmpty => types::LeftReason::JoinedEmpty,
        LeftReason::QueueFull => types::LeftReason::QueueFull,
        LeftReason::TransferredByUser => types::LeftReason::TransferredByUser,
        LeftReason::CallbackRequested => types::LeftReason::CallbackRequested,
        LeftReason::CallbackCancelledByUser => types::LeftReason::CallbackCancelledByUser,
        LeftReason::CallbackExpired => types::LeftReason::CallbackExpired,
        LeftReason::NoSkillMatch => types::LeftReason::NoSkillMatch,
        LeftReason::QueueClosed => types::LeftReason::QueueClosed,
        LeftReason::SystemFailure => types::LeftReason::SystemFailure,
    }
}
