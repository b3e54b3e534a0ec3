//! What the protos promise beside shape: who may call an RPC, where it lives in REST, which values a field takes.
//! Read from the descriptor set once, enforced everywhere.

pub mod permission;
pub mod principal;
pub mod status;
pub mod token;

pub use permission::Role;
pub use principal::{Principal, principal};
pub use token::Keys;
