//! What the door and identity must spell alike about whoever calls.

/// Request metadata by which the gateway tells services the caller's address. Set by the door, never taken from the
/// caller.
pub const SOURCE: &str = "x-centro-source";

/// What an API key begins with, so that leaked ones can be found by a search.
pub const API_KEY_PREFIX: &str = "cc_live_";
