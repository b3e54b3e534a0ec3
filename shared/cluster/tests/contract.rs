//! What every adapter of [`Ownership`] and [`Members`] keeps. An adapter lends a [`Stage`] on which nodes come, lose leases
//! and die.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may stop at the first surprise

mod nodes;

use async_trait::async_trait;
use centro_cluster::{
    Change, Changes, Epoch, LocalCluster, Members, Owner, Ownership, Seen, Shard,
    redis::{Keys, Table},
};
use centro_testkit::{engines::Redis, eventually};
use nodes::Process;
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

trait Node: Ownership + Members {}
impl<T: Ownership + Members> Node for T {}

/// Where an adapter's nodes live.
#[async_trait(?Send)]
trait Stage {
    /// A node comes; when this returns every shard has an owner, and those that are to move to it have.
    async fn join(&self, node: &str) -> Arc<dyn Node>;
    /// A shard goes from its owner to another node, or to nobody, from whom it may be taken at once.
    async fn hand_over(&self, shard: Shard, to: Option<&str>);
    /// A node dies without a word.
    async fn kill(&self, node: &str);
}

struct Local(LocalCluster);

#[async_trait(?Send)]
impl Stage for Local {
    async fn join(&self, node: &str) -> Arc<dyn Node> {
        Arc::new(self.0.join(node))
    }
    async fn hand_over(&self, shard: Shard, to: Option<&str>) {
        self.0.hand_over(shard, to);
    }
    async fn kill(&self, node: &str) {
        self.0.kill(node);
    }
}

struct InRedis {
    redis: Redis,
    processes: Mutex<BTreeMap<String, Process>>,
}

#[async_trait(?Send)]
impl Stage for InRedis {
    async fn join(&self, node: &str) -> Arc<dyn Node> {
        let settings = nodes::settings(&self.redis);
        let process = Process::serve(&settings, node).await.unwrap();
        let ownership = process.ownership.clone();
        self.processes.lock().insert(node.to_owned(), process);
        let all = || {
            let processes = self.processes.lock();
            let all: Vec<_> = processes.values().collect();
            let shares: Vec<_> = all.iter().map(|p| p.owned()).collect();
            anyhow::ensure!(nodes::owned(&all) == (256, 0), "{shares:?}");
            anyhow::ensure!(shares.iter().all(|share| *share > 80), "{shares:?}");
            Ok(())
        };
        let settled = eventually("it has its share", nodes::SOON, async || all());
        settled.await.unwrap();
        Arc::new(ownership)
    }

    async fn hand_over(&self, shard: Shard, to: Option<&str>) {
        let Some(to) = to else {
            let mut connection = nodes::connect(&self.redis).await.unwrap();
            let mut command = redis::cmd("DEL");
            command.arg(Keys::new("centro").owner(shard));
            return command.query_async(&mut connection).await.unwrap();
        };
        let table = Table::new(&nodes::settings(&self.redis)).unwrap();
        table.pin(shard, to).await.unwrap();
    }

    async fn kill(&self, node: &str) {
        drop(self.processes.lock().remove(node).unwrap());
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

/// The epoch under which the shard is gained; others may be before it.
async fn gained(changes: &mut Changes, wanted: Shard) -> Epoch {
    loop {
        match next(changes).await {
            Change::Gained { shard, epoch } if shard == wanted => return epoch,
            Change::Gained { .. } => {}
            other => panic!("{other:?} before {wanted:?} was gained"),
        }
    }
}

/// Both say the same of each shard, and only the owner has its epoch.
async fn agree(one: &dyn Node, two: &dyn Node) {
    let agreed = eventually("both say the same", nodes::SOON, async || {
        for shard in Shard::all() {
            let (epoch, seen) = match (one.owner(shard), two.owner(shard)) {
                (Some(Owner::Here(epoch)), Some(seen)) => (epoch, (seen, "one")),
                (Some(seen), Some(Owner::Here(epoch))) => (epoch, (seen, "two")),
                other => anyhow::bail!("{shard:?}: {other:?}"),
            };
            let node = Arc::from(seen.1);
            anyhow::ensure!(
                seen.0 == Owner::There { node, epoch },
                "{shard:?}: {seen:?}"
            );
        }
        Ok(())
    });
    agreed.await.unwrap();
    assert!(Shard::all().all(|s| one.epoch(s).is_none() || two.epoch(s).is_none()));
}

fn names(node: &dyn Node) -> Vec<String> {
    node.members().iter().map(|m| m.name.to_string()).collect()
}

async fn keeps_the_contract(stage: &dyn Stage) {
    let one = stage.join("one").await;
    assert!(
        Shard::all().all(|s| one.epoch(s).is_some()),
        "who is alone owns all"
    );
    let two = stage.join("two").await;
    assert!(!one.is_dead("two") && !two.is_dead("one"));
    assert!(two.is_dead("three"), "never seen");
    agree(&*one, &*two).await;
    assert_eq!(
        (names(&*one), names(&*two)),
        (vec!["one".into(), "two".into()], names(&*one))
    );
    assert_eq!(two.member("one").unwrap().name, Arc::from("one"));
    assert_eq!(two.member("three"), None);

    // A hand-over: the old owner has lost it before the new one has it, and the epoch has grown.
    let mut ones = Shard::all().filter(|s| one.epoch(*s).is_some());
    let (shard, kept) = (ones.next().unwrap(), ones.next().unwrap());
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
    let epoch = gained(&mut second, shard).await;
    assert!(epoch > before);
    assert_eq!((one.epoch(shard), two.epoch(shard)), (None, Some(epoch)));
    let node: Arc<str> = Arc::from("two");
    let moved = Change::Moved { shard, node, epoch };
    assert_eq!(next(&mut first).await, moved);

    // A lease that is lost to nobody: the owner stops at once, and whoever has it next has a greater epoch.
    let before = one.epoch(kept).unwrap();
    stage.hand_over(kept, None).await;
    let lost = Change::Lost {
        shard: kept,
        epoch: before,
    };
    assert_eq!(next(&mut first).await, lost);
    assert!(one.epoch(kept) != Some(before) && two.epoch(kept).is_none());
    stage.hand_over(kept, Some("one")).await;
    assert!(gained(&mut first, kept).await > before);

    // A death: the others hear of it, and who has then what it had has it under a greater epoch.
    stage.kill("two").await;
    let node: Arc<str> = Arc::from("two");
    assert_eq!(next(&mut first).await, Change::NodeDead { node });
    assert!(one.is_dead("two"));
    assert_eq!(
        (names(&*one), one.member("two")),
        (vec!["one".into()], None)
    );
    assert!(!matches!(one.owner(shard), Some(Owner::There { .. })));
    stage.hand_over(shard, Some("one")).await;
    assert!(gained(&mut first, shard).await > epoch);

    // Whoever comes back under the name is another one.
    let again = stage.join("two").await;
    assert!(!one.is_dead("two"));
    assert_eq!(again.epoch(shard), None);
}

#[tokio::test]
async fn nodes_in_one_process() {
    keeps_the_contract(&Local(LocalCluster::new(Epoch(5)))).await;
}

#[tokio::test]
async fn nodes_that_share_a_redis() {
    let redis = Redis::start().await.unwrap();
    let processes = Mutex::default();
    keeps_the_contract(&InRedis { redis, processes }).await;
}

#[tokio::test]
async fn in_one_process_what_is_given_to_nobody_is_nobodys() {
    let cluster = LocalCluster::new(Epoch(5));
    let (one, two) = (cluster.join("one"), cluster.join("two"));
    let shard = Shard::of(8);
    cluster.hand_over(shard, None);
    assert_eq!((one.owner(shard), two.owner(shard)), (None, None));
}
