//! Who speaks: digest answers judged against the directory, with limits on failures.

use crate::{
    core::{
        digest::{self, Account, Algorithm, Response},
        nonce::{Freshness, Nonces},
        puzzled::Puzzled,
        throttle::{Limits, Throttle},
    },
    directory::{Directory, Login},
    grpc::timestamp,
    notify::Notifier,
    settings::Settings,
};
use centro_kernel::{Clock, Timestamp};
use centro_proto::events::SourceBanned;
use parking_lot::{Mutex, RwLock};
use rsipstack::sip::{HasHeaders, Header, HeadersExt, Request};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Verdict on a request.
pub enum Verdict {
    /// Known; this is who.
    Known(Login),
    /// Not known, or not any more: challenge.
    Challenge {
        /// The secret was right and only the nonce was not.
        stale: bool,
    },
    /// The source failed too often.
    Banned,
}

/// Judges requests.
pub struct Auth {
    realm: String,
    hashes: Vec<Algorithm>,
    nonces: Mutex<Nonces>,
    throttle: Mutex<Throttle>,
    puzzled: Mutex<Puzzled>,
    directory: Arc<RwLock<Directory>>,
    notifier: Notifier,
    clock: Arc<dyn Clock>,
}

impl Auth {
    /// With fresh keys for nonces.
    pub fn new(
        settings: &Settings,
        directory: Arc<RwLock<Directory>>,
        notifier: Notifier,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let limits = Limits {
            per_source: settings.failures_per_source,
            per_user: settings.failures_per_user,
            window: Duration::from_secs(60),
            ban: settings.ban,
        };
        Self {
            realm: settings.realm.clone(),
            hashes: settings.digest.clone(),
            nonces: Mutex::new(Nonces::new(rand::random(), settings.nonce_lifetime)),
            throttle: Mutex::new(Throttle::new(limits)),
            puzzled: Mutex::default(),
            directory,
            notifier,
            clock,
        }
    }

    /// Whether the source is banned now.
    pub fn banned(&self, source: IpAddr) -> bool {
        self.throttle
            .lock()
            .banned(source, self.clock.now())
            .is_some()
    }

    /// Judges a request. `at_home` says whether the account is registered at the very address that speaks: its owner is
    /// not locked out by strangers who guess.
    pub fn judge(
        &self,
        request: &Request,
        source: IpAddr,
        at_home: impl Fn(&Login) -> bool,
    ) -> Verdict {
        let now = self.clock.now();
        if self.throttle.lock().banned(source, now).is_some() {
            return Verdict::Banned;
        }
        let Some(answer) = self.answer(request) else {
            return Verdict::Challenge { stale: false };
        };
        let login = self.directory.read().login(&answer.username);
        let worn_out = self.throttle.lock().worn_out(&answer.username, now);
        let trusted = !worn_out || login.as_ref().is_some_and(at_home);
        // An unknown name is hashed too, so that the answer takes as long.
        let nobody = nobody();
        let proves = answer.proves(
            &request.method.to_string(),
            login.as_ref().map_or(&nobody, Login::account),
        );
        match login {
            Some(login) if proves && trusted && asks_for(&answer, request) => {
                let count = answer.count.as_ref().map(|(_, value)| *value);
                let fresh = self.nonces.lock().spend(&answer.nonce, count, now);
                self.throttle.lock().succeeded(source);
                if let Ok(id) = request.call_id_header() {
                    self.puzzled.lock().understood(id.value());
                }
                if fresh {
                    Verdict::Known(login)
                } else {
                    Verdict::Challenge { stale: true }
                }
            }
            _ => self.fail(source, &answer.username, now),
        }
    }

    fn fail(&self, source: IpAddr, username: &str, now: Timestamp) -> Verdict {
        let banned = self.throttle.lock().failed(source, username, now);
        if let Some(until) = banned {
            tracing::warn!(%source, "too many failed sign-ins: the address is banned for a while");
            let event = SourceBanned {
                source: source.to_string(),
                until: Some(timestamp(until)),
            };
            self.notifier
                .tell(None, "telephony.source.banned", source, &event);
        }
        Verdict::Challenge { stale: false }
    }

    /// The digest answer for our realm among the request's headers.
    fn answer(&self, request: &Request) -> Option<Response> {
        let values = request.headers().iter().filter_map(|header| match header {
            Header::Authorization(h) => Some(h.value()),
            Header::ProxyAuthorization(h) => Some(h.value()),
            _ => None,
        });
        values
            .take(4)
            .filter_map(Response::parse)
            .find(|answer| answer.realm == self.realm && self.hashes.contains(&answer.algorithm))
    }

    /// The challenges for a request, the better hash first (RFC 8760 §2.4). A peer that is known to stop at a hash it does
    /// not know, or that asks again instead of answering, is offered MD5 alone.
    pub fn challenges(&self, request: &Request, stale: bool) -> Vec<Header> {
        let now = self.clock.now();
        let nonce = self.nonces.lock().make(now, rand::random());
        let agent = request
            .user_agent_header()
            .map(|agent| agent.value())
            .unwrap_or_default();
        let call_id = request
            .call_id_header()
            .map(|id| id.value())
            .unwrap_or_default();
        let puzzled =
            self.answer(request).is_none() && self.puzzled.lock().asks_again(call_id, now);
        let alone =
            (puzzled || digest::knows_only_md5(agent)) && self.hashes.contains(&Algorithm::Md5);
        let offered = if alone {
            &[Algorithm::Md5][..]
        } else {
            &self.hashes[..]
        };
        offered
            .iter()
            .map(|a| {
                Header::WwwAuthenticate(digest::challenge(&self.realm, &nonce, *a, stale).into())
            })
            .collect()
    }

    /// Whether a nonce would be taken, for tests.
    pub fn freshness(&self, nonce: &str) -> Freshness {
        self.nonces.lock().judge(nonce, None, self.clock.now())
    }
}

/// Whether the answer is for this very request: a hash caught elsewhere must not dial another number. Some peers sign the
/// server's address alone; the nonce count still keeps that from being used twice.
fn asks_for(answer: &Response, request: &Request) -> bool {
    let asked = request
        .uri
        .auth
        .as_ref()
        .map(|auth| auth.user.as_str())
        .unwrap_or_default();
    let Ok(uri) = rsipstack::sip::parse_uri(&answer.uri) else {
        return false;
    };
    let signed = uri
        .auth
        .as_ref()
        .map(|auth| auth.user.as_str())
        .unwrap_or_default();
    signed.is_empty() || signed == asked
}

fn nobody() -> Account {
    Account {
        ha1_md5: "0".repeat(32),
        ha1_sha256: "0".repeat(64),
    }
}
