//! What an edge does for a contact that waits, rings or talks.

use super::*;

impl Floor {
    pub async fn alert(&self, r: &pb::Reservation, contact: ContactId) -> pb::AlertResponse {
        self.try_alert("floor", r, contact).await.unwrap()
    }

    pub async fn try_alert(
        &self,
        edge: &str,
        r: &pb::Reservation,
        contact: ContactId,
    ) -> Result<pb::AlertResponse, Status> {
        let request = pb::AlertRequest {
            tenant_id: TENANT.to_string(),
            reservation: Some(r.clone()),
            contact_id: contact.to_string(),
            edge: edge.into(),
            ..pb::AlertRequest::default()
        };
        let mut door = self.contacts_door(&r.agent_id);
        Ok(door.alert(request).await?.into_inner())
    }

    pub async fn connect(&self, r: &pb::Reservation, contact: ContactId) -> bool {
        let (tenant_id, contact_id) = (TENANT.to_string(), contact.to_string());
        let request = pb::ConnectRequest {
            tenant_id,
            reservation: Some(r.clone()),
            contact_id,
            edge_epoch: 0,
        };
        self.contacts_door(&r.agent_id)
            .connect(request)
            .await
            .unwrap()
            .into_inner()
            .ok
    }

    pub async fn end(&self, r: &pb::Reservation, contact: ContactId, why: OfferEnd) -> bool {
        let (tenant_id, contact_id) = (TENANT.to_string(), contact.to_string());
        let (reservation, why) = (Some(r.clone()), why.into());
        let request = pb::EndRequest {
            tenant_id,
            reservation,
            contact_id,
            why,
            edge_epoch: 0,
        };
        self.contacts_door(&r.agent_id)
            .end(request)
            .await
            .unwrap()
            .into_inner()
            .was_connected
    }

    pub async fn cancelled(&self) -> CancelOfferRequest {
        soon(async { self.cancels.lock().await.recv().await })
            .await
            .unwrap()
    }

    /// A caller waits in the first queue.
    pub async fn call(&self, contact: ContactId, attach_no: u32) -> Call {
        self.call_at("floor", contact, attach_no).await
    }

    /// A caller whose stream broke attaches until it has its place again, as edges do.
    pub async fn call_again(&self, contact: ContactId) -> (Call, pb::Attached) {
        for attach_no in 2.. {
            let mut call = self.call(contact, attach_no).await;
            if let Ok(Some(answer)) = soon(call.answers.message()).await
                && let Some(Message::Attached(attached)) = answer.message
            {
                return (call, attached);
            }
        }
        panic!("numbers do not end")
    }

    /// The same, held by that node.
    pub async fn call_at(&self, edge: &str, contact: ContactId, attach_no: u32) -> Call {
        let since = i64::try_from(contact.as_u128()).unwrap();
        let since = prost_types::Timestamp {
            seconds: since,
            nanos: 0,
        };
        self.call_since(edge, contact, attach_no, since).await
    }

    /// A caller who comes in now; the others have waited since long ago.
    pub async fn call_now(&self, contact: ContactId) -> Call {
        self.call_now_again(contact, 1).await
    }

    /// The same, and not for the first time.
    pub async fn call_now_again(&self, contact: ContactId, attach_no: u32) -> Call {
        let now = crate::wire::time(SystemClock.now());
        self.call_since("floor", contact, attach_no, now).await
    }

    pub(super) async fn call_since(
        &self,
        edge: &str,
        contact: ContactId,
        attach_no: u32,
        since: prost_types::Timestamp,
    ) -> Call {
        let (out, messages) = mpsc::channel(16);
        let attach = pb::Attach {
            tenant_id: TENANT.to_string(),
            queue_id: queue(0).to_string(),
            contact_id: contact.to_string(),
            attach_no,
            enqueue_time: Some(since),
            edge: edge.into(),
            ..pb::Attach::default()
        };
        let call = |message| pb::WaitRequest {
            message: Some(message),
        };
        out.try_send(call(wait_request::Message::Attach(attach)))
            .unwrap();
        let owner = To::Shard(Shard::of(queue(0).as_u128()));
        let mut door = WaitingClient::new(self.node.conn_to(Role::Routing, owner));
        let answers = soon(door.wait(ReceiverStream::new(messages)))
            .await
            .unwrap()
            .into_inner();
        Call { out, answers }
    }
}

/// A caller's stream.
pub struct Call {
    out: mpsc::Sender<pb::WaitRequest>,
    answers: Streaming<pb::WaitResponse>,
}

impl Call {
    pub async fn next(&mut self) -> Message {
        soon(self.answers.message())
            .await
            .unwrap()
            .unwrap()
            .message
            .unwrap()
    }

    pub async fn offer(&mut self) -> pb::Offer {
        loop {
            if let Message::Offer(offer) = self.next().await {
                return offer;
            }
        }
    }

    pub(super) fn say(&self, message: wait_request::Message) {
        self.out
            .try_send(pb::WaitRequest {
                message: Some(message),
            })
            .unwrap();
    }

    pub fn ask_position(&self, attach_no: u32) {
        self.say(wait_request::Message::AskPosition(pb::AskPosition {
            attach_no,
        }));
    }

    pub fn left(&self, attach_no: u32, reason: LeftReason) {
        self.say(wait_request::Message::Left(pb::Left {
            attach_no,
            reason: reason.into(),
            agent_id: String::new(),
        }));
    }

    /// The contact leaves with whoever answered.
    pub fn left_with(&self, attach_no: u32, agent_id: &str) {
        self.say(wait_request::Message::Left(pb::Left {
            attach_no,
            reason: LeftReason::Answered.into(),
            agent_id: agent_id.to_owned(),
        }));
    }

    pub fn offer_ended(&self, attach_no: u32, r: &pb::Reservation, why: OfferEnd) {
        let (reservation, why) = (Some(r.clone()), why.into());
        let ended = pb::OfferEnded {
            attach_no,
            reservation,
            exclude_for: None,
            why,
        };
        self.say(wait_request::Message::OfferEnded(ended));
    }

    /// The stream breaks, sooner or later.
    pub async fn broken(&mut self) -> bool {
        loop {
            match soon(self.answers.message()).await {
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    /// The stream ends in good order.
    pub async fn ended(&mut self) -> bool {
        matches!(soon(self.answers.message()).await, Ok(None))
    }
}
