//! Waiting for a condition instead of for a time.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(20);

/// Looks until `look` succeeds, and gives what it found.
///
/// # Errors
/// After `within`: what was waited for, and why the last look failed.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let end = Instant::now() + within;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(error) if Instant::now() >= end => {
                return Err(error).with_context(|| format!("{what}: not within {within:?}"));
            }
            Err(_) => tokio::time::sleep(STEP).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::ensure;

    #[tokio::test]
    async fn it_looks_until_the_condition_holds() {
        let mut looks = 0;
        let found = eventually("three looks", Duration::from_secs(5), async || {
            looks += 1;
            ensure!(looks == 3, "look {looks}");
            Ok("found")
        });
        assert_eq!(found.await.unwrap(), "found");
    }

    #[tokio::test]
    async fn it_says_what_it_saw_last() {
        let never = eventually(
            "the moon",
            Duration::from_millis(30),
            async || -> Result<()> { anyhow::bail!("clouds") },
        );
        assert_eq!(
            format!("{:#}", never.await.unwrap_err()),
            "the moon: not within 30ms: clouds"
        );
    }
}
