//! The SIP user agent: sockets, who may speak, which phones are registered, and where a request goes.
//!
//! | Module | Owns |
//! |---|---|
//! | `endpoint` | the UDP and TCP sockets and the transaction layer |
//! | `gate` | how much each source may send and hold; `sound`: what can be read at all |
//! | `udp`, `tcp` | the sockets behind the gate |
//! | `stranger` | callers who do not sign in, answered without keeping anything |
//! | `pulse` | whether SIP still answers |
//! | `dispatch` | the road of each request: in-dialog, REGISTER, INVITE, OPTIONS |
//! | `auth` | nonces and failed sign-ins |
//! | `registrar` | the phones that are registered |
//! | `admission` | how many calls are let in; `refusals`: which refused ones are told |
//! | `inspect` | what is changed in messages on the wire: NAT contacts in, Reason out |

pub mod admission;
pub mod auth;
pub mod dispatch;
pub mod endpoint;
pub mod gate;
pub mod inspect;
pub mod invite;
pub mod pulse;
pub mod refusals;
pub mod register;
pub mod registrar;
pub mod sound;
pub mod stranger;
pub mod tcp;
pub mod udp;
