//! `Waiting`: the stream of a contact that waits.

use super::Doors;
use crate::{
    actor::{EdgeStream, FromEdge, Released},
    directory::Directory,
    router::Router,
    wire,
};
use async_trait::async_trait;
use centro_contract::status::from_fault;
use centro_kernel::{Code, ContactId, Fault, QueueId, TenantId, contact::LeftReason};
use centro_proto::routing::{
    self as pb, WaitRequest, WaitResponse, wait_request::Message, wait_response,
    waiting_server::Waiting,
};
use centro_routing_core::{Attach, QueueMessage};
use futures::{StreamExt, stream::FuturesUnordered};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Messages that may wait for an edge to read them.
const UNREAD: usize = 64;
/// Attachments, exclusions and held offers one stream or message may carry.
const MOST: usize = 256;
/// Nobody rings, waits out a rejection or is excluded longer than this many seconds.
const LONGEST_EXCLUSION: std::time::Duration = std::time::Duration::from_secs(86_400);

type Sender = mpsc::Sender<Result<WaitResponse, Status>>;

#[async_trait]
impl Waiting for Doors {
    type WaitStream = ReceiverStream<Result<WaitResponse, Status>>;

    async fn wait(
        &self,
        request: Request<Streaming<WaitRequest>>,
    ) -> Result<Response<Self::WaitStream>, Status> {
        let (sender, answers) = mpsc::channel(UNREAD);
        let stream = Stream {
            router: self.0.clone(),
            sender,
            attached: HashMap::new(),
        };
        // Calls that the stop ends still leave their queues.
        self.0.node.attend(stream.serve(request.into_inner()));
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}

/// One contact in one queue.
#[derive(Debug, Clone, Copy)]
struct Place {
    tenant: TenantId,
    queue: QueueId,
    contact: ContactId,
}

/// One stream: mostly one attachment, sometimes the next queue's too.
struct Stream {
    router: Arc<Router>,
    sender: Sender,
    attached: HashMap<u32, Place>,
}

impl Stream {
    async fn serve(mut self, mut messages: Streaming<WaitRequest>) {
        let mut releases: FuturesUnordered<_> = FuturesUnordered::new();
        let closed = self.sender.clone();
        let result = loop {
            tokio::select! {
                // In this order and not by lot, so that the same story always goes the same way.
                biased;
                Some((attach_no, released)) = releases.next() => match released {
                    Ok(Released::Left) => {
                        // A repeat of the attachment on this stream is answered by its own release.
                        if releases.is_empty() {
                            self.attached.remove(&attach_no);
                        }
                    }
                    Ok(Released::End) => {
                        self.attached.remove(&attach_no);
                        break Ok(());
                    }
                    Err(_) => break Err(Status::unavailable("the queue's owner has changed, attach again")),
                },
                message = messages.message() => match message {
                    Ok(Some(WaitRequest { message: Some(message) })) => match self.take(message) {
                        Ok(Some((attach_no, release))) => {
                            releases.push(async move { (attach_no, release.await) });
                        }
                        Ok(None) => {}
                        Err(fault) => break Err(from_fault(fault)),
                    },
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => break Ok(()),
                },
                () = closed.closed() => break Ok(()),
            }
        };
        // Whoever is still attached keeps the place for a while: the edge may come back.
        for (attach_no, place) in std::mem::take(&mut self.attached) {
            let detached = QueueMessage::Detached {
                contact: place.contact,
                attach_no,
            };
            let _ = self.tell(place, detached, None);
        }
        if let Err(status) = result {
            let _ = self.sender.try_send(Err(status));
        }
    }

    fn take(
        &mut self,
        message: Message,
    ) -> Result<Option<(u32, oneshot::Receiver<Released>)>, Fault> {
        match message {
            Message::Attach(attach) => return self.attach(attach),
            Message::OfferEnded(ended) => {
                let place = self.place(ended.attach_no)?;
                let message = QueueMessage::OfferEnded {
                    contact: place.contact,
                    reservation: wire::reservation(ended.reservation.as_ref())?,
                    exclude_for: ended
                        .exclude_for
                        .as_ref()
                        .map(|d| wire::duration(d).min(LONGEST_EXCLUSION)),
                    why: wire::offer_end(ended.why()),
                };
                self.tell(place, message, None)?;
            }
            Message::AskPosition(ask) => {
                let place = self.place(ask.attach_no)?;
                let contact = place.contact;
                self.tell(place, QueueMessage::AskPosition { contact }, None)?;
            }
            Message::Left(left) => {
                let place = self.place(left.attach_no)?;
                let unknown = || {
                    Fault::new(
                        Code::Invalid,
                        "reason_invalid",
                        "no contact leaves for that reason",
                    )
                };
                let reason = wire::left_reason(left.reason()).ok_or_else(unknown)?;
                let (contact, attach_no) = (place.contact, left.attach_no);
                let agent = match left.agent_id.as_str() {
                    "" => None,
                    id => Some(wire::id(id, "/left/agentId")?),
                };
                self.tell(
                    place,
                    QueueMessage::Left {
                        contact,
                        attach_no,
                        reason,
                        agent,
                    },
                    None,
                )?;
            }
        }
        Ok(None)
    }

    fn place(&self, attach_no: u32) -> Result<Place, Fault> {
        let text = "attach on this stream before saying more";
        let missing = || Fault::new(Code::Conflict, "not_attached", text);
        self.attached.get(&attach_no).copied().ok_or_else(missing)
    }

    fn attach(
        &mut self,
        attach: pb::Attach,
    ) -> Result<Option<(u32, oneshot::Receiver<Released>)>, Fault> {
        if attach.holding.len() > MOST || attach.excluded.len() > MOST || self.attached.len() > MOST
        {
            return Err(Fault::new(
                Code::Invalid,
                "too_many",
                "an attachment carries at most 256 of each",
            ));
        }
        let attach_no = attach.attach_no;
        let place = Place {
            tenant: wire::id(&attach.tenant_id, "/attach/tenantId")?,
            queue: wire::id(&attach.queue_id, "/attach/queueId")?,
            contact: wire::id(&attach.contact_id, "/attach/contactId")?,
        };
        let known = self
            .router
            .directory
            .queue(place.queue)
            .is_some_and(|q| q.tenant == place.tenant);
        if !known {
            if !self.router.directory.is_loaded() {
                return Err(Directory::loading());
            }
            let reason = wire::left_reason_out(LeftReason::QueueClosed).into();
            let message = Some(wait_response::Message::NotTaken(pb::NotTaken { reason }));
            let _ = self.sender.try_send(Ok(WaitResponse { message }));
            return Ok(None);
        }
        let message = QueueMessage::Attach(self.translate(place, attach)?);
        let (release, released) = oneshot::channel();
        let stream = EdgeStream {
            attach_no,
            sender: self.sender.clone(),
            release: Some(release),
        };
        self.tell(place, message, Some(stream))?;
        self.attached.insert(attach_no, place);
        Ok(Some((attach_no, released)))
    }

    fn translate(&self, place: Place, attach: pb::Attach) -> Result<Attach, Fault> {
        let now = self.router.now();
        let excluded = attach.excluded.iter().map(|e| {
            let remaining = e.remaining.as_ref().map(wire::duration).unwrap_or_default();
            Ok((
                wire::id(&e.agent_id, "/attach/excluded")?,
                remaining.min(LONGEST_EXCLUSION),
            ))
        });
        let excluded = excluded.collect::<Result<_, Fault>>()?;
        let holding = attach.holding.iter().map(|r| wire::reservation(Some(r)));
        Ok(Attach {
            contact: place.contact,
            attach_no: attach.attach_no,
            // Nobody has waited since tomorrow.
            enqueued_at: attach
                .enqueue_time
                .as_ref()
                .map_or(now, wire::instant)
                .min(now),
            priority: attach.priority,
            excluded,
            holding: holding.collect::<Result<_, Fault>>()?,
            needs: Arc::new(wire::needs(attach.needs.as_ref())?),
            kind: wire::kind(attach.kind()),
            caller: Arc::new(wire::caller(attach.caller.as_ref(), &attach.dialled)),
            edge: Arc::from(attach.edge),
        })
    }

    fn tell(
        &self,
        place: Place,
        message: QueueMessage,
        stream: Option<EdgeStream>,
    ) -> Result<(), Fault> {
        let message = FromEdge {
            message,
            stream,
            sender: self.sender.clone(),
        };
        self.router.from_edge(place.tenant, place.queue, message)
    }
}
