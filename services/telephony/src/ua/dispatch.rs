//! The road of each request. Never blocks: whatever waits runs in a task of its own.

use crate::{
    call::Calls,
    directory::Directory,
    metrics,
    notify::Notifier,
    settings::Settings,
    ua::{
        admission::Admission, auth::Auth, endpoint::METHODS, gate::Gate, refusals::Refusals,
        registrar::Registrar, sound::contained,
    },
};
use centro_kernel::Clock;
use centro_node::Lifecycle;
use parking_lot::RwLock;
use rsipstack::{
    dialog::dialog_layer::DialogLayer,
    sip::{Header, HeadersExt, Host, Method, Request, StatusCode},
    transaction::{TransactionReceiver, transaction::Transaction},
    transport::SipAddr,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// What we call ourselves in `User-Agent`.
pub const SERVER: &str = concat!("Centro/", env!("CARGO_PKG_VERSION"));
/// Extensions a peer may require (RFC 3261 §8.2.2.3).
const SUPPORTED: [&str; 1] = ["100rel"];

/// What the road needs.
pub struct UserAgent {
    /// Limits and addresses.
    pub settings: Arc<Settings>,
    /// Running dialogs.
    pub dialogs: Arc<DialogLayer>,
    /// Who may speak.
    pub auth: Arc<Auth>,
    /// What is let in.
    pub gate: Arc<Gate>,
    /// Which refusals are told.
    pub refusals: Refusals,
    /// Registered phones.
    pub registrar: Arc<Registrar>,
    /// Numbers, devices, trunks.
    pub directory: Arc<RwLock<Directory>>,
    /// How many calls.
    pub admission: Admission,
    /// Running calls.
    pub calls: Arc<Calls>,
    /// Events out.
    pub notifier: Notifier,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Whether new calls are taken.
    pub lifecycle: Lifecycle,
}

impl UserAgent {
    /// Takes requests until the endpoint closes.
    pub async fn run(self: Arc<Self>, mut incoming: TransactionReceiver) {
        while let Some(tx) = incoming.recv().await {
            contained("a request", || self.clone().dispatch(tx));
        }
    }

    fn dispatch(self: Arc<Self>, mut tx: Transaction) {
        // A To tag names a dialog; what cannot even be read is refused by the library before it comes here.
        let tagged = tx
            .original
            .to_header()
            .ok()
            .and_then(|to| to.tag().ok().flatten())
            .is_some();
        let unsupported = unsupported(&tx.original);
        if !unsupported.is_empty() {
            metrics::refused("extension");
            let header = Header::Unsupported(unsupported.join(", ").into());
            return reply(tx, StatusCode::BadExtension, vec![header]);
        }
        if tagged {
            match self.dialogs.match_dialog(&tx) {
                Some(mut dialog) => {
                    tokio::spawn(async move {
                        if let Err(error) = dialog.handle(&mut tx).await {
                            tracing::debug!(%error, "a request in a dialog came to nothing");
                        }
                    });
                }
                None if tx.original.method == Method::Ack => {}
                None => reply(tx, StatusCode::CallTransactionDoesNotExist, Vec::new()),
            }
            return;
        }
        let Some(source) = source(&tx) else { return };
        match tx.original.method {
            Method::Register => self.register(tx, source),
            Method::Invite => self.invite(tx, source),
            Method::Options => self.options(tx, source),
            Method::Ack => {}
            _ => reply(tx, StatusCode::MethodNotAllowed, vec![allow()]),
        }
    }

    fn options(&self, tx: Transaction, source: SipAddr) {
        let ours = tx
            .original
            .call_id_header()
            .is_ok_and(|id| id.value() == self.gate.pass());
        let known = ours
            || self.settings.answer_options
            || ip(&source).is_some_and(|ip| self.directory.read().is_trunk(ip))
            || self.registrar.knows(&source);
        if !known {
            return;
        }
        if !self.lifecycle.takes_new() {
            reply(tx, StatusCode::ServiceUnavailable, vec![self.retry_after()]);
        } else {
            let accept = Header::Accept("application/sdp".into());
            reply(tx, StatusCode::OK, vec![allow(), accept]);
        }
    }

    pub(super) fn retry_after(&self) -> Header {
        Header::RetryAfter(
            self.settings
                .retry_after
                .as_secs()
                .max(1)
                .to_string()
                .into(),
        )
    }
}

/// What a request requires and we do not support. The ends of a call are never refused.
fn unsupported(request: &Request) -> Vec<String> {
    if matches!(request.method, Method::Ack | Method::Cancel | Method::Bye) {
        return Vec::new();
    }
    let required = request.headers.iter().filter_map(|header| match header {
        Header::Require(require) => Some(require.value()),
        _ => None,
    });
    required
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .filter(|tag| !SUPPORTED.iter().any(|ours| ours.eq_ignore_ascii_case(tag)))
        .map(|tag| tag.chars().take(64).collect())
        .take(8)
        .collect()
}

/// Our methods.
fn allow() -> Header {
    let methods: Vec<_> = METHODS.iter().map(Method::to_string).collect();
    Header::Allow(methods.join(", ").into())
}

/// Where the request really comes from.
pub(super) fn source(tx: &Transaction) -> Option<SipAddr> {
    tx.connection.as_ref()?.get_remote_addr().cloned()
}

/// The address without port.
pub(crate) fn ip(source: &SipAddr) -> Option<IpAddr> {
    match source.addr.host {
        Host::IpAddr(ip) => Some(ip.to_canonical()),
        Host::Domain(_) => None,
    }
}

/// The address with its port.
pub(crate) fn socket(source: &SipAddr) -> Option<SocketAddr> {
    SocketAddr::try_from(source.addr.clone()).ok()
}

/// Answers for good, in a task.
pub(super) fn reply(mut tx: Transaction, status: StatusCode, headers: Vec<Header>) {
    tokio::spawn(async move {
        if let Err(error) = tx.reply_with(status, headers, None).await {
            tracing::debug!(%error, "an answer could not be sent");
        }
    });
}
