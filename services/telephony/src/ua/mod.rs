//! The SIP user agent: sockets, who may speak, which phones are registered, and where a request goes.
//!
//! | Module | Owns |
//! |---|---|
//! | `endpoint` | the UDP and TCP sockets and the transaction layer |
//! | `dispatch` | the road of each request: in-dialog, REGISTER, INVITE, OPTIONS |
//! | `auth` | nonces and failed sign-ins |
//! | `registrar` | the phones that are registered |
//! | `admission` | how many calls are let in |
//! | `inspect` | what is changed in messages on the wire: NAT contacts in, Reason out |

pub mod admission;
pub mod auth;
pub mod dispatch;
pub mod endpoint;
pub mod inspect;
pub mod invite;
pub mod register;
pub mod registrar;
