//! Looks at its moment whether what must be seen is seen.

use super::{
    before,
    check::{Claim, Difference, Lines, Scene, first_seen},
    person,
    plan::Check,
    report::Failure,
    stage::Stage,
    time_of_day,
};
use std::{sync::Arc, time::Duration};

/// Waits for the moment of a check, and says what is wrong then.
pub async fn judge(
    stage: Arc<Stage>,
    check: Check,
    lasts: Duration,
    clock: Duration,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    if !check.claims.is_empty() {
        let at = check.at.unwrap_or(lasts);
        let mut news = stage.news();
        stage.wait_past(at).await;
        let mut wrong = differences(&stage, &check).await;
        while !wrong.is_empty() {
            tokio::select! {
                biased;
                () = stage.wait_past(at + check.within) => break,
                _ = news.changed() => wrong = differences(&stage, &check).await,
            }
        }
        if !wrong.is_empty() && !check.within.is_zero() {
            wrong = differences(&stage, &check).await;
        }
        let seen_at = at + check.within;
        failures.extend(wrong.into_iter().map(|difference| Failure {
            line: Some(check.line),
            at: Some(time_of_day(clock, seen_at)),
            about: difference.about,
            expected: difference.expected,
            seen: difference.seen,
            before: before(&stage, seen_at, clock),
        }));
    }
    let until = check.until.unwrap_or(lasts);
    if check.never.is_empty() {
        return failures;
    }
    stage.wait_past(until).await;
    for claim in &check.never {
        let seen = stage.with_log(|log| first_seen(claim, log, check.from, until));
        if let Some(at) = seen {
            failures.push(Failure {
                line: Some(check.line),
                at: Some(time_of_day(clock, at)),
                about: claim.about(),
                expected: format!("never {}", claim.expected()),
                seen: claim.expected(),
                before: before(&stage, at, clock),
            });
        }
    }
    failures
}

async fn differences(stage: &Stage, check: &Check) -> Vec<Difference> {
    let lines = match check.claims.iter().any(Claim::asks_for_lines) {
        true => person::lines(stage).await,
        false => Lines::new(),
    };
    stage.with_log(|log| {
        let scene = Scene {
            log,
            lines: &lines,
            from: check.from,
            ever: check.at.is_none(),
        };
        let claims = check.claims.iter();
        claims.filter_map(|claim| claim.difference(scene)).collect()
    })
}
