//! The clips that a dial plan may name are the ones that telephony plays. The two services do not know each other.

use centro_configuration::core::plan::{CLIPS, SPOKEN, clip_exists};
use centro_media::clips::PHRASES;

#[test]
fn a_dial_plan_may_name_what_is_shipped_and_nothing_else() {
    for phrase in PHRASES {
        assert!(clip_exists(phrase), "{phrase} cannot be chosen");
    }
    assert_eq!(PHRASES.len(), CLIPS.len() + SPOKEN as usize);
}
