//! Audit records: who called what, and whether it was let in.

use crate::{Method, Principal};

/// One call that must leave a trace.
#[derive(Debug)]
pub struct AuditRecord<'a> {
    /// What was called.
    pub method: &'a Method,
    /// Who called; `None` without a valid token.
    pub principal: Option<&'a Principal>,
    /// Why it was refused; `None` when it was let in.
    pub refused: Option<&'a str>,
}

/// Where audit records go.
pub trait Audit: Send + Sync + 'static {
    /// Takes one record. Must not block.
    fn record(&self, record: AuditRecord<'_>);
}

/// Writes audit records to the log, target `audit`.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditLog;

impl Audit for AuditLog {
    fn record(&self, record: AuditRecord<'_>) {
        let rpc = record.method.descriptor.full_name();
        let tenant = record
            .principal
            .and_then(Principal::tenant)
            .map(|id| id.to_string());
        let caller = match record.principal {
            Some(Principal::User { user, .. }) => user.to_string(),
            Some(Principal::Key { role, .. }) => format!("key:{role:?}").to_lowercase(),
            Some(Principal::Service { name }) => format!("service:{name}"),
            Some(Principal::Operator { name }) => format!("operator:{name}"),
            None => "-".to_owned(),
        };
        let tenant = tenant.as_deref().unwrap_or("-");
        match record.refused {
            None => tracing::info!(target: "audit", rpc, tenant, caller, granted = true),
            Some(reason) => {
                tracing::warn!(target: "audit", rpc, tenant, caller, granted = false, reason)
            }
        }
    }
}

/// A try to sign in, for the log.
#[derive(Debug)]
pub struct SignIn<'a> {
    /// Full name of the RPC.
    pub rpc: &'a str,
    /// The tenant, where there is one of that name.
    pub tenant: Option<&'a str>,
    /// The person or the API key; `None` when it is nobody's. What was typed is never logged: at times it is a password.
    pub caller: Option<&'a str>,
    /// Where it came from; empty when that is not known.
    pub source: &'a str,
    /// Why it was refused; `None` when it was let in.
    pub refused: Option<&'a str>,
}

/// Writes a sign-in to the log, target `audit`.
pub fn sign_in(record: &SignIn<'_>) {
    let SignIn { rpc, source, .. } = record;
    let (tenant, caller) = (record.tenant.unwrap_or("-"), record.caller.unwrap_or("-"));
    match record.refused {
        None => tracing::info!(target: "audit", rpc, tenant, caller, source, granted = true),
        Some(reason) => {
            tracing::warn!(target: "audit", rpc, tenant, caller, source, granted = false, reason)
        }
    }
}
