//! The gateway's section of the settings.

use serde::Deserialize;
use std::{net::SocketAddr, time::Duration};
use tokio::sync::watch;

/// Keys of `[gateway]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where HTTP is answered. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Largest request body, in bytes.
    pub max_body: usize,
    /// Other origins whose pages may call the API, e.g. `https://desk.example.com`. Our own pages need no entry.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` or `Forwarded` is believed: addresses and networks.
    pub trusted_proxies: Vec<String>,
    /// How long the body of a request may take to arrive.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// How long a request may take when it has no `Request-Timeout`.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// Longest `Request-Timeout` that is honoured.
    #[serde(with = "humantime_serde")]
    pub longest_request_timeout: Duration,
    /// Threads that speak HTTP.
    pub workers: usize,
    /// How often a quiet live stream says that it is alive.
    #[serde(with = "humantime_serde")]
    pub live_heartbeat: Duration,
    /// Live streams this process carries at once.
    pub live_connections: usize,
    /// How long a live stream may take to say whose it is.
    #[serde(skip, default = "introduction")]
    pub live_introduction: Duration,
    /// Told the bound address once HTTP is answered.
    #[serde(skip)]
    pub bound: Option<watch::Sender<Option<SocketAddr>>>,
    /// Where integrators are told; without it they are not.
    #[serde(skip)]
    pub public: Option<crate::Public>,
    /// What `/metrics` shows; without it the path answers 404.
    #[serde(skip)]
    pub metrics: Option<centro_node::telemetry::Metrics>,
}

fn introduction() -> Duration {
    Duration::from_secs(3)
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_body: 1 << 20,
            allowed_origins: vec![],
            trusted_proxies: vec![],
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(10),
            longest_request_timeout: Duration::from_secs(60),
            workers: 2,
            live_heartbeat: Duration::from_secs(2),
            live_connections: 1000,
            live_introduction: introduction(),
            bound: None,
            public: None,
            metrics: None,
        }
    }
}

impl Settings {
    /// Whether the values make sense together.
    ///
    /// # Errors
    /// A sentence that names the key and says what to write instead.
    pub fn validate(&self) -> Result<(), String> {
        if !(1024..=64 << 20).contains(&self.max_body) {
            return Err("gateway.max_body: write 1024 to 67108864 (bytes)".into());
        }
        for origin in &self.allowed_origins {
            let good = origin.starts_with("https://") || origin.starts_with("http://");
            if !good || origin.ends_with('/') {
                return Err(format!(
                    "gateway.allowed_origins: {origin} is no origin; write scheme and host without a slash at the end, \
                     e.g. \"https://desk.example.com\""
                ));
            }
        }
        if let Err(wrong) = crate::source::Proxies::new(&self.trusted_proxies) {
            return Err(format!(
                "gateway.trusted_proxies: {wrong} is no address or network; write e.g. \"10.0.0.0/8\""
            ));
        }
        if self.body_timeout.is_zero() {
            return Err("gateway.body_timeout: write more than 0s, e.g. \"30s\"".into());
        }
        if self.request_timeout.is_zero() || self.request_timeout > self.longest_request_timeout {
            return Err(
                "gateway.request_timeout: write more than 0s and at most longest_request_timeout"
                    .into(),
            );
        }
        if !(1..=64).contains(&self.workers) {
            return Err("gateway.workers: write 1 to 64".into());
        }
        if self.live_heartbeat.is_zero() {
            return Err("gateway.live_heartbeat: write more than 0s, e.g. \"15s\"".into());
        }
        if self.live_connections == 0 {
            return Err("gateway.live_connections: write at least 1".into());
        }
        Ok(())
    }
}
