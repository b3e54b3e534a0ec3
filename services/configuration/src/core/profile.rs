//! Routing profiles: what is set when nothing is said (spec D25). Ranges stand in the proto.

use centro_proto::configuration::RoutingProfile;

/// Chats at once when nothing is said.
const CHATS: u32 = 3;

/// Fills in what was left out.
pub fn with_defaults(mut profile: RoutingProfile) -> RoutingProfile {
    profile.chat_capacity.get_or_insert(CHATS);
    profile.voice_interrupts_chat.get_or_insert(false);
    profile
}
