//! Events as integrators know them: which there are, and what they look like in JSON.
//!
//! [`catalogue`] reads `proto/centro/events`, the only definition. [`Public`] is the wire of the exchange that integrators
//! read. [`Internal`] is the wire between our own processes; it writes what every version reads and reads both forms.

mod catalogue;
mod json;
mod payload;
mod wire;

pub use catalogue::{Kind, catalogue, is_public};
pub use json::{schema_uri, structured};
pub use payload::payload;
pub use wire::{Internal, Public};
