//! Queue callbacks: what is set when nothing is said, and which values fit (spec S23–S33, D18, E1).

use super::{invalid, queue};
use centro_kernel::Fault;
use centro_proto::{configuration::CallbackSettings, types::NumberType};
use prost_types::Duration;

/// Back from the moment of the question, waits count (spec D18).
const WINDOW: Duration = Duration {
    seconds: 900,
    nanos: 0,
};
/// The longest threshold, in seconds: a day.
const MAX_THRESHOLD: i64 = 86_400;
/// Which numbers may be called back when nothing is said.
const TYPES: [NumberType; 3] = [NumberType::Local, NumberType::National, NumberType::Mobile];

/// Fills in what was left out. A threshold has no default: whoever offers callbacks chooses it.
pub fn fill(callback: &mut CallbackSettings) {
    callback.window.get_or_insert(WINDOW);
    if callback.number_types.is_empty() {
        callback.number_types = TYPES.map(|kind| kind as i32).to_vec();
    }
}

/// Checks the settings, whether callbacks are offered or not.
///
/// # Errors
/// `threshold_missing`, `threshold_not_positive`, `duration_out_of_range`, `value_unknown`.
pub fn check(callback: &CallbackSettings) -> Result<(), Fault> {
    const THRESHOLD: &str = "/callback/threshold";
    match &callback.threshold {
        None if callback.enabled => {
            let message = "say above which mean wait callers are offered a callback";
            return Err(invalid("threshold_missing", message, THRESHOLD));
        }
        Some(at) if at.seconds < 0 || at.nanos < 0 || (at.seconds == 0 && at.nanos == 0) => {
            let message = "the threshold must be more than 0";
            return Err(invalid("threshold_not_positive", message, THRESHOLD));
        }
        at => queue::duration(at.as_ref(), 1, MAX_THRESHOLD, THRESHOLD)?,
    }
    for (index, kind) in callback.number_types().enumerate() {
        if kind == NumberType::Unspecified {
            let field = format!("/callback/numberTypes/{index}");
            return Err(invalid("value_unknown", "name a type of number", &field));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(enabled: bool, threshold: Option<(i64, i32)>) -> CallbackSettings {
        let mut callback = CallbackSettings {
            enabled,
            threshold: threshold.map(|(seconds, nanos)| Duration { seconds, nanos }),
            ..CallbackSettings::default()
        };
        fill(&mut callback);
        callback
    }

    #[test]
    fn a_threshold_is_needed_only_where_callbacks_are_offered_and_lies_above_zero() {
        let reason = |callback| check(&callback).map_err(|fault| fault.reason);
        assert_eq!(reason(with(false, None)), Ok(()));
        assert_eq!(reason(with(true, None)), Err("threshold_missing"));
        for wrong in [(0, 0), (-5, 0), (0, -1), (-1, 500_000_000)] {
            assert_eq!(
                reason(with(false, Some(wrong))),
                Err("threshold_not_positive"),
                "{wrong:?}"
            );
        }
        for wrong in [(0, 999_000_000), (86_401, 0)] {
            let refused = reason(with(true, Some(wrong)));
            assert_eq!(refused, Err("duration_out_of_range"), "{wrong:?}");
        }
        for good in [(1, 0), (60, 0), (86_400, 0)] {
            assert_eq!(reason(with(true, Some(good))), Ok(()));
        }
    }

    #[test]
    fn what_is_left_out_is_a_quarter_of_an_hour_and_the_cheap_numbers() {
        let callback = with(false, None);
        assert_eq!(callback.window, Some(WINDOW));
        assert_eq!(callback.number_types().collect::<Vec<_>>(), TYPES);
        let odd = CallbackSettings {
            number_types: vec![NumberType::Mobile.into(), 0],
            ..callback
        };
        assert_eq!(check(&odd).unwrap_err().field, "/callback/numberTypes/1");
    }
}
