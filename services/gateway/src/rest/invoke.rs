//! Calling an RPC without generated code: the request is encoded by reflection, the reply stays bytes.

use bytes::{Buf, Bytes};
use centro_contract::caller::SOURCE;
use centro_node::Conn;
use futures::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION, uri::PathAndQuery};
use prost::Message;
use prost_reflect::DynamicMessage;
use std::{convert::Infallible, time::Duration};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
};

/// Largest message a service may answer with, in bytes.
const MAX_REPLY: usize = 16 << 20;

/// The only headers of the caller that reach a service, beside the token.
const FORWARDED: [&str; 6] = [
    "traceparent",
    "tracestate",
    "baggage",
    "x-request-id",
    "last-event-id",
    SOURCE,
];

#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = DynamicMessage;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(to)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// A call to be made.
pub struct Invocation {
    /// Which service.
    pub conn: Conn,
    /// Which RPC.
    pub path: PathAndQuery,
    /// With what.
    pub message: DynamicMessage,
    /// The caller's token.
    pub token: Option<String>,
    /// The caller's headers.
    pub headers: HeaderMap,
    /// Time to the first answer.
    pub deadline: Duration,
}

impl Invocation {
    fn prepare(self) -> (Grpc<Conn>, Request<DynamicMessage>, PathAndQuery, Duration) {
        let mut kept = HeaderMap::new();
        for name in FORWARDED {
            if let Some(value) = self.headers.get(name) {
                kept.insert(name, value.clone());
            }
        }
        if let Some(value) = self
            .token
            .and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok())
        {
            kept.insert(AUTHORIZATION, value);
        }
        let mut request = Request::new(self.message);
        *request.metadata_mut() = MetadataMap::from_headers(kept);
        request.set_timeout(self.deadline); // grpc-timeout: the far side stops too
        (
            Grpc::new(self.conn).max_decoding_message_size(MAX_REPLY),
            request,
            self.path,
            self.deadline,
        )
    }

    /// One request, one reply.
    ///
    /// # Errors
    /// The service's status, or `DEADLINE_EXCEEDED`.
    pub async fn unary(self) -> Result<Bytes, Status> {
        let (mut grpc, request, path, deadline) = self.prepare();
        let call = async {
            grpc.ready()
                .await
                .map_err(|never: Infallible| -> Status { match never {} })?;
            Ok(grpc.unary(request, path, Raw).await?.into_inner())
        };
        tokio::time::timeout(deadline, call)
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")))
    }

    /// One request, many replies.
    ///
    /// # Errors
    /// The service's status when it refuses before the first reply.
    pub async fn stream(
        self,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>> + Send + use<>, Status> {
        let (mut grpc, request, path, deadline) = self.prepare();
        let call = async {
            grpc.ready()
                .await
                .map_err(|never: Infallible| -> Status { match never {} })?;
            Ok(grpc
                .server_streaming(request, path, Raw)
                .await?
                .into_inner()
                .boxed())
        };
        tokio::time::timeout(deadline, call)
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")))
    }
}
