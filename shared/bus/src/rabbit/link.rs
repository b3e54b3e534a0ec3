//! One connection to the broker that is built anew whenever it is lost.

use super::{RabbitError, backoff::Backoff, error::address};
use futures::StreamExt;
use lapin::{
    Channel, Connection, ConnectionProperties, ConnectionState, ErrorKind, Event, uri::AMQPUri,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How long the broker may take to greet a connection. lapin cannot be told to stop trying: what is given up here lingers
/// in a thread of its own until the peer answers or the network says no, so this is long and the tries are few.
const GREETING: Duration = Duration::from_secs(15);
/// How often the state of the connection is looked at: lapin does not tell of every end.
const LOOK: Duration = Duration::from_millis(500);
/// How long the broker may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

pub(super) struct Link {
    /// What it is for, as the broker's operator sees it.
    purpose: &'static str,
    uri: AMQPUri,
    live: watch::Sender<Option<Arc<Connection>>>,
    /// Somebody met an error: look whether the connection still lives.
    suspect: Notify,
    /// To be closed for good.
    cut: CancellationToken,
}

impl Link {
    /// Connects once, within a time. The connection is kept up by [`Link::keep`], which the caller spawns.
    pub(super) async fn open(
        purpose: &'static str,
        uri: &AMQPUri,
        within: Duration,
        cut: &CancellationToken,
    ) -> Result<Arc<Self>, RabbitError> {
        let connection = connect(purpose, uri, within).await?;
        Ok(Arc::new(Self {
            purpose,
            uri: uri.clone(),
            live: watch::Sender::new(Some(Arc::new(connection))),
            suspect: Notify::new(),
            cut: cut.clone(),
        }))
    }

    pub(super) fn connected(&self) -> bool {
        let live = self.live.borrow();
        live.as_ref()
            .is_some_and(|connection| connection.status().connected())
    }

    /// A new channel, as soon as there is a connection.
    ///
    /// # Errors
    /// The link is closed for good, or the broker gives no channel.
    pub(super) async fn channel(&self) -> lapin::Result<Channel> {
        let mut live = self.live.subscribe();
        let connection = tokio::select! {
            () = self.cut.cancelled() => None,
            live = live.wait_for(Option::is_some) => live.ok().and_then(|live| live.clone()),
        };
        match connection {
            Some(connection) => self.check(connection.create_channel().await),
            None => Err(closed()),
        }
    }

    /// Resolves when the connection of this moment is lost.
    pub(super) async fn changed(&self) {
        let mut live = self.live.subscribe();
        // The sender is in this link.
        let _ = live.changed().await;
    }

    /// Passes a result on; an error has the connection looked at.
    pub(super) fn check<T>(&self, result: lapin::Result<T>) -> lapin::Result<T> {
        if result.is_err() {
            self.suspect.notify_one();
        }
        result
    }

    /// Builds the connection anew whenever it is lost, until the link is closed for good.
    pub(super) async fn keep(self: Arc<Self>) {
        let address = address(&self.uri);
        loop {
            let connection = self.live.borrow().clone();
            if let Some(connection) = connection {
                let reason = self.lost(&connection).await;
                if self.cut.is_cancelled() {
                    let goodbye = connection.close(200, "closed".into());
                    // One that cannot even be closed is gone.
                    let _ = timeout(FAREWELL, goodbye).await;
                    self.live.send_replace(None);
                    return;
                }
                tracing::warn!(%address, purpose = self.purpose, reason, "lost the connection to RabbitMQ");
            }
            self.live.send_replace(None);
            let Some(connection) = self.regain().await else {
                return;
            };
            tracing::info!(%address, purpose = self.purpose, "connected to RabbitMQ again");
            self.live.send_replace(Some(Arc::new(connection)));
        }
    }

    /// Returns when the connection is no more, or is to be closed, with what was said of the reason.
    async fn lost(&self, connection: &Connection) -> Option<String> {
        let mut reason = None;
        let mut events = std::pin::pin!(connection.events_listener());
        while connection.status().connected() {
            tokio::select! {
                () = self.cut.cancelled() => return None,
                () = self.suspect.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                Some(event) = events.next() => match event {
                    Event::ConnectionBlocked(reason) => {
                        tracing::warn!(%reason, "RabbitMQ takes no events for now");
                    }
                    Event::Error(error) => reason = Some(error.to_string()),
                    Event::ConnectionUnblocked => tracing::info!("RabbitMQ takes events again"),
                    _ => {}
                },
            }
        }
        reason
    }

    async fn regain(&self) -> Option<Connection> {
        let mut backoff = Backoff::default();
        loop {
            let connection = tokio::select! {
                () = self.cut.cancelled() => return None,
                connection = connect(self.purpose, &self.uri, GREETING) => connection,
            };
            match connection {
                Ok(connection) => return Some(connection),
                Err(error) if error.is_away() => {
                    tracing::debug!(%error, "no connection to RabbitMQ yet");
                }
                Err(error) => tracing::error!(%error, "no connection to RabbitMQ"),
            }
            tokio::select! {
                () = self.cut.cancelled() => return None,
                () = backoff.pause() => {}
            }
        }
    }
}

/// There is no connection.
pub(super) fn closed() -> lapin::Error {
    ErrorKind::InvalidConnectionState(ConnectionState::Closed).into()
}

async fn connect(
    purpose: &str,
    uri: &AMQPUri,
    within: Duration,
) -> Result<Connection, RabbitError> {
    let name = format!("centro {purpose} {}", std::process::id());
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    match timeout(within, Connection::connect_uri(uri.clone(), properties)).await {
        Ok(connection) => connection.map_err(|error| RabbitError::of_connection(uri, &error)),
        Err(_) => Err(RabbitError::Unreachable {
            address: address(uri),
            reason: format!("no greeting within {within:?}"),
        }),
    }
}
