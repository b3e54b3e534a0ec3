//! Recordings: lists, and the sound in pieces.

use crate::{
    grpc::{id, timestamp},
    recordings::Recordings,
    store::recording,
};
use bytes::Bytes;
use centro_contract::{principal, status::from_fault};
use centro_kernel::{Fault, Timestamp};
use centro_proto::{
    google::api::HttpBody,
    telephony::{
        DownloadRecordingRequest, GetRecordingRequest, ListRecordingsRequest,
        ListRecordingsResponse, Recording, recordings_server,
    },
};
use tokio::{io::AsyncReadExt, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Largest piece of a download.
const PIECE: usize = 64 * 1024;

/// The door.
pub struct RecordingsDoor(pub Recordings);

#[tonic::async_trait]
impl recordings_server::Recordings for RecordingsDoor {
    type DownloadRecordingStream = ReceiverStream<Result<HttpBody, Status>>;

    async fn list_recordings(
        &self,
        request: Request<ListRecordingsRequest>,
    ) -> Result<Response<ListRecordingsResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let request = request.into_inner();
        let contact = match request.contact_id.as_str() {
            "" => None,
            text => Some(id(text, "contact_id")?),
        };
        let page = self
            .0
            .list(tenant, contact, request.page_size, &request.page_token)
            .await;
        let (rows, next_page_token) = page.map_err(from_fault)?;
        let mut recordings = Vec::with_capacity(rows.len());
        for row in rows {
            recordings.push(self.to_proto(row).await);
        }
        Ok(Response::new(ListRecordingsResponse {
            recordings,
            next_page_token,
        }))
    }

    async fn get_recording(
        &self,
        request: Request<GetRecordingRequest>,
    ) -> Result<Response<Recording>, Status> {
        let (tenant, _) = principal(&request)?;
        let recording = id(&request.into_inner().id, "id")?;
        let row = self.0.get(tenant, recording).await.map_err(from_fault)?;
        Ok(Response::new(self.to_proto(row).await))
    }

    async fn download_recording(
        &self,
        request: Request<DownloadRecordingRequest>,
    ) -> Result<Response<Self::DownloadRecordingStream>, Status> {
        let (tenant, _) = principal(&request)?;
        let recording = id(&request.into_inner().id, "id")?;
        let row = self.0.get(tenant, recording).await.map_err(from_fault)?;
        let path = self.0.file(&row).map_err(from_fault)?;
        let mut file = tokio::fs::File::open(&path).await.map_err(|error| {
            tracing::warn!(%error, path = %path.display(), "a recording's file is missing");
            from_fault(Fault::not_found("recording", &row.id))
        })?;
        let (pieces, stream) = mpsc::channel(4);
        tokio::spawn(async move {
            loop {
                let mut piece = vec![0; PIECE];
                let read = match file.read(&mut piece).await {
                    Ok(0) => return,
                    Ok(read) => read,
                    Err(error) => {
                        let _ = pieces.send(Err(from_fault(Fault::internal(error)))).await;
                        return;
                    }
                };
                piece.truncate(read);
                let body = HttpBody {
                    content_type: "audio/wav".to_owned(),
                    data: Bytes::from(piece),
                };
                if pieces.send(Ok(body)).await.is_err() {
                    return; // the listener went away
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

impl RecordingsDoor {
    async fn to_proto(&self, row: recording::Model) -> Recording {
        let size_bytes = match self.0.file(&row) {
            Ok(path) => tokio::fs::metadata(path)
                .await
                .map(|m| m.len())
                .unwrap_or_default(),
            Err(_) => 0,
        };
        let millis = row.duration_ms.max(0);
        Recording {
            id: row.id,
            contact_id: row.contact_id,
            queue_id: row.queue_id,
            agent_id: row.agent_id,
            start_time: Some(timestamp(Timestamp::from_millis(row.started_ms))),
            duration: Some(prost_types::Duration {
                seconds: millis / 1000,
                nanos: i32::try_from(millis % 1000).unwrap_or(0) * 1_000_000,
            }),
            finished: row.finished,
            size_bytes,
            failed: row.failed,
        }
    }
}
