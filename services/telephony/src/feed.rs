//! Configuration in: events are watched first, then the snapshot is taken, so no change falls between the two.

use crate::{directory::Directory, ua::registrar::Registrar};
use centro_bus::{Seen, Watch};
use centro_node::{Conn, Node, Role};
use centro_proto::{
    configuration::{
        Change, Credentials, GetCredentialsRequest, SnapshotRequest, change::Object,
        configuration_feed_client::ConfigurationFeedClient,
    },
    events::ConfigurationChanged,
};
use parking_lot::RwLock;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// Longest pause between two attempts to reach configuration.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Follows the configuration for ever; `ready` becomes true with the first whole snapshot.
pub async fn follow(
    node: Node,
    directory: Arc<RwLock<Directory>>,
    registrar: Arc<Registrar>,
    ready: watch::Sender<bool>,
) {
    let mut pause = Duration::from_millis(50);
    loop {
        let Ok(mut events) = node.bus().watch(&["*.configuration.#"]).await else {
            tokio::time::sleep(MAX_PAUSE).await;
            continue;
        };
        let mut feed = Feed {
            client: client(&node),
            directory: &directory,
            registrar: &registrar,
        };
        match feed.snapshot().await {
            Ok(objects) => {
                tracing::info!(objects, "configuration loaded");
                ready.send_replace(true);
                pause = Duration::from_millis(50);
                feed.watch(events.as_mut()).await;
            }
            Err(status) => {
                tracing::debug!(%status, "configuration does not answer yet");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
}

fn client(node: &Node) -> ConfigurationFeedClient<Conn> {
    ConfigurationFeedClient::new(node.conn(Role::Configuration)).max_decoding_message_size(16 << 20)
}

struct Feed<'a> {
    client: ConfigurationFeedClient<Conn>,
    directory: &'a RwLock<Directory>,
    registrar: &'a Registrar,
}

impl Feed<'_> {
    async fn snapshot(&mut self) -> Result<usize, tonic::Status> {
        let (mut page_token, mut objects) = (String::new(), 0);
        let mut new = Directory::default();
        loop {
            let page = self
                .client
                .snapshot(SnapshotRequest { page_token })
                .await?
                .into_inner();
            objects += page.changes.len();
            for change in page.changes {
                new.apply(self.complete(change).await?);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let signed_out = self.directory.write().replace(new);
        for device in signed_out {
            self.registrar.forget(device);
        }
        Ok(objects)
    }

    /// Until the bus closes, events were lost, or credentials cannot be had.
    async fn watch(&mut self, events: &mut dyn Watch) {
        while let Some(Seen::Event(event)) = events.next().await {
            let change = event
                .decode::<ConfigurationChanged>()
                .and_then(|e| e.change);
            if let Some(change) = change
                && let Err(status) = self.take(change).await
            {
                tracing::warn!(%status, "a configuration change could not be completed; taking the snapshot again");
                return;
            }
        }
    }

    async fn take(&mut self, change: Change) -> Result<(), tonic::Status> {
        let change = self.complete(change).await?;
        let signed_out = self.directory.write().apply(change);
        if let Some(device) = signed_out {
            self.registrar.forget(device);
        }
        Ok(())
    }

    /// Adds the credentials that events do not carry.
    async fn complete(&mut self, mut change: Change) -> Result<Change, tonic::Status> {
        if change.deleted {
            return Ok(change);
        }
        let tenant = change.tenant_id.clone();
        match &mut change.object {
            Some(Object::Device(o)) if o.credentials.is_none() => {
                let id = o.device.as_ref().map(|d| d.id.clone()).unwrap_or_default();
                o.credentials = self.credentials(tenant, id).await?;
            }
            Some(Object::Trunk(o))
                if o.credentials.is_none() && o.trunk.as_ref().is_some_and(|t| t.digest) =>
            {
                let id = o.trunk.as_ref().map(|t| t.id.clone()).unwrap_or_default();
                o.credentials = self.credentials(tenant, id).await?;
            }
            _ => {}
        }
        Ok(change)
    }

    /// `None` when the object is gone meanwhile: its deletion follows.
    async fn credentials(
        &mut self,
        tenant_id: String,
        id: String,
    ) -> Result<Option<Credentials>, tonic::Status> {
        match self
            .client
            .get_credentials(GetCredentialsRequest { tenant_id, id })
            .await
        {
            Ok(answer) => Ok(Some(answer.into_inner())),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }
}
