//! Rows of `cargo xtask faults` that are short and steady enough to be tests, as short as they can be. What each does and
//! what it promises is in docs/operators/faults.md.

use anyhow::{Result, ensure};
use centro_loadtest::faults::{Size, row};

async fn is_ok(name: &str) -> Result<()> {
    let outcome = row(name, Size::Brief).await?;
    ensure!(outcome.is_ok(), "{name}: {:#}", outcome.json());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_was_frozen_changes_nothing_when_it_goes_on() -> Result<()> {
    is_ok("owner_frozen").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgresql_calls_go_on_and_changes_are_refused() -> Result<()> {
    is_ok("postgres_down").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_routing_process_becomes_three_and_two_while_calls_come() -> Result<()> {
    is_ok("scale").await
}
