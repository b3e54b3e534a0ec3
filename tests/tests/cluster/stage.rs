//! A cluster for one test. When the test fails the ends of all logs are printed.

use anyhow::Result;
use centro_testkit::Cluster;

/// Runs a test on a cluster with that many routing processes. None of its processes may panic.
pub async fn with(
    routing: usize,
    test: impl AsyncFnOnce(&mut Cluster) -> Result<()>,
) -> Result<()> {
    let mut cluster = Cluster::start(routing).await?;
    let outcome = match test(&mut cluster).await {
        Ok(()) => cluster.assert_no_panic_anywhere(),
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        eprintln!("{}", cluster.logs(40));
    }
    outcome
}
