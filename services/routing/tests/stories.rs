//! The repository's own routing stories, and what becomes of stories that are wrong.

use centro_routing::{
    Settings,
    story::{self, Failure},
};
use std::path::PathBuf;

fn stories() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/stories"))
}

#[test]
fn every_story_of_the_repository_comes_true() {
    let report = story::play(&[stories()]).unwrap();
    assert_eq!(report.failed(), 0, "\n{}", report.text(false));
    assert!(report.stories.len() >= 41, "{}", report.stories.len());
}

#[test]
fn the_example_of_the_documentation_is_a_story_that_comes_true() {
    let page = include_str!("../../../docs/stories.md");
    let example = page.split("```yaml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let outcome = story::play_one("docs/stories.md", example, &Settings::default());
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    assert!(outcome.checks >= 9);
}

fn only_failure(yaml: &str) -> Failure {
    let mut failures = story::play_one("story.yaml", yaml, &Settings::default()).failures;
    assert_eq!(failures.len(), 1, "{failures:#?}");
    failures.remove(0)
}

const GIVEN: &str = "story: A story
given:
  queues:
    support: {}
  agents:
    bruno: {queues: [support]}
";

#[test]
fn what_is_misspelt_unknown_or_out_of_range_is_refused_with_its_line() {
    let wrong = [
        (
            "when: []\nthen:\n  - {at: 1s, ring: {bruno: nobody}}\n",
            9,
            "ring",
        ),
        (
            "when:\n  - {at: 1s, call: anna, queu: support}\nthen: []\n",
            8,
            "queu",
        ),
        (
            "when:\n  - {at: soon, call: anna}\nthen: []\n",
            8,
            "length of time",
        ),
        (
            "when:\n  - {at: 1s, hang_up: anna}\nthen: []\n",
            8,
            "no caller `anna`",
        ),
        (
            "when:\n  - {call: anna, hang_up: anna}\nthen: []\n",
            8,
            "one thing at a time",
        ),
        (
            "when:\n  - {call: anna, does: answer}\nthen: []\n",
            8,
            "`does` belongs to `agent`",
        ),
        (
            "when:\n  - {at: 08:00:00, call: anna}\nthen: []\n",
            8,
            "before the story begins",
        ),
        (
            "when:\n  - {call: anna, needs: [\"fr >= 5\"]}\nthen: []\n",
            8,
            "no skill `fr`",
        ),
        (
            "when: []\nthen:\n  - {at: 1s, state: {bruno: idle}}\n",
            9,
            "`idle` is no state",
        ),
        (
            "when: []\nthen:\n  - {at: 1s, left_count: {gone: 1}}\n",
            9,
            "`gone` is no reason",
        ),
        ("when: []\nthen:\n  - {at: 1s}\n", 9, "nothing is checked"),
        (
            "when:\n  - {configure: support, set: {agent_ring_timeout: 1s}}\nthen: []\n",
            8,
            "from 5s to 900s",
        ),
        (
            "when:\n  - {configure: support, set: {ring_strategy: balanced}}\nthen: []\n",
            8,
            "`medium: chat`",
        ),
        (
            "when:\n  - {call: anna, priority: 1001}\nthen: []\n",
            8,
            "from 0 to 1000",
        ),
        (
            "when:\n  - {call: anna, timeout: 0s}\nthen: []\n",
            8,
            "from 1s to 24h",
        ),
        (
            "when:\n  - {agent: bruno, does: {extend: 901s}}\nthen: []\n",
            8,
            "1s to 900s",
        ),
    ];
    for (rest, line, says) in wrong {
        let failure = only_failure(&format!("{GIVEN}{rest}"));
        assert_eq!(failure.line, Some(line), "{rest}{failure:#?}");
        assert!(failure.seen.contains(says), "{rest}{}", failure.seen);
    }
}

#[test]
fn how_things_stand_is_checked_line_by_line() {
    let wrong = [
        (
            "support: {}",
            "support: {weight: 1001}",
            4,
            "from 0 to 1000",
        ),
        (
            "support: {}",
            "support: {ring_strategy: balanced}",
            4,
            "`medium: chat`",
        ),
        (
            "support: {}",
            "support: {available_states: [logged_out]}",
            4,
            "`logged_out`",
        ),
        (
            "support: {}",
            "support: {available_states: [ready, alerting]}",
            4,
            "count alike",
        ),
        (
            "support: {}",
            "support: {rona: {action: {pause: \"\"}}}",
            4,
            "reason",
        ),
        ("[support]", "[sales]", 6, "no queue `sales`"),
        (
            "queues: [",
            "capacity: {chats: 31}, queues: [",
            6,
            "from 1 to 30",
        ),
    ];
    let rest = "when: []\nthen:\n  - {at: 1s, state: {bruno: ready}}\n";
    for (right, instead, line, says) in wrong {
        let given = GIVEN.replace(right, instead);
        let failure = only_failure(&format!("{given}{rest}"));
        assert_eq!(failure.line, Some(line), "{instead}{failure:#?}");
        assert!(failure.seen.contains(says), "{instead}{}", failure.seen);
    }
}

#[test]
fn a_check_that_fails_says_what_was_expected_and_what_led_to_what_was_seen() {
    let rest = "when:
  - {at: 5s, call: anna}
then:
  - {at: 25s, state: {bruno: ready}}
";
    let failure = only_failure(&format!("{GIVEN}{rest}"));
    assert_eq!(failure.line, Some(10));
    assert_eq!(failure.at.as_deref(), Some("09:00:25.000"));
    assert_eq!(failure.expected, "ready");
    assert_eq!(failure.seen, "not_responding");
    let told = [
        "09:00:05.000  > anna calls support",
        "09:00:05.000  bruno's phone rings for anna",
        "09:00:20.000  the offer of anna to bruno ended: nobody answered",
        "09:00:20.000  bruno is not_responding",
    ];
    for line in told {
        assert!(
            failure.before.iter().any(|l| l == line),
            "{line}: {:#?}",
            failure.before
        );
    }
}

#[test]
fn what_may_never_be_and_what_must_be_refused_are_noticed() {
    let never = "when:
  - {at: 5s, call: anna}
then:
  - {from: 2s, until: 10s, never: {rings: {bruno: anybody}}}
";
    let failure = only_failure(&format!("{GIVEN}{never}"));
    assert_eq!(failure.at.as_deref(), Some("09:00:05.000"));
    assert_eq!(failure.expected, "never anybody");
    let refused = "when:
  - {at: 5s, agent: bruno, does: ready, refused: not_logged_in}
then:
  - {at: 6s, state: {bruno: ready}}
";
    let failure = only_failure(&format!("{GIVEN}{refused}"));
    assert_eq!(
        (failure.expected.as_str(), failure.seen.as_str()),
        ("refused: not_logged_in", "done")
    );
}
