//! The only public HTTP door: REST for every RPC that has a URL, the live stream, the web pages, probes and metrics.
//! It decides nothing but access: services do the work, asked with the
//! caller's own token. It owns no data but the answers that `repeats` gives again and the numbers of what `integrations` told.
//!
//! | in | goes to |
//! |---|---|
//! | `/v1/…` | `rest`: transcoded to the RPC whose proto has that URL |
//! | `/v1/live` | `live`: events of the caller's tenant over WebSocket |
//! | events of the bus | `integrations`: numbered, in JSON, on the exchange of integrators |
//! | `/openapi.json` | `openapi`: the document, from the same descriptors |
//! | `/health/…`, `/metrics` | the node's own reports |
//! | everything else | `pages`: the web application |

mod asyncapi;
mod callers;
mod door;
mod integrations;
mod live;
mod openapi;
mod origin;
mod pages;
mod repeats;
mod rest;
mod settings;
mod source;

pub use integrations::{Public, Told};
pub use repeats::first_look;
pub use settings::Settings;

use actix_web::{
    App, HttpServer,
    middleware::{Compress, from_fn},
    web,
};
use anyhow::Context;
use async_trait::async_trait;
use centro_contract::Api;
use centro_node::{Mount, Node, Role, Service};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The gateway.
#[derive(Debug)]
pub struct Gateway;

/// How long requests in progress may go on when the process stops.
const LAST_REQUESTS: u64 = 5;

#[async_trait]
impl Service for Gateway {
    const ROLE: Role = Role::Gateway;
    type Settings = Settings;

    async fn start(settings: Settings, node: Node, _mount: &mut Mount) -> anyhow::Result<()> {
        let api = Api::installed().context("the protos break the contract")?;
        let callers = Arc::new(callers::Callers::new(node.clone()));
        let repeats = repeats::Repeats::open(&node).await?;
        if let Some(public) = &settings.public {
            integrations::start(&node, repeats.db(), public.clone()).await?;
        }
        let runtime = tokio::runtime::Handle::current();
        let shared = web::Data::new(door::Shared {
            rest: rest::Rest::new(
                api.clone(),
                node.clone(),
                callers.clone(),
                &settings,
                repeats,
                runtime,
            ),
            openapi: openapi::document(&api).to_string().into(),
            callers,
            live: Arc::new(live::Open::new(settings.live_connections)),
            lobby: Arc::new(live::Lobby::default()),
            proxies: source::Proxies::new(&settings.trusted_proxies)
                .map_err(|wrong| anyhow::anyhow!("gateway.trusted_proxies: {wrong}"))?,
            node: node.clone(),
            settings: settings.clone(),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .wrap(Compress::default())
                .wrap(from_fn(door::secure))
                .configure(door::routes)
        })
        .workers(settings.workers)
        .disable_signals()
        .shutdown_timeout(LAST_REQUESTS)
        .client_request_timeout(Duration::from_secs(10))
        .bind(settings.bind)
        .with_context(|| format!("gateway.bind: cannot listen on {}", settings.bind))?;
        let bound = server
            .addrs()
            .first()
            .copied()
            .context("gateway.bind: no address")?;
        let server = server.run();
        let handle = server.handle();
        let stopping = node.lifecycle().stopping();
        tokio::spawn(async move {
            stopping.cancelled().await;
            handle.stop(true).await;
        });
        tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the HTTP door closed");
            }
        });
        tracing::info!(address = %bound, "answering HTTP");
        if let Some(told) = &settings.bound {
            told.send_replace(Some(bound));
        }
        Ok(())
    }
}

/// The OpenAPI 3.1 document of this build, as JSON; a sentence instead when the protos break the contract.
pub fn openapi_document() -> String {
    match Api::installed() {
        Ok(api) => openapi::document(&api).to_string(),
        Err(error) => error.to_string(),
    }
}

/// What integrators are told: the AsyncAPI 3 document of this build, and its JSON Schemas by file name; a sentence instead
/// when the protos break the contract.
///
/// # Errors
/// The sentence.
pub fn asyncapi_document()
-> Result<(serde_json::Value, BTreeMap<String, serde_json::Value>), String> {
    let api = Api::installed().map_err(|error| error.to_string())?;
    Ok((asyncapi::document(&api), asyncapi::schemas(&api)))
}
