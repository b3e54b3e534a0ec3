//! Several processes of this service on one database.

use super::*;
use centro_proto::configuration::configuration_feed_server::ConfigurationFeed;
use centro_testkit::engines::{Engine, Kind, Postgres};
use std::collections::BTreeSet;

const EACH: u64 = 20;

/// Whoever reads on from the last version it has seen misses nothing: no version is committed after a higher one. And
/// extensions that are given, not asked for, are given once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_of_three_processes_grow_as_they_are_seen() {
    engines::on(Kind::Postgres, async {
        let one = Arc::new(World::new().await);
        let mut writers = Vec::new();
        for process in 0..3 {
            let world = one.another().await;
            writers.push(tokio::spawn(async move {
                let mut extensions = Vec::new();
                for n in 0..EACH {
                    let queue = world.queue(&format!("Queue {process}-{n}"), "").await;
                    extensions.push(queue.unwrap().extension);
                }
                extensions
            }));
        }
        let reader = one.clone();
        let reading = tokio::spawn(async move {
            let (mut seen, mut last) = (BTreeSet::new(), 0);
            while (seen.len() as u64) < 3 * EACH {
                // As after a page: only what is above the last version.
                let page_token = if last == 0 {
                    String::new()
                } else {
                    reader.token(last)
                };
                let request = Request::new(pb::SnapshotRequest { page_token });
                let page = reader.desk.snapshot(request).await.unwrap().into_inner();
                for change in page.changes {
                    assert!(change.version > last && seen.insert(change.version));
                    last = change.version;
                }
            }
            seen
        });
        let mut extensions = BTreeSet::new();
        for writer in writers {
            for extension in writer.await.unwrap() {
                assert!(extensions.insert(extension), "given twice");
            }
        }
        let seen = tokio::time::timeout(Duration::from_secs(60), reading).await;
        let seen = seen.expect("the reader misses nothing").unwrap();
        assert_eq!(seen, (1..=3 * EACH).collect());
    })
    .await;
}

/// The database dies between two writes: callers are told, nobody starts anything again, and what was written is told to the world.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_answered_and_passes_and_no_change_goes_unheard() {
    let mut engine = Postgres::start().await.unwrap();
    let url = engine.database().unwrap();
    let limits = Limits {
        acquire_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    let data = tempfile::tempdir().unwrap();
    let records = Records::at(&url, data.path(), limits).unwrap();
    let world = World::on(data, records).await;
    let mut events = world.watch().await;
    let before = world.queue("Before", "").await.unwrap();
    engine.kill().unwrap();
    for n in 0..3 {
        let refused = world.queue(&format!("During {n}"), "").await;
        assert_eq!(reason(refused), "storage_unavailable");
    }
    engine.revive().await.unwrap();
    let after = loop {
        match world.queue("After", "").await {
            Ok(after) => break after,
            Err(status) => assert_eq!(status::reason(&status), "storage_unavailable"),
        }
    };
    let mut told = Vec::new();
    while told.last() != Some(&after.id) {
        let (event, _) = next(&mut events).await;
        told.push(event.subject);
    }
    // One whose transaction the outage cut off may be told once more.
    told.dedup();
    assert_eq!(told, [before.id, after.id]);
}

impl World {
    /// The token of the page of the snapshot behind this version.
    fn token(&self, version: u64) -> String {
        let pages =
            centro_store::page::Pages::new(&self.keys.derive(centro_store::page::Pages::PURPOSE));
        let version = i64::try_from(version).unwrap();
        pages.list("snapshot", "", &()).token(&version)
    }
}
