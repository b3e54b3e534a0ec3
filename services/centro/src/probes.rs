//! Probes and metrics over HTTP, for processes that have no gateway. Nothing else is answered, to anybody.

use crate::settings::Settings;
use actix_web::{App, HttpResponse, HttpServer, http::header, web};
use anyhow::Context;
use centro_node::{Node, health::Report, telemetry::Metrics};

/// Opens the door, if there is to be one. It closes when the process stops.
///
/// # Errors
/// The address cannot be listened on.
pub fn open(settings: &Settings, node: &Node, metrics: Metrics) -> anyhow::Result<()> {
    let bind = &settings.node.probe_bind;
    if bind.is_empty() {
        return Ok(());
    }
    let shared = web::Data::new((node.clone(), metrics));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .route("/health/live", web::get().to(live))
            .route("/health/ready", web::get().to(ready))
            .route("/health/startup", web::get().to(startup))
            .route("/metrics", web::get().to(render))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .bind(bind)
    .with_context(|| format!("node.probe_bind: cannot listen on {bind}"))?
    .run();
    let (handle, stopping) = (server.handle(), node.lifecycle().stopping());
    tokio::spawn(async move {
        stopping.cancelled().await;
        handle.stop(true).await;
    });
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the door for probes closed");
        }
    });
    Ok(())
}

type Shared = web::Data<(Node, Metrics)>;

async fn live(shared: Shared) -> HttpResponse {
    answer(&shared.0.live())
}

async fn ready(shared: Shared) -> HttpResponse {
    answer(&shared.0.ready())
}

async fn startup(shared: Shared) -> HttpResponse {
    answer(&shared.0.startup())
}

async fn render(shared: Shared) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(shared.1.render())
}

fn answer(report: &Report) -> HttpResponse {
    let mut response = match report.ok {
        true => HttpResponse::Ok(),
        false => HttpResponse::ServiceUnavailable(),
    };
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(report)
}
