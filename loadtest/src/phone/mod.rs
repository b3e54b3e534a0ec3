//! Many scripted phones on one SIP socket.
//!
//! A [`Phones`] owns a UDP socket and the dialogs on it. Registered accounts answer what rings them as their [`Script`] says;
//! [`Phones::dial`] places calls. When things happened is taken from the messages as they cross the socket ([`timing`]).

mod audio;
mod dial;
mod ring;
mod timing;

pub use audio::{Heard, Tones, Voice};
pub use dial::{Dial, Dialled, Ending};
pub use ring::{Answered, Script};
pub use timing::Timing;

use anyhow::{Context, Result, anyhow};
use parking_lot::Mutex;
use rsipstack::{
    EndpointBuilder,
    dialog::{
        authenticate::Credential, dialog::DialogState, dialog_layer::DialogLayer,
        registration::Registration,
    },
    sip::{Header, HeadersExt, Method, Param, Request, StatusCode, Uri, typed},
    transaction::{
        endpoint::{EndpointInnerRef, EndpointOption},
        transaction::Transaction,
    },
    transport::{TransportLayer, udp::UdpConnection},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Phones that share a socket.
#[derive(Clone)]
pub struct Phones(Arc<Inner>);

struct Inner {
    endpoint: EndpointInnerRef,
    dialogs: Arc<DialogLayer>,
    address: SocketAddr,
    server: SocketAddr,
    script: Script,
    timing: Timing,
    answered: Mutex<Vec<Answered>>,
    changed: Notify,
    stop: CancellationToken,
}

/// What a phone signs in with.
#[derive(Debug, Clone)]
pub struct Account {
    /// SIP user name.
    pub username: String,
    /// SIP password.
    pub secret: String,
}

impl Phones {
    /// Opens a socket at `bind` whose phones speak to `server` and answer by `script`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn open(bind: SocketAddr, server: SocketAddr, script: Script) -> Result<Self> {
        let stop = CancellationToken::new();
        let layer = TransportLayer::new(stop.clone());
        let udp = UdpConnection::create_connection(bind, None, Some(stop.child_token())).await?;
        let address = udp.get_addr().get_socketaddr()?;
        layer.add_transport(udp.into());
        let timing = Timing::default();
        let endpoint = EndpointBuilder::new()
            .with_user_agent("centro-loadtest")
            .with_transport_layer(layer)
            .with_cancel_token(stop.clone())
            .with_inspector(Box::new(timing.clone()))
            .with_option(EndpointOption {
                timerc: Duration::from_secs(600),
                ..EndpointOption::default()
            })
            .build();
        let mut incoming = endpoint.incoming_transactions()?;
        let phones = Self(Arc::new(Inner {
            dialogs: Arc::new(DialogLayer::new(endpoint.inner.clone())),
            endpoint: endpoint.inner.clone(),
            address,
            server,
            script,
            timing,
            answered: Mutex::default(),
            changed: Notify::new(),
            stop,
        }));
        tokio::spawn(async move { endpoint.serve().await });
        let serving = phones.clone();
        tokio::spawn(async move {
            while let Some(transaction) = incoming.recv().await {
                serving.clone().incoming(transaction);
            }
        });
        Ok(phones)
    }

    /// Where these phones are.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// When messages crossed the socket.
    pub fn timing(&self) -> &Timing {
        &self.0.timing
    }

    /// Registers an account for an hour.
    ///
    /// # Errors
    /// When the registrar says anything but 200.
    pub async fn register(&self, account: &Account) -> Result<()> {
        let credential = Credential {
            username: account.username.clone(),
            password: account.secret.clone(),
            ..Credential::default()
        };
        let mut registration = Registration::new(self.0.endpoint.clone(), Some(credential));
        registration.contact = Some(typed::Contact {
            display_name: None,
            uri: self.uri(&account.username, self.0.address)?,
            params: vec![Param::Expires("3600".into())],
        });
        let server = Uri::try_from(format!("sip:{}", self.0.server).as_str())?;
        let answer = registration.register(server, Some(3_600)).await?;
        if answer.status_code == StatusCode::OK {
            Ok(())
        } else {
            Err(anyhow!(
                "{} was not registered: {}",
                account.username,
                answer.status_code
            ))
        }
    }

    /// The calls that were answered here and are over, in the order of their ends.
    pub fn answered(&self) -> Vec<Answered> {
        self.0.answered.lock().clone()
    }

    /// Waits until `count` answered calls are over, or `patience` has passed.
    pub async fn wait_answered(&self, count: usize, patience: Duration) -> Vec<Answered> {
        let enough = async {
            loop {
                let changed = self.0.changed.notified();
                if self.0.answered.lock().len() >= count {
                    return;
                }
                changed.await;
            }
        };
        // Too few after all this time are what the caller will see.
        let _ = tokio::time::timeout(patience, enough).await;
        self.answered()
    }

    /// Closes the socket.
    pub fn close(&self) {
        self.0.stop.cancel();
    }

    fn uri(&self, user: &str, at: SocketAddr) -> Result<Uri> {
        Uri::try_from(format!("sip:{user}@{at}").as_str()).context("not a SIP user")
    }

    fn incoming(self, mut transaction: Transaction) {
        let within = transaction
            .original
            .to_header()
            .ok()
            .and_then(|to| to.tag().ok().flatten());
        if within.is_some() {
            if let Some(mut dialog) = self.0.dialogs.match_dialog(&transaction) {
                tokio::spawn(async move { dialog.handle(&mut transaction).await });
            } else if transaction.original.method != Method::Ack {
                tokio::spawn(async move {
                    transaction
                        .reply(StatusCode::CallTransactionDoesNotExist)
                        .await
                });
            }
            return;
        }
        match transaction.original.method {
            Method::Invite => self.ring(transaction),
            Method::Ack => {}
            Method::Options => {
                tokio::spawn(async move { transaction.reply(StatusCode::OK).await });
            }
            _ => {
                tokio::spawn(async move { transaction.reply(StatusCode::NotImplemented).await });
            }
        }
    }
}

/// User part of the address a request goes to.
fn dialled(request: &Request) -> String {
    request
        .uri
        .auth
        .as_ref()
        .map(|auth| auth.user.clone())
        .unwrap_or_default()
}

/// User part of the address a request says it comes from.
fn caller(request: &Request) -> String {
    let from = request.from_header().ok().and_then(|from| from.uri().ok());
    from.and_then(|uri| uri.auth)
        .map(|auth| auth.user)
        .unwrap_or_default()
}

fn sdp_headers() -> Vec<Header> {
    vec![Header::ContentType("application/sdp".into())]
}

/// Answers what else may come in a dialog; true when the dialog is over.
async fn during(state: DialogState, voice: &Voice) -> bool {
    match state {
        DialogState::Terminated(..) => return true,
        DialogState::Updated(_, request, handle) => {
            let body = voice.renegotiated(&request.body);
            let _ = handle
                .respond(StatusCode::OK, Some(sdp_headers()), Some(body))
                .await;
        }
        DialogState::Info(_, _, handle)
        | DialogState::Options(_, _, handle)
        | DialogState::Message(_, _, handle)
        | DialogState::Notify(_, _, handle) => {
            let _ = handle.reply(StatusCode::OK).await;
        }
        _ => {}
    }
    false
}
