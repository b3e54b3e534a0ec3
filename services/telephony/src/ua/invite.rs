//! INVITE: who calls, what is called, and whether there is room. A stranger never gets further than a challenge.

use crate::{
    call::{Feature, Goal, Incoming},
    core::number::FeatureCode,
    directory::{Device, Login, Target, Trunk},
    metrics,
    ua::{
        auth::Verdict,
        dispatch::{UserAgent, ip, reply, socket},
    },
};
use centro_kernel::TenantId;
use centro_proto::{events::CallRefused, types::Party};
use rsipstack::{
    sip::{HeadersExt, Request, StatusCode, headers::ToTypedHeader},
    transaction::transaction::Transaction,
    transport::SipAddr,
};
use std::{sync::Arc, time::Instant};

/// Who calls.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A carrier.
    Trunk(Arc<Trunk>),
    /// One of our phones.
    Device(Arc<Device>),
}

impl Origin {
    /// Whose call it is.
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::Trunk(trunk) => trunk.tenant,
            Self::Device(device) => device.tenant,
        }
    }
}

impl UserAgent {
    pub(super) fn invite(self: Arc<Self>, tx: Transaction, source: SipAddr) {
        let Some(address) = ip(&source) else { return };
        let dialled = dialled(&tx.original);
        if !self.lifecycle.takes_new() {
            return self.refuse(
                tx,
                &source,
                &dialled,
                None,
                "draining",
                StatusCode::ServiceUnavailable,
            );
        }
        let trunks = self.directory.read().trunks_at(address);
        let signed = ["Authorization", "Proxy-Authorization"]
            .iter()
            .any(|n| tx.original.header_value(n).is_some());
        if !signed {
            let by_address = {
                let directory = self.directory.read();
                trunks
                    .iter()
                    .find_map(|t| Some((t.clone(), directory.number(t.tenant, &dialled)?)))
            };
            if let Some((trunk, target)) = by_address {
                return self.admit(
                    tx,
                    source,
                    Origin::Trunk(trunk),
                    dialled,
                    target.map(Goal::Target),
                );
            }
            // A carrier's wrong number; unless one of our phones speaks from its network, or the carrier of another tenant,
            // who would have to sign in for that tenant's number.
            let elsewhere = self.directory.read().is_number(&dialled);
            if !trunks.is_empty() && !elsewhere && !self.is_ours(&tx.original, &source) {
                let tenant = only_tenant(&trunks);
                return self.refuse(
                    tx,
                    &source,
                    &dialled,
                    tenant,
                    "number_unknown",
                    StatusCode::NotFound,
                );
            }
        }
        let at_home = |login: &Login| match login {
            Login::Device(device) => self
                .registrar
                .phones(device.id)
                .iter()
                .any(|b| b.destination == source),
            Login::Trunk(_) => false,
        };
        let home = self.registrar.knows(&source);
        let exempt = socket(&source).is_some_and(|from| self.gate.exempt(from));
        match self
            .auth
            .judge(&tx.original, address, exempt, home, at_home)
        {
            Verdict::Known(Login::Device(device)) => {
                let goal = self.goal(&device, &dialled);
                self.admit(tx, source, Origin::Device(device), dialled, goal);
            }
            Verdict::Known(Login::Trunk(trunk)) => {
                let target = self
                    .directory
                    .read()
                    .number(trunk.tenant, &dialled)
                    .flatten();
                self.admit(
                    tx,
                    source,
                    Origin::Trunk(trunk),
                    dialled,
                    target.map(Goal::Target),
                );
            }
            Verdict::Challenge { stale } => {
                let challenges = self.auth.challenges(&tx.original, address, stale);
                reply(tx, StatusCode::Unauthorized, challenges);
            }
            // The ban itself was told; its source may send as many calls as it likes.
            Verdict::Banned => {
                metrics::refused("not_authorised");
                reply(tx, StatusCode::Forbidden, Vec::new());
            }
        }
    }

    /// Whether the caller claims to be one of our phones, or speaks from where one is registered.
    fn is_ours(&self, request: &Request, source: &SipAddr) -> bool {
        let claimed = from_user(request);
        matches!(
            self.directory.read().login(&claimed),
            Some(Login::Device(_))
        ) || self.registrar.knows(source)
    }

    /// What one of our phones dialled.
    fn goal(&self, device: &Device, dialled: &str) -> Option<Goal> {
        if let (Some(code), Some(user)) = (FeatureCode::dialled(dialled), device.user) {
            return Some(Goal::Feature(Feature {
                code,
                user,
                device: device.id,
            }));
        }
        let directory = self.directory.read();
        let target = directory
            .extension_target(device.tenant, dialled)
            .or_else(|| directory.number(device.tenant, dialled).flatten());
        target.map(Goal::Target)
    }

    fn admit(
        self: &Arc<Self>,
        tx: Transaction,
        source: SipAddr,
        origin: Origin,
        dialled: String,
        goal: Option<Goal>,
    ) {
        let tenant = origin.tenant();
        let Some(goal) = goal else {
            return self.refuse(
                tx,
                &source,
                &dialled,
                Some(tenant),
                "number_unknown",
                StatusCode::NotFound,
            );
        };
        if let Goal::Target(Target::Device(called)) = &goal
            && matches!(&origin, Origin::Device(own) if own.id == called.id)
        {
            return reply(tx, StatusCode::BusyHere, Vec::new()); // a phone that calls itself
        }
        let Some(admitted) = self.admission.enter(Instant::now()) else {
            return self.refuse(
                tx,
                &source,
                &dialled,
                Some(tenant),
                "overloaded",
                StatusCode::ServiceUnavailable,
            );
        };
        let caller = match &origin {
            Origin::Device(device) => Party {
                number: device.extension.clone(),
                display_name: device.display_name.clone(),
            },
            Origin::Trunk(_) => party(&tx.original),
        };
        let incoming = Incoming {
            origin,
            tenant,
            goal,
            caller,
            dialled: dialled.clone(),
            source: ip(&source),
            admitted,
        };
        if let Err((tx, reason, status)) = self.calls.start(tx, incoming) {
            self.refuse(tx, &source, &dialled, Some(tenant), reason, status);
        }
    }

    fn refuse(
        &self,
        tx: Transaction,
        source: &SipAddr,
        dialled: &str,
        tenant: Option<TenantId>,
        reason: &str,
        status: StatusCode,
    ) {
        metrics::refused(reason);
        let headers = if status == StatusCode::ServiceUnavailable {
            vec![self.retry_after()]
        } else {
            Vec::new()
        };
        let ours = tenant.is_some();
        let told = ip(source).filter(|ip| self.refusals.tells(*ip, ours, Instant::now()));
        let Some(address) = told.map(|ip| ip.to_string()) else {
            return reply(tx, status, headers);
        };
        let event = CallRefused {
            call_id: tx
                .original
                .call_id_header()
                .map(|h| h.value().to_owned())
                .unwrap_or_default(),
            caller_number: party(&tx.original).number,
            dialled: dialled.to_owned(),
            source: address.clone(),
            reason: reason.to_owned(),
        };
        self.notifier
            .mention(tenant, "telephony.call.refused", address, &event);
        reply(tx, status, headers);
    }
}

/// Whose all these trunks are. Where tenants share a carrier only the number tells them apart, so nobody hears of a call to
/// a number that is none of theirs: it may have been meant for another.
fn only_tenant(trunks: &[Arc<Trunk>]) -> Option<TenantId> {
    let first = trunks.first()?.tenant;
    trunks
        .iter()
        .all(|trunk| trunk.tenant == first)
        .then_some(first)
}

/// What stands before the `@` of the request line.
fn dialled(request: &Request) -> String {
    request
        .uri
        .auth
        .as_ref()
        .map(|auth| auth.user.chars().take(64).collect())
        .unwrap_or_default()
}

fn from_user(request: &Request) -> String {
    let uri = request.from_header().ok().and_then(|from| from.uri().ok());
    uri.and_then(|uri| uri.auth)
        .map(|auth| auth.user)
        .unwrap_or_default()
}

/// Longest name or number kept of what a caller says of itself.
const MAX_PARTY: usize = 128;

/// The caller as the carrier names it: `P-Asserted-Identity` (RFC 3325) before `From`. Display text is hostile: bounded,
/// control characters removed.
fn party(request: &Request) -> Party {
    let clean = |text: &str| {
        text.chars()
            .filter(|c| !c.is_control())
            .take(MAX_PARTY)
            .collect::<String>()
    };
    let from = request
        .from_header()
        .ok()
        .and_then(|from| from.typed().ok());
    let asserted = request
        .header_value("P-Asserted-Identity")
        .and_then(|value| {
            let inner = value.split(',').next()?.trim();
            let uri = inner.split_once('<').map_or(inner, |(_, rest)| {
                rest.split('>').next().unwrap_or_default()
            });
            if let Some(number) = uri.strip_prefix("tel:") {
                return Some(number.split(';').next().unwrap_or_default().to_owned());
            }
            rsipstack::sip::parse_uri(uri)
                .ok()?
                .auth
                .map(|auth| auth.user)
        });
    let number = asserted.unwrap_or_else(|| from_user(request));
    let display_name = from.and_then(|from| from.display_name).unwrap_or_default();
    Party {
        number: clean(&number),
        display_name: clean(display_name.trim_matches('"')),
    }
}
