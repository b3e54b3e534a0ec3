//! An edge: it holds contacts and answers for the agents' phones, which ring and are answered at once.

use centro_kernel::{
    ContactId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd},
};
use centro_proto::routing::{Offer, WaitResponse, wait_response::Message};
use centro_routing::bench::{Floor, Stream};
use centro_routing_core::{
    AgentMessage, Answer, Attach, Caller, ContactKind, Needs, QueueMessage, View,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tonic::Status;

/// Messages that may wait for the edge to read them.
const UNREAD: usize = 4_096;

/// What an agent and a number of a reservation are, as they came on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// The attachment it is for.
    pub attach_no: u32,
    /// Who is offered.
    pub agent: UserId,
    /// The reservation's number.
    pub number: u64,
}

/// One edge, and the stream on which it hears of all its contacts.
pub struct Edge {
    floor: Floor,
    name: Arc<str>,
    caller: Arc<Caller>,
    needs: Arc<Needs>,
    sender: Stream,
    heard: mpsc::Receiver<Result<WaitResponse, Status>>,
}

impl Edge {
    pub fn new(floor: Floor) -> Self {
        let (sender, heard) = mpsc::channel(UNREAD);
        Self {
            floor,
            name: Arc::from("bench"),
            caller: Arc::default(),
            needs: Arc::default(),
            sender,
            heard,
        }
    }

    /// A contact asks for its place.
    pub fn attach(&self, queue: QueueId, contact: ContactId, attach_no: u32, now: Timestamp) {
        let attach = Attach {
            contact,
            attach_no,
            enqueued_at: now,
            priority: 0,
            excluded: Vec::new(),
            holding: Vec::new(),
            needs: self.needs.clone(),
            kind: ContactKind::Call,
            caller: self.caller.clone(),
            edge: self.name.clone(),
        };
        self.tell(queue, QueueMessage::Attach(attach));
    }

    /// The next offer, whatever else is heard.
    pub async fn offer(&mut self) -> Offered {
        loop {
            let heard = self.heard.recv().await;
            let message = heard.expect("the stream is ours").expect("no fault");
            match message.message {
                Some(Message::Offer(offer)) => return offered(&offer),
                Some(Message::NotTaken(_)) => panic!("a contact was turned away"),
                _ => {}
            }
        }
    }

    /// The device may ring.
    pub async fn alert(&self, offered: Offered, contact: ContactId) -> bool {
        let message = AgentMessage::Alert {
            number: offered.number,
            contact,
            edge: self.name.clone(),
            edge_epoch: 0,
            caller: self.caller.clone(),
            ring: Duration::from_secs(15),
        };
        matches!(self.ask(offered, message).await.0, Answer::AlertOk { .. })
    }

    /// The parties may be bridged.
    pub async fn connect(&self, offered: Offered, contact: ContactId) -> bool {
        let number = offered.number;
        let message = AgentMessage::Connect {
            number,
            contact,
            edge_epoch: 0,
        };
        self.ask(offered, message).await.0 == Answer::ConnectOk
    }

    /// The contact leaves the queue, answered.
    pub fn left(&self, queue: QueueId, contact: ContactId, attach_no: u32) {
        let reason = LeftReason::Answered;
        self.tell(
            queue,
            QueueMessage::Left {
                contact,
                attach_no,
                reason,
                agent: None,
            },
        );
    }

    /// The reservation is over. The agent afterwards.
    pub async fn end(&self, offered: Offered, contact: ContactId, why: OfferEnd) -> View {
        let number = offered.number;
        let message = AgentMessage::End {
            number,
            contact,
            why,
            edge_epoch: 0,
        };
        self.ask(offered, message).await.1
    }

    async fn ask(&self, offered: Offered, message: AgentMessage) -> (Answer, View) {
        let asked = self.floor.ask_agent(offered.agent, message).await;
        asked.expect("the agent's actor answers")
    }

    fn tell(&self, queue: QueueId, message: QueueMessage) {
        let told = self.floor.tell_queue(queue, message, &self.sender);
        told.expect("the queue's mailbox has room");
    }
}

fn offered(offer: &Offer) -> Offered {
    let reservation = offer.reservation.as_ref().expect("an offer names an agent");
    Offered {
        attach_no: offer.attach_no,
        agent: reservation.agent_id.parse().expect("an agent's id"),
        number: reservation.number,
    }
}
