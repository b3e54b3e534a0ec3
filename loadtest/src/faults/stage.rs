//! A cluster with its owner signed in, for one row.

use super::{Outcome, pulse::Pulse};
use crate::{
    api::Api,
    command::agent_tones,
    floor::{Floor, Plan},
    phone::{Phones, Script},
};
use anyhow::{Context, Result};
use centro_testkit::{Cluster, ClusterBuilder, eventually};
use std::{net::SocketAddr, ops::AsyncFnOnce, time::Duration};

/// Longer than a lease lasts and the next owner takes to begin.
pub const TAKEN_OVER: Duration = Duration::from_secs(20);

/// Long enough for what needs no timer, on a busy machine.
pub const SOON: Duration = Duration::from_secs(15);

/// A cluster and whoever may do everything in it.
pub struct Stage {
    /// Processes and engines.
    pub cluster: Cluster,
    /// As the owner.
    pub api: Api,
    /// What the machine is worth meanwhile.
    pub pulse: Pulse,
}

impl Stage {
    /// Runs a row on a cluster. No process of it may panic; when the row is broken the ends of all logs are printed.
    pub async fn with(
        cluster: ClusterBuilder,
        row: impl AsyncFnOnce(&mut Stage, &mut Outcome) -> Result<()>,
    ) -> Result<Outcome> {
        // SIP and AMQP are built with rustls, which wants to be told once which cryptography to use.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cluster = cluster.start().await.context("the cluster starts")?;
        let credentials = cluster.credentials();
        let owner = &credentials.owner;
        let http = cluster.http();
        let api = Api::sign_in(&http, &credentials.tenant, &owner.login, &owner.password);
        let api = api.await.context("the owner signs in")?;
        let pulse = Pulse::begin();
        let mut stage = Self {
            cluster,
            api,
            pulse,
        };
        let mut outcome = Outcome::default();
        if let Err(error) = row(&mut stage, &mut outcome).await {
            outcome.must(false, format!("{error:#}"));
        }
        if let Err(panicked) = stage.cluster.assert_no_panic_anywhere() {
            outcome.must(false, format!("{panicked:#}"));
        }
        if !outcome.is_ok() {
            eprintln!("{}", stage.cluster.logs(25));
        }
        if std::env::var_os("CENTRO_KEEP").is_some() {
            eprintln!("kept: {}", stage.cluster.keep_folder().display());
        }
        Ok(outcome)
    }

    /// Where SIP is spoken.
    pub fn sip(&self) -> SocketAddr {
        self.cluster.sip()
    }

    /// A queue with agents of its own, who answer at once and talk so long once they hear the caller.
    ///
    /// # Errors
    /// The centre refuses.
    pub async fn floor(&self, agents: usize, talk: Duration, ready: bool) -> Result<Floor> {
        self.floor_of(&self.api, agents, talk, ready).await
    }

    /// The same of another tenant.
    ///
    /// # Errors
    /// The centre refuses.
    pub async fn floor_of(
        &self,
        api: &Api,
        agents: usize,
        talk: Duration,
        ready: bool,
    ) -> Result<Floor> {
        let script = Script {
            talk: Some(talk),
            after_hello: true,
            tones: agent_tones(true),
            ..Script::default()
        };
        let plan = Plan {
            agents,
            record: false,
            script,
            ready,
        };
        Floor::at(self.sip(), api, &plan).await
    }

    /// A socket for callers.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn callers(&self) -> Result<Phones> {
        Phones::open("127.0.0.1:0".parse()?, self.sip(), Script::default()).await
    }

    /// Waits until so many callers wait in the queue.
    ///
    /// # Errors
    /// They do not in time.
    pub async fn waiting(&self, queue: &str, callers: usize, within: Duration) -> Result<()> {
        eventually(&format!("{callers} callers wait"), within, async || {
            let line = self.line(queue).await?;
            anyhow::ensure!(line.len() == callers, "{} do", line.len());
            Ok(())
        })
        .await
    }

    /// The contacts that wait in the queue, in their order.
    ///
    /// # Errors
    /// The centre does not answer.
    pub async fn line(&self, queue: &str) -> Result<Vec<String>> {
        let statuses = self.api.get("/v1/queue-statuses?pageSize=200").await?;
        let all = statuses["queues"].as_array().cloned().unwrap_or_default();
        let status = all.into_iter().find(|status| status["queueId"] == queue);
        let status = status.with_context(|| format!("no status of {queue}"))?;
        let contacts = status["contacts"].as_array().cloned().unwrap_or_default();
        let ids = contacts
            .iter()
            .map(|contact| contact["contactId"].as_str().unwrap_or_default().to_owned());
        Ok(ids.collect())
    }
}
