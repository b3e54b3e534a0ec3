//! What every adapter of [`Ownership`] keeps. An adapter lends a [`Stage`] on which nodes come, lose leases and die.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may stop at the first surprise

use async_trait::async_trait;
use centro_cluster::{Change, Changes, Epoch, LocalCluster, Owner, Ownership, Seen, Shard};
use std::{sync::Arc, time::Duration};

/// Where an adapter's nodes live. A lease table gets the same by killing connections and waiting for leases to end.
#[async_trait]
trait Stage: Send + Sync {
    /// A node comes; the first one gets every shard before this returns.
    async fn join(&self, node: &str) -> Arc<dyn Ownership>;
    /// A shard goes from its owner to another node, or to nobody.
    async fn hand_over(&self, shard: Shard, to: Option<&str>);
    /// A node dies without a word.
    async fn kill(&self, node: &str);
}

struct Local(LocalCluster);

#[async_trait]
impl Stage for Local {
    async fn join(&self, node: &str) -> Arc<dyn Ownership> {
        Arc::new(self.0.join(node))
    }
    async fn hand_over(&self, shard: Shard, to: Option<&str>) {
        self.0.hand_over(shard, to);
    }
    async fn kill(&self, node: &str) {
        self.0.kill(node);
    }
}

/// The next change, which must come.
async fn next(changes: &mut Changes) -> Change {
    let seen = tokio::time::timeout(Duration::from_secs(30), changes.next());
    match seen.await.expect("a change").expect("not the end") {
        Seen::Change(change) => change,
        Seen::Lagged => panic!("nobody could be that slow"),
    }
}

async fn keeps_the_contract(stage: &dyn Stage) {
    let shard = Shard::of(7);
    let one = stage.join("one").await;
    assert!(
        Shard::all().all(|s| one.epoch(s).is_some()),
        "the first owns all"
    );
    let two = stage.join("two").await;
    assert!(!one.is_dead("two") && !two.is_dead("one"));
    assert!(two.is_dead("three"), "never seen");

    // Both say the same of each shard, and only the owner has its epoch.
    for s in Shard::all() {
        let Some(Owner::Here(epoch)) = one.owner(s) else {
            panic!("not ours")
        };
        let node = Arc::from("one");
        assert_eq!(two.owner(s), Some(Owner::There { node, epoch }));
        assert_eq!((one.epoch(s), two.epoch(s)), (Some(epoch), None));
    }

    // A hand-over: the old owner has lost it before the new one has it, and the epoch has grown.
    let (mut first, mut second) = (one.changes(), two.changes());
    let before = one.epoch(shard).unwrap();
    stage.hand_over(shard, Some("two")).await;
    assert_eq!(
        next(&mut first).await,
        Change::Lost {
            shard,
            epoch: before
        }
    );
    let Change::Gained {
        shard: gained,
        epoch,
    } = next(&mut second).await
    else {
        panic!("not gained")
    };
    assert!(gained == shard && epoch > before);
    let node: Arc<str> = Arc::from("two");
    let moved = Change::Moved { shard, node, epoch };
    assert_eq!(next(&mut first).await, moved);
    assert_eq!((one.epoch(shard), two.epoch(shard)), (None, Some(epoch)));

    // A lease that is lost to nobody: the owner stops at once.
    let kept = Shard::of(8);
    let before = one.epoch(kept).unwrap();
    stage.hand_over(kept, None).await;
    let lost = Change::Lost {
        shard: kept,
        epoch: before,
    };
    assert_eq!(next(&mut first).await, lost);
    assert_eq!((one.epoch(kept), two.owner(kept)), (None, None));

    // A death: the others hear of it, and nobody owns what it had until it is given away, under a greater epoch.
    stage.kill("two").await;
    let node: Arc<str> = Arc::from("two");
    assert_eq!(next(&mut first).await, Change::NodeDead { node });
    assert!(one.is_dead("two"));
    assert_eq!(one.owner(shard), None);
    stage.hand_over(shard, Some("one")).await;
    let Change::Gained {
        shard: back,
        epoch: newest,
    } = next(&mut first).await
    else {
        panic!("not gained")
    };
    assert!(back == shard && newest > epoch);

    // Whoever comes back under the name is another one.
    let again = stage.join("two").await;
    assert!(!one.is_dead("two"));
    assert_eq!(again.epoch(shard), None);
}

#[tokio::test]
async fn nodes_in_one_process() {
    keeps_the_contract(&Local(LocalCluster::new(Epoch(5)))).await;
}
