//! The streams of the contacts that wait in one queue.

use crate::{by_id::ById, metrics, wire};
use centro_kernel::ContactId;
use centro_proto::routing::{self as pb, WaitResponse, wait_response::Message};
use centro_routing_core::EdgeMessage;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

/// What becomes of a stream whose contact this queue lets go. A stream that is dropped without a word broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// The contact left; the stream may be used to attach elsewhere.
    Left,
    /// The contact was not taken; the stream ends.
    End,
}

/// The way to a contact's edge.
#[derive(Debug)]
pub struct EdgeStream {
    /// The attachment.
    pub attach_no: u32,
    /// What the edge reads.
    pub sender: mpsc::Sender<Result<WaitResponse, Status>>,
    /// Tells the stream's task what became of it; dropped when the actor dies.
    pub release: Option<oneshot::Sender<Released>>,
}

impl EdgeStream {
    fn let_go(mut self, how: Released) {
        if let Some(release) = self.release.take() {
            let _ = release.send(how);
        }
    }
}

/// All streams of a queue.
#[derive(Debug, Default)]
pub struct Edges {
    streams: ById<ContactId, EdgeStream>,
}

impl Edges {
    /// A contact attached with this stream.
    pub fn put(&mut self, contact: ContactId, stream: EdgeStream) {
        if let Some(old) = self.streams.remove(&contact)
            && old.sender.same_channel(&stream.sender)
        {
            old.let_go(Released::Left);
        }
        self.streams.insert(contact, stream);
    }

    /// Tells a contact's edge. False when the edge does not read: its stream is closed, and it may attach again.
    pub fn tell(
        &mut self,
        contact: ContactId,
        message: EdgeMessage,
        fallback: Option<&mpsc::Sender<Result<WaitResponse, Status>>>,
    ) -> bool {
        let ends = match message {
            EdgeMessage::LeftOk { attach_no } => Some((attach_no, Released::Left)),
            EdgeMessage::NotTaken { attach_no, .. } => Some((attach_no, Released::End)),
            _ => None,
        };
        let response = WaitResponse {
            message: Some(to_wire(message)),
        };
        let Some(stream) = self.streams.get(&contact) else {
            return fallback.is_none_or(|sender| sender.try_send(Ok(response)).is_ok());
        };
        if stream.sender.try_send(Ok(response)).is_err() {
            metrics::count(&metrics::EDGES_STUCK);
            self.streams.remove(&contact);
            return false;
        }
        if let Some((attach_no, how)) = ends
            && stream.attach_no <= attach_no
            && let Some(stream) = self.streams.remove(&contact)
        {
            stream.let_go(how);
        }
        true
    }

    /// The attachment whose stream this is.
    pub fn attach_no(&self, contact: ContactId) -> Option<u32> {
        self.streams.get(&contact).map(|stream| stream.attach_no)
    }

    /// A contact's stream broke.
    pub fn remove(&mut self, contact: ContactId, attach_no: u32) {
        if self.attach_no(contact) == Some(attach_no) {
            self.streams.remove(&contact);
        }
    }
}

fn to_wire(message: EdgeMessage) -> Message {
    match message {
        EdgeMessage::Attached {
            attach_no,
            epoch,
            position,
            waiting,
        } => {
            let position = Some(pb::Position { position, waiting });
            Message::Attached(pb::Attached {
                attach_no,
                epoch,
                position,
            })
        }
        EdgeMessage::Offer {
            attach_no,
            epoch,
            reservation,
            ring,
            briefing,
        } => Message::Offer(pb::Offer {
            attach_no,
            epoch,
            reservation: Some(wire::reservation_out(reservation)),
            ring_timeout: Some(wire::span(ring)),
            connect_delay: Some(wire::span(briefing.connect_delay)),
            agent_announcement: briefing.announcement.to_string(),
            report_wait_to_agent: briefing.tell_wait,
            briefing_limit: Some(wire::span(briefing.limit())),
        }),
        EdgeMessage::MoveTo { attach_no, queue } => Message::MoveTo(pb::MoveTo {
            attach_no,
            queue_id: queue.to_string(),
        }),
        EdgeMessage::TakenOut { attach_no } => Message::TakenOut(pb::TakenOut { attach_no }),
        EdgeMessage::Position { position, waiting } => {
            Message::Position(pb::Position { position, waiting })
        }
        EdgeMessage::LeftOk { attach_no } => Message::LeftOk(pb::LeftOk { attach_no }),
        EdgeMessage::NotTaken { reason, .. } => Message::NotTaken(pb::NotTaken {
            reason: wire::left_reason_out(reason).into(),
        }),
    }
}
