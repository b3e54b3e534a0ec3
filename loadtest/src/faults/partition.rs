//! The process that owns a queue is cut off from everything else: both ways, and so that it is heard and hears nothing, and
//! the other way round. Packets are lost, connections stay open.

use super::{
    Outcome, Size,
    deposed::{Trouble, outlived},
    stage::Stage,
};
use anyhow::Result;
use centro_testkit::{APART, Cluster, Direction};
use std::time::Duration;

/// Each way once.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    let cluster = Cluster::builder(1).apart()?;
    let time = Duration::from_secs(size.pick(6, 12, 30));
    let ways = [Direction::Both, Direction::Back, Direction::There];
    Stage::with(cluster, async |stage, outcome| {
        for way in &ways[..size.pick(1, 2, 3)] {
            outlived(stage, Some(APART), &Cut(*way), time, outcome).await?;
        }
        Ok(())
    })
    .await
}

struct Cut(Direction);

impl Trouble for Cut {
    fn begin(&self, stage: &mut Stage, _: &str) -> Result<()> {
        stage.cluster.network()?.cut(self.0)
    }

    fn end(&self, stage: &mut Stage, _: &str) -> Result<()> {
        stage.cluster.network()?.heal(self.0)
    }
}
