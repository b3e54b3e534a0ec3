//! The measurements. Each ends with one line of JSON, the machine beside it; docs/figures.md explains the fields.

pub mod backlog;
pub mod calls;
pub mod demo;
pub mod idle;
pub mod media;

use crate::phone::Tones;

/// What callers send and agents hear, in Hz.
pub const CALLER_TONE: f64 = 440.0;
/// What agents send and callers hear, in Hz.
pub const AGENT_TONE: f64 = 1_000.0;

/// A caller's tones, or none when sound is left out.
pub fn caller_tones(media: bool) -> Option<Tones> {
    media.then_some(Tones {
        send: CALLER_TONE,
        hear: AGENT_TONE,
    })
}

/// An agent's tones, or none when sound is left out.
pub fn agent_tones(media: bool) -> Option<Tones> {
    media.then_some(Tones {
        send: AGENT_TONE,
        hear: CALLER_TONE,
    })
}

/// The number of the nth caller of a run: unique, so that the call is known again at the agent.
pub fn caller_number(n: usize) -> String {
    format!("+1888{n:07}")
}
