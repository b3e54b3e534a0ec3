//! Puts the services of this process together, on the adapters that [`Adapters`] chooses.

use crate::{adapters::Adapters, first_look, settings::Settings};
use anyhow::{Context, Result};
use centro_contract::Keys;
use centro_kernel::SystemClock;
use centro_node::{Lifecycle, Mount, Node, NodeBuilder, Role, Service, telemetry::Metrics};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};
use tonic::transport::server::TcpIncoming;

/// What was put together.
pub struct Started {
    pub node: Node,
    pub adapters: Adapters,
    /// Where HTTP is answered, once it is.
    pub http: watch::Receiver<Option<SocketAddr>>,
}

/// For what services are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// A centre, or a part of one.
    Centre,
    /// One task of an administrator. Services that must hear of it do not run: it waits in the outbox for the next start.
    Task,
}

/// Builds the node, starts the services of `roles` and opens their doors.
pub async fn start(
    settings: Settings,
    roles: &[Role],
    purpose: For,
    secret: &[u8],
    arbiters: Vec<actix::ArbiterHandle>,
    lifecycle: Lifecycle,
    metrics: Metrics,
) -> Result<Started> {
    first_look::at_records(&settings, roles).await?;
    let adapters = match purpose {
        For::Centre => {
            first_look::at_cluster(&settings, secret).await?;
            Adapters::connect(&settings, roles, secret).await?
        }
        For::Task => Adapters::alone(),
    };
    let name = if settings.node.name.is_empty() {
        "centro".to_owned()
    } else {
        settings.node.name.clone()
    };
    let builder = NodeBuilder {
        name,
        bus: adapters.bus.port(),
        clock: Arc::new(SystemClock),
        ownership: adapters.ownership(),
        keys: Keys::new(secret),
        data: settings.node.data.clone(),
        records: settings
            .records
            .records(&settings.node.data)
            .map_err(anyhow::Error::msg)?,
        arbiters,
        lifecycle,
    };
    let node = adapters.build(builder, roles);

    let (bound, http) = watch::channel(None);
    let mut mount = Mount::default();
    for role in roles {
        tracing::debug!(%role, "starting");
        let result = match role {
            Role::Identity => {
                host::<centro_identity::Identity>(&settings.identity, &node, &mut mount).await
            }
            Role::Configuration => {
                host::<centro_configuration::Configuration>(
                    &settings.configuration,
                    &node,
                    &mut mount,
                )
                .await
            }
            Role::Telephony => {
                host::<centro_telephony::Telephony>(&settings.telephony, &node, &mut mount).await
            }
            Role::Routing => {
                let mut routing = settings.routing.clone();
                routing.shared = adapters.hot_state(&settings);
                host::<centro_routing::Routing>(&routing, &node, &mut mount).await
            }
            Role::Chat => host::<centro_chat::Chat>(&(), &node, &mut mount).await,
            Role::Dialer => host::<centro_dialer::Dialer>(&(), &node, &mut mount).await,
            Role::Analytics => {
                host::<centro_analytics::Analytics>(&settings.analytics, &node, &mut mount).await
            }
            Role::Gateway => {
                let mut gateway = settings.gateway.clone();
                gateway.public = adapters.integrators();
                gateway.bound = Some(bound.clone());
                gateway.metrics = Some(metrics.clone());
                host::<centro_gateway::Gateway>(&gateway, &node, &mut mount).await
            }
        };
        result.with_context(|| format!("{role} cannot start"))?;
    }

    let routes = match purpose {
        For::Centre => node.open(mount),
        For::Task => node.open_alone(mount),
    };
    if !settings.node.grpc_bind.is_empty() {
        let listener = TcpListener::bind(&settings.node.grpc_bind)
            .await
            .with_context(|| {
                format!(
                    "node.grpc_bind: cannot listen on {}",
                    settings.node.grpc_bind
                )
            })?;
        let stopping = node.lifecycle().stopping();
        tokio::spawn(async move {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let server = tonic::transport::Server::builder()
                .http2_keepalive_interval(Some(Duration::from_secs(30)))
                .add_routes(routes)
                .serve_with_incoming_shutdown(incoming, stopping.cancelled());
            if let Err(error) = server.await {
                tracing::error!(%error, "the gRPC door closed");
            }
        });
    }
    Ok(Started {
        node,
        adapters,
        http,
    })
}

async fn host<S>(settings: &S::Settings, node: &Node, mount: &mut Mount) -> Result<()>
where
    S: Service,
    S::Settings: Clone,
{
    S::start(settings.clone(), node.clone(), mount).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SettingsArguments, acting, settings};
    use centro_bus::Event;
    use centro_kernel::{EventId, TenantId, Timestamp, UserId};
    use centro_proto::{
        events::{AgentStateChanged, UserChanged},
        types::AgentState,
    };
    use centro_store::{
        Db, outbox,
        sea_orm::{ConnectionTrait, Statement},
    };
    use centro_testkit::engines::{self, on_both_engines};
    use std::path::Path;

    const SOON: Duration = Duration::from_secs(20);

    async fn settings_of(data: &Path) -> Settings {
        let from = SettingsArguments {
            data: Some(data.to_owned()),
            set: vec![format!("records.url={}", engines::records().await)],
            ..SettingsArguments::default()
        };
        settings::load(&from).unwrap()
    }

    async fn started(data: &Path, roles: &[Role], purpose: For) -> (Started, Lifecycle) {
        let (settings, lifecycle) = (settings_of(data).await, Lifecycle::default());
        let started = super::start(
            settings,
            roles,
            purpose,
            &[7; 32],
            Vec::new(),
            lifecycle.clone(),
            Metrics::default(),
        );
        (started.await.unwrap(), lifecycle)
    }

    async fn database(data: &Path, service: &str) -> Db {
        let records = settings_of(data).await.records.records(data).unwrap();
        records.open(service).await.unwrap().of_all()
    }

    /// Rows of a table, those of one event where an id is given.
    async fn rows(db: &Db, table: &str, event: Option<EventId>) -> i64 {
        let only = event.map_or_else(String::new, |id| format!(" WHERE event_id = '{id}'"));
        let text = format!("SELECT COUNT(*) AS n FROM {table}{only}");
        let asked = Statement::from_string(db.get_database_backend(), text);
        let row = db.query_one_raw(asked).await.unwrap().unwrap();
        row.try_get("", "n").unwrap()
    }

    async fn becomes(db: &Db, table: &str, event: Option<EventId>, wanted: i64) {
        let looking = async {
            while rows(db, table, event).await != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(SOON, looking)
            .await
            .unwrap_or_else(|_| panic!("{table} has not {wanted} rows"));
    }

    #[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
    async fn what_waits_in_an_outbox_is_told_when_all_listen_and_not_by_a_task() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let (task, ends) = started(data, &[Role::Identity], For::Task).await;
        let owner = acting::Login::generate("owner@acme.test");
        let tenant = acting::create_tenant(&task.node, "acme", "Acme", &owner)
            .await
            .unwrap();
        let tenant: TenantId = tenant.id.parse().unwrap();
        ends.stop();
        drop(task);

        let identity = database(data, "identity").await;
        let told = rows(&identity, "outbox", None).await;
        assert!(told > 0, "the task told nobody of the new owner");
        let now = Timestamp::from_millis(1_790_000_000_000);
        let user = UserId::generate().to_string();
        let changed = UserChanged {
            user_id: user.clone(),
            disabled: true,
            ..UserChanged::default()
        };
        let (person, agent) = (
            Event::new(Some(tenant), "identity.user.changed", &user, now, &changed),
            agent_changed(tenant, now),
        );
        outbox::append_all(&identity, &[person.clone(), agent.clone()])
            .await
            .unwrap();

        // Identity first: whoever comes after it must hear of this all the same.
        let roles = [Role::Identity, Role::Configuration, Role::Analytics];
        let (centre, ends) = started(data, &roles, For::Centre).await;
        let configuration = database(data, "configuration").await;
        let analytics = database(data, "analytics").await;
        becomes(&configuration, "inbox", Some(person.id), 1).await;
        becomes(&analytics, "inbox", Some(agent.id), 1).await;
        becomes(&identity, "outbox", None, 0).await;
        ends.stop();
        centre.adapters.close().await;
    }

    /// An event that analytics counts.
    fn agent_changed(tenant: TenantId, now: Timestamp) -> Event {
        let agent = UserId::generate().to_string();
        let changed = AgentStateChanged {
            agent_id: agent.clone(),
            state: AgentState::Ready.into(),
            device_online: true,
            ..AgentStateChanged::default()
        };
        Event::new(
            Some(tenant),
            "routing.agent.state_changed",
            &agent,
            now,
            &changed,
        )
    }
}
