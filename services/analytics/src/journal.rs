//! gRPC in: the kept events, read from the database page by page while the reader takes them.

use crate::{
    store::{PAGE, Read, Store},
    words,
};
use centro_contract::status::from_fault;
use centro_kernel::{Clock, Fault, Timestamp};
use centro_proto::analytics::{JournalEvent, ReplayRequest, ReplayResponse, journal_server};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Pages read ahead of the reader.
const AHEAD: usize = 4;

/// The `Journal` server.
pub(crate) struct Journal {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl journal_server::Journal for Journal {
    type ReplayStream = ReceiverStream<Result<ReplayResponse, Status>>;

    async fn replay(
        &self,
        request: Request<ReplayRequest>,
    ) -> Result<Response<Self::ReplayStream>, Status> {
        let (request, now) = (request.into_inner(), self.clock.now());
        let from = request.from.as_ref().map(words::time);
        let to = request.to.as_ref().map_or(now, words::time);
        let since = self.store.journal_complete_since(now).await;
        let since = since.map_err(from_fault)?;
        let (sender, answers) = mpsc::channel(AHEAD);
        let first = ReplayResponse {
            complete_since: Some(words::time_out(since)),
            events: Vec::new(),
        };
        let _ = sender.try_send(Ok(first));
        let (store, from) = (self.store.clone(), from.unwrap_or(since));
        tokio::spawn(async move {
            if let Err(fault) = send(&store, from, to, &sender).await {
                let _ = sender.send(Err(from_fault(fault))).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}

/// Ends when all is sent, or nobody reads any more.
async fn send(
    store: &Store,
    from: Timestamp,
    to: Timestamp,
    sender: &mpsc::Sender<Result<ReplayResponse, Status>>,
) -> Result<(), Fault> {
    let mut after = 0;
    loop {
        let read = store.journal(from, to, after).await?;
        let (count, last) = (read.len() as u64, read.last().map(|event| event.place));
        let page = ReplayResponse {
            complete_since: None,
            events: read.into_iter().map(out).collect(),
        };
        if count > 0 && sender.send(Ok(page)).await.is_err() {
            return Ok(());
        }
        match last {
            Some(last) if count == PAGE => after = last,
            _ => return Ok(()),
        }
    }
}

fn out(read: Read) -> JournalEvent {
    JournalEvent {
        tenant_id: read.tenant,
        kind: read.kept.kind,
        time: Some(words::time_out(read.kept.at)),
        data: read.kept.data,
    }
}
