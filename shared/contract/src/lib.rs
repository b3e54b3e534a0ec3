//! What the protos promise beside shape: who may call an RPC, where it lives in REST, which values a field takes.
//! Read from the descriptor set once, enforced everywhere.

pub mod api;
pub mod audit;
pub mod caller;
pub mod guard;
pub mod mask;
pub mod options;
pub mod permission;
pub mod pointer;
pub mod principal;
pub mod revocation;
pub mod router;
pub mod rules;
pub mod status;
pub mod template;
pub mod token;

pub use api::{Access, Api, Body, ContractError, Method, Route, Scope};
pub use guard::Guard;
pub use permission::Role;
pub use principal::{Principal, principal};
pub use revocation::Revocations;
pub use token::{Basis, Keys};
