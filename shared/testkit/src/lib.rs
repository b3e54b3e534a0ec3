//! What end-to-end tests are made of: a whole centre of their own, telephones that are not ours, and ears.
//!
//! - [`Centre`] starts the real `centro` binary on free ports with an empty data folder and ends it.
//! - [`Cluster`] starts it as several processes on private engines, one of them at the end of a [`Network`] that can be cut.
//! - [`Api`] speaks REST to it as a person does; [`eventually`] waits for a condition.
//! - [`Sipp`] and [`Baresip`] are the telephones; [`RtpPeer`] is the microphone and the ear of a sipp call.
//! - [`engines`] are RabbitMQ, Redis and PostgreSQL, private to a test.
//! - [`sound`] makes and recognises tones, [`recording`] reads stereo WAV files.
//!
//! It depends on no crate of the product, so that it can prove the product wrong.

mod api;
mod baresip;
mod centre;
mod cluster;
mod condition;
mod credentials;
pub mod engines;
mod network;
mod ports;
mod process;
pub mod recording;
mod rtp_peer;
mod sipp;
pub mod sound;

pub use api::{Answer, Api, number};
pub use baresip::{Baresip, Transport};
pub use centre::{Centre, CentreBuilder};
pub use cluster::{APART, Cluster, ClusterBuilder};
pub use condition::eventually;
pub use credentials::{Agent, Credentials, Login, Queue};
pub use network::{Direction, Network};
pub use ports::{free_port, free_sip_port};
pub use process::Process;
pub use rtp_peer::RtpPeer;
pub use sipp::{Sipp, SippBuilder};
