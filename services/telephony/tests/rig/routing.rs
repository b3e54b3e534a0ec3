//! A routing that follows a script: one agent, offered once per attachment, always agreed to.

use super::{AGENT, DEVICE, Rig, start};
use centro_node::Mount;
use centro_proto::{
    routing::{
        AgentStatus, AlertRequest, AlertResponse, Attached, ConnectRequest, ConnectResponse,
        EndRequest, EndResponse, LeftOk, Offer, Position, ReportEdgeDeadRequest,
        ReportEdgeDeadResponse, Reservation, SetStatusFromDeviceRequest, WaitRequest, WaitResponse,
        agent_contacts_server::{AgentContacts, AgentContactsServer},
        wait_request, wait_response,
        waiting_server::{Waiting, WaitingServer},
    },
    types::OfferEnd,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Offers the only agent once per attachment; says what it was told.
#[derive(Clone)]
struct Script {
    told: mpsc::UnboundedSender<String>,
    numbers: Arc<std::sync::atomic::AtomicU64>,
}

#[tonic::async_trait]
impl Waiting for Script {
    type WaitStream = ReceiverStream<Result<WaitResponse, Status>>;

    async fn wait(
        &self,
        request: Request<Streaming<WaitRequest>>,
    ) -> Result<Response<Self::WaitStream>, Status> {
        let mut requests = request.into_inner();
        let (out, answers) = mpsc::channel(16);
        let script = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(WaitRequest {
                message: Some(message),
            })) = requests.message().await
            {
                let answers = match message {
                    wait_request::Message::Attach(attach) => {
                        script
                            .told
                            .send(format!("attach {}", attach.attach_no))
                            .unwrap();
                        let number = script
                            .numbers
                            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        vec![
                            wait_response::Message::Attached(Attached {
                                attach_no: attach.attach_no,
                                epoch: 1,
                                position: Some(Position {
                                    position: 1,
                                    waiting: 1,
                                }),
                            }),
                            wait_response::Message::Offer(Offer {
                                attach_no: attach.attach_no,
                                epoch: 1,
                                reservation: Some(Reservation {
                                    agent_id: AGENT.to_string(),
                                    number,
                                }),
                                ring_timeout: Some(prost_types::Duration {
                                    seconds: 5,
                                    nanos: 0,
                                }),
                                ..Offer::default()
                            }),
                        ]
                    }
                    wait_request::Message::AskPosition(_) => {
                        vec![wait_response::Message::Position(Position {
                            position: 1,
                            waiting: 1,
                        })]
                    }
                    wait_request::Message::OfferEnded(ended) => {
                        script
                            .told
                            .send(format!("offer ended {:?}", ended.why()))
                            .unwrap();
                        vec![]
                    }
                    wait_request::Message::Left(left) => {
                        let by = if left.agent_id == AGENT.to_string() {
                            " by the agent"
                        } else {
                            &left.agent_id
                        };
                        script
                            .told
                            .send(format!("left {:?}{by}", left.reason()))
                            .unwrap();
                        vec![wait_response::Message::LeftOk(LeftOk {
                            attach_no: left.attach_no,
                        })]
                    }
                };
                for message in answers {
                    let _ = out
                        .send(Ok(WaitResponse {
                            message: Some(message),
                        }))
                        .await;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}

#[tonic::async_trait]
impl AgentContacts for Script {
    async fn alert(&self, _: Request<AlertRequest>) -> Result<Response<AlertResponse>, Status> {
        self.told.send("alert".into()).unwrap();
        Ok(Response::new(AlertResponse {
            ok: true,
            device_id: DEVICE.to_string(),
        }))
    }

    async fn connect(
        &self,
        _: Request<ConnectRequest>,
    ) -> Result<Response<ConnectResponse>, Status> {
        self.told.send("connect".into()).unwrap();
        Ok(Response::new(ConnectResponse { ok: true }))
    }

    async fn end(&self, request: Request<EndRequest>) -> Result<Response<EndResponse>, Status> {
        let why = request.into_inner().why();
        self.told.send(format!("end {why:?}")).unwrap();
        Ok(Response::new(EndResponse {
            was_connected: why == OfferEnd::Answered,
        }))
    }

    async fn report_edge_dead(
        &self,
        _: Request<ReportEdgeDeadRequest>,
    ) -> Result<Response<ReportEdgeDeadResponse>, Status> {
        self.told.send("edge dead".into()).unwrap();
        Ok(Response::new(ReportEdgeDeadResponse {}))
    }

    async fn set_status_from_device(
        &self,
        request: Request<SetStatusFromDeviceRequest>,
    ) -> Result<Response<AgentStatus>, Status> {
        self.told
            .send(format!("status {:?}", request.into_inner().action()))
            .unwrap();
        Ok(Response::new(AgentStatus::default()))
    }
}

pub async fn centre() -> (Rig, Heard) {
    centre_with(|_| {}).await
}

/// With settings of its own.
pub async fn centre_with(change: impl FnOnce(&mut centro_telephony::Settings)) -> (Rig, Heard) {
    let (told, line) = mpsc::unbounded_channel();
    let heard = Heard {
        line,
        kept: Vec::new(),
    };
    let script = Script {
        told,
        numbers: Arc::new(1.into()),
    };
    let doors = |mount: &mut Mount| {
        mount.grpc(WaitingServer::new(script.clone()));
        mount.grpc(AgentContactsServer::new(script));
    };
    (start(change, doors).await, heard)
}

/// What routing was told, in any order.
pub struct Heard {
    line: mpsc::UnboundedReceiver<String>,
    kept: Vec<String>,
}

impl Heard {
    /// Waits until routing was told this, once for each time it is asked for.
    pub async fn wait(&mut self, what: &str) {
        let wait = async {
            loop {
                if let Some(at) = self.kept.iter().position(|told| told == what) {
                    self.kept.remove(at);
                    return;
                }
                self.kept
                    .push(self.line.recv().await.expect("routing lives"));
            }
        };
        let heard = tokio::time::timeout(Duration::from_secs(5), wait)
            .await
            .is_ok();
        assert!(heard, "routing did not hear {what}, but {:?}", self.kept);
    }
}
