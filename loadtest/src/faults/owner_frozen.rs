//! The process that owns a queue is stopped (SIGSTOP) for longer than its lease, and goes on where it was.

use super::{
    Outcome, Size,
    deposed::{Trouble, outlived},
    stage::Stage,
};
use anyhow::Result;
use centro_testkit::Cluster;
use std::time::Duration;

/// Once, or three times.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    Stage::with(Cluster::builder(2), async |stage, outcome| {
        let frozen = Duration::from_secs(size.pick(6, 20, 20));
        for _ in 0..size.pick(1, 1, 3) {
            outlived(stage, None, &Frozen, frozen, outcome).await?;
        }
        Ok(())
    })
    .await
}

struct Frozen;

impl Trouble for Frozen {
    fn begin(&self, stage: &mut Stage, owner: &str) -> Result<()> {
        stage.cluster.process(owner)?.signal("STOP")
    }

    fn end(&self, stage: &mut Stage, owner: &str) -> Result<()> {
        stage.cluster.process(owner)?.signal("CONT")
    }
}
