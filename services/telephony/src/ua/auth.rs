//! Who speaks: digest answers judged against the directory, with limits on failures.

use crate::{
    core::{
        digest::{self, Account, Algorithm, Response},
        lately::Lately,
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
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

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
    signed: Mutex<Lately>,
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
            signed: Mutex::default(),
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

    /// Whether somebody at the address signed with a right secret lately.
    pub fn signed_lately(&self, source: IpAddr) -> bool {
        self.signed.lock().knows(source, Instant::now())
    }

    /// Judges a request. `exempt` says that a ban does not hit who speaks ([`Gate::exempt`](crate::ua::gate::Gate::exempt)).
    /// `home` says whether a phone is registered at the very address that speaks: its failures are not counted. `at_home` says the same of one account: its owner is not locked out by strangers who guess.
    ///
    /// Only wrong answers to our own challenges count. Whoever cannot have seen the challenge, because he forged the address
    /// he speaks from, can ban nobody; and an answer to another nonce can never be right, so it tells a guesser nothing.
    pub fn judge(
        &self,
        request: &Request,
        source: IpAddr,
        exempt: bool,
        home: bool,
        at_home: impl Fn(&Login) -> bool,
    ) -> Verdict {
        let now = self.clock.now();
        if !exempt && self.banned(source) {
            return Verdict::Banned;
        }
        let Some(answer) = self.answer(request) else {
            return Verdict::Challenge { stale: false };
        };
        let count = answer.count.as_ref().map(|(_, value)| *value);
        let freshness = self.nonces.lock().judge(&answer.nonce, count, source, now);
        if freshness == Freshness::Foreign {
            return Verdict::Challenge { stale: true };
        }
        let login = self.directory.read().login(&answer.username);
        // An unknown name is hashed too, so that the answer takes as long.
        let nobody = nobody();
        let proves = answer.proves(
            &request.method.to_string(),
            login.as_ref().map_or(&nobody, Login::account),
        );
        let Some(login) = login.filter(|_| proves) else {
            if !home {
                self.fail(source, &answer.username, now);
            }
            return Verdict::Challenge { stale: false };
        };
        let worn_out = self.throttle.lock().worn_out(&answer.username, now);
        if (worn_out && !at_home(&login)) || !asks_for(&answer, request) {
            return Verdict::Challenge { stale: false };
        }
        self.throttle.lock().succeeded(source);
        if let Ok(id) = request.call_id_header() {
            self.puzzled.lock().understood(id.value());
        }
        if self.nonces.lock().spend(&answer.nonce, count, source, now) {
            self.signed.lock().remember(source, Instant::now());
            Verdict::Known(login)
        } else {
            Verdict::Challenge { stale: true }
        }
    }

    fn fail(&self, source: IpAddr, username: &str, now: Timestamp) {
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
    pub fn challenges(&self, request: &Request, source: IpAddr, stale: bool) -> Vec<Header> {
        let now = self.clock.now();
        let nonce = self.nonces.lock().make(source, now, rand::random());
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
